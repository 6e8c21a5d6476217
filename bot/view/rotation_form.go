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

// RotationForm is the form of one rotation.
type RotationForm struct {
	Meta     EditMeta
	Schedule schedule.Definition
	Rotation schedule.Rotation // initial values
	Name     func(oncall.UserID) string
	More     bool
	Preview  []slack.Block // preview of the input; with it, the form can be saved
}

// Draw draws the form.
func (f RotationForm) Draw() slack.ModalViewRequest {
	rotation := f.Rotation
	title, submit := "Edit rotation", "Preview"
	if f.Meta.Rotation < 0 {
		title = "New rotation"
	}
	start := ""
	if !rotation.StartDate.IsZero() {
		start = rotation.StartDate.String() + " " + rotation.HandOff.String()
	}
	var blocks []slack.Block
	var buttons []slack.BlockElement
	if f.Preview != nil {
		submit = "Save"
		blocks = append(blocks, f.Preview...)
		blocks = append(blocks, slack.NewDividerBlock())
	}
	blocks = append(blocks,
		textField(BlockName, "Name", "", rotation.Name),
		optional(areaField(BlockTurns, "Turns, in order", "One line for each turn: a name, several joined by +, or nobody.", turnsText(rotation.Turns, f.Name))),
		optional(usersField(BlockPeople, "More people", "Each gets a turn of their own, after the others.")),
		textField(BlockPeriod, "Hands over every", "week, 2 weeks, day, 12 hours, month, or cron 0 9 * * 1", periodText(rotation.Period)),
		textField(BlockStart, "First hand-over", "Such as 2026-03-02 09:00 or monday 9am, on the wall clock. It also says the weekday and time of all others. With another day, the first turn begins there.", start),
	)
	if f.More || usesMoreInputs(rotation, f.Schedule.TimeZone) {
		blocks = append(blocks, f.moreFields()...)
	} else {
		buttons = append(buttons, button(ActionRotationMore, "", "Hours, role, priority …"))
	}
	blocks = append(blocks, optional(instantField(BlockInForce, "In force from", "Left empty: at once. What is past never changes.", time.Time{})))
	if f.Meta.Rotation >= 0 {
		buttons = append(buttons, button(ActionRotationRemove, "", "Remove rotation").WithStyle(slack.StyleDanger))
	}
	if len(buttons) > 0 {
		blocks = append(blocks, slack.NewActionBlock("rotation_actions", buttons...))
	}
	return dialog(ModalRotation, title, submit, f.Meta.String(), blocks...)
}

// usesMoreInputs reports whether a rotation uses inputs that most rotations leave empty.
func usesMoreInputs(r schedule.Rotation, defaultZone string) bool {
	return len(r.Windows) > 0 || r.Holidays != nil || r.Role != "" && r.Role != schedule.RolePrimary || r.Priority != 0 || r.Until != nil ||
		r.Advance == schedule.AdvanceActive || r.TimeZone != "" && r.TimeZone != defaultZone
}

func (f RotationForm) moreFields() []slack.Block {
	rotation := f.Rotation
	until := time.Time{}
	if rotation.Until != nil {
		until = *rotation.Until
	}
	advance := rotation.Advance
	if advance == "" {
		advance = schedule.AdvanceCalendar
	}
	return []slack.Block{
		optional(areaField(BlockWindows, "Only at these hours", "One line each: mon-fri 9-17, daily 22:00-06:00, or fri 18:00 - mon 08:00. Left empty: always.", schedule.WindowsText(rotation.Windows))),
		optional(textField(BlockHolidays, "Holidays", holidayHint, holidaysText(rotation.Holidays))),
		optional(textField(BlockRole, "Role", "primary, secondary, shadow (told, but no cover), or a word of your own.", rotation.Role)),
		optional(textField(BlockZone, "Time zone", "Such as Europe/Berlin. Left empty: the schedule's.", rotation.TimeZone)),
		textField(BlockPriority, "Priority", "Of two rotations of a role the higher one counts; equal ones are on call together.", strconv.Itoa(rotation.Priority)),
		choiceField(BlockAdvance, "Whose turn it is moves on", "", string(advance), []option{
			{string(schedule.AdvanceCalendar), "with the calendar"},
			{string(schedule.AdvanceActive), "only on days with hours in force"},
		}),
		optional(instantField(BlockUntil, "Ends", "Left empty: never.", until)),
	}
}

func periodText(p schedule.Period) string {
	if p == (schedule.Period{}) {
		return "week"
	}
	return p.String()
}

// turnsText formats turns, one per line.
func turnsText(turns [][]oncall.UserID, name func(oncall.UserID) string) string {
	lines := make([]string, len(turns))
	for i, turn := range turns {
		names := make([]string, len(turn))
		for j, u := range turn {
			names[j] = name(u)
		}
		lines[i] = strings.Join(names, " + ")
		if len(turn) == 0 {
			lines[i] = Nobody
		}
	}
	return strings.Join(lines, "\n")
}

// Nobody stands for a turn without people.
const Nobody = "nobody"

// rotationLines describes a rotation.
func rotationLines(rotation schedule.Rotation, defaultZone string) string {
	var who []string
	for _, turn := range rotation.Turns[:min(len(rotation.Turns), MaxNamed)] {
		if len(turn) == 0 {
			who = append(who, Nobody)
		} else {
			who = append(who, mention(turn...))
		}
	}
	if more := len(rotation.Turns) - MaxNamed; more > 0 {
		who = append(who, fmt.Sprintf("%d more", more))
	}
	lines := []string{"*" + Name(rotation.Name) + "*", strings.Join(who, " → ")}
	every := "every " + rotation.Period.String()
	if rotation.Period.Cron != "" {
		every = "by `" + Name(rotation.Period.String()) + "`"
	} else {
		every += fmt.Sprintf(" at %s since %s", rotation.HandOff, rotation.StartDate)
	}
	details := []string{every}
	if zone := rotation.TimeZone; zone != "" && zone != defaultZone {
		details = append(details, Name(zone))
	}
	if len(rotation.Windows) > 0 {
		details = append(details, "only "+Foreign(strings.ReplaceAll(schedule.WindowsText(rotation.Windows), "\n", ", "), maxBody))
	}
	if words := holidaysWords(rotation.Holidays); words != "" {
		details = append(details, words)
	}
	if rotation.Role != "" && rotation.Role != schedule.RolePrimary {
		details = append(details, Name(rotation.Role))
	}
	if rotation.Priority != 0 {
		details = append(details, fmt.Sprintf("priority %d", rotation.Priority))
	}
	if rotation.Until != nil {
		details = append(details, "until "+Time(*rotation.Until, time.UTC)+" UTC")
	}
	return strings.Join(append(lines, strings.Join(details, " · ")), "\n")
}
