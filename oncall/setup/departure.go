package setup

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// userTarget begins a target of a policy that is a person.
const userTarget = "user "

// Departures returns where each team counts on a person, by the names of the teams.
func (in Installation) Departures(user oncall.UserID, now time.Time) ([]oncall.Departure, error) {
	doc := in.Setup(now)
	name, known := doc.nameOf(user)
	var out []oncall.Departure
	for _, t := range in.Teams {
		d := oncall.Departure{User: user, Team: t.ID, Name: t.Name, ByFile: t.Owner != oncall.OwnerSlack}
		var theirs []schedule.Definition
		for _, s := range in.Schedules {
			if s.TeamID == t.ID {
				theirs = append(theirs, s)
			}
		}
		var err error
		if d.Shifts, err = oncall.LeftShifts(theirs, user, now); err != nil {
			return nil, err
		}
		if d.Kept, err = oncall.KeptShifts(theirs, user, now); err != nil {
			return nil, err
		}
		if known {
			d.Places = doc.places(t.Name, name)
		}
		for _, w := range in.Work {
			if w.User == user && w.Team == t.ID {
				d.Incidents, d.Actions = append(d.Incidents, w.Incidents...), append(d.Actions, w.Actions...)
			}
		}
		if len(d.Shifts)+len(d.Places)+len(d.Incidents)+len(d.Actions) > 0 {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b oncall.Departure) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// nameOf returns the document's name for a person.
func (s Setup) nameOf(user oncall.UserID) (string, bool) {
	for _, u := range s.Users {
		if u.Slack == user {
			return u.Name, true
		}
	}
	return "", false
}

// places returns the places where a team's part of the document names a person.
func (s Setup) places(team, name string) []oncall.Place {
	var out []oncall.Place
	for _, c := range s.Schedules {
		if c.Team != team {
			continue
		}
		seen := map[string]bool{}
		for _, r := range c.everyRotation() {
			if r.names(name) && !seen[r.Name] {
				seen[r.Name] = true
				out = append(out, oncall.Place{Kind: oncall.PlaceRotation, Name: c.Name, Rotation: r.Name})
			}
		}
	}
	for _, p := range s.Policies {
		if p.Team != team {
			continue
		}
		for i, st := range p.Steps {
			if slices.ContainsFunc(st.Page, func(target string) bool { return isUser(target, name) }) {
				out = append(out, oncall.Place{Kind: oncall.PlacePolicy, Name: p.Name, Step: i + 1})
			}
		}
	}
	for _, t := range s.Teams {
		if t.Name != team {
			continue
		}
		for _, list := range []struct {
			kind  oncall.PlaceKind
			names []string
		}{{oncall.PlaceFallback, t.Fallback}, {oncall.PlaceManager, t.Managers}, {oncall.PlaceMember, t.Members}} {
			if slices.Contains(list.names, name) {
				out = append(out, oncall.Place{Kind: list.kind})
			}
		}
	}
	return out
}

// everyRotation returns all rotations of a schedule, including those of later versions.
func (s Schedule) everyRotation() []Rotation {
	all := slices.Clone(s.Rotations)
	for _, v := range s.Later {
		all = append(all, v.Rotations...)
	}
	return all
}

func (r Rotation) names(person string) bool {
	return slices.ContainsFunc(r.Turns, func(t Turn) bool { return slices.Contains(t, person) }) ||
		slices.ContainsFunc(r.Members, func(m Member) bool { return m.User == person })
}

func isUser(target, name string) bool {
	who, ok := strings.CutPrefix(target, userTarget)
	return ok && strings.TrimSpace(who) == name
}

// Hand returns the parts of a team that name a person, with somebody else at their places, or without them if there is
// nobody else. Nobody becomes a manager by it, and the only manager stays one. It is a Refusal if a rotation or a
// policy would be left without anybody.
func (s Setup) Hand(team string, from, to oncall.UserID) ([]Part, error) {
	h := handing{}
	var known bool
	if h.from, known = s.nameOf(from); !known {
		return nil, nil
	}
	if h.to, known = s.nameOf(to); !known {
		h.to = string(to) // whom nothing names yet
	}
	var parts []Part
	for _, c := range s.Schedules {
		if c.Team == team && slices.ContainsFunc(c.everyRotation(), func(r Rotation) bool { return r.names(h.from) }) {
			next, err := h.schedule(c)
			if err != nil {
				return nil, err
			}
			parts = append(parts, Part{Kind: SchedulePart, Schedule: &next})
		}
	}
	for _, p := range s.Policies {
		if p.Team != team {
			continue
		}
		next, changed, err := h.policy(p)
		if err != nil {
			return nil, err
		}
		if changed {
			parts = append(parts, Part{Kind: PolicyPart, Policy: &next})
		}
	}
	for _, t := range s.Teams {
		if t.Name == team && slices.Contains(slices.Concat(t.Members, t.Managers, t.Fallback), h.from) {
			next := h.team(t)
			parts = append(parts, Part{Kind: TeamPart, Team: &next})
		}
	}
	return parts, nil
}

// Doubled warns of rotations of the changed parts in which somebody has several turns, as when they take over the turn of who
// leaves beside their own.
func (s Setup) Doubled(parts []Part, user oncall.UserID) []string {
	name, _ := s.nameOf(user)
	var out []string
	for _, p := range parts {
		if p.Schedule == nil {
			continue
		}
		for _, r := range p.Schedule.everyRotation() {
			if theirs, row := r.turnsOf(name); theirs > 1 {
				line := fmt.Sprintf("%s has %d of %d turns in the rotation %s of %s", name, theirs, len(r.Turns), r.Name, p.Schedule.Name)
				if row {
					line += ", and one follows the other"
				}
				out = append(out, line+".")
			}
		}
	}
	return out
}

// WithoutTurn returns those of some people who have no turn in the schedules of the changed parts.
func (s Setup) WithoutTurn(parts []Part, of []oncall.UserID) []oncall.UserID {
	return slices.DeleteFunc(slices.Clone(of), func(u oncall.UserID) bool {
		name, known := s.nameOf(u)
		return !known || slices.ContainsFunc(parts, func(p Part) bool {
			return p.Schedule != nil && slices.ContainsFunc(p.Schedule.everyRotation(), func(r Rotation) bool { return r.names(name) })
		})
	})
}

// turnsOf counts the turns that name a person, and reports whether two of them are in a row; the first follows the last.
func (r Rotation) turnsOf(name string) (n int, row bool) {
	for i, t := range r.Turns {
		if slices.Contains(t, name) {
			n++
			row = row || len(r.Turns) > 1 && slices.Contains(r.Turns[(i+1)%len(r.Turns)], name)
		}
	}
	return n, row
}

// A handing puts one name in the place of another; an empty one takes the other out.
type handing struct{ from, to string }

// list returns names after the handing; each is there once.
func (h handing) list(names []string) []string {
	var out []string
	for _, name := range names {
		if name == h.from {
			name = h.to
		}
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func (h handing) schedule(made Schedule) (Schedule, error) {
	var err error
	if made.Rotations, err = h.rotations(made.Name, made.Rotations); err != nil {
		return made, err
	}
	made.Later = slices.Clone(made.Later)
	for i := range made.Later {
		if made.Later[i].Rotations, err = h.rotations(made.Name, made.Later[i].Rotations); err != nil {
			return made, err
		}
	}
	return made, nil
}

func (h handing) rotations(in string, all []Rotation) ([]Rotation, error) {
	out := slices.Clone(all)
	for i, r := range out {
		if !r.names(h.from) {
			continue
		}
		out[i].Turns, out[i].Members = nil, nil
		somebody := false
		for _, t := range r.Turns {
			next := Turn(h.list(t))
			if len(next) == 0 && len(t) > 0 {
				continue // it was theirs alone
			}
			somebody = somebody || len(next) > 0
			out[i].Turns = append(out[i].Turns, next)
		}
		if !somebody {
			return nil, oncall.Refuse("The rotation %s of %s has nobody else: choose who takes over.", r.Name, in)
		}
		for _, m := range r.Members {
			if m.User != h.from {
				out[i].Members = append(out[i].Members, m)
			}
		}
	}
	return out, nil
}

func (h handing) policy(policy Policy) (next Policy, changed bool, err error) {
	next = policy
	next.Steps = nil
	for _, st := range policy.Steps {
		if !slices.ContainsFunc(st.Page, func(target string) bool { return isUser(target, h.from) }) {
			next.Steps = append(next.Steps, st)
			continue
		}
		changed = true
		var page []string
		for _, target := range st.Page {
			if isUser(target, h.from) {
				target = userTarget + h.to
			}
			if target != userTarget && !slices.Contains(page, target) {
				page = append(page, target)
			}
		}
		if len(page) > 0 {
			st.Page = page
			next.Steps = append(next.Steps, st)
		}
	}
	if changed && len(next.Steps) == 0 {
		return policy, false, oncall.Refuse("The policy %s pages nobody else: choose who takes over.", policy.Name)
	}
	return next, changed, nil
}

func (h handing) team(team Team) Team {
	team.Fallback = h.list(team.Fallback)
	if rest := (handing{from: h.from}).list(team.Managers); len(rest) > 0 {
		team.Managers = rest
	}
	if slices.Contains(team.Managers, h.from) {
		if h.to != "" && !slices.Contains(team.Members, h.to) {
			team.Members = append(slices.Clone(team.Members), h.to)
		}
		return team // a manager is a member
	}
	team.Members = h.list(team.Members)
	return team
}

// FileLine says where the set-up file names a person.
func FileLine(team string, p oncall.Place) string {
	switch p.Kind {
	case oncall.PlaceRotation:
		return fmt.Sprintf("schedules › %s › rotations › %s › turns", p.Name, p.Rotation)
	case oncall.PlacePolicy:
		return fmt.Sprintf("policies › %s › steps › %d › page", p.Name, p.Step)
	case oncall.PlaceFallback, oncall.PlaceManager, oncall.PlaceMember:
	}
	return fmt.Sprintf("teams › %s › %s", team, map[oncall.PlaceKind]string{
		oncall.PlaceFallback: "fallback", oncall.PlaceManager: "managers", oncall.PlaceMember: "members",
	}[p.Kind])
}
