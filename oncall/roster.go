package oncall

import (
	"cmp"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// ShiftFacts holds the people and the schedules: everything that swaps and covers depend on. It is separate from Roster so
// that code which has loaded only this can't evaluate policies with it.
type ShiftFacts struct {
	Schedules map[ScheduleID]*schedule.Schedule
	Users     map[UserID]User
	Members   map[TeamID][]UserID
}

// A Roster holds the facts by which the targets of a policy are resolved to people.
type Roster struct {
	ShiftFacts
	Contacts map[UserID]ContactSettings // of people who have set up more than Slack
	Teams    map[TeamID]RosterTeam
	Groups   map[string][]UserID // the Slack user groups that policies name, by handle
}

// managers returns the managers of a team: the members named as such, or else all members.
func (r Roster) managers(id TeamID) []UserID {
	if named := r.Teams[id].Managers; len(named) > 0 {
		return named
	}
	return r.Members[id]
}

// fallback returns who is paged for a team if a policy has nobody to page.
func (r Roster) fallback(id TeamID) []UserID {
	for _, users := range [][]UserID{r.Teams[id].Fallback, r.Teams[id].Managers, r.Members[id]} {
		if active := r.active(users); len(active) > 0 {
			return active
		}
	}
	return nil
}

func (f ShiftFacts) active(users []UserID) []UserID {
	var active []UserID
	for _, u := range users {
		if !f.unpageable(u) {
			active = append(active, u)
		}
	}
	return active
}

// unpageable reports whether somebody is known and can't be paged.
func (f ShiftFacts) unpageable(u UserID) bool { return f.Users[u].Unpageable() != "" }

// A RosterTeam is what decisions depend on of a team, besides its members.
type RosterTeam struct {
	Name     string
	Private  bool
	Managers []UserID // the members named as such
	Fallback []UserID
	Policy   PolicyID        // the policy that the team names as its own; 0: none
	Hours    *schedule.Hours // working hours; nil: WorkingHours in UTC
	TimeZone string          // of the working hours

	IncidentChannel Severity // from which an incident gets a Slack channel of its own; "": only if somebody asks
	Updates         []string // channels
}

// OnRoster returns what decisions depend on of the team. Its working hours are in the team's own time zone, or else in
// zone, the time zone of its first schedule.
func (t Team) OnRoster(managers []UserID, zone string) RosterTeam {
	f := RosterTeam{Name: t.Name, Private: t.Private, Managers: managers, Fallback: t.Fallback, Policy: t.Policy, IncidentChannel: t.IncidentChannel, Updates: t.Updates}
	for _, name := range []string{t.TimeZone, zone, "UTC"} {
		if h, err := hoursIn(name, t.Hours); err == nil {
			f.Hours, f.TimeZone = h, name
			break
		}
	}
	return f
}

// Stints returns a person's stints in all schedules, by start and then by name.
func (f ShiftFacts) Stints(user UserID, from, to time.Time) []schedule.Stint {
	return f.ofSchedules(func(s *schedule.Schedule) []schedule.Stint { return s.Stints(user, from, to) })
}

// StintParts returns a person's stints in all schedules, divided into what they have for different reasons.
func (f ShiftFacts) StintParts(user UserID, from, to time.Time) []schedule.Stint {
	return f.ofSchedules(func(s *schedule.Schedule) []schedule.Stint { return s.Parts(user, from, to) })
}

func (f ShiftFacts) ofSchedules(stints func(*schedule.Schedule) []schedule.Stint) []schedule.Stint {
	var all []schedule.Stint
	for _, c := range f.Schedules {
		all = append(all, stints(c)...)
	}
	slices.SortFunc(all, func(a, b schedule.Stint) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Role, b.Role))
	})
	return all
}

// Clashes returns the stints that a person has at the same time as another stint, in any schedule and role, up to the
// other stint's end. Those in except, which they give away, don't count.
func (f ShiftFacts) Clashes(user UserID, with schedule.Stint, except ...schedule.Stint) []schedule.Stint {
	var found []schedule.Stint
	for _, s := range f.Stints(user, with.Start, with.End) {
		if s.End.After(with.End) {
			s.End = with.End
		}
		given := slices.ContainsFunc(except, func(e schedule.Stint) bool {
			return e.Schedule == s.Schedule && e.Role == s.Role && !e.Start.After(s.Start) && !e.End.Before(s.End)
		})
		if !given {
			found = append(found, s)
		}
	}
	return found
}

// Obstacles returns what speaks against somebody's taking shifts over: where they are on call at the same time, and those of the
// shifts during which they have time off. Shifts that they have already don't count.
func (f ShiftFacts) Obstacles(user UserID, gets []schedule.Stint, off []TimeOff) (clashes, away []schedule.Stint) {
	for _, g := range gets {
		for _, c := range f.Clashes(user, g) {
			if c.Schedule != g.Schedule || c.Role != g.Role {
				clashes = append(clashes, c)
			}
		}
		if slices.ContainsFunc(off, func(t TimeOff) bool { return t.UserID == user && t.Start.Before(g.End) && t.End.After(g.Start) }) {
			away = append(away, g)
		}
	}
	return clashes, away
}

// isOnCallFor reports whether the stint's person is on call for all of it. A vacant stint is there to be taken for as long as
// nobody is on call.
func (f ShiftFacts) isOnCallFor(s schedule.Stint) bool {
	if c := f.Schedules[s.Schedule]; s.Vacant && c != nil {
		return len(c.Gaps(s.Start, s.End, s.Role)) > 0
	}
	return f.presenceOf(s, s.User) == always
}

// A presence says for how much of a stint somebody is on call.
type presence int

const (
	never presence = iota
	sometimes
	always
)

// presenceOf returns for how much of a stint a person is on call.
func (f ShiftFacts) presenceOf(s schedule.Stint, user UserID) presence {
	c := f.Schedules[s.Schedule]
	if c == nil {
		return never
	}
	in, out := false, false
	for _, shift := range c.Shifts(s.Start, s.End, s.Role) {
		if slices.Contains(shift.Users, user) {
			in = true
		} else {
			out = true
		}
	}
	switch {
	case in && out:
		return sometimes
	case in:
		return always
	}
	return never
}

// absent reports whether a person is unknown, or can't be on call.
func (f ShiftFacts) absent(user UserID) bool {
	u, known := f.Users[user]
	return !known || u.Unpageable() != ""
}

// TimeOnCall returns how long each person is on call between two instants, in all schedules. Time in two schedules at once
// counts twice; shadowing doesn't count.
func (f ShiftFacts) TimeOnCall(from, to time.Time) map[UserID]time.Duration {
	load := map[UserID]time.Duration{}
	for _, c := range f.Schedules {
		for _, role := range c.Roles() {
			if role == schedule.RoleShadow {
				continue
			}
			for _, shift := range c.Shifts(from, to, role) {
				for _, u := range shift.Users {
					load[u] += shift.End.Sub(shift.Start)
				}
			}
		}
	}
	return load
}

// awake reports whether a person may be asked to cover, as it is daytime in their time zone.
func (f ShiftFacts) awake(u UserID, at time.Time) bool {
	_, clock := f.zone(u).Local(at)
	return clock >= askFrom && clock < askUntil
}

// nextAskTime returns when a person may next be asked to cover.
func (f ShiftFacts) nextAskTime(u UserID, at time.Time) time.Time {
	if f.awake(u, at) {
		return at
	}
	zone := f.zone(u)
	day, _ := zone.Local(at)
	morning := zone.Instant(day, askFrom)
	if !morning.After(at) {
		morning = zone.Instant(day.AddDays(1), askFrom)
	}
	return morning
}

// zone returns a person's time zone, or UTC if it isn't known.
func (f ShiftFacts) zone(u UserID) *schedule.Zone {
	if zone, err := schedule.LoadZone(f.Users[u].TimeZone); err == nil {
		return zone
	}
	zone, _ := schedule.LoadZone("UTC") // never fails
	return zone
}

// everOnCall returns the people who are on call in a schedule at any time within the next year.
func everOnCall(c *schedule.Schedule, now time.Time) []UserID {
	var people []UserID
	for _, role := range c.Roles() {
		for _, shift := range c.Shifts(now, now.AddDate(1, 0, 0), role) {
			for _, u := range shift.Users {
				if !slices.Contains(people, u) {
					people = append(people, u)
				}
			}
		}
	}
	return people
}

// nextHandOff returns when the people behind the targets next change, or the horizon if that is sooner.
func (r Roster) nextHandOff(targets []Target, after, horizon time.Time) time.Time {
	for i := range targets {
		t := &targets[i]
		c := r.Schedules[t.Schedule]
		if t.Schedule == 0 || c == nil {
			continue
		}
		for _, role := range c.Roles() {
			if !t.means(role) {
				continue
			}
			if change, found := c.NextChange(after, horizon, role); found {
				horizon = change
			}
		}
	}
	return horizon
}
