package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/notify"
)

// lookAtChannels begins to look at the channels that are switched on, all at once, and returns what
// waits for the findings and says them. Nothing is sent to anybody.
func lookAtChannels(ctx context.Context, channels []channel, limit time.Duration) func(*report) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	looks := make([]chan []notify.Finding, len(channels))
	for i, c := range channels {
		checker := c.checker()
		if checker == nil {
			continue
		}
		looks[i] = make(chan []notify.Finding, 1)
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

// checker looks at the channel; what is sent by one provider needs one look. Nil: nothing can be asked.
func (c channel) checker() notify.Checker {
	for _, method := range slices.Sorted(maps.Keys(c.senders)) {
		if checker := notify.AbilitiesOf(c.senders[method]).Checker; checker != nil {
			return checker
		}
	}
	return nil
}

// channel says in one line that nothing is wrong with it, or in one for each fault what is.
func (r *report) channel(name string, found []notify.Finding) {
	var fine []string
	faults := r.bad
	for _, f := range found {
		switch {
		case f.OK:
			fine = append(fine, f.Text)
		case !f.Note:
			r.fail(name, f.Text, f.Remedy)
		case name != "twilio": // `watchbill twilio check` has the notes
			r.note(name, f.Text, f.Remedy)
		}
	}
	if r.bad == faults && len(fine) > 0 {
		r.ok(name, strings.Join(fine, ", "))
	}
}
