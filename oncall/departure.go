package oncall

import (
	"fmt"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// NoticeLeaver tells a team's managers who has left Slack, and where the team still depends on them. It is redrawn until
// that is nowhere.
const NoticeLeaver NoticeKind = "leaver"

// The states of a NoticeLeaver. An empty state means that the team still depends on the person.
const (
	LeaverReplaced = "replaced" // nothing names them any more
	LeaverBack     = "back"     // they are active in Slack again
)

// A Departure is where one team depends on a person who has left, or is about to. It is stored as JSON.
type Departure struct {
	User   UserID      `json:"user"`
	Team   TeamID      `json:"team"`
	Name   string      `json:"name"`              // of the team
	ByFile bool        `json:"by_file,omitempty"` // the set-up file manages the team
	Shifts []LeftShift `json:"shifts,omitempty"`  // in the next weeks, by start
	Places []Place     `json:"places,omitempty"`  // where the set-up names them
}

// A LeftShift is a shift that the schedule plans for the person.
type LeftShift struct {
	schedule.Stint
	Beside []UserID `json:"beside,omitempty"` // who has the shift with them
	Nobody bool     `json:"nobody,omitempty"` // without them nobody is on call, for a part of it at least
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

// Matters reports whether any future paging depends on the person. Mere membership of a team doesn't matter: members who
// can't be paged are skipped.
func (d Departure) Matters() bool {
	return len(d.Shifts) > 0 || slices.ContainsFunc(d.Places, func(p Place) bool { return p.Kind != PlaceMember })
}

// Vacant returns the shifts with nobody else on call.
func (d Departure) Vacant() []LeftShift {
	return slices.DeleteFunc(slices.Clone(d.Shifts), func(s LeftShift) bool { return !s.Nobody })
}

// Covers returns the overrides that replace the person until an instant. People who share a shift with them keep it.
func (d Departure) Covers(by, to UserID, until, now time.Time) []schedule.Override {
	var out []schedule.Override
	for _, s := range d.Shifts {
		o := schedule.Override{
			ScheduleID: s.Schedule, Kind: schedule.OverrideCover, Role: s.Role, Start: s.Start, End: s.End,
			Users: append(slices.Clone(s.Beside), to), Reason: "covers for who has left", CreatedBy: by,
		}
		if slices.Contains(s.Beside, to) {
			continue
		}
		if o.Start.Before(now) {
			o.Start = now
		}
		if o.End.After(until) {
			o.End = until
		}
		if o.Start.Before(o.End) {
			out = append(out, o)
		}
	}
	return out
}

// LeftShifts returns the shifts that schedules plan for a person within the next four weeks, whether or not they have
// left, by start.
func LeftShifts(of []schedule.Definition, user UserID, now time.Time) ([]LeftShift, error) {
	const day = 24 * time.Hour
	from, to := now.Add(-coverageBack).Truncate(day), now.Add(coverageAhead).Truncate(day) // rounded, so that messages about them rarely change
	var out []LeftShift
	for _, s := range of {
		is, err := schedule.Compile(s)
		if err != nil {
			return nil, fmt.Errorf("compile schedule %q: %w", s.Name, err)
		}
		planned, err := schedule.Compile(withThem(s, user))
		if err != nil {
			return nil, fmt.Errorf("compile schedule %q: %w", s.Name, err)
		}
		for _, role := range planned.Roles() {
			if role == schedule.RoleShadow {
				continue
			}
			for _, shift := range planned.Shifts(from, to.Add(coverageAhead), role) {
				if !slices.Contains(shift.Users, user) || !shift.End.After(now) || !shift.Start.Before(to) {
					continue
				}
				left := LeftShift{Stint: schedule.Stint{
					Schedule: s.ID, Name: s.Name, TimeZone: s.TimeZone, Role: role, User: user, Start: shift.Start, End: shift.End,
				}}
				left.Beside = slices.DeleteFunc(slices.Clone(shift.Users), func(u UserID) bool { return u == user })
				left.Nobody = len(is.Gaps(latest(shift.Start, now), shift.End, role)) > 0
				out = append(out, left)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b LeftShift) int { return a.Start.Compare(b.Start) })
	return out, nil
}

// withThem returns a schedule as if a person had not left.
func withThem(s schedule.Definition, user UserID) schedule.Definition {
	inactive := make(map[UserID][]schedule.Span, len(s.Inactive))
	for u, spans := range s.Inactive {
		if u != user {
			inactive[u] = spans
		}
	}
	s.Inactive = inactive
	return s
}
