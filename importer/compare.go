package importer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// A Difference is a stretch in which our schedule and the vendor's final one have different people.
type Difference struct {
	From, To time.Time
	Ours     []string
	Theirs   []string
}

// A Comparison compares our schedule with the vendor's.
type Comparison struct {
	Schedule    string
	From, To    time.Time
	Same        time.Duration // how long both have the same people
	Differences []Difference
}

// Compare compares who is on call in a result's schedules with the vendor's final shifts, instant
// by instant.
func Compare(r Result) ([]Comparison, error) {
	byName := map[string]setup.Schedule{}
	for _, s := range r.Setup.Schedules {
		byName[s.Name] = s
	}
	var out []Comparison
	for _, f := range r.Finals {
		s, ok := byName[f.Schedule]
		if !ok {
			continue
		}
		ours, err := compiled(s)
		if err != nil {
			return nil, err
		}
		out = append(out, compare(f, ours))
	}
	return out, nil
}

func compare(f FinalSchedule, ours *schedule.Schedule) Comparison {
	c := Comparison{Schedule: f.Schedule, From: f.From, To: f.To}
	shifts := ours.Shifts(f.From, f.To, schedule.RolePrimary)
	cuts := []time.Time{f.From, f.To}
	for _, s := range f.Shifts {
		cuts = append(cuts, s.From, s.To)
	}
	for _, s := range shifts {
		cuts = append(cuts, s.Start, s.End)
	}
	slices.SortFunc(cuts, time.Time.Compare)
	cuts = slices.CompactFunc(cuts, time.Time.Equal)
	next := 0
	for i, from := range cuts[:len(cuts)-1] {
		to := cuts[i+1]
		if from.Before(f.From) || !from.Before(f.To) {
			continue
		}
		for next < len(shifts) && !shifts[next].End.After(from) {
			next++
		}
		var we []string
		if next < len(shifts) && !shifts[next].Start.After(from) {
			for _, u := range shifts[next].Users {
				we = append(we, string(u))
			}
		}
		c.add(from, to, we, vendorUsers(f, from))
	}
	return c
}

func vendorUsers(f FinalSchedule, at time.Time) (out []string) {
	for _, s := range f.Shifts {
		if !at.Before(s.From) && at.Before(s.To) && !slices.Contains(out, s.User) {
			out = append(out, s.User)
		}
	}
	return out
}

// add adds a stretch, merging it with the last if that ends there and has the same people.
func (c *Comparison) add(from, to time.Time, ours, theirs []string) {
	slices.Sort(ours)
	slices.Sort(theirs)
	if slices.Equal(ours, theirs) {
		c.Same += to.Sub(from)
		return
	}
	if n := len(c.Differences); n > 0 {
		last := &c.Differences[n-1]
		if last.To.Equal(from) && slices.Equal(last.Ours, ours) && slices.Equal(last.Theirs, theirs) {
			last.To = to
			return
		}
	}
	c.Differences = append(c.Differences, Difference{From: from, To: to, Ours: ours, Theirs: theirs})
}

// String formats the difference in one line.
func (d Difference) String() string {
	who := func(names []string) string {
		if len(names) == 0 {
			return "nobody"
		}
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s to %s: here %s, there %s", d.From.Format(time.RFC3339), d.To.Format(time.RFC3339), who(d.Ours), who(d.Theirs))
}
