package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// FairAhead is how far ahead fairness is judged: a quarter.
const FairAhead = 90 * 24 * time.Hour

// A Share is a person's part of a schedule's load.
type Share struct {
	On          time.Duration
	Nights      int // on call at 03:00 in the person's zone
	WeekendDays int // on call on a Saturday or Sunday at 12:00
}

// A ShareChange is a person's share before and after an edit.
type ShareChange struct {
	User       oncall.UserID
	Was, Is    Share
	Newcomer   bool // had no part before
	NoLongerIn bool
}

// Fairness compares everybody's share between two instants if a schedule becomes another, sorted by
// id. A nil schedule has nobody.
func Fairness(was, is *schedule.Schedule, people map[oncall.UserID]Person, from, to time.Time) []ShareChange {
	clock := newClocks(people)
	before, after := shares(was, clock, from, to), shares(is, clock, from, to)
	var users []oncall.UserID
	for _, m := range []map[oncall.UserID]Share{before, after} {
		for u := range m {
			users = append(users, u)
		}
	}
	slices.Sort(users)
	var out []ShareChange
	for _, u := range slices.Compact(users) {
		b, wasIn := before[u]
		a, isIn := after[u]
		out = append(out, ShareChange{User: u, Was: b, Is: a, Newcomer: !wasIn, NoLongerIn: !isIn})
	}
	return out
}

func shares(s *schedule.Schedule, clock clocks, from, to time.Time) map[oncall.UserID]Share {
	out := map[oncall.UserID]Share{}
	if s == nil {
		return out
	}
	r := roster{}
	r.add(s, from, to)
	r.unite()
	for u, on := range r {
		n, w := clock.of(u).marks(on)
		out[u] = Share{On: length(on), Nights: n, WeekendDays: w}
	}
	return out
}

// Moves reports whether the share changes.
func (c ShareChange) Moves() bool { return c.Was != c.Is }

// String describes a share in words.
func (s Share) String() string {
	return fmt.Sprintf("%.0f h, %s, %s of weekends", s.On.Hours(), count(s.Nights, "night"), count(s.WeekendDays, "day"))
}

// FairnessSaid describes each person's share before and after, if any changes. It includes the
// unchanged ones, because fairness shows only in comparison.
func FairnessSaid(all []ShareChange) (out []oncall.Sentence) {
	if !slices.ContainsFunc(all, ShareChange.Moves) {
		return nil
	}
	for _, c := range all {
		if c.Moves() {
			out = append(out, oncall.Say("%s in the next 90 days: %s → %s", c.User, c.Was.String(), c.Is.String()))
		} else {
			out = append(out, oncall.Say("%s in the next 90 days: %s, as before", c.User, c.Is.String()))
		}
	}
	return out
}
