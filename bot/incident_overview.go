package bot

import (
	"context"
	"errors"
	"fmt"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// maxOpenLoaded is the maximum number of open incidents to load.
const maxOpenLoaded = 500

// incidentOverview loads what a person may see of an incident.
func (b *Bot) incidentOverview(ctx context.Context, id oncall.IncidentID, user oncall.UserID) (view.IncidentOverview, error) {
	s := view.IncidentOverview{Reader: user, Now: b.clock(), Address: b.pages}
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
	if b.trace != nil {
		s.Trace = b.trace(s.Picture.Incident)
	}
	if s.Plan, err = b.store.Plan(ctx, oncall.ByUser(user), id, s.Now); err != nil {
		return s, fmt.Errorf("load the plan of incident %s: %w", id, err)
	}
	s.Reach = directory.ContactSettings
	s.Updates = view.UpdateOptions(s.Picture.Team.Updates, func(named string) string { return directory.ChannelCalled(directory.Channel(named)) })
	s.Policies, s.OnCall = directory.Policies, view.OnCallOptions(directory.Teams, directory.Schedules)
	open, err := b.store.OpenIncidents(ctx, oncall.ByUser(user), maxOpenLoaded)
	if err != nil {
		return s, fmt.Errorf("load open incidents: %w", err)
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
	if s.Resting, err = b.store.RestingPhones(ctx, oncall.ByUser(user), id, s.Contacts(), s.Now); err != nil {
		return s, err
	}
	may, err := b.store.MayRespond(ctx, oncall.ByUser(user), append(open, s.Picture.Incident))
	if err != nil {
		return s, err
	}
	s.Watches = !may[id]
	if s.Past, err = b.store.PastIncidents(ctx, oncall.ByUser(user), id, view.MostPast); err != nil {
		return s, err
	}
	for _, o := range open {
		team, known := directory.Team(o.TeamID)
		joins := o.TeamID == s.Picture.Incident.TeamID || !s.Picture.Team.Private && known && !team.Private
		if o.ID != id && may[o.ID] && joins {
			s.Others = append(s.Others, o)
		}
	}
	return s, nil
}

// formOn draws a form about an incident for a person, or refuses if they may not do what the form is
// for.
func (b *Bot) formOn(ctx context.Context, id oncall.IncidentID, user oncall.UserID, do view.Action) (slack.ModalViewRequest, error) {
	s, err := b.incidentOverview(ctx, id, user)
	if err != nil {
		return slack.ModalViewRequest{}, err
	}
	if s.Watches && do != view.ActionMore && do != view.ActionTimeline {
		if err := b.store.CheckRespond(ctx, oncall.ByUser(user), s.Picture.Incident); err != nil {
			return slack.ModalViewRequest{}, err
		}
	}
	return actForms[do](s), nil
}

func noIncident(id oncall.IncidentID) error {
	return oncall.Refuse("There is no incident %s. `/oncall incidents` lists what is open.", id)
}
