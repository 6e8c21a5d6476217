package main

import (
	"context"
	"strings"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
)

// ways are what the doctor looks at beside Slack, as it names them. Calls go by the account
// that sends SMS.
var ways = []struct{ name, method string }{
	{"mail", oncall.MethodEmail},
	{"ntfy", oncall.MethodNtfy},
	{"pushover", oncall.MethodPushover},
	{"telegram", oncall.MethodTelegram},
	{"twilio", oncall.MethodSMS},
}

// lookAtWays begins to look at the ways of reaching people that are configured, all at once,
// and returns what waits for the findings and says them. Nothing is sent to anybody.
func lookAtWays(ctx context.Context, senders map[string]notify.Sender, limit time.Duration) func(*report) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	looks := make([]chan []notify.Finding, len(ways))
	for i, w := range ways {
		checker, ok := senders[w.method].(notify.Checker)
		if !ok {
			continue
		}
		looks[i] = make(chan []notify.Finding, 1)
		go func() { looks[i] <- checker.Check(ctx) }()
	}
	return func(r *report) {
		defer cancel()
		for i, w := range ways {
			if looks[i] != nil {
				r.way(w.name, <-looks[i])
			}
		}
	}
}

// way says in one line that nothing is wrong with it, or in one for each fault what is.
func (r *report) way(name string, found []notify.Finding) {
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
