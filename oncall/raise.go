package oncall

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A RaiseRequest is a request to open an incident by hand. Such an incident is like any other, but no monitor ends it.
type RaiseRequest struct {
	Team     TeamID
	Schedule ScheduleID // its on-call people are paged before the team's policy begins; 0: none
	User     UserID     // paged first as well; "": nobody
	Text     string     // what is wrong; its first line becomes the title
	Link     string
	Severity Severity // "": High

	Key       string // requests with the same key, such as a repeated click, open one incident
	Confirmed bool   // the person has confirmed that they want to exceed the limits
}

const (
	// raisedWait is how long those who are paged first have before the team's policy begins.
	raisedWait = 5 * time.Minute
	// maxRaised is the longest title, in characters.
	maxRaised = 300
)

// How many incidents may be raised before a confirmation is needed.
const (
	RaisesOfOne       = 3
	RaisesOfOneWithin = 10 * time.Minute
	RaisesOfAll       = 30
	RaisesOfAllWithin = time.Hour
)

// NeedsConfirmation returns what the person must confirm, given how many incidents they and everybody have raised recently; empty:
// nothing.
func (r RaiseRequest) NeedsConfirmation(own, all int) Sentence {
	switch {
	case r.Confirmed:
	case own >= RaisesOfOne:
		return Say("You have paged %d times in the last %d minutes.", own, int(RaisesOfOneWithin.Minutes()))
	case all >= RaisesOfAll:
		return Say("People have paged by hand %d times in the last hour.", all)
	}
	return nil
}

// Title returns the title of the incident.
func (r RaiseRequest) Title() string {
	first, _, _ := strings.Cut(strings.TrimSpace(r.Text), "\n")
	return cutText(first, maxRaised)
}

// body returns the whole text, or "" if the title contains all of it.
func (r RaiseRequest) body() string {
	text := strings.TrimSpace(Storable(r.Text))
	if strings.Join(strings.Fields(text), " ") == r.Title() {
		return ""
	}
	return cutLead(text)
}

// TeamPolicy returns the policy that runs when a team is paged: the one that the team names, else the one with the
// team's name, else its oldest.
func (f Facts) TeamPolicy(id TeamID) (PolicyID, bool) {
	team := f.Roster.Teams[id]
	if p, known := f.Policies[team.Policy]; known && !p.Removed && p.TeamID == id {
		return p.ID, true
	}
	var own []Policy
	for _, p := range f.Policies {
		if p.TeamID == id && !p.Removed {
			own = append(own, p)
		}
	}
	if len(own) == 0 {
		return 0, false
	}
	return slices.MinFunc(own, func(a, b Policy) int {
		return cmp.Or(rankName(a.Name, team.Name)-rankName(b.Name, team.Name), cmp.Compare(a.ID, b.ID))
	}).ID, true
}

func rankName(name, wanted string) int {
	if strings.EqualFold(name, wanted) {
		return 0
	}
	return 1
}

// Open opens the incident with the given id, and pages. Count is its round-robin count.
func (r RaiseRequest) Open(id IncidentID, count int64, by Actor, f Facts, now time.Time) (Change, error) {
	policy, known := f.TeamPolicy(r.Team)
	title := r.Title()
	switch {
	case title == "":
		return Change{}, Refuse("Say what is wrong, so that whoever is paged knows.")
	case !known:
		return Change{}, Refuse("The team %q has no escalation policy, so nobody would be paged.", f.Roster.Teams[r.Team].Name)
	}
	if r.User != "" {
		if err := f.reachable(r.User); err != nil {
			return Change{}, err
		}
	}
	in := Incident{
		ID: id, TeamID: r.Team, PolicyID: policy, Title: title, Body: r.body(), Link: r.Link, Severity: cmp.Or(r.Severity, High),
		Status: Triggered, Version: 1, OpenedAt: now, LastSignalAt: now, RaisedBy: by, RoundRobinCount: count,
	}
	c := in.begin(by, f, now)
	c.record(EventOpened, by, r.detail(f))
	if !c.pageFirst(r) {
		c.runStep()
	}
	return c.done(), nil
}

// detail says what was raised, and whom it pages first.
func (r RaiseRequest) detail(f Facts) Detail {
	d := Detail{Text: r.Title()}
	if r.User != "" {
		d.Users = []UserID{r.User}
	}
	if s := f.Roster.Schedules[r.Schedule]; s != nil {
		d.Names = []string{s.Name()}
	}
	return d
}

// pageFirst pages the people who are to be paged before the policy begins. It reports false if there are none.
func (c *Change) pageFirst(r RaiseRequest) bool {
	in := &c.Incident
	var people []pagedPerson
	if r.Schedule != 0 {
		people = c.facts.Roster.people([]Target{{Schedule: r.Schedule}}, c.now)
	}
	if r.User != "" && !slices.ContainsFunc(people, func(p pagedPerson) bool { return p.user == r.User }) {
		people = append(people, pagedPerson{r.User, Say("%s asks for you", c.by)})
	}
	if len(people) == 0 {
		return false
	}
	in.Seq++
	users, from := c.pagePeople(people, c.now, nil)
	c.record(EventPaging, ByTimer(), Detail{Users: users, Until: shownUntil(from, c.now)})
	in.NextAt = new(from.Add(raisedWait))
	return true
}

// Raised reports whether it was opened by hand: by a person, or a program that has an API key.
func (in Incident) Raised() bool { return in.RaisedBy.User != "" || in.RaisedBy.Key != 0 }
