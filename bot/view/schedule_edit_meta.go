package view

import (
	"encoding/json"

	"github.com/watchbill/watchbill/oncall"
)

// EditMeta is the metadata of an edit's forms: the schedule, the latest version that the person has seen, and
// what they are changing.
type EditMeta struct {
	Schedule  oncall.ScheduleID `json:"schedule"`
	Seen      int64             `json:"seen"`
	Rotation  int               `json:"rotation,omitempty"` // index; -1: a new one
	Version   int64             `json:"version,omitempty"`  // version to restore
	Previewed string            `json:"previewed,omitempty"`
}

func (m EditMeta) String() string {
	data, _ := json.Marshal(m) // numbers and a digest; can't fail
	return string(data)
}
