package view

import (
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	homeSchedules = 25
	// homeIncidents is how many open incidents have a line and buttons: two blocks each, of the hundred
	// that Slack takes.
	homeIncidents = 20
)

// A HomeTab is what a person's home tab shows.
type HomeTab struct {
	Shifts    []schedule.Stint // the person's own
	Reached   string
	Schedules []*schedule.Schedule
	Overrides overrides
	Open      []oncall.Incident            // those of the person's teams first
	OrMore    bool                         // there are more than were loaded
	Watched   map[oncall.IncidentID]bool   // with which the reader may do nothing
	Links     map[oncall.IncidentID]string // to their messages
	Hides     bool                         // something is left out that the person may not see
	Covers    bool                         // the reader may put people on call somewhere
	Edits     bool                         // and edit or make a schedule
	Zone      *time.Location
	Now       time.Time

	Maintenance []MaintenanceWindow // in force
	Pages       string              // where browsers find the pages; "": there are none
}

// YouMaySee follows "No incident is open" and the like where something is left out.
const YouMaySee = " that you may see"

// none is YouMaySee where something is left out, or else the words given.
func (h HomeTab) none(otherwise string) string {
	if h.Hides {
		return YouMaySee
	}
	return otherwise
}

// OnHome are the incidents that the home tab shows, of which links are wanted.
func OnHome(open []oncall.Incident) []oncall.Incident { return open[:min(len(open), homeIncidents)] }

// Draw draws what is open, a person's shifts, what they can do, and who is on call now.
func (h HomeTab) Draw() slack.HomeTabViewRequest {
	blocks := append(append(h.incidents(), h.maintenance()...),
		slack.NewHeaderBlock(plain("Your shifts")), section(cutSection(OwnShifts(h.Shifts, h.Now, h.Zone))),
		slack.NewActionBlock("home_actions", h.buttons()...),
		slack.NewHeaderBlock(plain("On call now")),
	)
	for _, s := range h.Schedules[:min(len(h.Schedules), homeSchedules)] {
		blocks = append(blocks, section(cutSection(scheduleLines(h.Overrides, s, h.Now, h.Zone))))
	}
	switch more := len(h.Schedules) - homeSchedules; {
	case len(h.Schedules) == 0:
		blocks = append(blocks, section("There are no schedules"+h.none(" yet")+"."))
	case more > 0:
		blocks = append(blocks, section(Count(more, "more schedule")+": `/oncall who` with its name shows each."))
	}
	blocks = append(blocks, slack.NewHeaderBlock(plain("How you are reached")),
		slack.NewSectionBlock(words(h.Reached), nil, slack.NewAccessory(button(ActionContacts, "", "Change…"))),
		slack.NewSectionBlock(words("`/oncall who`, `/oncall ack 12` and more can be typed in any channel."), nil, slack.NewAccessory(button(ActionHomeHelp, "", "What you can type"))))
	if h.Pages != "" {
		blocks = append(blocks, note("In a browser: "+link(h.Pages+"/", "who is on call")+" · "+link(h.Pages+"/incidents", "incidents")+" · "+
			link(h.Pages+"/reports", "reports")+". `/oncall web` signs you in."))
	}
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}}
}

// maintenance is what keeps alerts quiet now.
func (h HomeTab) maintenance() []slack.Block {
	if len(h.Maintenance) == 0 {
		return nil
	}
	lines := MaintenanceLines(h.Maintenance, h.Now, h.Zone)
	return []slack.Block{slack.NewHeaderBlock(plain("Maintenance")), section(cutSection(fitLines(lines, maxSection)))}
}

// buttons are what the reader can do.
func (h HomeTab) buttons() []slack.BlockElement {
	buttons := []slack.BlockElement{button(ActionHomePage, "", "Page…"), button(ActionHomeCover, "", "Cover"), button(ActionHomeAway, "", "Away")}
	if h.Covers {
		buttons = append(buttons, button(ActionHomeOverride, "", "Override"))
	}
	buttons = append(buttons, button(ActionHomeSwap, "", "Swap"))
	if h.Edits {
		buttons = append(buttons, button(ActionHomeSchedule, "", "Schedule"))
	}
	return buttons
}

// incidents are what is open, each with a link and its buttons.
func (h HomeTab) incidents() []slack.Block {
	if len(h.Open) == 0 {
		return []slack.Block{slack.NewHeaderBlock(plain("Open incidents")), section("None" + h.none("") + ".")}
	}
	head := fmt.Sprintf("Open incidents: %d", len(h.Open))
	if h.OrMore {
		head += " or more"
	}
	blocks := []slack.Block{slack.NewHeaderBlock(plain(head))}
	for _, in := range OnHome(h.Open) {
		line := incidentLine(in)
		if address := h.Links[in.ID]; address != "" {
			line += " " + link(address, "show")
		}
		var elements []slack.BlockElement
		if !h.Watched[in.ID] {
			elements = mainButtons(in, "")
		}
		elements = append(elements, button(ActionMore, valueOf(in.ID), "Details…"))
		blocks = append(blocks, section(line), slack.NewActionBlock("home_"+valueOf(in.ID), elements...))
	}
	if more := len(h.Open) - homeIncidents; more > 0 {
		blocks = append(blocks, note(fmt.Sprintf("and %d more: `/oncall incidents` lists them.", more)))
	}
	return blocks
}

// HelpModal is the help where no message can say it.
func HelpModal(has Ability) slack.ModalViewRequest {
	return readOnly("What you can type", helpBlocks(has)...)
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
