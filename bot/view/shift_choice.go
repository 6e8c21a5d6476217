package view

import (
	"encoding/json"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A ShiftDraft is a shift to be made by hand, or the time in which those are to be deleted.
type ShiftDraft struct {
	Delete bool            `json:"delete,omitempty"`
	Users  []oncall.UserID `json:"users,omitempty"`
	From   time.Time       `json:"from"`
	To     time.Time       `json:"to"`
}

// ReadShiftDraft reads a form's metadata.
func ReadShiftDraft(meta string) (w ShiftDraft, err error) {
	err = json.Unmarshal([]byte(meta), &w)
	return w, err
}

// ShiftChoice asks in which schedule.
func ShiftChoice(schedules []*schedule.Schedule, w ShiftDraft, zone *time.Location) slack.ModalViewRequest {
	meta, _ := json.Marshal(w) // strings and times always marshal
	title, submit, text := "Add a shift", "Add", mention(w.Users...)+", "+Between(w.From, w.To, zone)+", beside whoever else is on call then."
	if w.Delete {
		title, submit, text = "Delete shifts", "Delete", "The shifts made by hand "+Between(w.From, w.To, zone)+"."
	}
	options := scheduleOptions(schedules)
	return dialog(ModalShiftChoice, title, submit, string(meta), section(text), choiceField(BlockSchedule, "In which schedule?", "", options[0].Value, options))
}

// ShiftChanged replaces the form by what was done.
func ShiftChanged(text string) slack.ModalViewRequest { return readOnly("Shifts", section(text)) }
