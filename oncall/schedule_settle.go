package oncall

import (
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	// editQuiet is how long after the last edit of a schedule people are told of the changes,
	editQuiet = 2 * time.Minute
	// and editMost how long after the first edit at the latest.
	editMost = 10 * time.Minute
)

// A ScheduleEditing is a series of edits to a schedule that people have not been told of yet.
type ScheduleEditing struct {
	Schedule ScheduleID
	Baseline int64    // the latest version before the edits; 0: none
	Editors  []UserID // empty: a set-up file was applied
	First    time.Time
	Last     time.Time
}

// SettledAt returns when people are told of the edits, unless there are more until then.
func (e ScheduleEditing) SettledAt() time.Time {
	quiet, most := e.Last.Add(editQuiet), e.First.Add(editMost)
	if most.Before(quiet) {
		return most
	}
	return quiet
}

// ShiftNotices returns the notices to people whose shifts differ from before the first edit. A sole editor isn't told.
func (e ScheduleEditing) ShiftNotices(s schedule.Definition, key string, now time.Time) ([]Notice, error) {
	before := s
	before.Versions = slices.DeleteFunc(slices.Clone(s.Versions), func(v schedule.Version) bool { return v.ID > e.Baseline })
	was, err := schedule.Compile(before)
	if err != nil {
		return nil, err
	}
	is, err := schedule.Compile(s)
	if err != nil {
		return nil, err
	}
	var by UserID
	if len(e.Editors) == 1 {
		by = e.Editors[0]
	}
	return ShiftChangeNotices(was, is, now, key, by, nil), nil
}
