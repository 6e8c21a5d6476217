package oncall

import (
	"fmt"
	"slices"
	"strings"
	"time"
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

// respond notes what a responder has said, or that they were asked.
func (in *Incident) respond(r Responder) {
	in.Responders = append(slices.DeleteFunc(slices.Clone(in.Responders), func(o Responder) bool {
		return o.User == r.User
	}), r)
}

// maxAsked is how much of what somebody is asked for is kept, in characters.
const maxAsked = 200

// cutText is text on one line, with at most so many characters.
func cutText(text string, most int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), ""), "\x00", "")
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// ask asks somebody to help, or asks them again. It doesn't touch who has the incident,
// nor escalation.
func (in Incident) ask(u UserID, text string, by Actor, f Facts, now time.Time) (Change, error) {
	if err := in.refuseClosed(); err != nil {
		return Change{}, err
	}
	if err := f.reachable(u); err != nil {
		return Change{}, err
	}
	if u == by.User { // who offers help needs no page
		return in.answer(ResponderAccepted, by, now, true)
	}
	c := in.begin()
	c.Incident.respond(Responder{User: u, State: ResponderAsked, By: by, At: now, Asked: c.Incident.Version})
	why := fmt.Sprintf("%s asks you to help", by)
	if text = cutText(text, maxAsked); text != "" {
		why += ": " + text
	}
	c.ask(u, why)
	c.record(EventAsked, now, by, Detail{Users: []UserID{u}, Text: text})
	return c.finish(in), nil
}

// answer is what a responder says. It stops their pages, and nobody else's. Who
// volunteers was not asked.
func (in Incident) answer(state ResponderState, by Actor, now time.Time, volunteers bool) (Change, error) {
	if err := in.refuseClosed(); err != nil {
		return Change{}, err
	}
	r, known := in.responder(by.User)
	switch {
	case by.User == "" || !known && !volunteers:
		return Change{}, Refuse("Nobody has asked you to help with incident %s.", in.ID)
	case r.State == state:
		return Change{}, Refuse("You have said so already.")
	}
	c := in.begin()
	d := Detail{}
	if r.By.User != "" && r.By.User != by.User {
		d.Users = []UserID{r.By.User} // they are told by the line in the thread
	}
	if r.By == (Actor{}) {
		r.By = by
	}
	r.User, r.State, r.At, r.Until = by.User, state, now, in.Seq
	c.Incident.respond(r)
	kind := EventAccepted
	if state == ResponderDeclined {
		kind = EventDeclined
	}
	c.record(kind, now, by, d)
	return c.finish(in), nil
}
