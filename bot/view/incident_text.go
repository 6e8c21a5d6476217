package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// IncidentText describes an incident's state, with a link to its message if it has one.
func IncidentText(p oncall.Picture, address string) string {
	name := p.Incident.ID.String()
	if address != "" {
		name = link(address, name)
	}
	return CutPlain(fmt.Sprintf("*%s* %s\n%s", name, headline(p.Incident), standing(p)), MaxAnswer)
}

// clockOrDay returns the time of today, or the day and time of another day.
func clockOrDay(t, now time.Time, zone *time.Location) string {
	if t.In(zone).Format(time.DateOnly) == now.In(zone).Format(time.DateOnly) {
		return t.In(zone).Format("15:04")
	}
	return Time(t, zone)
}

// NothingWaits answers an acknowledgement that fits none of somebody's incidents: who has each of them.
func NothingWaits(own []oncall.Incident, reader oncall.UserID, zone *time.Location) string {
	var parts []string
	for _, in := range own {
		switch {
		case len(parts) == maxWhich:
			return "Nothing waits for an acknowledgement: " + strings.Join(parts, ", ") + " and so on."
		case in.Status == oncall.Snoozed && in.SnoozedUntil != nil:
			parts = append(parts, fmt.Sprintf("%s is snoozed until %s", in.ID, Time(*in.SnoozedUntil, zone)))
		case slices.Contains(in.Holders(), reader):
			parts = append(parts, fmt.Sprintf("%s is yours", in.ID))
		default:
			parts = append(parts, fmt.Sprintf("%s is with %s", in.ID, actorName(in.AckedBy)))
		}
	}
	return "Nothing waits for an acknowledgement: " + strings.Join(parts, ", ") + "."
}

// SettledBefore says who has an incident already, or that it is over; empty: neither.
func SettledBefore(in oncall.Incident, reader oncall.UserID, now time.Time, zone *time.Location) string {
	at := func(t time.Time) string { return clockOrDay(t, now, zone) }
	switch {
	case in.MergedInto != 0:
	case !in.Open() && in.ResolvedAt != nil:
		return fmt.Sprintf("%s is over: %s resolved it at %s already.", in.ID, actorName(in.ResolvedBy), at(*in.ResolvedAt))
	case in.Status == oncall.Acknowledged && in.AckedAt != nil && slices.Contains(in.Holders(), reader):
		return fmt.Sprintf("You have %s since %s already.", in.ID, at(*in.AckedAt))
	case in.Status == oncall.Acknowledged && in.AckedAt != nil:
		return fmt.Sprintf("%s is acknowledged by %s since %s already.", in.ID, actorName(in.AckedBy), at(*in.AckedAt))
	}
	return ""
}

func isOrAre(n int) string {
	if n > 1 {
		return "are"
	}
	return "is"
}

// OtherTeams tells whoever took an incident that it is of a team that they are not in, and who is on call there.
func OtherTeams(in oncall.Incident, team oncall.Team, onCall []oncall.UserID) string {
	text := fmt.Sprintf("You are not on the team %s.", Name(team.Name))
	if len(onCall) > 0 {
		text += fmt.Sprintf(" On call there %s %s.", isOrAre(len(onCall)), named(onCall))
	}
	return text + fmt.Sprintf(" You have %s all the same; `/oncall unack %d` gives it back.", in.ID, int64(in.ID))
}

// Noted confirms a note, in a line.
func Noted(in oncall.Incident, address string) string {
	return fmt.Sprintf("Noted on %s %s.", link(address, in.ID.String()), Foreign(in.Title, maxTitle))
}

// PlanText says why its reader was paged, and what happens next with an incident.
func (ov IncidentOverview) PlanText() string {
	in := ov.Picture.Incident
	text := fmt.Sprintf("*%s* %s", in.ID, headline(in))
	if lines := ov.pagedLines(); len(lines) > 0 {
		text += "\n" + headedLines("*Why you were paged*", lines)
	}
	return text + "\n" + ov.NextSteps()
}

// ForReader puts the times of a text that only the reader sees into their zone, like those of the plan below it.
func (ov IncidentOverview) ForReader(text string) string { return forReader(text, ov.Zone) }

// Answer answers a command about an incident: its state, what happens next, and where to find the rest.
func (ov IncidentOverview) Answer(summary string) Drawing {
	text := summary
	if links := linkLine(rootLinks(ov.Picture), maxRootLinks, maxBody); links != "" {
		text += "\n" + links
	}
	text = cutSection(text)
	next := ov.NextSteps()
	if lines := pastLines(ov.Past, ov.Zone); len(lines) > 0 {
		next = cutSection(next + "\n" + headedLines("*Last time*", lines))
	}
	id := valueOf(ov.Picture.Incident.ID)
	return Drawing{Text: CutPlain(text+"\n"+next, MaxAnswer), Blocks: []slack.Block{
		section(text), section(next), slack.NewActionBlock("", button(ActionMore, id, "Details and more…"), button(ActionTimeline, id, "Timeline")),
	}}
}

// NextSteps says what happens next with an incident.
func (ov IncidentOverview) NextSteps() string {
	return headedLines("*What happens next*", ov.planLines())
}

// OpenIncidents lists the first open incidents, each with a link to its message.
func OpenIncidents(open []oncall.Incident, l Listing, links map[oncall.IncidentID]string) string {
	return l.lines("*"+l.head(len(open), "open incident")+"*", open, func(in oncall.Incident) string { return incidentLine(in, links[in.ID]) })
}

// OwnIncidents lists the incidents of a person, of which there are mine, and then those of their teams.
func OwnIncidents(open []oncall.Incident, mine int, l Listing, links map[oncall.IncidentID]string) string {
	part := func(head string, of []oncall.Incident, shown int) string {
		return Listing{Shown: shown, Asked: l.Asked}.lines(head, of, func(in oncall.Incident) string { return incidentLine(in, links[in.ID]) })
	}
	first := min(mine, l.Shown)
	text := part(fmt.Sprintf("*%s* of yours", l.head(mine, "open incident")), open[:mine], first)
	switch {
	case mine == 0 && l.After:
		text = ""
	case mine == 0:
		text = "You have no open incident, and none pages you now."
	}
	others := len(open) - mine
	switch {
	case others > 0 && l.Shown > first:
		text += "\n" + part(fmt.Sprintf("*%s* of your teams", l.head(others, "open incident")), open[mine:], l.Shown-first)
	case others > 0:
		text += fmt.Sprintf("\nand then *%s* of your teams", Count(others, "open incident"))
	}
	return strings.TrimPrefix(text, "\n")
}

// RaisedIncidents lists the open incidents about which somebody has paged others, with who has each.
func RaisedIncidents(of []oncall.Incident, links map[oncall.IncidentID]string) string {
	return Listing{Shown: len(of)}.lines(fmt.Sprintf("*%s* about which you paged", Count(len(of), "open incident")), of, func(in oncall.Incident) string {
		line := incidentLine(in, links[in.ID])
		if in.Status == oncall.Triggered {
			line += ". Nobody has it yet."
		}
		return line
	})
}

// incidentLine describes an incident in a line.
func incidentLine(in oncall.Incident, address string) string {
	state := string(in.Status)
	switch {
	case in.Status == oncall.Acknowledged:
		state += " by " + actorName(in.AckedBy)
	case in.Status == oncall.Snoozed && in.SnoozedUntil != nil:
		state += " until " + stamp(*in.SnoozedUntil, asDay, time.UTC)
	}
	return fmt.Sprintf("%s %s %s: %s (%s)", statuses[in.Status].emoji, numberOf(in, address), severityName(in.Severity), Name(in.Title), state)
}

// numberOf returns an incident's number as a link to its message, if it has one.
func numberOf(in oncall.Incident, address string) string {
	if address == "" {
		return in.ID.String()
	}
	return link(address, in.ID.String())
}

// headline returns an incident's status and title.
func headline(in oncall.Incident) string {
	status := statuses[in.Status]
	return status.emoji + " " + bold(status.word+":", titleOf(in), in.Link)
}

func titleOf(in oncall.Incident) string {
	if title := Foreign(in.Title, maxTitle); title != "" {
		return title
	}
	return "(no title)"
}
