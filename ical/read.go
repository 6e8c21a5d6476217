package ical

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-ical"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Limits of a calendar to read, because its sender may be malicious.
const (
	maxBytes       = 4 << 20
	maxEvents      = 20_000
	maxDepth       = 8
	maxHead        = 2 << 10 // bytes of a line's name and parameters
	maxSpans       = 5_000
	maxRules       = 300 // recurring events; one may take 15 ms
	maxRecurrences = 100_000
	maxNote        = 200 // characters
)

// A Span is one stretch of time off.
type Span struct {
	UID        string // of the event; all recurrences of one event share it
	Start, End time.Time
	Note       string // the event's title
	AllDay     bool
}

// A Reading is what a calendar says about a period.
type Reading struct {
	Spans   []Span // by start
	Skipped int    // events that could not be understood
	// Zones are unknown names of time zones, whose events were read in the default zone.
	Zones []string
}

// ReadTimeOff reads a calendar and returns its events between two instants, with recurrences
// expanded. Dates and local times without a zone are in the default zone. Cancelled events are
// left out, and so are transparent ones (TRANSP) unless they are whole days, which calendars
// mark as transparent by default. If the calendar as a whole is unusable, the error is a Refusal.
func ReadTimeOff(r io.Reader, from, to time.Time, zone string) (Reading, error) {
	home, err := schedule.LoadZone(zone)
	if err != nil {
		return Reading{}, fmt.Errorf("read calendar: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return Reading{}, fmt.Errorf("read calendar: %w", err)
	}
	if len(data) > maxBytes {
		return Reading{}, oncall.Refuse("The calendar is larger than %d MB.", maxBytes>>20)
	}
	data, err = clean(data)
	if err != nil {
		return Reading{}, err
	}
	x := reader{from: from, to: to, home: home, zones: map[string]*schedule.Zone{}}
	for decoder, first := ical.NewDecoder(bytes.NewReader(data)), true; ; first = false {
		calendar, err := decoder.Decode()
		if err != nil && !first { // the end, or something else after the calendar
			break
		}
		if err != nil {
			return Reading{}, oncall.Refuse("This is not a calendar: a calendar is a file that ends in .ics and begins with BEGIN:VCALENDAR.")
		}
		if err := x.calendar(calendar); err != nil {
			return Reading{}, err
		}
	}
	slices.SortFunc(x.out.Spans, func(a, b Span) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End), cmp.Compare(a.UID, b.UID))
	})
	slices.Sort(x.out.Zones)
	return x.out, nil
}

// whole matches the name and parameters of a well-formed content line.
var whole = regexp.MustCompile(`^[A-Za-z0-9-]+(;[A-Za-z0-9-]+=("[^"]*"|[^";:,]*)(,("[^"]*"|[^";:,]*))*)*:`)

// clean keeps only lines that the decoder handles safely: it recurses for each component, and
// panics or takes quadratic time on some malformed lines.
func clean(data []byte) ([]byte, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	for _, fold := range []string{"\n ", "\n\t"} {
		data = bytes.ReplaceAll(data, []byte(fold), nil)
	}
	out := make([]byte, 0, len(data))
	depth, events := 0, 0
	for line := range bytes.Lines(data) {
		line = bytes.Trim(line, "\r\n")
		head := whole.Find(line[:min(len(line), maxHead)])
		if head == nil {
			continue
		}
		switch name := strings.ToUpper(string(head[:bytes.IndexAny(head, ";:")])); name {
		case "BEGIN":
			depth++
			if strings.EqualFold(string(line[len(head):]), ical.CompEvent) {
				events++
			}
		case "END":
			depth = max(depth-1, 0)
		}
		if depth > maxDepth {
			return nil, oncall.Refuse("The calendar is nested too deeply.")
		}
		out = append(append(out, line...), '\r', '\n')
	}
	if events > maxEvents {
		return nil, oncall.Refuse("The calendar has more than %d events.", maxEvents)
	}
	return out, nil
}

// A reader collects what calendars say.
type reader struct {
	from, to    time.Time
	home        *schedule.Zone
	zones       map[string]*schedule.Zone // by their names in the calendar
	rules       int
	recurrences int
	out         Reading
}

// calendar reads one VCALENDAR.
func (x *reader) calendar(c *ical.Calendar) error {
	x.declare(c)
	moved := map[string][]int64{} // recurrences that are replaced by an event of their own, by UID
	for _, e := range c.Events() {
		if p := e.Props.Get(ical.PropRecurrenceID); p != nil {
			if t, err := x.moment(p); err == nil {
				moved[text(e, ical.PropUID)] = append(moved[text(e, ical.PropUID)], t.instant.Unix())
			}
		}
	}
	for _, e := range c.Events() {
		if off(e) {
			continue
		}
		if err := x.event(e, moved); err != nil {
			if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
				return refusal
			}
			x.out.Skipped++
		}
		if len(x.out.Spans) > maxSpans {
			return oncall.Refuse("The calendar has more than %d events in this time.", maxSpans)
		}
	}
	return nil
}

// off reports whether an event does not count as time off.
func off(e ical.Event) bool {
	if strings.EqualFold(text(e, ical.PropStatus), "CANCELLED") {
		return true
	}
	start := e.Props.Get(ical.PropDateTimeStart)
	return start != nil && !isDate(start) && strings.EqualFold(text(e, ical.PropTransparency), "TRANSPARENT")
}

// event adds the spans of an event.
func (x *reader) event(e ical.Event, moved map[string][]int64) error {
	first := e.Props.Get(ical.PropDateTimeStart)
	if first == nil {
		return errors.New("an event without a start")
	}
	start, err := x.moment(first)
	if err != nil {
		return err
	}
	length, err := x.length(e, start)
	if err != nil {
		return err
	}
	span := Span{UID: cut(text(e, ical.PropUID)), Note: cut(text(e, ical.PropSummary)), AllDay: start.date}
	add := func(s moment) {
		span.Start, span.End = s.instant, length.after(s)
		if span.Start.Before(x.to) && span.End.After(x.from) && span.Start.Before(span.End) {
			x.out.Spans = append(x.out.Spans, span)
		}
	}
	rule := e.Props.Get(ical.PropRecurrenceRule)
	more := e.Props[ical.PropRecurrenceDates]
	if e.Props.Get(ical.PropRecurrenceID) != nil || rule == nil && len(more) == 0 {
		add(start)
		return nil
	}
	skip := map[int64]bool{}
	for _, t := range moved[text(e, ical.PropUID)] {
		skip[t] = true
	}
	for _, p := range e.Props[ical.PropExceptionDates] {
		for _, t := range x.moments(p) {
			skip[t.instant.Unix()] = true
		}
	}
	all := []moment{start}
	if rule != nil {
		if all, err = x.recur(rule.Value, start, length); err != nil {
			return err
		}
	}
	for _, p := range more {
		all = append(all, x.moments(p)...)
	}
	for _, t := range all {
		if at := t.instant.Unix(); !skip[at] {
			skip[at] = true // a date listed twice counts once
			add(t)
		}
	}
	return nil
}

// text returns a property's text, or nothing if it can't be read.
func text(e ical.Event, name string) string {
	s, _ := e.Props.Text(name)
	return s
}

func cut(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")), " ")
	if runes := []rune(s); len(runes) > maxNote {
		return string(runes[:maxNote])
	}
	return s
}
