package oncall

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// FindingKind says what is wrong with coverage.
type FindingKind string

// The problems that a coverage check looks for.
const (
	FindingGap         FindingKind = "gap"         // nobody has a role, unintentionally
	FindingEmpty       FindingKind = "empty"       // nobody is on call at all
	FindingDeactivated FindingKind = "deactivated" // somebody in a turn has left Slack
	FindingUnknown     FindingKind = "unknown"     // Slack doesn't know somebody in a turn
	FindingStranger    FindingKind = "stranger"    // somebody in a turn or step belongs to another organisation
	FindingGuest       FindingKind = "guest"       // somebody in a turn or step is a guest whom no team names
	FindingTimeOff     FindingKind = "time_off"    // somebody is on call while away
	FindingUnpaged     FindingKind = "unpaged"     // no policy pages a schedule
	FindingPagesNobody FindingKind = "pages_nobody"
)

// FindingKinds lists all kinds.
var FindingKinds = []FindingKind{
	FindingGap, FindingEmpty, FindingDeactivated, FindingUnknown, FindingStranger, FindingGuest, FindingTimeOff, FindingUnpaged, FindingPagesNobody,
}

// NoticeCoverage warns of findings.
const NoticeCoverage NoticeKind = "coverage"

// A Finding is one problem with coverage. Its key stays the same while the problem lasts, and in every
// week in which it recurs.
type Finding struct {
	Key      string      `json:"key"`
	Kind     FindingKind `json:"kind"`
	Team     TeamID      `json:"team"`
	Name     string      `json:"name"`                // of the schedule or policy
	OfPolicy bool        `json:"of_policy,omitempty"` // Name is a policy's, and one of its steps names User
	Role     string      `json:"role,omitempty"`
	User     UserID      `json:"user,omitempty"`
	Start    time.Time   `json:"start,omitzero"`
	End      time.Time   `json:"end,omitzero"`   // zero: not within coverageAhead
	More     int         `json:"more,omitempty"` // how often it recurs within coverageAhead
	TimeZone string      `json:"timezone,omitempty"`
	MendedAt time.Time   `json:"mended_at,omitzero"`
	TimeOff  TimeOffID   `json:"time_off,omitempty"`
	Schedule ScheduleID  `json:"schedule,omitempty"` // during its shift somebody is away
	Leaver   UserID      `json:"leaver,omitempty"`   // nobody is on call because this person has left Slack
}

// NotifiedOtherwise reports whether people learn of the finding from another notice: a NoticeLeaver
// lists all consequences of somebody leaving.
func (f Finding) NotifiedOtherwise() bool { return f.Kind == FindingDeactivated || f.Leaver != "" }

// MarkFixed marks the fixed findings of a warning: those that are gone, unless they simply ended or
// continue under another key. It reports whether there are any.
func (d *NoticeDetail) MarkFixed(gone []string, found []Finding, now time.Time) bool {
	mended := false
	for i := range d.Findings {
		f := &d.Findings[i]
		over := !f.End.IsZero() && !f.End.After(now)
		goesOn := slices.ContainsFunc(found, func(o Finding) bool {
			return o.Kind == f.Kind && o.Name == f.Name && o.Role == f.Role && o.User == f.User &&
				(f.End.IsZero() || o.Start.Before(f.End)) && (o.End.IsZero() || o.End.After(f.Start))
		})
		if over || goesOn || !f.MendedAt.IsZero() || !slices.Contains(gone, f.Key) {
			continue
		}
		f.MendedAt, mended = now, true
	}
	return mended
}

// CoverageFacts is what findings depend on.
type CoverageFacts struct {
	Schedules []schedule.Definition
	Policies  []Policy // active ones
	Users     map[UserID]User
	Members   map[TeamID][]UserID
	TimeOff   []TimeOff
}

const (
	// coverageAhead is how far ahead findings are looked for.
	coverageAhead = 4 * 7 * 24 * time.Hour
	// coverageBack is how far back to look for the start of a gap that has begun.
	coverageBack = 7 * 24 * time.Hour
)

// Findings looks for coverage problems within four weeks of now. A schedule that doesn't compile is an
// error.
func (f CoverageFacts) Findings(now time.Time) ([]Finding, error) {
	var found []Finding
	covered := map[ScheduleID]bool{} // schedules with somebody on call
	for _, definition := range f.Schedules {
		compiled, err := schedule.Compile(definition)
		if err != nil {
			return nil, fmt.Errorf("compile schedule %q: %w", definition.Name, err)
		}
		planned := definition
		planned.Inactive = nil
		p, err := schedule.Compile(planned)
		if err != nil {
			return nil, fmt.Errorf("compile schedule %q: %w", definition.Name, err)
		}
		gaps, some := gapsOf(compiled, now)
		covered[definition.ID] = some
		paged := slices.ContainsFunc(f.Policies, func(p Policy) bool { return p.Pages(definition.ID) })
		switch {
		case some:
			for i := range gaps {
				gaps[i].Leaver = f.leaver(append(p.At(gaps[i].Start, gaps[i].Role), overriding(definition.Overrides, gaps[i].Start)...))
			}
			found = append(found, gaps...)
			if !paged {
				found = append(found, finding(compiled, FindingUnpaged, ""))
			}
		case paged && !intendedEmpty(compiled, now):
			empty := finding(compiled, FindingEmpty, "")
			for _, shift := range p.Shifts(now, now.Add(coverageAhead), schedule.RolePrimary) {
				empty.Leaver = cmp.Or(empty.Leaver, f.leaver(shift.Users))
			}
			found = append(found, empty)
		}
		found = append(found, f.people(p, now)...)
		found = append(found, f.away(compiled, now)...)
	}
	for _, p := range f.Policies {
		found = append(found, f.skipped(p)...)
		if !f.reaches(p, covered) {
			found = append(found, Finding{
				Key: fmt.Sprintf("%s/%d", FindingPagesNobody, p.ID), Kind: FindingPagesNobody, Team: p.TeamID, Name: p.Name,
			})
		}
	}
	return found, nil
}

// Unsettled recognises the keys of findings about schedules that are being edited, and about policies
// that page them. Nobody is warned about these until the editing has stopped.
func (f CoverageFacts) Unsettled(edits []ScheduleEditing) func(key string) bool {
	about := map[string]bool{}
	for _, e := range edits {
		about[fmt.Sprint("/", e.Schedule)] = true
		for _, p := range f.Policies {
			if p.Pages(e.Schedule) {
				about[fmt.Sprintf("%s/%d", FindingPagesNobody, p.ID)] = true
			}
		}
	}
	return func(key string) bool {
		kind, rest, _ := strings.Cut(key, "/")
		id, _, _ := strings.Cut(rest, "/")
		if kind == string(FindingPagesNobody) {
			return about[kind+"/"+id]
		}
		return about["/"+id]
	}
}

// finding makes a finding about a schedule; rest completes its key.
func finding(c *schedule.Schedule, kind FindingKind, rest string) Finding {
	return Finding{
		Key: fmt.Sprintf("%s/%d%s", kind, c.ID(), rest), Kind: kind, Team: c.TeamID(), Name: c.Name(), TimeZone: c.TimeZone(),
	}
}

// gapsOf returns the unintentional gaps, one for each weekly pattern, and reports whether anybody is
// on call at all. A role that nobody ever has makes no gaps.
func gapsOf(compiled *schedule.Schedule, now time.Time) (found []Finding, some bool) {
	from, to := now.Add(-coverageBack), now.Add(coverageAhead)
	for _, role := range compiled.Roles() {
		held := slices.ContainsFunc(compiled.Shifts(now, to, role), func(s schedule.Shift) bool { return len(s.Users) > 0 })
		if role == schedule.RoleShadow || !held {
			continue
		}
		some = true
		seen := map[string]int{}
		for _, g := range compiled.Gaps(from, to, role) {
			if g.Intended || !g.End.After(now) {
				continue
			}
			key := fmt.Sprintf("/%s/%s", role, recurrenceName(compiled, g, from))
			if at, known := seen[key]; known {
				found[at].More++
				continue
			}
			seen[key] = len(found)
			one := finding(compiled, FindingGap, key)
			one.Role, one.Start = role, latest(g.Start, now)
			if g.End.Before(to) {
				one.End = g.End
			}
			found = append(found, one)
		}
	}
	return found, some
}

// intendedEmpty reports whether the schedule is empty on purpose.
func intendedEmpty(c *schedule.Schedule, now time.Time) bool {
	return !slices.ContainsFunc(c.Gaps(now, now.Add(coverageAhead), schedule.RolePrimary), func(g schedule.Gap) bool { return !g.Intended })
}

// recurrenceName names a gap so that its repetitions in other weeks have the same name.
func recurrenceName(c *schedule.Schedule, g schedule.Gap, from time.Time) string {
	if !g.Start.After(from) {
		return "now"
	}
	start := g.Start
	if zone, err := time.LoadLocation(c.TimeZone()); err == nil {
		start = start.In(zone)
	}
	return start.Format("Mon 15:04")
}

// people finds people who can't be paged during the shifts planned for them.
func (f CoverageFacts) people(planned *schedule.Schedule, now time.Time) []Finding {
	found := map[UserID]Finding{}
	for _, role := range planned.Roles() {
		for _, s := range planned.Shifts(now, now.Add(coverageAhead), role) {
			for _, u := range s.Users {
				kind := f.unpageable(u)
				if kind == "" {
					continue
				}
				one := finding(planned, kind, "/"+string(u))
				one.Role, one.User, one.Start, one.End = role, u, s.Start, s.End
				if old, twice := found[u]; !twice || s.Start.Before(old.Start) {
					found[u] = one
				}
			}
		}
	}
	return sortedByPerson(found)
}

// unpageable returns the kind of finding about somebody who can't be paged; "" if they can be.
func (f CoverageFacts) unpageable(id UserID) FindingKind {
	switch user, known := f.Users[id]; {
	case !known:
		return FindingUnknown
	case user.Unpageable() == "":
		return ""
	case user.DeactivatedAt != nil:
		return FindingDeactivated
	case user.Standing == Stranger:
		return FindingStranger
	default:
		return FindingGuest
	}
}

// overriding returns the people in the overrides at the given time, including those who are replaced:
// whoever took over a shift from a leaver no longer has it.
func overriding(all []schedule.Override, at time.Time) []UserID {
	var people []UserID
	for _, o := range all {
		if !o.Start.After(at) && o.Ends().After(at) {
			people = append(append(people, o.From), o.Named()...)
		}
	}
	return people
}

// leaver returns the first of the people who has left Slack.
func (f CoverageFacts) leaver(people []UserID) UserID {
	for _, u := range people {
		if f.Users[u].DeactivatedAt != nil {
			return u
		}
	}
	return ""
}

// skipped finds people whom a step of a policy names but doesn't page: guests, and people of other organisations.
func (f CoverageFacts) skipped(p Policy) []Finding {
	found := map[UserID]Finding{}
	for _, s := range p.Steps {
		for _, t := range s.Targets {
			if kind := f.unpageable(t.User); kind == FindingStranger || kind == FindingGuest {
				found[t.User] = Finding{
					Key: fmt.Sprintf("%s/policy-%d/%s", kind, p.ID, t.User), Kind: kind, Team: p.TeamID, Name: p.Name, User: t.User, OfPolicy: true,
				}
			}
		}
	}
	return sortedByPerson(found)
}

// sortedByPerson sorts findings by person.
func sortedByPerson(found map[UserID]Finding) []Finding {
	var out []Finding
	for _, u := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[u])
	}
	return out
}

// away finds people who are on call during their time off.
func (f CoverageFacts) away(compiled *schedule.Schedule, now time.Time) []Finding {
	var found []Finding
	for _, away := range mergeTimeOff(f.TimeOff) {
		from, to := latest(away.Start, now), away.End
		if limit := now.Add(coverageAhead); to.After(limit) {
			to = limit
		}
		for _, role := range compiled.Roles() {
			for _, s := range compiled.Shifts(from, to, role) {
				if !slices.Contains(s.Users, away.UserID) {
					continue
				}
				one := finding(compiled, FindingTimeOff, fmt.Sprintf("/%s/%d", role, away.ID))
				one.Role, one.User, one.Start, one.End, one.TimeOff, one.Schedule = role, away.UserID, s.Start, s.End, away.ID, compiled.ID()
				found = append(found, one)
				break
			}
		}
	}
	return found
}

// reaches reports whether a policy can page anybody.
func (f CoverageFacts) reaches(p Policy, covered map[ScheduleID]bool) bool {
	active := func(u UserID) bool { return f.unpageable(u) == "" }
	return slices.ContainsFunc(p.Steps, func(s Step) bool {
		return slices.ContainsFunc(s.Targets, func(t Target) bool {
			return active(t.User) || covered[t.Schedule] || slices.ContainsFunc(f.Members[t.Team], active) ||
				slices.ContainsFunc(f.Members[t.Managers], active) || t.Group != "" || t.Policy != 0
		})
	})
}

// mergeTimeOff merges overlapping time off of the same person, so that a shift isn't reported twice.
func mergeTimeOff(all []TimeOff) []TimeOff {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b TimeOff) int { return cmp.Or(cmp.Compare(a.UserID, b.UserID), a.Start.Compare(b.Start)) })
	var out []TimeOff
	for _, t := range all {
		if n := len(out); n > 0 && out[n-1].UserID == t.UserID && !t.Start.After(out[n-1].End) {
			out[n-1].End, out[n-1].ID = latest(out[n-1].End, t.End), min(out[n-1].ID, t.ID)
			continue
		}
		out = append(out, t)
	}
	return out
}
