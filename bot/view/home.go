package view

import (
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const homeSchedules = 30

// A HomeTab is what a person's home tab shows.
type HomeTab struct {
	Shifts    []schedule.Stint // the person's own
	Reached   string
	Schedules []*schedule.Schedule
	Overrides overrides
	Open      []oncall.Incident
	Zone      *time.Location
	Now       time.Time
}

// Draw draws a person's shifts, who is on call now, what is open and what the person
// can do.
func (h HomeTab) Draw() slack.HomeTabViewRequest {
	blocks := []slack.Block{
		slack.NewHeaderBlock(plain("Your shifts")), section(cutSection(OwnShifts(h.Shifts, h.Now, h.Zone))),
		slack.NewActionBlock("home_actions",
			button(ActionHomeOverride, "", "Override"),
			button(ActionHomeSwap, "", "Swap"),
			button(ActionHomeSchedule, "", "Schedule"),
		),
		slack.NewHeaderBlock(plain("How you are reached")),
		slack.NewSectionBlock(words(h.Reached), nil, slack.NewAccessory(button(ActionContacts, "", "Change…"))),
		slack.NewHeaderBlock(plain("On call now")),
	}
	for _, s := range h.Schedules[:min(len(h.Schedules), homeSchedules)] {
		blocks = append(blocks, section(cutSection(scheduleLines(h.Overrides, s, h.Now, h.Zone))))
	}
	switch more := len(h.Schedules) - homeSchedules; {
	case len(h.Schedules) == 0:
		blocks = append(blocks, section("There are no schedules yet."))
	case more > 0:
		blocks = append(blocks, section(Count(more, "more schedule")+": `/oncall who` with its name shows each."))
	}
	blocks = append(blocks, slack.NewHeaderBlock(plain("Open incidents")), section(cutSection(incidentLines(h.Open))),
		slack.NewHeaderBlock(plain("What you can type")))
	blocks = append(blocks, helpBlocks()...)
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}}
}

// ScheduleChoice asks which of several schedules is meant.
func ScheduleChoice(schedules []*schedule.Schedule) slack.ModalViewRequest {
	options := scheduleOptions(schedules)
	return dialog(ModalScheduleChoice, "Schedule", "Open", "", choiceField(BlockSchedule, "Which one?", "", options[0].Value, options))
}

func scheduleOptions(schedules []*schedule.Schedule) []option {
	options := make([]option, len(schedules))
	for i, s := range schedules {
		options[i] = scheduleOption(s)
	}
	return options
}

func scheduleOption(s *schedule.Schedule) option {
	return option{valueOf(s.ID()), s.Name()}
}
