package bot

import (
	"context"
	"slices"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// outsiderNote tells somebody who takes another team's incident whose it is and who is on call there.
// It is empty for members of the team and people who were asked. It blocks nothing, and a failure is
// only logged, because the act is saved.
func (b *Bot) outsiderNote(ctx context.Context, by oncall.Actor, id oncall.IncidentID) string {
	directory, err := b.store.DirectoryFor(ctx, by)
	if err != nil {
		b.log.Warn().Err(err).Msg("could not tell somebody whose incident they took")
		return ""
	}
	in, err := b.store.Incident(ctx, by, id)
	if err == nil && slices.Contains(directory.Members[in.TeamID], by.User) { // most people who take an incident
		return ""
	}
	picture, err := b.store.Picture(ctx, by, id, b.clock())
	if err != nil {
		b.log.Warn().Err(err).Msg("could not tell somebody whose incident they took")
		return ""
	}
	asked := slices.ContainsFunc(picture.Incident.Responders, func(r oncall.Responder) bool { return r.User == by.User })
	if asked || picture.Incident.RaisedBy.User == by.User || slices.Contains(picture.Paged, by.User) {
		return ""
	}
	var onCall []oncall.UserID
	for _, s := range directory.Schedules {
		if s.TeamID() != picture.Incident.TeamID {
			continue
		}
		for _, duty := range s.Who(b.clock()) {
			if duty.Role == schedule.RoleShadow {
				continue
			}
			for _, u := range duty.Users {
				if !slices.Contains(onCall, u) {
					onCall = append(onCall, u)
				}
			}
		}
	}
	if slices.Contains(onCall, by.User) { // by an override
		return ""
	}
	return view.OtherTeams(picture.Incident, picture.Team, onCall)
}
