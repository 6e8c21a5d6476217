package bot

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// The inputs of a rotation. The first six say what most rotations need; the others are
// shown when asked for, or when they say something already.
const (
	blockName    = "name"
	blockTurns   = "turns"
	blockPeople  = "people"
	blockPeriod  = "period"
	blockStart   = "start"
	blockInForce = "in_force"

	blockRole     = "role"
	blockZone     = "zone"
	blockWindows  = "windows"
	blockPriority = "priority"
	blockAdvance  = "advance"
	blockUntil    = "until"
)

// rotationForm is everything that the form of one rotation shows.
type rotationForm struct {
	meta     editMeta
	schedule schedule.Definition
	rotation schedule.Rotation // what the inputs hold at first
	name     func(oncall.UserID) string
	more     bool
	preview  []slack.Block // of what was sent; then the form can be saved
}

// drawRotation draws the form of one rotation.
func drawRotation(f rotationForm) slack.ModalViewRequest {
	r := f.rotation
	title, submit := "Edit rotation", "Preview"
	if f.meta.Rotation < 0 {
		title = "New rotation"
	}
	start := ""
	if !r.StartDate.IsZero() {
		start = r.StartDate.String() + " " + r.HandOff.String()
	}
	var blocks []slack.Block
	var buttons []slack.BlockElement
	if f.preview != nil {
		submit = "Save"
		blocks = append(blocks, f.preview...)
		blocks = append(blocks, slack.NewDividerBlock())
	}
	blocks = append(blocks,
		textField(blockName, "Name", "", r.Name),
		areaField(blockTurns, "Turns, in order", "One line for each turn: a name, several joined by +, or nobody.", turnsText(r.Turns, f.name)),
		optional(usersField(blockPeople, "More people", "Each gets a turn of their own, after the others.")),
		textField(blockPeriod, "Hands over every", "week, 2 weeks, day, 12 hours, month, or cron 0 9 * * 1", periodText(r.Period)),
		textField(blockStart, "First hand-over", "Such as 2026-03-02 09:00, on the wall clock. It also says the weekday and time of all others. With another day, the first turn begins there.", start),
	)
	if f.more || special(r, f.schedule.TimeZone) {
		blocks = append(blocks, f.moreFields()...)
	} else {
		buttons = append(buttons, slack.NewButtonBlockElement(actionRotationMore, "", plain("Hours, role, priority …")))
	}
	blocks = append(blocks, optional(instantField(blockInForce, "In force from", "Left empty: at once. What is past never changes.", time.Time{})))
	if f.meta.Rotation >= 0 {
		buttons = append(buttons, slack.NewButtonBlockElement(actionRotationRemove, "", plain("Remove rotation")).WithStyle(slack.StyleDanger))
	}
	if len(buttons) > 0 {
		blocks = append(blocks, slack.NewActionBlock("rotation_actions", buttons...))
	}
	return dialog(modalRotation, title, submit, f.meta.String(), blocks...)
}

// special reports whether a rotation says more than most do.
func special(r schedule.Rotation, defaultZone string) bool {
	return len(r.Windows) > 0 || r.Role != "" && r.Role != schedule.RolePrimary || r.Priority != 0 || r.Until != nil ||
		r.Advance == schedule.AdvanceActive || r.TimeZone != "" && r.TimeZone != defaultZone
}

func (f rotationForm) moreFields() []slack.Block {
	r := f.rotation
	until := time.Time{}
	if r.Until != nil {
		until = *r.Until
	}
	advance := r.Advance
	if advance == "" {
		advance = schedule.AdvanceCalendar
	}
	return []slack.Block{
		optional(areaField(blockWindows, "Only at these hours", "One line each: mon-fri 09:00-17:00, daily 22:00-06:00, or fri 18:00 - mon 08:00. Left empty: always.", schedule.WindowsText(r.Windows))),
		optional(textField(blockRole, "Role", "primary, secondary, shadow (told, but no cover), or a word of your own.", r.Role)),
		optional(textField(blockZone, "Time zone", "Such as Europe/Berlin. Left empty: the schedule's.", r.TimeZone)),
		textField(blockPriority, "Priority", "Of two rotations of a role the higher one counts; equal ones are on call together.", strconv.Itoa(r.Priority)),
		choiceField(blockAdvance, "Whose turn it is moves on", "", string(advance), []option{
			{string(schedule.AdvanceCalendar), "with the calendar"},
			{string(schedule.AdvanceActive), "only on days with hours in force"},
		}),
		optional(instantField(blockUntil, "Ends", "Left empty: never.", until)),
	}
}

func periodText(p schedule.Period) string {
	if p == (schedule.Period{}) {
		return "week"
	}
	return p.String()
}

// turnsText writes turns, one a line.
func turnsText(turns [][]oncall.UserID, name func(oncall.UserID) string) string {
	lines := make([]string, len(turns))
	for i, turn := range turns {
		names := make([]string, len(turn))
		for j, u := range turn {
			names[j] = name(u)
		}
		lines[i] = strings.Join(names, " + ")
		if len(turn) == 0 {
			lines[i] = nobody
		}
	}
	return strings.Join(lines, "\n")
}

// nobody is how a turn without anybody is written.
const nobody = "nobody"

// rotationLines says what a rotation does.
func rotationLines(r schedule.Rotation, defaultZone string) string {
	var who []string
	for _, turn := range r.Turns[:min(len(r.Turns), maxNamed)] {
		if len(turn) == 0 {
			who = append(who, nobody)
		} else {
			who = append(who, mention(turn...))
		}
	}
	if more := len(r.Turns) - maxNamed; more > 0 {
		who = append(who, fmt.Sprintf("%d more", more))
	}
	lines := []string{"*" + foreign(r.Name, maxName) + "*", strings.Join(who, " → ")}
	every := "every " + r.Period.String()
	if r.Period.Cron != "" {
		every = "by `" + foreign(r.Period.String(), maxName) + "`"
	} else {
		every += fmt.Sprintf(" at %s since %s", r.HandOff, r.StartDate)
	}
	details := []string{every}
	if zone := r.TimeZone; zone != "" && zone != defaultZone {
		details = append(details, foreign(zone, maxName))
	}
	if len(r.Windows) > 0 {
		details = append(details, "only "+foreign(strings.ReplaceAll(schedule.WindowsText(r.Windows), "\n", ", "), maxBody))
	}
	if r.Role != "" && r.Role != schedule.RolePrimary {
		details = append(details, foreign(r.Role, maxName))
	}
	if r.Priority != 0 {
		details = append(details, fmt.Sprintf("priority %d", r.Priority))
	}
	if r.Until != nil {
		details = append(details, "until "+r.Until.UTC().Format("2006-01-02 15:04 UTC"))
	}
	return strings.Join(append(lines, strings.Join(details, " · ")), "\n")
}
