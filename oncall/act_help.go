package oncall

// maxAsked bounds what somebody is asked for, in characters.
const maxAsked = 200

// askToHelp asks somebody to help, or asks them again. It changes neither who has the incident
// nor its escalation.
func (c *Change) askToHelp(a Act) error {
	if err := c.facts.reachable(a.User); err != nil {
		return err
	}
	if a.User == c.by.User { // offering help needs no page
		return c.respond(ResponderAccepted, true)
	}
	c.setResponder(Responder{User: a.User, State: ResponderAsked, By: c.by, At: c.now, Asked: c.Incident.Version})
	why, text := Say("%s asks you to help", c.by), cutText(a.Text, maxAsked)
	if text != "" {
		why = Say("%s: %s", why, text)
	}
	c.ask(a.User, why)
	c.record(EventAsked, c.by, Detail{Users: []UserID{a.User}, Text: text})
	return nil
}

func (c *Change) accept(Act) error { return c.respond(ResponderAccepted, false) }

func (c *Change) decline(Act) error { return c.respond(ResponderDeclined, false) }

// respond records what a responder says. It stops their pages, and nobody else's. Volunteers
// may answer unasked.
func (c *Change) respond(state ResponderState, volunteers bool) error {
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
	c.setResponder(r)
	kind := EventAccepted
	if state == ResponderDeclined {
		kind = EventDeclined
	}
	c.record(kind, by, d)
	return nil
}
