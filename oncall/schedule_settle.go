package oncall

import (
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	// editQuiet is how long nobody has edited a schedule when the editing has settled.
	editQuiet = 2 * time.Minute
	// editMost is how long people are left in the dark at most.
	editMost = 10 * time.Minute
)

// A ScheduleEditing is what people have been doing to a schedule since it was last told.
type ScheduleEditing struct {
	Schedule ScheduleID
	Baseline int64    // the latest version before; 0: there was none
	Editors  []UserID // empty: a set-up file
	First    time.Time
	Last     time.Time
}

// Settles returns when it is to be told, unless somebody goes on.
func (e ScheduleEditing) Settles() time.Time {
	quiet, most := e.Last.Add(editQuiet), e.First.Add(editMost)
	if most.Before(quiet) {
		return most
	}
	return quiet
}

// Told returns what to tell people of it: how their shifts differ from before the first edit. Somebody who
// has edited alone knows already.
func (e ScheduleEditing) Told(s schedule.Definition, key string, now time.Time) ([]Notice, error) {
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
	return Moved(was, is, now, key, by, nil), nil
}
