package view

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/watchbill/watchbill/oncall"
)

// Thread draws one reply for several events, and reports whether to broadcast it to the channel. Its text is
// empty if there is nothing to say.
func Thread(p oncall.Picture, events []oncall.Event) (_ Drawing, loud bool) {
	in := p.Incident
	text, loud := threadText(events)
	if loud { // in the channel it stands without the incident above it
		text = bold(in.ID.String(), titleOf(in), "") + "\n" + text
	}
	if text == "" {
		return Drawing{}, false
	}
	d := Text(text)
	if in.AsksVerdict(events, p.Events) {
		d = askVerdict(d, in)
	}
	return d, loud
}

// threadText joins several events into one reply, a sentence a line, and reports whether to broadcast it. It is
// empty if there is nothing to say.
func threadText(events []oncall.Event) (text string, loud bool) {
	var lines []string
	for _, e := range events {
		if !e.InThread() {
			continue
		}
		lines = append(lines, threadLine(e))
		loud = loud || e.InChannel()
	}
	// The latest lines matter most.
	dropped := 0
	for utf8.RuneCountInString(strings.Join(lines, "\n")) > maxSection-50 {
		lines = lines[1:]
		dropped++
	}
	if dropped > 0 {
		lines = append([]string{Count(dropped, "earlier event") + " left out"}, lines...)
	}
	return strings.Join(lines, "\n"), loud
}

// atTime returns " at …", or nothing for the zero time.
func atTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " at " + stamp(t, asTime, time.UTC)
}

// EventLine describes an event in one sentence, for a reader outside of Slack.
func EventLine(e oncall.Event) string { return strings.TrimSpace(threadLine(e)) }

// threadLine describes an event in one sentence.
func threadLine(e oncall.Event) string {
	d := e.Detail
	text := Foreign(d.Text, maxTitle)
	switch e.Kind {
	case oncall.EventPaging:
		return pagingLine("Paged ", d)
	case oncall.EventWaits:
		return fmt.Sprintf("Low severity waits for working hours, until %s.", stamp(d.Until, asDay, time.UTC))
	case oncall.EventPassedOn:
		return fmt.Sprintf("The escalation policy %s takes over%s.", text, atTime(d.Until))
	case oncall.EventUnassigned:
		return pagingLine("The escalation policy has nobody to page. Paged instead: ", d)
	case oncall.EventSkipped:
		if text != "" {
			return fmt.Sprintf("Skipped %s: %s.", stepName(d), text)
		}
		return fmt.Sprintf("Nobody to page in %s; the next step follows at once.", stepName(d))
	case oncall.EventExhausted:
		if len(d.Users) == 0 {
			return "<!channel> " + tooFewAcks(d) + ", and nobody could be told: the team has no members."
		}
		return pagingLine(tooFewAcks(d)+". The whole team was told: ", d)
	case oncall.EventNobodyNotified:
		return "<!channel> " + tooFewAcks(d) + ", and nobody could be told."
	case oncall.EventUnreached:
		if d.Step == 0 {
			return "None of those who were paged could be reached; the next step follows at once."
		}
		return fmt.Sprintf("Nobody could be reached in %s; the next step follows at once.", stepName(d))
	case oncall.EventAdopted:
		return fmt.Sprintf("%s came on call in %s and was paged: %s.", named(d.Users), text, onCallPageReason(d))
	case oncall.EventAcknowledged:
		return fmt.Sprintf("%s acknowledged it%s.", actorName(e.Actor), viaMethod(e.Actor))
	case oncall.EventResolved:
		return fmt.Sprintf("%s resolved it%s%s.", actorName(e.Actor), viaMethod(e.Actor), withPrefix(": ", text))
	case oncall.EventReopened:
		return fmt.Sprintf("%s reopened it%s.", actorName(e.Actor), withPrefix(": ", text))
	case oncall.EventSeverity:
		return fmt.Sprintf("The severity went from %s.", text)
	case oncall.EventPageFailed, oncall.EventPageBlocked:
		s := fmt.Sprintf("%s could not be reached by %s", named(d.Users), d.Method.Name())
		if len(d.Users) == 0 { // a webhook or a channel
			s = fmt.Sprintf("The %s could not be reached", d.Method.Name())
		}
		if text != "" {
			s += ": " + text
		}
		if e.Kind == oncall.EventPageBlocked {
			s += "; it is tried again until somebody has put that right"
		}
		return s + "."
	default:
	}
	return cmp.Or(actLine(e), changeLine(e), stormLine(e), routeLine(e), silenceLine(e), quietLine(e), fmt.Sprintf("%s: %s", e.Kind, text))
}
