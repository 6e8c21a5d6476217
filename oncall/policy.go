package oncall

import (
	"fmt"
	"slices"
	"time"
)

// A Policy says whom to page, in what order, until somebody acknowledges (E1).
type Policy struct {
	ID     PolicyID
	TeamID TeamID
	Name   string
	Repeat int // how often all steps are gone through again
	Steps  []Step

	Acks       int     // how many people must acknowledge; 0: one
	AckTimeout Seconds // after an acknowledgement, before its owner is asked "still on it?"; 0: never
	AckWait    Seconds // that the owner has to answer before it pages again

	Removed bool // open incidents still follow it; none is handed to it
}

// A Step pages its targets and waits. It is stored as JSON: fields are only ever
// added.
type Step struct {
	Targets []Target `json:"targets"`
	Delay   Seconds  `json:"delay"`            // from the step's last run to the next step
	Repeat  int      `json:"repeat,omitempty"` // how often the step itself runs again
	Every   Seconds  `json:"every,omitempty"`  // between two runs of the step
}

// Seconds is a duration in whole seconds.
type Seconds int64

// Duration converts to the standard type.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// A Target is whom a step pages: exactly one field is set.
type Target struct {
	Schedule ScheduleID `json:"schedule,omitempty"` // who is on call in it, at that moment
	User     UserID     `json:"user,omitempty"`
	Team     TeamID     `json:"team,omitempty"` // every member
}

// A Page is one attempt to reach one person by one contact method.
type Page struct {
	ID         PageID
	IncidentID IncidentID
	UserID     UserID
	Method     string // "slack"
	Why        string // completes "you are paged because …"
	Key        string // idempotency key: one attempt a person, method and decision (N3)

	Contact ContactID // 0: what everybody has
	To      string    // of a page that is for no person: a Slack channel or a URL
	At      time.Time // not sent earlier; zero: at once
}

// Due reports whether the page is still worth sending: after an acknowledgement
// at most the page already in flight goes out.
func (p Page) Due(in Incident) bool {
	return in.Status == Triggered || in.Status == Acknowledged && in.AckedBy.User == p.UserID
}

// A Roster holds the facts from which a target becomes people.
type Roster struct {
	Schedules map[ScheduleID]*Compiled
	Users     map[UserID]User
	Members   map[TeamID][]UserID
	Reach     map[UserID]Reach // of those who have set up anything beside Slack
}

// A called person, and why.
type called struct {
	user UserID
	why  string
}

// people resolves the targets of a step at an instant, each person once, in the
// order of the targets. Deactivated people can't be paged.
func (r Roster) people(targets []Target, at time.Time) []called {
	var out []called
	add := func(u UserID, why string) {
		if p, known := r.Users[u]; known && p.DeactivatedAt != nil {
			return
		}
		if !slices.ContainsFunc(out, func(c called) bool { return c.user == u }) {
			out = append(out, called{u, why})
		}
	}
	for _, t := range targets {
		switch {
		case t.User != "":
			add(t.User, "the escalation policy names you")
		case t.Team != 0:
			for _, u := range r.Members[t.Team] {
				add(u, "the escalation policy names your whole team")
			}
		case t.Schedule != 0:
			s := r.Schedules[t.Schedule]
			if s == nil {
				continue
			}
			for _, d := range s.Who(at) {
				if d.Role == RoleShadow {
					continue // a shadow is told by other means and never counts as cover
				}
				for _, u := range d.Users {
					add(u, fmt.Sprintf("you are on call in %s", s.Name()))
				}
			}
		}
	}
	return out
}

// page adds one page of the change's incident.
func (c *Change) page(u UserID, why string) {
	c.Pages = append(c.Pages, Page{
		IncidentID: c.Incident.ID, UserID: u, Method: MethodSlack, Why: why,
		Key: fmt.Sprintf("%s%s/%s", c.Incident.PageKeys(), u, MethodSlack),
	})
}

// PageKeys is how the keys of the latest step's pages begin.
func (in Incident) PageKeys() string { return fmt.Sprintf("%d/%d/", in.ID, in.Seq) }

// runStep pages the next step that has somebody to page. Steps without are
// skipped at once and say so; when none is left the policy is exhausted. The loop
// goes over each step at most once, so that an empty policy can't spin.
func (in *Incident) runStep(c *Change, p Policy, r Roster, now time.Time) {
	in.Seq++
	in.NextAt = nil
	for range len(p.Steps) {
		if in.Step >= len(p.Steps) {
			if in.Round >= p.Repeat {
				break
			}
			in.Round, in.Step, in.Run = in.Round+1, 0, 0
		}
		step := p.Steps[in.Step]
		people := r.people(step.Targets, now)
		if len(people) == 0 {
			c.record(EventSkipped, now, ByTimer(), Detail{Round: in.Round + 1, Step: in.Step + 1, Run: in.Run + 1})
			in.Step, in.Run = in.Step+1, 0
			continue
		}
		var users []UserID
		for _, who := range people {
			c.page(who.user, who.why)
			users = append(users, who.user)
		}
		c.record(EventPaging, now, ByTimer(), Detail{Round: in.Round + 1, Step: in.Step + 1, Run: in.Run + 1, Users: users})
		next := now.Add(in.advance(step))
		in.NextAt = &next
		return
	}
	in.exhaust(c, r, now)
}

// advance moves on to what runs after the step, and says how long to wait.
func (in *Incident) advance(step Step) time.Duration {
	if in.Run < step.Repeat {
		in.Run++
		return step.Every.Duration()
	}
	in.Step, in.Run = in.Step+1, 0
	return step.Delay.Duration()
}

// exhaust tells the whole team: every step ran out, or had nobody (E2, E8).
func (in *Incident) exhaust(c *Change, r Roster, now time.Time) {
	in.Exhausted = true
	var users []UserID
	for _, who := range r.people([]Target{{Team: in.TeamID}}, now) {
		c.page(who.user, "nobody has acknowledged it and the escalation policy has run out")
		users = append(users, who.user)
	}
	c.record(EventExhausted, now, ByTimer(), Detail{Users: users})
}

// Unreached is for when none of the latest step's people can be reached: the next step
// runs at once (N4), or when none is left nobody has been told. It reports false where
// that doesn't matter.
func (in Incident) Unreached(now time.Time) (Change, bool) {
	if in.Status != Triggered || in.NextAt == nil && !in.Exhausted {
		return Change{}, false
	}
	c := in.begin()
	if in.Exhausted {
		c.record(EventUntold, now, ByTimer(), Detail{})
		return c.finish(in), true
	}
	o := &c.Incident
	d := Detail{Round: in.Round + 1, Step: in.Step, Run: 1}
	if in.Run > 0 { // to run the step again reaches nobody either
		d.Step, d.Run = in.Step+1, in.Run
		o.Step, o.Run = in.Step+1, 0
	}
	o.NextAt = &now
	c.record(EventUnreached, now, ByTimer(), d)
	c.Tasks = append(c.Tasks, Task{Do: Escalate{Incident: in.ID, Seq: in.Seq}}) // the timer that is under way becomes stale
	return c.finish(in), true
}

// Next is what happens to an incident if nobody does anything.
type Next struct {
	At       time.Time
	Users    []UserID // whom it pages; as on call at that moment
	Exhausts bool     // the policy runs out: the whole team is told
}

// Next tells what the incident's timer will do, by the code that does it. It
// reports false when nothing is to come.
func (in Incident) Next(p Policy, r Roster) (Next, bool) {
	if in.NextAt == nil || in.Status != Triggered {
		return Next{}, false
	}
	c, _ := in.EscalateNow(in.Seq, p, r, *in.NextAt)
	n := Next{At: *in.NextAt, Exhausts: c.Incident.Exhausted}
	for _, pg := range c.Pages {
		n.Users = append(n.Users, pg.UserID)
	}
	return n, true
}
