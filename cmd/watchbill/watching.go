package main

import (
	"context"
	"fmt"
	"time"

	"github.com/watchbill/watchbill/notify"
)

// watchingFlags set how Watchbill watches itself.
type watchingFlags struct {
	Canary       string `env:"WATCHBILL_CANARY" default:"5m" placeholder:"DURATION" help:"How often an incident of Watchbill's own goes the whole way and pages nobody, to see that it can, such as 5m; or off."`
	HeartbeatURL string `name:"heartbeat-url" env:"WATCHBILL_HEARTBEAT_URL" placeholder:"URL" help:"Called every minute as long as pages would go out, such as a check of healthchecks.io, which raises the alarm when that stops; several are divided by commas."`
}

// Limits of the canary's interval.
const (
	minCanaryInterval = time.Minute
	maxCanaryInterval = 24 * time.Hour
)

// parseCanary parses the canary's interval; 0 means never.
func parseCanary(text string) (time.Duration, bool) {
	if text == "off" || text == "" {
		return 0, true
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d >= minCanaryInterval && d <= maxCanaryInterval
}

func (f watchingFlags) problems() (out []string) {
	if _, ok := parseCanary(f.Canary); !ok {
		out = append(out, fmt.Sprintf("WATCHBILL_CANARY is %q; it may be a time from 1m to 24h, such as 5m, or off", f.Canary))
	}
	if _, err := notify.NewPulse(f.HeartbeatURL, notify.AddressRules{}); err != nil {
		out = append(out, "WATCHBILL_HEARTBEAT_URL: "+err.Error())
	}
	return out
}

// pulse returns the function that calls the services; nil if there are none.
func (f watchingFlags) pulse(rules notify.AddressRules) func(context.Context) error {
	p, err := notify.NewPulse(f.HeartbeatURL, rules)
	if err != nil || p == nil {
		return nil
	}
	return p.Send
}

// watching reports what would notice that Watchbill has stopped working.
func (c *doctorCmd) watching(r *report) {
	every, _ := parseCanary(c.Canary)
	switch {
	case every == 0 && c.HeartbeatURL == "":
		r.note("watching", "neither WATCHBILL_CANARY nor WATCHBILL_HEARTBEAT_URL is set: nothing notices that pages don't go out any more", "See docs/watching.md.")
	case c.HeartbeatURL == "":
		r.note("watching", "WATCHBILL_HEARTBEAT_URL is not set: if Watchbill itself stops, nothing outside of it notices", "Make a check at a service such as healthchecks.io, and set its address: docs/watching.md.")
	case every == 0:
		r.note("watching", "WATCHBILL_CANARY is off: the calls of WATCHBILL_HEARTBEAT_URL say that queues are worked, and not that a signal becomes a page", "Leave it out, or set it to 5m.")
	default:
		r.ok("watching", fmt.Sprintf("a canary every %s; an independent service hears every minute that it comes through", every))
	}
}
