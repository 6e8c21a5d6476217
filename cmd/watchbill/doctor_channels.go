package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/notify"
)

// lookAtChannels starts checking all configured channels in parallel, and returns a function that
// waits for the findings and prints them. Nothing is sent to anybody.
func lookAtChannels(ctx context.Context, channels []channel, limit time.Duration) func(*report) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	looks := make([]chan []notify.CheckResult, len(channels))
	for i, c := range channels {
		checker := c.checker()
		if checker == nil {
			continue
		}
		looks[i] = make(chan []notify.CheckResult, 1)
		go func() { looks[i] <- checker.Check(ctx) }()
	}
	return func(r *report) {
		defer cancel()
		for i, c := range channels {
			if looks[i] != nil {
				r.channel(c.name, <-looks[i])
			}
		}
	}
}

// checker returns the checker of the channel's provider, or nil if it cannot be checked.
func (c channel) checker() notify.Checker {
	for _, method := range slices.Sorted(maps.Keys(c.senders)) {
		if checker := notify.AbilitiesOf(c.senders[method]).Checker; checker != nil {
			return checker
		}
	}
	return nil
}

// channel prints one line if nothing is wrong with the channel, and otherwise one for each fault.
func (r *report) channel(name string, found []notify.CheckResult) {
	var fine []string
	faults := r.bad
	for _, f := range found {
		switch {
		case f.OK:
			fine = append(fine, f.Text)
		case !f.Note:
			r.fail(name, f.Text, f.Remedy)
		case !f.Minor: // `watchbill twilio check` prints those
			r.note(name, f.Text, f.Remedy)
		}
	}
	if r.bad == faults && len(fine) > 0 {
		r.ok(name, strings.Join(fine, ", "))
	}
}
