package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A Listing says which part of a list of incidents is shown, and how to see the rest.
type Listing struct {
	Shown int    // at most
	Asked string // what was typed after `/oncall incidents`, without the position
	After bool   // the list continues an earlier one
	More  bool   // there are more than were loaded
}

// head counts the incidents of the list.
func (l Listing) head(count int, one string) string {
	switch {
	case l.After:
		one = "more " + one
	case l.More:
		return Count(count, one) + " or more"
	}
	return Count(count, one)
}

// lines puts the lines of the incidents that fit under a heading, and then the command that shows the others.
func (l Listing) lines(head string, of []oncall.Incident, line func(oncall.Incident) string) string {
	next := func(last oncall.Incident) string {
		return strings.Join(strings.Fields(fmt.Sprintf("/oncall incidents %s after %d", code(l.Asked), last.ID)), " ")
	}
	out, room := []string{head}, maxSection-len([]rune(head))
	for i, in := range of {
		text := line(in)
		rest := 0
		if i+1 < len(of) || l.More {
			rest = len("\nand 1000 more, or still more: ``") + len([]rune(next(in)))
		}
		if i == l.Shown || i > 0 && len([]rune(text))+1+rest > room {
			return strings.Join(append(out, fmt.Sprintf("and %d more%s: `%s`", len(of)-i, orMore(l.More), next(of[i-1]))), "\n")
		}
		out, room = append(out, text), room-len([]rune(text))-1
	}
	if l.More && len(of) > 0 {
		out = append(out, fmt.Sprintf("and more: `%s`", next(of[len(of)-1])))
	}
	return strings.Join(out, "\n")
}

func orMore(more bool) string {
	if more {
		return " or still more"
	}
	return ""
}

// PastIncidents lists the incidents that a search found, latest first, with their verdicts. bundled counts those that each
// storm has taken in, which have no lines of their own.
func PastIncidents(found []oncall.Incident, l Listing, bundled map[oncall.IncidentID]int, what string, links map[oncall.IncidentID]string, zone *time.Location) string {
	all := len(found)
	for _, in := range found {
		all += bundled[in.ID]
	}
	return l.lines("*"+l.head(all, "incident")+"* "+what, found, func(in oncall.Incident) string {
		line := incidentLine(in, links[in.ID])
		if in.Status == oncall.Resolved {
			line = fmt.Sprintf("%s %s %s: %s (%s, %s)", statuses[in.Status].emoji, numberOf(in, links[in.ID]), severityName(in.Severity), Name(in.Title), Time(in.OpenedAt, zone), endOf(in))
		}
		if n := bundled[in.ID]; n > 0 {
			line += fmt.Sprintf(" and %d bundled", n)
		}
		if verdict := verdictText(in.Verdict, in.Helped); verdict != "" {
			line += " — " + verdict
		}
		return line
	})
}

// endOf says how an incident ended. One that became part of another ends with that one, whatever became of itself.
func endOf(in oncall.Incident) string {
	switch {
	case in.AbsorbedByStorm():
		return fmt.Sprintf("part of the storm %s", in.MergedInto)
	case in.MergedInto != 0:
		return fmt.Sprintf("merged into %s by %s", in.MergedInto, actorName(in.ResolvedBy))
	case in.ResolvedAt != nil:
		return fmt.Sprintf("over after %s, by %s", durationText(in.ResolvedAt.Sub(in.OpenedAt)), actorName(in.ResolvedBy))
	}
	return "over, by " + actorName(in.ResolvedBy)
}
