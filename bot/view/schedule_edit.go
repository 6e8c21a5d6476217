package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Limits that keep a form small enough for an acknowledgement.
const (
	maxRotationsShown = 12
	maxHistory        = 20
)

// ScheduleOverview is the form of a schedule.
type ScheduleOverview struct {
	Meta     EditMeta
	Schedule schedule.Definition
	Team     string
	Current  []schedule.Rotation
	Planned  []schedule.Version
	Message  string // result of the last action
	Location *time.Location
}

// Draw draws a schedule's rotations, each with its buttons.
func (o ScheduleOverview) Draw() slack.ModalViewRequest {
	definition := o.Schedule
	head := fmt.Sprintf("*%s* of the team %s, in %s", Name(definition.Name), Name(o.Team), Name(definition.TimeZone))
	if o.Message != "" {
		head = o.Message + "\n" + head
	}
	blocks := []slack.Block{section(head)}
	for _, p := range o.Planned {
		blocks = append(blocks, note(fmt.Sprintf("From %s another version takes over%s. An edit that begins before then takes its place.",
			Time(*p.EffectiveFrom, o.Location), byWhom(p))))
	}
	if len(o.Current) == 0 {
		blocks = append(blocks, section("It has no rotation yet, so nobody is on call. Add one: the people who take turns, and when they hand over."))
	}
	for i, r := range o.Current[:min(len(o.Current), maxRotationsShown)] {
		edit := button(ActionRotationEdit, strconv.Itoa(i), "Edit")
		blocks = append(blocks, slack.NewSectionBlock(words(cutSection(rotationLines(r, definition.TimeZone))), nil, slack.NewAccessory(edit)))
	}
	if more := len(o.Current) - maxRotationsShown; more > 0 {
		blocks = append(blocks, note(Count(more, "more rotation")+"; `watchbill apply` changes them."))
	}
	apart := button(ActionShiftsApart, "yes", "Forbid overlapping shifts")
	if definition.Apart {
		apart = button(ActionShiftsApart, "no", "Allow overlapping shifts")
	}
	blocks = append(blocks, slack.NewDividerBlock(), slack.NewActionBlock("schedule_actions",
		button(ActionRotationAdd, "", "Add rotation").WithStyle(slack.StylePrimary),
		button(ActionScheduleHistory, "", "History"),
		apart,
		button(ActionScheduleRemove, "", "Remove schedule").WithStyle(slack.StyleDanger),
	))
	return buttonModal(modalSchedule, "Schedule", o.Meta.String(), blocks...)
}

// UndoneByFile warns that the set-up file, which owns the team's schedules, will overwrite an edit.
func UndoneByFile(team string, inFile bool) string {
	when := "the next `watchbill apply` undoes this"
	if !inFile {
		when = "the next `watchbill apply --prune` undoes this, as the schedule isn't in the file"
	}
	return fmt.Sprintf(":warning: The team %s is kept in a set-up file: %s. `watchbill export` writes the file anew.", Name(team), when)
}

func byWhom(v schedule.Version) string {
	if v.CreatedBy == "" {
		return ""
	}
	return ", by " + mention(v.CreatedBy)
}

// NewScheduleForm draws the form of a new schedule.
func NewScheduleForm(teams []oncall.Team, zone string) slack.ModalViewRequest {
	options := make([]option, len(teams))
	for i, t := range teams {
		options[i] = option{valueOf(t.ID), t.Name}
	}
	return dialog(ModalScheduleNew, "New schedule", "Create", "",
		textField(BlockName, "Name", "Such as payments-primary.", ""),
		choiceField(BlockTeam, "Team", "Its members may change the schedule.", options[0].Value, options),
		textField(BlockZone, "Time zone", "Such as Europe/Berlin: the zone in which it hands over.", zone),
	)
}

// EditWarning draws a paragraph of a preview.
func EditWarning(text string) slack.Block { return section(text) }

// RotationRemoveForm asks for confirmation before a rotation is removed.
func RotationRemoveForm(meta EditMeta, preview []slack.Block) slack.ModalViewRequest {
	return dialog(ModalRotationRemove, "Remove rotation", "Remove", meta.String(), preview...)
}

// RestoreForm asks for confirmation before an earlier version is restored.
func RestoreForm(meta EditMeta, preview []slack.Block) slack.ModalViewRequest {
	return dialog(ModalScheduleRestore, "Restore version", "Restore", meta.String(), preview...)
}

// ScheduleRemoveForm asks for confirmation before a schedule is removed.
func ScheduleRemoveForm(meta EditMeta, name, warning string) slack.ModalViewRequest {
	text := fmt.Sprintf("*%s* will be gone, with its rotations and overrides. Who was on call is kept for the incidents that there were.",
		Name(name))
	if warning != "" {
		text += "\n" + warning
	}
	return dialog(ModalScheduleRemove, "Remove schedule", "Remove", meta.String(), section(text))
}

// ScheduleHistory draws a schedule's versions, latest first, each but the latest with a button that restores
// it.
func ScheduleHistory(meta EditMeta, s schedule.Definition, zone *time.Location) slack.ModalViewRequest {
	blocks := []slack.Block{section("*" + Name(s.Name) + "*: every version, the latest first")}
	versions := s.History()
	if len(versions) == 0 {
		blocks = append(blocks, section("There is none yet."))
	}
	for i := len(versions) - 1; i >= max(0, len(versions)-maxHistory); i-- {
		version := versions[i]
		begins := "since ever"
		if version.EffectiveFrom != nil {
			begins = "in force from " + Time(*version.EffectiveFrom, zone)
		}
		by := byWhom(version)
		if by == "" {
			by = ", from the configuration file"
		}
		lines := []string{Time(version.CreatedAt, zone) + by, begins}
		if version.Note != "" {
			lines[1] += " · " + Name(version.Note)
		}
		for _, r := range version.Rotations[:min(len(version.Rotations), 3)] {
			var names []string
			for _, t := range r.Turns[:min(len(r.Turns), 8)] {
				names = append(names, named(t))
			}
			lines = append(lines, Name(r.Name)+": "+strings.Join(names, " → "))
		}
		block := slack.NewSectionBlock(words(cutSection(strings.Join(lines, "\n"))), nil, nil)
		if i < len(versions)-1 {
			block.Accessory = slack.NewAccessory(button(ActionScheduleRestore, strconv.FormatInt(version.ID, 10), "Restore"))
		}
		blocks = append(blocks, block)
	}
	if more := len(versions) - maxHistory; more > 0 {
		blocks = append(blocks, note(Count(more, "older version")+" not shown."))
	}
	return buttonModal(modalScheduleHistory, "History", meta.String(), blocks...)
}
