package oncall

import (
	"slices"
	"time"
)

// A Responder was asked by somebody to help with an incident, and answers for
// themselves, whatever the incident's status. It is stored as JSON: fields are only
// ever added.
type Responder struct {
	User  UserID         `json:"user"`
	State ResponderState `json:"state"`
	By    Actor          `json:"by"`
	Text  string         `json:"text,omitempty"`  // what for
	At    time.Time      `json:"at"`              // of the latest change
	Asked int64          `json:"asked,omitempty"` // the version that asked: their pages bear it
	Until int64          `json:"until,omitempty"` // the Seq at their answer: pages with this or a lower one are no longer sent to them
}

// ResponderState is what a responder has said.
type ResponderState string

// The states of a responder.
const (
	ResponderAsked    ResponderState = "asked"
	ResponderAccepted ResponderState = "accepted"
	ResponderDeclined ResponderState = "declined"
)

// responder returns what a person was asked and has said.
func (in Incident) responder(u UserID) (Responder, bool) {
	for _, r := range in.Responders {
		if r.User == u {
			return r, true
		}
	}
	return Responder{}, false
}

// setResponder stores what a responder has said, or that they were asked.
func (c *Change) setResponder(r Responder) {
	in := &c.Incident
	in.Responders = append(slices.DeleteFunc(slices.Clone(in.Responders), func(o Responder) bool {
		return o.User == r.User
	}), r)
}
