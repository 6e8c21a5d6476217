package oncall

import (
	"fmt"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// NoticeLeaver tells a team's managers who has left Slack, and where the team still depends on them.
// It is redrawn until the team no longer does.
const NoticeLeaver NoticeKind = "leaver"

// The states of a NoticeLeaver. An empty state means that the team still depends on the person.
const (
	LeaverReplaced = "replaced" // nothing names them any more
	LeaverBack     = "back"     // they are active in Slack again
)

// A Departure lists where one team depends on a person who has left or is about to. It is stored as
// JSON.
type Departure struct {
	User   UserID      `json:"user"`
	Team   TeamID      `json:"team"`
	Name   string      `json:"name"`              // of the team
	ByFile bool        `json:"by_file,omitempty"` // the set-up file manages the team
	Shifts []LeftShift `json:"shifts,omitempty"`  // in the next weeks, by start
	Kept   []KeptShift `json:"kept,omitempty"`    // which others keep, by start
	Places []Place     `json:"places,omitempty"`  // where the set-up names them

	Incidents []LeftIncident `json:"incidents,omitempty"` // open ones, by id
	Actions   []LeftAction   `json:"actions,omitempty"`   // which are not done, by id
}

// LeftWork is what a person has in hand of a team's, or had when they left.
type LeftWork struct {
	User      UserID
	Team      TeamID
	Incidents []LeftIncident
	Actions   []LeftAction
}

// A LeftIncident is an open incident that the person has acknowledged or snoozed.
type LeftIncident struct {
	ID      IncidentID `json:"id"`
	Title   string     `json:"title"`
	Snoozed bool       `json:"snoozed,omitempty"`
}

// A LeftAction is something that the person is to do after an incident. Once they have left, By is asked about it, or else
// a manager.
type LeftAction struct {
	ID       ReviewActionID `json:"id"`
	Incident IncidentID     `json:"incident"`
	Text     string         `json:"text"`
	By       UserID         `json:"by,omitempty"`
	DueAt    time.Time      `json:"due_at"`
}

// A LeftShift is a shift that the schedule plans for the person.
type LeftShift struct {
	schedule.Stint
	Beside []UserID `json:"beside,omitempty"` // who has the shift with them
	Nobody bool     `json:"nobody,omitempty"` // without them nobody is on call, for a part of it at least
	Had    UserID   `json:"had,omitempty"`    // person who loses the shift because of it
	Back   []UserID `json:"back,omitempty"`   // who gets it back, because the agreement that moved it is void
}

// A KeptShift is a leaver's shift that somebody took over by a swap or cover, and keeps.
type KeptShift struct {
	schedule.Stint        // its User has it
	By             VoidBy `json:"by,omitempty"` // what they agreed on
}

// A Place is where the set-up of a team names a person.
type Place struct {
	Kind     PlaceKind `json:"kind"`
	Name     string    `json:"name,omitempty"` // of the schedule or the policy
	Rotation string    `json:"rotation,omitempty"`
	Step     int       `json:"step,omitempty"` // of the policy, from 1
}

// PlaceKind says what kind of place it is.
type PlaceKind string

// The places where a set-up names people.
const (
	PlaceMember   PlaceKind = "member"
	PlaceManager  PlaceKind = "manager"
	PlaceFallback PlaceKind = "fallback"
	PlaceRotation PlaceKind = "rotation"
	PlacePolicy   PlaceKind = "policy"
)

// Matters reports whether any future paging depends on the person, or they leave work behind. Mere membership of a team
// doesn't matter: members who can't be paged are skipped.
func (d Departure) Matters() bool {
	return len(d.Shifts)+len(d.Incidents)+len(d.Actions) > 0 || slices.ContainsFunc(d.Places, func(p Place) bool { return p.Kind != PlaceMember })
}

// Vacant returns the shifts with nobody else on call.
func (d Departure) Vacant() []LeftShift {
	return slices.DeleteFunc(slices.Clone(d.Shifts), func(s LeftShift) bool { return !s.Nobody })
}

// Covers returns the overrides that replace the person until an instant. People who share a shift with them keep it.
func (d Departure) Covers(by, to UserID, until, now time.Time) []schedule.Override {
	var out []schedule.Override
	for _, s := range d.Shifts {
		override := schedule.Override{
			ScheduleID: s.Schedule, Kind: schedule.OverrideCover, Role: s.Role, Start: s.Start, End: s.End,
			Users: append(slices.Clone(s.Beside), to), Reason: "covers for who has left", CreatedBy: by,
		}
		if slices.Contains(s.Beside, to) || len(s.Back) > 0 && !s.Nobody { // somebody has it
			continue
		}
		if override.Start.Before(now) {
			override.Start = now
		}
		if override.End.After(until) {
			override.End = until
		}
		if override.Start.Before(override.End) {
			out = append(out, override)
		}
	}
	return out
}

// ShiftsFor returns the shifts that somebody gets who takes the person's places, from now until an instant.
func (d Departure) ShiftsFor(to UserID, until, now time.Time) []schedule.Stint {
	var out []schedule.Stint
	for _, o := range d.Covers(to, to, until, now) {
		i := slices.IndexFunc(d.Shifts, func(s LeftShift) bool { return s.Schedule == o.ScheduleID })
		out = append(out, schedule.Stint{
			Schedule: o.ScheduleID, Name: d.Shifts[i].Name, TimeZone: d.Shifts[i].TimeZone, Role: o.Role, User: to, Start: o.Start, End: o.End,
		})
	}
	return out
}

// LeftShifts returns the shifts planned for a person within the next four weeks, by start, whether or
// not the person has left. For a leaver it also returns the shifts that others lose without them, and
// those that return to others because the swap or cover by which the leaver took them is void.
func LeftShifts(of []schedule.Definition, user UserID, now time.Time) ([]LeftShift, error) {
	const day = 24 * time.Hour
	from, to := now.Add(-coverageBack).Truncate(day), now.Add(coverageAhead).Truncate(day) // rounded, so that messages about them rarely change
	var out []LeftShift
	for _, s := range of {
		is, planned, err := withAndWithout(s, user)
		if err != nil {
			return nil, err
		}
		moves := schedule.MovedShifts(planned, is, now, to.Add(coverageAhead))
		left := func(role string, start, end time.Time, beside []UserID) LeftShift {
			return LeftShift{
				Stint: schedule.Stint{
					Schedule: s.ID, Name: s.Name, TimeZone: s.TimeZone, Role: role, User: user, Start: start, End: end,
				},
				Beside: slices.DeleteFunc(slices.Clone(beside), func(u UserID) bool { return u == user }),
				Nobody: len(is.Gaps(latest(start, now), end, role)) > 0,
			}
		}
		for _, role := range planned.Roles() {
			if role == schedule.RoleShadow {
				continue
			}
			for _, shift := range planned.Shifts(from, to.Add(coverageAhead), role) {
				if !slices.Contains(shift.Users, user) || !shift.End.After(now) || !shift.Start.Before(to) {
					continue
				}
				for _, part := range splitShift(shift, role, moves) {
					shiftLeft := left(role, part.Start, part.End, shift.Users)
					shiftLeft.Back = nextOnCall(moves, shiftLeft.Stint)
					if part.End.After(now) && part.Start.Before(to) {
						out = append(out, shiftLeft)
					}
				}
			}
		}
		for _, m := range moves {
			if m.User == user || m.Gained || m.Role == schedule.RoleShadow || !m.Start.Before(to) {
				continue
			}
			shiftLeft := left(m.Role, m.Start, m.End, is.At(m.Start, m.Role))
			shiftLeft.Had = m.User
			out = append(out, shiftLeft)
		}
	}
	slices.SortStableFunc(out, func(a, b LeftShift) int { return a.Start.Compare(b.Start) })
	return out, nil
}

// KeptShifts returns the shifts within the next four weeks that others have taken over from a leaver
// and keep, by start.
func KeptShifts(of []schedule.Definition, user UserID, now time.Time) ([]KeptShift, error) {
	var out []KeptShift
	for _, definition := range of {
		is, planned, err := withAndWithout(definition, user)
		if err != nil {
			return nil, err
		}
		own := scheduleIfStaying(definition, user)
		own.Overrides = slices.DeleteFunc(slices.Clone(own.Overrides), func(o schedule.Override) bool { return o.From == user })
		if len(own.Overrides) == len(definition.Overrides) {
			continue
		}
		without, err := schedule.Compile(own)
		if err != nil {
			return nil, fmt.Errorf("compile schedule %q: %w", definition.Name, err)
		}
		for _, m := range movedAhead(without, planned, now) {
			gave := m.Gained && m.User != user && m.Role != schedule.RoleShadow && slices.Contains(without.At(m.Start, m.Role), user)
			if !gave || m.Start.After(now.Add(coverageAhead)) || !slices.Contains(is.At(m.Start, m.Role), m.User) {
				continue
			}
			out = append(out, KeptShift{
				Stint: schedule.Stint{
					Schedule: definition.ID, Name: definition.Name, TimeZone: definition.TimeZone, Role: m.Role, User: m.User, Start: m.Start, End: m.End,
				},
				By: voidBy(definition.Overrides, user, m),
			})
		}
	}
	slices.SortStableFunc(out, func(a, b KeptShift) int { return a.Start.Compare(b.Start) })
	return out, nil
}

// splitShift cuts a leaver's shift at the times when others begin or end to be on call again.
func splitShift(whole schedule.Shift, role string, moves []schedule.Move) []schedule.Shift {
	cuts := []time.Time{whole.Start, whole.End}
	for _, m := range moves {
		for _, at := range []time.Time{m.Start, m.End} {
			if m.Gained && m.Role == role && at.After(whole.Start) && at.Before(whole.End) {
				cuts = append(cuts, at)
			}
		}
	}
	slices.SortFunc(cuts, time.Time.Compare)
	var out []schedule.Shift
	for i := range cuts[1:] {
		if cuts[i].Before(cuts[i+1]) {
			part := whole
			part.Start, part.End = cuts[i], cuts[i+1]
			out = append(out, part)
		}
	}
	return out
}

// nextOnCall returns who else is on call again during a leaver's stint.
func nextOnCall(moves []schedule.Move, s schedule.Stint) []UserID {
	var back []UserID
	for _, m := range moves {
		if m.Gained && m.Role == s.Role && m.Start.Before(s.End) && m.End.After(s.Start) && !slices.Contains(back, m.User) {
			back = append(back, m.User)
		}
	}
	return back
}

// withAndWithout compiles a schedule as it is, and as if a person had not left.
func withAndWithout(s schedule.Definition, user UserID) (is, planned *schedule.Schedule, err error) {
	if is, err = schedule.Compile(s); err == nil {
		planned, err = schedule.Compile(scheduleIfStaying(s, user))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("compile schedule %q: %w", s.Name, err)
	}
	return is, planned, nil
}

// scheduleIfStaying returns a schedule as if a person had not left.
func scheduleIfStaying(s schedule.Definition, user UserID) schedule.Definition {
	inactive := make(map[UserID][]schedule.Span, len(s.Inactive))
	for u, spans := range s.Inactive {
		if u != user {
			inactive[u] = spans
		}
	}
	s.Inactive = inactive
	return s
}
