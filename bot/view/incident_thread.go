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
func Thread(picture oncall.Picture, events []oncall.Event) (_ Drawing, loud bool) {
	in := picture.Incident
	text, loud := threadText(events)
	if loud { // in the channel it stands without the incident above it
		text = bold(in.ID.String(), titleOf(in), "") + "\n" + text
	}
	if text == "" {
		return Drawing{}, false
	}
	d := Text(text)
	if in.AsksVerdict(events, picture.Events) {
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
func threadLine(event oncall.Event) string {
	detail := event.Detail
	text := Foreign(detail.Text, maxTitle)
	switch event.Kind {
	case oncall.EventPaging:
		return pagingLine("Paged ", detail)
	case oncall.EventWaits:
		return fmt.Sprintf("Low severity waits for working hours, until %s.", stamp(detail.Until, asDay, time.UTC))
	case oncall.EventPassedOn:
		return fmt.Sprintf("The escalation policy %s takes over%s.", text, atTime(detail.Until))
	case oncall.EventUnassigned:
		return pagingLine("The escalation policy has nobody to page. Paged instead: ", detail)
	case oncall.EventSkipped:
		if text != "" {
			return fmt.Sprintf("Skipped %s: %s.", stepName(detail), text)
		}
		return fmt.Sprintf("Nobody to page in %s; the next step follows at once.", stepName(detail))
	case oncall.EventExhausted:
		if len(detail.Users) == 0 {
			return "<!channel> " + tooFewAcks(detail) + ", and nobody could be told: the team has no members."
		}
		return pagingLine(tooFewAcks(detail)+". The whole team was told: ", detail)
	case oncall.EventNobodyNotified:
		return "<!channel> " + tooFewAcks(detail) + ", and nobody could be told."
	case oncall.EventUnreached:
		if detail.Step == 0 {
			return "None of those who were paged could be reached; the next step follows at once."
		}
		return fmt.Sprintf("Nobody could be reached in %s; the next step follows at once.", stepName(detail))
	case oncall.EventAdopted:
		return fmt.Sprintf("%s came on call in %s and was paged: %s.", named(detail.Users), text, onCallPageReason(detail))
	case oncall.EventAcknowledged:
		return fmt.Sprintf("%s acknowledged it%s.", actorName(event.Actor), viaMethod(event.Actor))
	case oncall.EventResolved:
		return fmt.Sprintf("%s resolved it%s%s.", actorName(event.Actor), viaMethod(event.Actor), withPrefix(": ", text))
	case oncall.EventReopened:
		return fmt.Sprintf("%s reopened it%s.%s", actorName(event.Actor), withPrefix(": ", text), withPrefix(" ", heldWords(detail)))
	case oncall.EventSeverity:
		return fmt.Sprintf("The severity went from %s.", text)
	case oncall.EventPageFailed, oncall.EventPageBlocked:
		s := fmt.Sprintf("%s could not be reached by %s", named(detail.Users), detail.Method.Name())
		if len(detail.Users) == 0 { // a webhook or a channel
			s = fmt.Sprintf("The %s could not be reached", detail.Method.Name())
		}
		if text != "" {
			s += ": " + text
		}
		if event.Kind == oncall.EventPageBlocked {
			s += "; it is tried again until somebody has put that right"
		}
		return s + "."
	default:
	}
	return cmp.Or(actLine(event), changeLine(event), stormLine(event), routeLine(event), silenceLine(event), quietLine(event), fmt.Sprintf("%s: %s", event.Kind, text))
}
