package oncall

import (
	"slices"
	"strings"
	"time"
)

// A Responder was asked by somebody to help with an incident, and answers for
// themselves, whatever the incident's status. It is stored as JSON: fields are only
// ever added.
type Responder struct {
	User  UserID         `json:"user"`
	State ResponderState `json:"state"`
	By    Actor          `json:"by"`
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

// respond stores what a responder has said, or that they were asked.
func (c *Change) respond(r Responder) {
	in := &c.Incident
	in.Responders = append(slices.DeleteFunc(slices.Clone(in.Responders), func(o Responder) bool {
		return o.User == r.User
	}), r)
}

// maxAsked bounds what somebody is asked for, in characters.
const maxAsked = 200

// cutText puts text on one line and cuts it to so many characters.
func cutText(text string, most int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), ""), "\x00", "")
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// askToHelp asks somebody to help, or asks them again. It changes neither who has the incident
// nor its escalation.
func (c *Change) askToHelp(a Act) error {
	if err := c.facts.reachable(a.User); err != nil {
		return err
	}
	if a.User == c.by.User { // offering help needs no page
		return c.answer(ResponderAccepted, true)
	}
	c.respond(Responder{User: a.User, State: ResponderAsked, By: c.by, At: c.now, Asked: c.Incident.Version})
	why, text := Say("%s asks you to help", c.by), cutText(a.Text, maxAsked)
	if text != "" {
		why = Say("%s: %s", why, text)
	}
	c.ask(a.User, why)
	c.record(EventAsked, c.by, Detail{Users: []UserID{a.User}, Text: text})
	return nil
}

func (c *Change) accept(Act) error { return c.answer(ResponderAccepted, false) }

func (c *Change) decline(Act) error { return c.answer(ResponderDeclined, false) }

// answer records what a responder says. It stops their pages, and nobody else's. Volunteers
// may answer unasked.
func (c *Change) answer(state ResponderState, volunteers bool) error {
	in, by := &c.Incident, c.by
	r, known := in.responder(by.User)
	switch {
	case by.User == "" || !known && !volunteers:
		return Refuse("Nobody has asked you to help with incident %s.", in.ID)
	case r.State == state:
		return Refuse("You have said so already.")
	}
	d := Detail{}
	if r.By.User != "" && r.By.User != by.User {
		d.Users = []UserID{r.By.User} // the line in the thread tells them
	}
	if r.By == (Actor{}) {
		r.By = by
	}
	r.User, r.State, r.At, r.Until = by.User, state, c.now, in.Seq
	c.respond(r)
	kind := EventAccepted
	if state == ResponderDeclined {
		kind = EventDeclined
	}
	c.record(kind, by, d)
	return nil
}
