package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// A MaintenanceWindow is a maintenance window in a list.
type MaintenanceWindow struct {
	oncall.Maintenance
	Team, Integration string
	Kept, Firing      int
	Titles            []string // of some firing alerts
	Manages           bool     // the reader may end it
}

// about returns a window's scope: "*payments* (integration demo)".
func (m MaintenanceWindow) about() string { return aboutMaintenance(m.Team, m.Scope(m.Integration)) }

func aboutMaintenance(team, scope string) string {
	text := "*" + Name(team) + "*"
	if scope != "" {
		text += " (" + Foreign(scope, maxTitle) + ")"
	}
	return text
}

// until says until when, by whom and why: "until Tue 3 Mar 15:00 by @ann: upgrade".
func (m MaintenanceWindow) until(now time.Time, zone *time.Location) string {
	text := "until " + Time(m.EndsAt, zone)
	if m.StartsAt.After(now) {
		text = Between(m.StartsAt, m.EndsAt, zone)
	}
	return text + " by " + actorName(m.By) + forReason(m.Reason)
}

func forReason(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + Foreign(reason, maxTitle)
}

// MaintenanceLines lists the active windows, a line each.
func MaintenanceLines(all []MaintenanceWindow, now time.Time, zone *time.Location) (lines []string) {
	for _, m := range all {
		lines = append(lines, "Maintenance of "+m.about()+" "+m.until(now, zone)+" — alerts page nobody")
	}
	return lines
}

// Maintenance lists windows, each with what it kept and, for people who may end it, a button.
func Maintenance(all []MaintenanceWindow, now time.Time, zone *time.Location) Drawing {
	var lines []string
	var blocks []slack.Block
	for _, m := range all {
		line := m.line(now, zone)
		lines = append(lines, "• "+line)
		section := slack.NewSectionBlock(words(cutSection(line)), nil, nil)
		if m.Manages {
			section.Accessory = slack.NewAccessory(button(ActionMaintenanceEnd, valueOf(m.ID), m.endLabel(now)))
		}
		blocks = append(blocks, section)
	}
	if len(all) > maxDrawn {
		return Drawing{Text: fitLines(append(lines, "`/oncall maintenance end M1` ends one."), MaxAnswer)}
	}
	return Drawing{Text: fitLines(lines, MaxAnswer), Blocks: blocks}
}

// line describes a window and the alerts it has kept.
func (m MaintenanceWindow) line(now time.Time, zone *time.Location) string {
	return fmt.Sprintf("*%s* %s, %s%s", m.ID, m.about(), m.until(now, zone), m.kept(now))
}

func (m MaintenanceWindow) endLabel(now time.Time) string {
	if m.StartsAt.After(now) {
		return "Take back"
	}
	return "End"
}

// kept describes the alerts of a window so far.
func (m MaintenanceWindow) kept(now time.Time) string {
	switch {
	case m.StartsAt.After(now):
		return ""
	case m.Kept == 0:
		return "; no alert has come"
	case m.Firing == 0:
		return "; " + Count(m.Kept, "alert") + " came, none fires"
	}
	titles := make([]string, len(m.Titles))
	for i, title := range m.Titles {
		titles[i] = Name(title)
	}
	text := fmt.Sprintf("; %s came, of which fire %d: %s", Count(m.Kept, "alert"), m.Firing, strings.Join(titles, ", "))
	if more := m.Firing - len(titles); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// MaintenanceBegun confirms a window and explains it, with the command that ends it.
func MaintenanceBegun(m MaintenanceWindow, now time.Time, zone *time.Location) Drawing {
	when := "Until " + Time(m.EndsAt, zone)
	if m.StartsAt.After(now) {
		when = Between(m.StartsAt, m.EndsAt, zone)
	}
	critical := "also critical ones"
	if m.PagesCritical {
		critical = "but for critical ones"
	}
	text := fmt.Sprintf("Maintenance %s of %s%s. %s alerts, %s, are kept and counted, and page nobody. What still fires at the end pages then. Incidents that are open already go on.",
		m.ID, m.about(), forReason(m.Reason), when, critical)
	return Drawing{Text: text, Blocks: []slack.Block{
		section(text), slack.NewActionBlock("maintenance", button(ActionMaintenanceEnd, valueOf(m.ID), m.endLabel(now))),
	}}
}

// MaintenanceEnded confirms the end of a window, or its cancellation.
func MaintenanceEnded(m MaintenanceWindow, now time.Time) string {
	if m.StartsAt.After(now) {
		return fmt.Sprintf("Maintenance %s of %s is taken back.", m.ID, m.about())
	}
	return fmt.Sprintf("Maintenance %s of %s is over. What it has kept and still fires pages now.", m.ID, m.about())
}

// drawMaintenance tells a channel that a window has begun.
func drawMaintenance(n oncall.Notice) Drawing {
	d := n.Detail
	by := actorName(oncall.Actor{User: d.By, Name: d.Address})
	about := "Maintenance of " + aboutMaintenance(d.Team, d.Role)
	if d.State != "" {
		// That it is over, the message after it says.
		return Text(fmt.Sprintf("%s %s by %s%s.", about, noticePeriod(d.Start, d.StateAt, d.TimeZone), by, forReason(d.Note)))
	}
	return Text(fmt.Sprintf("%s until %s by %s%s. Alerts are kept and counted, and page nobody; what still fires at the end pages then. `/oncall maintenance` lists what has come.",
		about, noticeInstant(d.End, d.TimeZone), by, forReason(d.Note)))
}

// drawMaintenanceOver tells a channel that a window is over, and which alerts it kept.
func drawMaintenanceOver(n oncall.Notice) Drawing {
	d := n.Detail
	tally := oncall.MaintenanceTally{Kept: d.Count, Fire: d.Answered, Longer: d.Over}
	return Text(fmt.Sprintf("Maintenance of %s is over%s. %s", aboutMaintenance(d.Team, d.Role), forReason(d.Note), tally))
}
