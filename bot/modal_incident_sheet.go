package bot

import (
	"context"
	"errors"
	"fmt"

	"github.com/watchbill/watchbill/oncall"
)

// maxOthers bounds how many incidents are looked at to choose from.
const maxOthers = 500

// sheet loads what a person is to see of an incident.
func (b *Bot) sheet(ctx context.Context, id oncall.IncidentID, user oncall.UserID) (sheet, error) {
	s := sheet{reader: user, now: b.clock()}
	directory, err := b.store.Directory(ctx)
	if err != nil {
		return s, fmt.Errorf("load the directory: %w", err)
	}
	_, s.zone = zoneOf(directory.Users[user])
	s.picture, err = b.store.Picture(ctx, id, s.now)
	if errors.Is(err, oncall.ErrNotFound) {
		return s, noIncident(id)
	}
	if err != nil {
		return s, fmt.Errorf("load incident %s: %w", id, err)
	}
	in := s.picture.Incident
	s.plan, s.reach = in.Plan(directory.Facts(), s.now), directory.Reach
	s.policies = directory.Policies
	open, err := b.store.OpenIncidents(ctx, maxOthers)
	if err != nil {
		return s, fmt.Errorf("load open incidents: %w", err)
	}
	for _, o := range open {
		if o.ID != id {
			s.others = append(s.others, o)
		}
	}
	pages, err := b.store.Pagings(ctx, id)
	if err != nil {
		return s, fmt.Errorf("load the pages of incident %s: %w", id, err)
	}
	for _, p := range pages {
		s.pages = append(s.pages, attempt(p))
	}
	return s, nil
}

func noIncident(id oncall.IncidentID) error {
	return oncall.Refuse("There is no incident %s. `/oncall incidents` lists what is open.", id)
}
