package oncall

import (
	"cmp"
	"maps"
	"slices"
)

// maxAsked is the longest message to somebody who is asked to help, in characters.
const maxAsked = 200

// askToHelp asks a person, or whoever is on call in a schedule or team, to help; they can be asked again. Neither
// the incident's owner nor its escalation changes.
func (c *Change) askToHelp(act Act) error {
	users := []UserID{act.User}
	if act.Schedule != 0 || act.Team != 0 {
		var err error
		if users, err = c.onCallFor(act); err != nil {
			return err
		}
	}
	if err := c.facts.reachable(users[0]); err != nil {
		return err
	}
	if users[0] == c.by.User { // offering help needs no page
		return c.respond(ResponderAccepted, true)
	}
	why, text := Say("%s asks you to help", c.by), cutText(act.Text, maxAsked)
	if text != "" {
		why = Say("%s: %s", why, text)
	}
	for _, u := range users {
		c.setResponder(Responder{User: u, State: ResponderAsked, By: c.by, Text: text, At: c.now, Asked: c.Incident.Version})
		c.ask(u, why)
	}
	c.record(EventAsked, c.by, Detail{Users: users, Text: text})
	return nil
}

// onCallFor returns the people on call now in a schedule, or in any schedule of a team, except the person who asks.
func (c *Change) onCallFor(a Act) ([]UserID, error) {
	roster := c.facts.Roster
	var targets []Target
	name := roster.Teams[a.Team].Name
	for _, id := range slices.Sorted(maps.Keys(roster.Schedules)) {
		s := roster.Schedules[id]
		if id == a.Schedule || a.Team != 0 && s.TeamID() == a.Team {
			targets = append(targets, Target{Schedule: id})
			name = cmp.Or(name, s.Name())
		}
	}
	var users []UserID
	asker := false
	for _, p := range roster.people(targets, c.now) {
		if p.user == c.by.User {
			asker = true
			continue
		}
		users = append(users, p.user)
	}
	switch {
	case len(users) > 0:
		return users, nil
	case asker:
		return nil, Refuse("You are on call in %s yourself, and nobody else is.", name)
	case name == "":
		return nil, Refuse("There is no such schedule any more.")
	}
	return nil, Refuse("Nobody is on call in %s now.", name)
}

func (c *Change) accept(Act) error { return c.respond(ResponderAccepted, false) }

func (c *Change) decline(Act) error { return c.respond(ResponderDeclined, false) }

// respond records that somebody accepts or declines to help. It stops their own pages only. People
// may volunteer without being asked.
func (c *Change) respond(state ResponderState, volunteers bool) error {
	in, by := &c.Incident, c.by
	responder, known := in.responder(by.User)
	switch {
	case by.User == "" || !known && !volunteers:
		return Refuse("Nobody has asked you to help with incident %s.", in.ID)
	case responder.State == state:
		return Refuse("You have said so already.")
	}
	detail := Detail{}
	if responder.By.User != "" && responder.By.User != by.User {
		detail.Users = []UserID{responder.By.User} // the reply in the thread mentions them
	}
	if responder.By == (Actor{}) {
		responder.By = by
	}
	responder.User, responder.State, responder.At, responder.Until = by.User, state, c.now, in.Seq
	c.setResponder(responder)
	kind := EventAccepted
	if state == ResponderDeclined {
		kind = EventDeclined
	}
	c.record(kind, by, detail)
	return nil
}
