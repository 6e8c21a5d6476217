package oncall

import (
	"slices"
	"time"
)

// A Responder is somebody who was asked to help with an incident, or volunteered. Their answer is independent of the
// incident's status. It is stored as JSON: fields are only ever added.
type Responder struct {
	User  UserID         `json:"user"`
	State ResponderState `json:"state"`
	By    Actor          `json:"by"`              // who asked
	Text  string         `json:"text,omitempty"`  // with what they are asked to help
	At    time.Time      `json:"at"`              // of the latest change
	Asked int64          `json:"asked,omitempty"` // the incident's version when they were asked: their calls' AskedVersion
	Until int64          `json:"until,omitempty"` // the incident's Seq when they answered: they get no pages up to this Seq
}

// ResponderState is the answer of a responder.
type ResponderState string

// The states of a responder.
const (
	ResponderAsked    ResponderState = "asked"
	ResponderAccepted ResponderState = "accepted"
	ResponderDeclined ResponderState = "declined"
)

// responder returns a person's entry among the incident's responders, and whether there is one.
func (in Incident) responder(u UserID) (Responder, bool) {
	for _, r := range in.Responders {
		if r.User == u {
			return r, true
		}
	}
	return Responder{}, false
}

// setResponder adds or replaces a responder.
func (c *Change) setResponder(r Responder) {
	in := &c.Incident
	in.Responders = append(slices.DeleteFunc(slices.Clone(in.Responders), func(o Responder) bool {
		return o.User == r.User
	}), r)
}
