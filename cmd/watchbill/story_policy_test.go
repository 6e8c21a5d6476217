package main

import (
	"context"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// minute: does now what every instance does once a minute.
func (s *story) minute(ts *testscript.TestScript, _ bool, _ []string) {
	for _, chore := range []func(context.Context, time.Time) error{
		s.app.store.RemindUnacked, s.app.store.SaveKeyUses, s.app.store.EndMutes, s.app.store.SaveRefusals, s.app.store.QueueSilences,
		s.app.store.OfferRest, s.app.store.QueueAwayCalendars, s.app.store.QueueHolidayCalendars, s.app.jobs.SendDigests,
	} {
		ts.Check(chore(context.Background(), s.clock.Now()))
	}
	s.settle(ts)
}
