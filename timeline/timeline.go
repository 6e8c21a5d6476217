// Package timeline draws who is on call as a picture: a row for each schedule, role or person, a
// coloured bar for each shift, days and weeks along the top in one time zone. The same input gives
// the same bytes. AltText describes the picture in words.
package timeline

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"image/png"
	"io"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Timeline is what to draw.
type Timeline struct {
	Title    string
	From, To time.Time
	TimeZone string    // IANA name; empty is UTC
	Now      time.Time // where to mark the current time; no mark if it is zero or outside
	Rows     []Row
	Names    map[oncall.UserID]string // a person without a name is shown by id
}

// A Row is the shifts of one role, schedule or person.
type Row struct {
	Name   string
	Detail string // a second, smaller line
	Shifts []schedule.Shift
	Free   bool // gaps are fine here and not marked
}

// Limits of a picture. Slack scales larger ones down until nobody can read them.
const (
	maxRows   = 24
	maxLanes  = 4    // people at once; the last lane shows how many more there are
	maxShifts = 4000 // per row
	maxPeople = 40   // in the legend
	maxSpan   = 10 * 366 * 24 * time.Hour
)

// Draw writes the picture as a PNG, 1600 pixels wide: twice the size at which it is
// meant to be seen, so that it is sharp.
func Draw(w io.Writer, t Timeline) error {
	scene, err := compose(t)
	if err != nil {
		return fmt.Errorf("draw timeline: %w", err)
	}
	out := bufio.NewWriter(w)
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(out, scene.paint()); err != nil {
		return fmt.Errorf("draw timeline: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("draw timeline: %w", err)
	}
	return nil
}

// A scene is a timeline with its layout.
type scene struct {
	Timeline
	zone     *time.Location
	wall     *schedule.Zone
	people   []oncall.UserID // by name
	colours  map[oncall.UserID]colour
	lanes    []int // of each row
	hidden   int   // number of rows not drawn
	gaps     bool
	override bool
	width    int
	left     int // where the time axis begins
	right    int
	top      int // where the rows begin
	bottom   int // where they end
	height   int
}

// compose validates a timeline and lays it out.
func compose(t Timeline) (*scene, error) {
	if !t.From.Before(t.To) {
		return nil, errors.New("its end is not after its beginning")
	}
	if t.To.Sub(t.From) > maxSpan {
		return nil, errors.New("it is longer than ten years")
	}
	t.TimeZone = cmp.Or(t.TimeZone, "UTC")
	wall, err := schedule.LoadZone(t.TimeZone)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(t.TimeZone)
	if err != nil {
		return nil, err
	}
	s := &scene{Timeline: t, zone: zone, wall: wall}
	if n := len(s.Rows); n > maxRows {
		s.Rows, s.hidden = s.Rows[:maxRows], n-maxRows
	}
	s.Rows = slices.Clone(s.Rows)
	for i := range s.Rows {
		s.Rows[i].Shifts = clip(s.Rows[i].Shifts, t.From, t.To)
		if n := len(s.Rows[i].Shifts); n > maxShifts {
			return nil, fmt.Errorf("row %q has %d shifts, more than %d", s.Rows[i].Name, n, maxShifts)
		}
		s.survey(s.Rows[i])
	}
	slices.SortFunc(s.people, func(a, b oncall.UserID) int {
		return cmp.Or(cmp.Compare(s.name(a), s.name(b)), cmp.Compare(a, b))
	})
	s.colours = assign(s.people)
	s.layOut()
	return s, nil
}

// clip cuts shifts to the period.
func clip(shifts []schedule.Shift, from, to time.Time) []schedule.Shift {
	var out []schedule.Shift
	for _, s := range shifts {
		if s.Start.Before(from) {
			s.Start = from
		}
		if s.End.After(to) {
			s.End = to
		}
		if s.Start.Before(s.End) {
			out = append(out, s)
		}
	}
	return out
}

// survey collects what layout, colours and legend need to know about a row.
func (s *scene) survey(r Row) {
	lanes := 1
	for _, shift := range r.Shifts {
		lanes = max(lanes, min(len(shift.Users), maxLanes))
		s.gaps = s.gaps || len(shift.Users) == 0 && !r.Free
		s.override = s.override || changed(shift)
		for _, u := range shift.Users {
			if !slices.Contains(s.people, u) {
				s.people = append(s.people, u)
			}
		}
	}
	s.lanes = append(s.lanes, lanes)
}

// changed reports whether a shift comes from an override or was entered by hand.
func changed(s schedule.Shift) bool { return s.Source.Override != 0 || s.Source.Shift != 0 }

// name returns the name to show for a person.
func (s *scene) name(u oncall.UserID) string { return cmp.Or(s.Names[u], string(u)) }

// x returns the horizontal position of an instant.
func (s *scene) x(t time.Time) float64 {
	part := float64(t.Sub(s.From)) / float64(s.To.Sub(s.From))
	return float64(s.left) + part*float64(s.right-s.left)
}
