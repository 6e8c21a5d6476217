package bot

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// The buttons of the home tab.
const (
	actionHomeOverride = "home_override"
	actionHomeSwap     = "home_swap"
	actionHomeSchedule = "home_schedule"
)

const homeSchedules = 30

// A homeTab is what a person's home tab shows.
type homeTab struct {
	shifts    []schedule.Stint // the person's own
	reached   string
	schedules []*schedule.Schedule
	overrides overrides
	open      []oncall.Incident
	zone      *time.Location
	now       time.Time
}

// drawHome draws a person's shifts, who is on call now, what is open and what the person
// can do.
func drawHome(h homeTab) slack.HomeTabViewRequest {
	blocks := []slack.Block{
		slack.NewHeaderBlock(plain("Your shifts")), section(foreignSection(myShifts(h.shifts, h.now, h.zone))),
		slack.NewActionBlock("home_actions",
			slack.NewButtonBlockElement(actionHomeOverride, "", plain("Override")),
			slack.NewButtonBlockElement(actionHomeSwap, "", plain("Swap")),
			slack.NewButtonBlockElement(actionHomeSchedule, "", plain("Schedule")),
		),
		slack.NewHeaderBlock(plain("How you are reached")),
		slack.NewSectionBlock(words(h.reached), nil, slack.NewAccessory(slack.NewButtonBlockElement(actionContacts, "", plain("Change…")))),
		slack.NewHeaderBlock(plain("On call now")),
	}
	for _, s := range h.schedules[:min(len(h.schedules), homeSchedules)] {
		blocks = append(blocks, section(foreignSection(scheduleLines(h.overrides, s, h.now, h.zone))))
	}
	switch more := len(h.schedules) - homeSchedules; {
	case len(h.schedules) == 0:
		blocks = append(blocks, section("There are no schedules yet."))
	case more > 0:
		blocks = append(blocks, section(count(more, "more schedule")+": `/oncall who` with its name shows each."))
	}
	blocks = append(blocks, slack.NewHeaderBlock(plain("Open incidents")), section(foreignSection(incidentLines(h.open))),
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

// chooseSchedule asks which of several schedules is meant.
func chooseSchedule(schedules []*schedule.Schedule) slack.ModalViewRequest {
	options := scheduleOptions(schedules)
	return dialog(modalScheduleChoice, "Schedule", "Open", "", choiceField(blockSchedule, "Which one?", "", options[0].value, options))
}

func scheduleOptions(schedules []*schedule.Schedule) []option {
	options := make([]option, len(schedules))
	for i, s := range schedules {
		options[i] = scheduleOption(s)
	}
	return options
}

func scheduleOption(s *schedule.Schedule) option {
	return option{strconv.FormatInt(int64(s.ID()), 10), s.Name()}
}
