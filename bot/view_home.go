package bot

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// The buttons of the home tab.
const (
	actionHomeOverride = "home_override"
	actionHomeSwap     = "home_swap"
	actionHomeSchedule = "home_schedule"
)

// drawHome draws a person's shifts, who is on call now, what is open and what the person
// can do.
func drawHome(d *store.Directory, user oncall.User, open []oncall.Incident, reached string, now time.Time) slack.HomeTabViewRequest {
	_, zone := zoneOf(user)
	blocks := []slack.Block{
		slack.NewHeaderBlock(plain("Your shifts")), section(foreignSection(myShifts(d, user.ID, now, zone))),
		slack.NewActionBlock("home_actions",
			slack.NewButtonBlockElement(actionHomeOverride, "", plain("Override")),
			slack.NewButtonBlockElement(actionHomeSwap, "", plain("Swap")),
			slack.NewButtonBlockElement(actionHomeSchedule, "", plain("Schedule")),
		),
		slack.NewHeaderBlock(plain("How you are reached")),
		slack.NewSectionBlock(words(reached), nil, slack.NewAccessory(slack.NewButtonBlockElement(actionContacts, "", plain("Change…")))),
		slack.NewHeaderBlock(plain("On call now")),
	}
	for _, s := range d.Schedules[:min(len(d.Schedules), homeSchedules)] {
		blocks = append(blocks, section(foreignSection(scheduleLines(d, s, now, zone))))
	}
	switch more := len(d.Schedules) - homeSchedules; {
	case len(d.Schedules) == 0:
		blocks = append(blocks, section("There are no schedules yet."))
	case more > 0:
		blocks = append(blocks, section(count(more, "more schedule")+": `/oncall who` with its name shows each."))
	}
	blocks = append(blocks, slack.NewHeaderBlock(plain("Open incidents")), section(foreignSection(incidentLines(open))),
		slack.NewHeaderBlock(plain("What you can type")))
	blocks = append(blocks, helpBlocks()...)
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}}
}

// incidentLines lists incidents, a line each.
func incidentLines(open []oncall.Incident) string {
	if len(open) == 0 {
		return "None."
	}
	lines := make([]string, len(open))
	for i, in := range open {
		lines[i] = incidentLine(in)
	}
	return strings.Join(lines, "\n")
}

// incidentLine is an incident in one line.
func incidentLine(in oncall.Incident) string {
	state := string(in.Status)
	switch {
	case in.Status == oncall.Acknowledged:
		state += " by " + who(in.AckedBy)
	case in.Status == oncall.Snoozed && in.SnoozedUntil != nil:
		state += " until " + stamp(*in.SnoozedUntil, asDay, time.UTC)
	}
	return fmt.Sprintf("%s %s %s: %s (%s)", statuses[in.Status].emoji, in.ID, severityName(in.Severity), foreign(in.Title, maxName), state)
}
