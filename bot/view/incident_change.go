package view

import (
	"fmt"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// changeLine describes how an incident changed by itself.
func changeLine(e oncall.Event) string {
	detail := e.Detail
	switch e.Kind {
	case oncall.EventAckAgain:
		if len(detail.Users) == 0 {
			return fmt.Sprintf("It got worse: unless somebody acknowledges it, it escalates at %s.", stamp(detail.Until, asTime, time.UTC))
		}
		return fmt.Sprintf("It got worse, and %s was paged: unless it is acknowledged again, it escalates at %s.", named(detail.Users), stamp(detail.Until, asTime, time.UTC))
	case oncall.EventAged:
		return fmt.Sprintf("Nothing has come about %s for 24 hours, and its monitor gives it no key by which it could say that it is over: closed by age.", Foreign(detail.Text, maxTitle))
	case oncall.EventFlapping:
		return fmt.Sprintf("It flaps: it was reopened %s within 15 minutes, so it closes only after 10 quiet minutes.", Count(detail.Count, "time"))
	case oncall.EventUnattended:
		return "It flaps, and nobody has answered for 30 minutes: it pages from the first step again."
	default:
		return ""
	}
}

// Flapping draws the thread reply that counts how often a flapping incident has fired again.
func Flapping(in oncall.Incident) Drawing {
	fl := in.Flap
	since := stamp(*fl.Since, asTime, time.UTC)
	switch closes := in.ClosesAt(); {
	case fl.OverAt != nil:
		return Text(fmt.Sprintf("It flapped from %s to %s and fired again %s.", since, stamp(*fl.OverAt, asTime, time.UTC), Count(fl.Times, "time")))
	case !closes.IsZero():
		return Text(fmt.Sprintf("Flapping since %s: it has fired again %s. Nothing fires since %s; it closes at %s unless it fires again.",
			since, Count(fl.Times, "time"), stamp(*fl.QuietAt, asTime, time.UTC), stamp(closes, asTime, time.UTC)))
	}
	return Text(fmt.Sprintf("Flapping since %s: it has fired again %s. It closes after 10 quiet minutes.", since, Count(fl.Times, "time")))
}

// flapWords says when a flapping incident closes. A storm's direct messages don't follow each change.
func flapWords(in oncall.Incident) []string {
	switch closes := in.ClosesAt(); {
	case !in.Flapping():
		return nil
	case closes.IsZero() || in.Storm != nil:
		return []string{fmt.Sprintf("*Flapping* since %s: it closes after 10 quiet minutes.", stamp(*in.Flap.Since, asTime, time.UTC))}
	default:
		return []string{fmt.Sprintf("*Flapping* since %s: nothing fires at the moment, and it closes at %s unless it fires again.",
			stamp(*in.Flap.Since, asTime, time.UTC), stamp(closes, asTime, time.UTC))}
	}
}
