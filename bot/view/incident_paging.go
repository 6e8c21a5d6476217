package view

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

var channelID = regexp.MustCompile(`^[CG][A-Z0-9]+$`)

// recipients names the recipients of an event's page: people, channels, the hosts of webhooks.
func recipients(detail oncall.Detail) string {
	var all []string
	switch n := len(detail.Users); {
	case n > 0 && n <= MaxNamed:
		for _, u := range detail.Users {
			all = append(all, mention(u))
		}
	case n > 0 || len(detail.To) == 0:
		all = append(all, named(detail.Users))
	}
	for _, to := range detail.To {
		all = append(all, channelWord(to))
	}
	return List(all)
}

// quietRecipients is recipients without mentions, because Slack would notify the people.
func quietRecipients(d oncall.Detail) string {
	var all []string
	switch n := len(d.Users); {
	case n == 1:
		all = append(all, "1 person")
	case n > 1 || len(d.To) == 0:
		all = append(all, fmt.Sprintf("%d people", n))
	}
	for _, to := range d.To {
		all = append(all, channelWord(to))
	}
	return List(all)
}

// pagingLine says whom an event pages, after the given words, and until when a low-severity page waits for
// their working hours.
func pagingLine(before string, detail oncall.Detail) string {
	to := recipients(detail)
	if !detail.Until.IsZero() {
		to = quietRecipients(detail)
	}
	line := before + to
	if detail.Step > 0 {
		line += fmt.Sprintf(" (%s)", stepName(detail))
	}
	if !detail.Until.IsZero() {
		line += fmt.Sprintf("; low severity waits for working hours, until %s", stamp(detail.Until, asDay, time.UTC))
	}
	return line + "."
}

// channelWord names a channel that is configured by its id or its name.
func channelWord(c string) string {
	if channelID.MatchString(c) {
		return "<#" + c + ">"
	}
	return Name(c)
}

// pagedWords says who was paged, or until when a low-severity page waits. It doesn't mention people whose page
// waits, because Slack would notify them at night.
func pagedWords(picture oncall.Picture) []string {
	to, posts := recipients(oncall.Detail{Users: picture.Paged, To: pagedTargets(picture.Events)}), pagedTargets(picture.Events)
	anybody := len(picture.Paged)+len(posts) > 0
	last := lastPaging(picture.Events)
	until := last.Detail.Until
	var sentences []string
	switch {
	case last.Kind == oncall.EventWaits:
		if anybody {
			sentences = append(sentences, "Paged "+to+".")
		}
		return append(sentences, fmt.Sprintf("Low severity waits for working hours, until %s.", stamp(until, asDay, time.UTC)))
	case picture.Incident.Unassigned && until.IsZero():
		return []string{fmt.Sprintf("*Nobody is on call for it*: %s was paged instead.", to)}
	case picture.Incident.Unassigned:
		sentences = append(sentences, "*Nobody is on call for it.*")
	case !anybody:
		return nil
	}
	if until.IsZero() {
		return append(sentences, "Paged "+to+".")
	}
	return append(sentences, fmt.Sprintf("Low severity waits for working hours: pages %s at %s.",
		quietRecipients(oncall.Detail{Users: picture.Paged, To: posts}), stamp(until, asDay, time.UTC)))
}

// pagedTargets returns the channels and webhooks that steps have paged.
func pagedTargets(events []oncall.Event) []string {
	var to []string
	for _, e := range events {
		if e.Kind != oncall.EventPaging && e.Kind != oncall.EventUnassigned { // others name policies and channels that nobody paged
			continue
		}
		for _, name := range e.Detail.To {
			if !slices.Contains(to, name) && len(to) < MaxNamed {
				to = append(to, name)
			}
		}
	}
	return to
}

// lastPaging returns the latest event in which a policy paged somebody, or waited.
func lastPaging(events []oncall.Event) oncall.Event {
	for _, e := range slices.Backward(events) {
		switch e.Kind {
		case oncall.EventPaging, oncall.EventUnassigned, oncall.EventWaits:
			return e
		case oncall.EventReassigned:
			return oncall.Event{}
		default:
		}
	}
	return oncall.Event{}
}

// stepName names a step of the policy, and how often it has run if more than once.
func stepName(d oncall.Detail) string {
	s := fmt.Sprintf("step %d", d.Step)
	if d.Run > 1 {
		s += fmt.Sprintf(", time %d", d.Run)
	}
	if d.Round > 1 {
		s += fmt.Sprintf(", round %d", d.Round)
	}
	return s
}
