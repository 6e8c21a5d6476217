package view

import (
	"encoding/json"

	"github.com/watchbill/watchbill/oncall"
)

// EditMeta is what the forms of an edit carry: which schedule it is, the latest version
// that the person has seen, and what of it they are changing.
type EditMeta struct {
	Schedule  oncall.ScheduleID `json:"schedule"`
	Seen      int64             `json:"seen"`
	Rotation  int               `json:"rotation,omitempty"` // its place; -1: a new one
	Version   int64             `json:"version,omitempty"`  // to be restored
	Previewed string            `json:"previewed,omitempty"`
}

func (m EditMeta) String() string {
	data, _ := json.Marshal(m) // numbers and a digest: this can't fail
	return string(data)
}
