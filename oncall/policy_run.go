package oncall

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	// maxHops is how often an incident can be passed on to another policy.
	maxHops = 5
	// fallbackWait is how long the fallback people have to acknowledge before the whole team is paged.
	fallbackWait = 5 * time.Minute
)

// runStep runs the next step that has anybody to page, and notes skipped steps in the timeline. If no
// step is left, the policy has run out. The loop ends because it visits at most maxHops policies, and
// each of their steps at most once.
func (c *Change) runStep() {
	in, roster := &c.Incident, &c.facts.Roster
	due := c.now
	if in.NextAt != nil && in.NextAt.Before(c.now) {
		due = *in.NextAt
	}
	in.Seq++
	in.NextAt = nil
	policy := c.policy()
	for left := len(policy.Steps); left > 0 && !in.Unassigned; left-- {
		if in.Step >= len(policy.Steps) {
			if in.Round >= policy.Repeat || !in.Called {
				break
			}
			in.Round, in.Step, in.Run = in.Round+1, 0, 0
		}
		step := &policy.Steps[in.Step]
		if why := step.Only.unmet(in.Severity, policy.TeamID, *roster, c.now); why != "" {
			c.skip(why)
			continue
		}
		s := roster.audience(step.Targets, c.now)
		switch {
		case c.putOff(policy):
			return
		case !s.empty():
			c.pageAudience(step, s, due)
			return
		case s.policy == 0:
			c.skip(s.nobody())
		case c.passOn(s.policy, c.now):
			policy = c.policy()
			left = len(policy.Steps) + 1
		default:
			left = 0
		}
	}
	c.endOfSteps()
}

// skip skips the current step. Why completes "step 2 was skipped: "; if it is empty, the step has
// nobody to page.
func (c *Change) skip(why string) {
	d := c.detail()
	d.Text = why
	c.record(EventSkipped, ByTimer(), d)
	c.Incident.Step, c.Incident.Run = c.Incident.Step+1, 0
}

// detail identifies the current step, counted from 1.
func (c *Change) detail() Detail {
	in := &c.Incident
	return Detail{Round: in.Round + 1, Step: in.Step + 1, Run: in.Run + 1}
}

// nobody says why a step pages nobody. It is empty if the step's targets have no people.
func (a *audience) nobody() string {
	if len(a.unknown) == 0 {
		return ""
	}
	return fmt.Sprintf("the Slack group @%s is unknown", strings.Join(a.unknown, ", @"))
}

// pageAudience pages the people, channels and webhooks of a step, and sets the timer for the next one.
func (c *Change) pageAudience(step *Step, s audience, due time.Time) {
	in := &c.Incident
	detail := c.detail()
	from := c.now
	if people := c.pick(step, s.people); len(people) > 0 {
		until, ready := c.gatherUntil(step, due)
		detail.Users, from = c.pagePeople(people, until, ready)
		in.Called = true
	}
	for _, channel := range s.channels {
		c.post(MethodChannel, channel, Say("the escalation policy names this channel"))
		detail.To = append(detail.To, channel)
	}
	for _, address := range s.webhooks {
		c.post(MethodWebhook, address, Say("the escalation policy names this webhook"))
		detail.To = append(detail.To, WebhookName(address))
	}
	if s.canary {
		c.post(MethodCanary, "canary", Say("the canary's policy says so"))
	}
	detail.Until = shownUntil(from, c.now)
	c.record(EventPaging, ByTimer(), detail)
	last := in.Run >= step.Repeat
	next := from.Add(c.advance(step))
	if last && s.policy != 0 {
		in.Step, in.Run = in.Step-1, step.Repeat // the step that passes the incident on
		c.passOn(s.policy, next)
	}
	in.NextAt = &next
}

// pick returns the people whom this run of the step pages: all, or one by round robin.
func (c *Change) pick(step *Step, people []pagedPerson) []pagedPerson {
	in, n := &c.Incident, int64(len(people))
	if n < 2 || step.RoundRobin == PageAll {
		return people
	}
	at := int64(in.Round*(step.Repeat+1) + in.Run)
	if step.RoundRobin == RoundByIncident {
		at += in.RoundRobinCount
	}
	return people[at%n : at%n+1]
}

// pagePeople pages people as soon as the incident's severity and their hours allow; people not in
// ready are paged no earlier than until. It returns the people, and when the first page is due.
func (c *Change) pagePeople(people []pagedPerson, until time.Time, ready []UserID) (users []UserID, first time.Time) {
	for i, who := range people {
		at := c.pageAt(who.user, c.now)
		if !slices.Contains(ready, who.user) {
			at = latest(at, until)
		}
		c.call(who.user, who.why)
		if at.After(c.now) {
			c.Calls[len(c.Calls)-1].At = at
		}
		if i == 0 || at.Before(first) {
			first = at
		}
		users = append(users, who.user)
	}
	return users, first
}

// post adds a call to a channel or webhook.
func (c *Change) post(method Method, to string, why Sentence) {
	c.add(Call{CallSeq: c.Incident.Seq, Method: method, To: to, Why: why})
}

// advance moves on to the next run or step, and returns how long to wait for it.
func (c *Change) advance(step *Step) time.Duration {
	in := &c.Incident
	if in.Run < step.Repeat {
		in.Run++
		return step.Every.Duration()
	}
	in.Step, in.Run = in.Step+1, 0
	return step.Delay.Duration()
}

// passOn passes the incident on to another policy, whose first step runs at the given time. If that is
// impossible, passOn ends the current policy and reports false.
func (c *Change) passOn(to PolicyID, at time.Time) bool {
	in := &c.Incident
	detail := c.detail()
	policy, known := c.facts.Policies[to]
	switch {
	case !known || policy.Removed:
		detail.Text = "the policy that it hands over to has been removed"
	case in.Hops >= maxHops:
		detail.Text = fmt.Sprintf("the incident has been handed over %d times already", in.Hops)
	}
	if detail.Text != "" {
		c.record(EventSkipped, ByTimer(), detail)
		own := c.policy()
		in.Round, in.Step, in.Run = own.Repeat, len(own.Steps), 0
		return false
	}
	detail.Text = policy.Name
	if at.After(c.now) {
		detail.Until = at
	}
	c.record(EventPassedOn, ByTimer(), detail)
	if in.HomePolicy == 0 {
		in.HomePolicy = in.PolicyID
	}
	in.PolicyID = to
	in.Hops++
	in.Round, in.Step, in.Run = 0, 0, 0
	return true
}

// endOfSteps is called when no step is left. If no step has paged a person, it pages the team's fallback people once.
// Otherwise the policy is exhausted.
func (c *Change) endOfSteps() {
	in, roster := &c.Incident, c.facts.Roster
	fallback := roster.fallback(in.TeamID)
	if in.Called || in.Unassigned || len(fallback) == 0 {
		in.Unassigned = !in.Called
		c.exhaust()
		return
	}
	in.Unassigned = true
	why := Say("the escalation policy has nobody to page, and you stand in for your team")
	people := make([]pagedPerson, len(fallback))
	for i, u := range fallback {
		people[i] = pagedPerson{u, why}
	}
	users, from := c.pagePeople(people, c.now, nil)
	c.record(EventUnassigned, ByTimer(), Detail{Users: users, Until: shownUntil(from, c.now)})
	detail := Saying(Say("The escalation policy had nobody to page for incident %s, so %s had to stand in.", in.ID, schedule.People(users, " and ")))
	detail.Incidents, detail.Users = []IncidentID{in.ID}, users
	for _, admin := range roster.active(roster.Teams[in.TeamID].Managers) {
		if !slices.Contains(users, admin) {
			c.Notices = append(c.Notices, Notice{
				Key: fmt.Sprintf("unassigned/%d/%d/%s", in.ID, in.Seq, admin), To: string(admin), Kind: NoticeUnassigned,
				About: int64(in.ID), Detail: detail,
			})
		}
	}
	next := from.Add(fallbackWait)
	in.NextAt = &next
}

// NoticeUnassigned tells a team's admins that an incident had nobody on call.
const NoticeUnassigned NoticeKind = "unassigned"

// exhaust pages the whole team, because nobody has acknowledged.
func (c *Change) exhaust() {
	in := &c.Incident
	in.Exhausted = true
	why, detail := Say("nobody has acknowledged it and the escalation policy has run out"), Detail{}
	if n := len(in.Acks); n > 0 { // at least one more is needed, even if the policy was changed to require fewer
		detail.Acked, detail.Count, detail.Of = in.Acks, n, max(c.policy().Acks, n+1)
		why = Say("%d of %d have acknowledged it (%s), %s, and the escalation policy has run out",
			n, detail.Of, schedule.People(in.Acks, ", "), MoreNeeded(detail.Of-n))
	}
	people := c.facts.Roster.people([]Target{{Team: in.TeamID}}, c.now)
	for i := range people {
		people[i].why = why
	}
	users, from := c.pagePeople(people, c.now, nil)
	detail.Users, detail.Until = users, shownUntil(from, c.now)
	c.record(EventExhausted, ByTimer(), detail)
	if in.Flapping() {
		in.NextAt = new(c.now.Add(flapUnattended))
	}
}

// unreached runs the next step at once, because nobody in the latest step can be reached. If no step
// is left, the timeline says that nobody was told. It reports false if the incident no longer
// escalates.
func (c *Change) unreached() bool {
	in := &c.Incident
	switch {
	case in.Status != Triggered || in.NextAt == nil && !in.Exhausted:
		return false
	case in.Exhausted:
		c.record(EventNobodyNotified, ByTimer(), Detail{Acked: in.Acks})
		return true
	}
	d := Detail{Round: in.Round + 1, Step: in.Step, Run: 1}
	switch {
	case in.Unassigned:
		d = Detail{}
	case in.Run > 0: // repeating the step would reach nobody either
		d.Step, d.Run = in.Step+1, in.Run
		in.Step, in.Run = in.Step+1, 0
	}
	in.NextAt = new(c.now)
	c.record(EventUnreached, ByTimer(), d)
	c.Tasks = append(c.Tasks, Task{Args: IncidentTimer{Incident: in.ID, Seq: in.Seq}}) // running it makes the queued timer stale
	return true
}
