package bot

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"

	"github.com/slack-go/slack"
)

const (
	modalScheduleNew      = "schedule_new"
	modalSchedule         = "schedule" // the rotations of one; nothing is sent with it
	modalScheduleChoice   = "schedule_choice"
	modalScheduleHistory  = "schedule_history"
	modalScheduleRestore  = "schedule_restore"
	modalScheduleRemove   = "schedule_remove"
	modalRotationRemove   = "rotation_remove"
	actionRotationEdit    = "rotation_edit"
	actionRotationAdd     = "rotation_add"
	actionRotationRemove  = "rotation_remove"
	actionScheduleHistory = "schedule_history"
	actionScheduleRestore = "schedule_restore"
	actionScheduleRemove  = "schedule_remove"
	actionShiftsApart     = "shifts_apart"

	blockTeam = "team"
)

// maxRotationsShown keeps the view inside the frame of an acknowledgement; maxHistory
// does the same for the history.
const (
	maxRotationsShown = 12
	maxHistory        = 20
)

// scheduleOverview is everything that the view of a schedule shows.
type scheduleOverview struct {
	meta     editMeta
	schedule schedule.Definition
	team     string
	current  []schedule.Rotation
	planned  []schedule.Version
	said     string // what has just been done
	location *time.Location
}

// drawSchedule draws a schedule's rotations, each with its buttons.
func drawSchedule(o scheduleOverview) slack.ModalViewRequest {
	s := o.schedule
	head := fmt.Sprintf("*%s* of the team %s, in %s", foreign(s.Name, maxName), foreign(o.team, maxName), foreign(s.TimeZone, maxName))
	if o.said != "" {
		head = o.said + "\n" + head
	}
	blocks := []slack.Block{section(head)}
	for _, p := range o.planned {
		blocks = append(blocks, note(fmt.Sprintf("From %s another version takes over%s. An edit that begins before then takes its place.",
			stamp(*p.EffectiveFrom, asDay, o.location), byWhom(p))))
	}
	if len(o.current) == 0 {
		blocks = append(blocks, section("It has no rotation yet, so nobody is on call. Add one: the people who take turns, and when they hand over."))
	}
	for i, r := range o.current[:min(len(o.current), maxRotationsShown)] {
		edit := slack.NewButtonBlockElement(actionRotationEdit, strconv.Itoa(i), plain("Edit"))
		blocks = append(blocks, slack.NewSectionBlock(words(foreignSection(rotationLines(r, s.TimeZone))), nil, slack.NewAccessory(edit)))
	}
	if more := len(o.current) - maxRotationsShown; more > 0 {
		blocks = append(blocks, note(count(more, "more rotation")+"; `watchbill apply` changes them."))
	}
	apart := slack.NewButtonBlockElement(actionShiftsApart, "yes", plain("Forbid overlapping shifts"))
	if s.Apart {
		apart = slack.NewButtonBlockElement(actionShiftsApart, "no", plain("Allow overlapping shifts"))
	}
	blocks = append(blocks, slack.NewDividerBlock(), slack.NewActionBlock("schedule_actions",
		slack.NewButtonBlockElement(actionRotationAdd, "", plain("Add rotation")).WithStyle(slack.StylePrimary),
		slack.NewButtonBlockElement(actionScheduleHistory, "", plain("History")),
		apart,
		slack.NewButtonBlockElement(actionScheduleRemove, "", plain("Remove schedule")).WithStyle(slack.StyleDanger),
	))
	v := readOnly("Schedule", blocks...)
	v.CallbackID, v.PrivateMetadata = modalSchedule, o.meta.String()
	return v
}

func byWhom(v schedule.Version) string {
	if v.CreatedBy == "" {
		return ""
	}
	return ", by " + mention(v.CreatedBy)
}

// drawNewSchedule draws the form of a schedule that is to be made.
func drawNewSchedule(teams []oncall.Team, zone string) slack.ModalViewRequest {
	options := make([]option, len(teams))
	for i, t := range teams {
		options[i] = option{strconv.FormatInt(int64(t.ID), 10), t.Name}
	}
	return dialog(modalScheduleNew, "New schedule", "Create", "",
		textField(blockName, "Name", "Such as payments-primary.", ""),
		choiceField(blockTeam, "Team", "Its members may change the schedule.", options[0].value, options),
		textField(blockZone, "Time zone", "Such as Europe/Berlin: the zone in which it hands over.", zone),
	)
}

// drawRotationRemove asks whether a rotation is to go.
func drawRotationRemove(meta editMeta, preview []slack.Block) slack.ModalViewRequest {
	return dialog(modalRotationRemove, "Remove rotation", "Remove", meta.String(), preview...)
}

// drawRestore asks whether an earlier version is to come back.
func drawRestore(meta editMeta, preview []slack.Block) slack.ModalViewRequest {
	return dialog(modalScheduleRestore, "Restore version", "Restore", meta.String(), preview...)
}

// drawScheduleRemove asks whether a schedule is to go.
func drawScheduleRemove(meta editMeta, name string) slack.ModalViewRequest {
	text := fmt.Sprintf("*%s* will be gone, with its rotations and overrides. Who was on call is kept for the incidents that there were.",
		foreign(name, maxName))
	return dialog(modalScheduleRemove, "Remove schedule", "Remove", meta.String(), section(text))
}

// drawHistory draws the versions of a schedule, the latest first, each but the latest
// with a button that puts it in force again.
func drawHistory(meta editMeta, s schedule.Definition, zone *time.Location) slack.ModalViewRequest {
	blocks := []slack.Block{section("*" + foreign(s.Name, maxName) + "*: every version, the latest first")}
	versions := s.History()
	if len(versions) == 0 {
		blocks = append(blocks, section("There is none yet."))
	}
	for i := len(versions) - 1; i >= max(0, len(versions)-maxHistory); i-- {
		v := versions[i]
		begins := "since ever"
		if v.EffectiveFrom != nil {
			begins = "in force from " + stamp(*v.EffectiveFrom, asDay, zone)
		}
		by := byWhom(v)
		if by == "" {
			by = ", from the configuration file"
		}
		lines := []string{stamp(v.CreatedAt, asDay, zone) + by, begins}
		if v.Note != "" {
			lines[1] += " · " + foreign(v.Note, maxName)
		}
		for _, r := range v.Rotations[:min(len(v.Rotations), 3)] {
			var names []string
			for _, t := range r.Turns[:min(len(r.Turns), 8)] {
				names = append(names, named(t))
			}
			lines = append(lines, foreign(r.Name, maxName)+": "+strings.Join(names, " → "))
		}
		block := slack.NewSectionBlock(words(foreignSection(strings.Join(lines, "\n"))), nil, nil)
		if i < len(versions)-1 {
			block.Accessory = slack.NewAccessory(slack.NewButtonBlockElement(actionScheduleRestore, strconv.FormatInt(v.ID, 10), plain("Restore")))
		}
		blocks = append(blocks, block)
	}
	if more := len(versions) - maxHistory; more > 0 {
		blocks = append(blocks, note(count(more, "older version")+" not shown."))
	}
	v := readOnly("History", blocks...)
	v.CallbackID, v.PrivateMetadata = modalScheduleHistory, meta.String()
	return v
}

const (
	modalRotation      = "rotation"
	actionRotationMore = "rotation_more"
)

// editMeta is what the views of an edit carry: which schedule it is, the latest version
// that the person has seen, and what of it they are changing.
type editMeta struct {
	Schedule  oncall.ScheduleID `json:"schedule"`
	Seen      int64             `json:"seen"`
	Rotation  int               `json:"rotation,omitempty"` // its place; -1: a new one
	Version   int64             `json:"version,omitempty"`  // to be restored
	Previewed string            `json:"previewed,omitempty"`
}

func (m editMeta) String() string {
	data, _ := json.Marshal(m) // numbers and a digest: it always can
	return string(data)
}
