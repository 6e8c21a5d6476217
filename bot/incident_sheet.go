package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// maxOthers bounds how many open incidents are looked at.
const maxOthers = 500

// sheet loads what a person sees of an incident.
func (b *Bot) sheet(ctx context.Context, id oncall.IncidentID, user oncall.UserID) (view.Sheet, error) {
	s := view.Sheet{Reader: user, Now: b.clock()}
	directory, err := b.store.DirectoryFor(ctx, oncall.ByUser(user))
	if err != nil {
		return s, fmt.Errorf("load the directory: %w", err)
	}
	_, s.Zone = zoneOf(directory.Users[user])
	s.Picture, err = b.store.Picture(ctx, oncall.ByUser(user), id, s.Now)
	if errors.Is(err, oncall.ErrNotFound) {
		return s, noIncident(id)
	}
	if err != nil {
		return s, fmt.Errorf("load incident %s: %w", id, err)
	}
	if s.Plan, err = b.store.Plan(ctx, oncall.ByUser(user), id, s.Now); err != nil {
		return s, fmt.Errorf("load the plan of incident %s: %w", id, err)
	}
	s.Reach = directory.Reach
	s.Policies, s.OnCall = directory.Policies, view.OnCallOptions(directory.Teams, directory.Schedules)
	open, err := b.store.OpenIncidents(ctx, oncall.ByUser(user), maxOthers)
	if err != nil {
		return s, fmt.Errorf("load open incidents: %w", err)
	}
	for _, o := range open {
		if o.ID != id {
			s.Others = append(s.Others, o)
		}
	}
	if s.Picture.Incident.Storm != nil {
		if s.Alerts, err = b.store.WorstAlerts(ctx, oncall.ByUser(user), id, view.MaxSplits); err != nil {
			return s, fmt.Errorf("load the alerts of incident %s: %w", id, err)
		}
	}
	pages, err := b.store.PageHistory(ctx, oncall.ByUser(user), id)
	if err != nil {
		return s, fmt.Errorf("load the pages of incident %s: %w", id, err)
	}
	for _, p := range pages {
		s.Pages = append(s.Pages, view.Attempt(p))
	}
	in := s.Picture.Incident
	on := access.Object{Team: in.TeamID, Involved: slices.Concat(in.Acks, in.Holders())}
	for _, r := range in.Responders {
		on.Involved = append(on.Involved, r.User)
	}
	if len(s.Pages) > 0 { // the reader's own
		on.Involved = append(on.Involved, user)
	}
	s.Watches = directory.Access().May(oncall.ByUser(user), access.Respond, on) != nil
	return s, nil
}

func noIncident(id oncall.IncidentID) error {
	return oncall.Refuse("There is no incident %s. `/oncall incidents` lists what is open.", id)
}
