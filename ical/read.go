package ical

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

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
	maxTroubles    = 10
)

// A Span is one stretch of time off.
type Span struct {
	UID        string // of the event; all recurrences of one event share it
	Start, End time.Time
	Note       string // the event's title
	AllDay     bool
	Free       bool // the event is marked as free
	Out        bool // it is marked as out of office
}

// A Reading is the time off in a calendar during a period.
type Reading struct {
	Spans   []Span // by start
	Skipped int    // events left out because they could not be understood
	// Troubles are sentences about events that were left out or counted only once.
	Troubles []string
	// Zones are unknown names of time zones, whose events were read in the default zone.
	Zones []string
}

// ReadTimeOff reads a calendar and returns its events between two instants, with recurrences
// expanded. Dates are in the default zone, and so are local times without a zone unless the
// calendar names one. Of several versions of an event the latest counts. Cancelled events are left
// out, and so are transparent ones (TRANSP) unless they are whole days, which calendars mark as
// transparent by default. If the whole calendar is unusable, the error is a Refusal.
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
	data, err = safeLines(data)
	if err != nil {
		return Reading{}, err
	}
	x := reader{from: from, to: to, home: home}
	var events []*eventVersion
	for decoder, first := ical.NewDecoder(bytes.NewReader(data)), true; ; first = false {
		calendar, err := decoder.Decode()
		if err != nil && !first { // the end, or something after the calendar
			break
		}
		if err != nil {
			return Reading{}, oncall.Refuse("This is not a calendar: a calendar is a file that ends in .ics and begins with BEGIN:VCALENDAR.")
		}
		events = append(events, x.calendar(calendar)...)
	}
	if err := x.read(newest(events)); err != nil {
		return Reading{}, err
	}
	slices.SortFunc(x.out.Spans, func(a, b Span) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End), cmp.Compare(a.UID, b.UID))
	})
	slices.Sort(x.out.Zones)
	return x.out, nil
}

// contentLine matches the name and parameters of a well-formed content line.
var contentLine = regexp.MustCompile(`^[A-Za-z0-9-]+(;[A-Za-z0-9-]+=("[^"]*"|[^";:,]*)(,("[^"]*"|[^";:,]*))*)*:`)

// unquotedZone matches a line whose time zone has a colon in it and no quotes around it, as in
// DTSTART;TZID=(UTC-05:00) Eastern Time (US & Canada):20260302T090000.
var unquotedZone = regexp.MustCompile(`^([A-Za-z-]+(?:;VALUE=[A-Za-z-]+)?;TZID=)([^";:]*:[^";]*)((?:;VALUE=[A-Za-z-]+)?:[0-9TtZz,/]+)$`)

func requote(line []byte) []byte {
	if len(line) > maxHead {
		return line
	}
	return unquotedZone.ReplaceAll(line, []byte(`$1"$2"$3`))
}

// safeLines keeps only lines that the decoder handles safely: it recurses for each component, and
// panics or takes quadratic time on some malformed lines.
func safeLines(data []byte) ([]byte, error) {
	data = bytes.TrimPrefix(fromUTF16(data), []byte("\ufeff"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if !bytes.ContainsRune(data, '\n') {
		data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	}
	for _, fold := range []string{"\n ", "\n\t"} {
		data = bytes.ReplaceAll(data, []byte(fold), nil)
	}
	out := make([]byte, 0, len(data))
	depth, events := 0, 0
	for line := range bytes.Lines(data) {
		line = requote(fromLatin1(bytes.Trim(line, "\r\n")))
		head := contentLine.Find(line[:min(len(line), maxHead)])
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

// fromUTF16 converts UTF-16 with a byte order mark to UTF-8.
func fromUTF16(data []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return data
	}
	units := make([]uint16, 0, len(data)/2)
	for rest := data[2:]; len(rest) > 1; rest = rest[2:] {
		units = append(units, order.Uint16(rest))
	}
	return []byte(string(utf16.Decode(units)))
}

// fromLatin1 converts a line from ISO 8859-1 to UTF-8. A line with any non-ASCII letter in UTF-8 is left
// alone.
func fromLatin1(line []byte) []byte {
	if utf8.Valid(line) {
		return line
	}
	out := make([]rune, 0, len(line))
	for i := range line {
		if r, size := utf8.DecodeRune(line[i:]); size > 1 && r != utf8.RuneError {
			return line
		}
		out = append(out, rune(line[i]))
	}
	return []byte(string(out))
}

// A reader collects the time off in calendars.
type reader struct {
	from, to time.Time
	home     *schedule.Zone
	floating *schedule.Zone            // for local times in the current calendar
	zones    map[string]*schedule.Zone // by their names in that calendar
	rules    int
	onsets   int
	comings  int // recurrences tried so far
	out      Reading
}

// read adds the spans of all events.
func (r *reader) read(events []*eventVersion) error {
	changed := map[string]*changes{} // changed recurrences, by UID
	cancelled := map[string]int{}    // versions of cancelled events
	for _, o := range events {
		if o.of == nil && o.cancelled {
			cancelled[o.uid] = o.sequence
		}
		if o.of != nil && o.uid != "" {
			if changed[o.uid] == nil {
				changed[o.uid] = &changes{}
			}
			changed[o.uid].add(o)
		}
	}
	for _, event := range events {
		version, over := cancelled[event.uid]
		if event.off && (event.of != nil || !event.recurs()) || over && event.of != nil && event.uid != "" && event.sequence < version {
			continue
		}
		r.zones, r.floating = event.zones, event.floating
		if err := r.event(event, changed[event.uid]); err != nil {
			if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
				return refusal
			}
			r.out.Skipped++
			r.trouble(event, "%v, so it is left out", err)
		}
		if len(r.out.Spans) > maxSpans {
			return oncall.Refuse("The calendar has more than %d events in this time.", maxSpans)
		}
	}
	return nil
}

// trouble records what is wrong with an event.
func (r *reader) trouble(o *eventVersion, format string, args ...any) {
	if len(r.out.Troubles) < maxTroubles {
		r.out.Troubles = append(r.out.Troubles, o.name()+": "+fmt.Sprintf(format, args...)+".")
	}
}

// event adds the spans of an event.
func (r *reader) event(event *eventVersion, changed *changes) error {
	if event.start == nil {
		return errors.New("it has no start")
	}
	start, err := r.readTime(event.start)
	if err != nil {
		return err
	}
	lasts, err := r.length(event.Event, start)
	if err != nil {
		return err
	}
	span := Span{UID: cut(event.uid), Note: cut(text(event.Event, ical.PropSummary)), AllDay: start.date, Free: isFree(event), Out: isOutOfOffice(event)}
	add := func(s calendarTime, l length, span Span) {
		span.Start, span.End = s.instant, l.after(s)
		if span.Start.Before(r.to) && span.End.After(r.from) && span.Start.Before(span.End) {
			r.out.Spans = append(r.out.Spans, span)
		}
	}
	if event.of != nil || !event.recurs() {
		add(start, lasts, span)
		return nil
	}
	all, periods, skip, err := r.recurrences(event, start, lasts, changed.skipped(start))
	if err != nil {
		return err
	}
	for _, when := range all {
		if skip.has(when) {
			continue
		}
		skip.add(when, when) // a date listed twice counts once
		from := changed.from(when)
		if from == nil && !event.off {
			l, ok := periods[when.instant.Unix()]
			if !ok {
				l = lasts
			}
			add(when, l, span)
		}
		if from == nil || from.off {
			continue
		}
		if moved, l, ok := r.shifted(when, from); ok {
			add(moved, l, Span{UID: span.UID, Note: cut(text(from.Event, ical.PropSummary)), AllDay: moved.date, Free: isFree(from), Out: isOutOfOffice(from)})
		}
	}
	return nil
}

// recurrences returns the times of a recurring event, the lengths of those that have their own, and
// which of them don't take place.
func (r *reader) recurrences(event *eventVersion, start calendarTime, lasts length, skip times) ([]calendarTime, map[int64]length, times, error) {
	all, periods := []calendarTime{start}, map[int64]length{}
	follow := func(name string) (found []calendarTime, err error) {
		for _, rule := range event.Props[name] {
			more, err := r.recur(rule.Value, start, lasts)
			if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
				return nil, refusal
			}
			if err != nil {
				r.trouble(event, "its rule %q can't be followed (%v), so only its first time counts", cut(rule.Value), err)
				continue
			}
			found = append(found, more[1:]...)
		}
		return found, nil
	}
	found, err := follow(ical.PropRecurrenceRule)
	if err != nil {
		return nil, nil, skip, err
	}
	all = append(all, found...)
	for _, p := range event.Props[ical.PropRecurrenceDates] {
		dates, lengths := r.readTimes(p)
		all = append(all, dates...)
		maps.Copy(periods, lengths)
	}
	for _, p := range event.Props[ical.PropExceptionDates] {
		dates, _ := r.readTimes(p)
		for _, t := range dates {
			skip.add(r.whole(t, start), start)
		}
	}
	excluded, err := follow("EXRULE") // written by older programs
	for _, t := range excluded {
		skip.add(t, start)
	}
	return all, periods, skip, err
}

// whole returns the day, in the reader's own zone, that a time in UTC means for a whole-day event.
func (r *reader) whole(t, start calendarTime) calendarTime {
	if !start.date || t.date || t.zone != nil {
		return t
	}
	if day, clock := r.home.Local(t.instant); clock == 0 {
		return newCalendarTime(time.Date(day.Year, day.Month, day.Day, 0, 0, 0, 0, time.UTC), r.home, true)
	}
	return t
}

// text returns a property's text, or nothing if it can't be read.
func text(e ical.Event, name string) string {
	p := e.Props.Get(name)
	if p == nil {
		return ""
	}
	parts, _ := p.TextList() // an unescaped comma makes a list
	return strings.Join(parts, ",")
}

func cut(s string) string {
	s = strings.Join(strings.Fields(strings.Map(printable, strings.ToValidUTF8(s, ""))), " ")
	if runes := []rune(s); len(runes) > maxNote {
		return string(runes[:maxNote])
	}
	return s
}
