package ical

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-ical"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// An eventVersion is one calendar's version of an event or, with of set, of a changed recurrence.
type eventVersion struct {
	ical.Event
	uid       string
	of        *calendarTime
	future    bool // it replaces all later recurrences too
	start     *ical.Prop
	off       bool // not time off, perhaps because it is marked as free
	cancelled bool
	sequence  int
	stamp     string
	edited    string // when it was last changed
	owner     string // the calendar's name
	floating  *schedule.Zone
	zones     map[string]*schedule.Zone
}

// calendar returns the events of a VCALENDAR.
func (r *reader) calendar(c *ical.Calendar) []*eventVersion {
	r.declare(c)
	method, _ := c.Props.Text(ical.PropMethod)
	owner, _ := c.Props.Text("X-WR-CALNAME")
	var all []*eventVersion
	for _, e := range c.Events() {
		event := &eventVersion{
			Event: e, uid: text(e, ical.PropUID), start: e.Props.Get(ical.PropDateTimeStart),
			floating: r.floating, zones: r.zones, owner: owner,
		}
		event.cancelled = strings.EqualFold(text(e, ical.PropStatus), "CANCELLED") || strings.EqualFold(method, "CANCEL")
		event.off = event.cancelled || isNotTimeOff(event)
		if p := e.Props.Get(ical.PropSequence); p != nil {
			event.sequence, _ = strconv.Atoi(strings.TrimSpace(p.Value))
		}
		if p := e.Props.Get(ical.PropDateTimeStamp); p != nil {
			event.stamp = strings.ToUpper(strings.TrimSpace(p.Value)) // in UTC, so that it sorts as text
		}
		if p := e.Props.Get(ical.PropLastModified); p != nil {
			event.edited = strings.ToUpper(strings.TrimSpace(p.Value))
		}
		if p := e.Props.Get(ical.PropRecurrenceID); p != nil {
			if t, err := r.readTime(p); err == nil {
				event.of, event.future = &t, strings.EqualFold(p.Params.Get(ical.ParamRange), "THISANDFUTURE")
			}
		}
		all = append(all, event)
	}
	return all
}

// isNotTimeOff reports whether an event does not count as time off.
func isNotTimeOff(o *eventVersion) bool {
	busy := text(o.Event, "X-MICROSOFT-CDO-BUSYSTATUS")
	if strings.EqualFold(busy, "WORKINGELSEWHERE") || isDeclined(o) {
		return true
	}
	if o.start == nil || isDate(o.start) || strings.EqualFold(busy, "OOF") || strings.EqualFold(text(o.Event, "X-MICROSOFT-CDO-ALLDAYEVENT"), "TRUE") {
		return false
	}
	return strings.EqualFold(text(o.Event, ical.PropTransparency), "TRANSPARENT") || strings.EqualFold(busy, "FREE")
}

// isOutOfOffice reports whether an event is marked as out of office.
func isOutOfOffice(o *eventVersion) bool {
	return strings.EqualFold(text(o.Event, "X-MICROSOFT-CDO-BUSYSTATUS"), "OOF")
}

// isFree reports whether an event is marked as free. Outlook's own mark counts before the common one.
func isFree(o *eventVersion) bool {
	if busy := text(o.Event, "X-MICROSOFT-CDO-BUSYSTATUS"); busy != "" {
		return strings.EqualFold(busy, "FREE")
	}
	return strings.EqualFold(text(o.Event, ical.PropTransparency), "TRANSPARENT")
}

// isDeclined reports whether the calendar's owner has declined: Google names a calendar after its
// owner's address. If the owner is unknown, everybody must have declined.
func isDeclined(o *eventVersion) bool {
	answered, all := false, true
	for _, p := range o.Props[ical.PropAttendee] {
		no := strings.EqualFold(p.Params.Get(ical.ParamParticipationStatus), "DECLINED")
		if len(p.Value) > len("mailto:") && strings.EqualFold(p.Value[len("mailto:"):], o.owner) {
			return no
		}
		answered, all = true, all && no
	}
	return answered && all
}

// newest keeps the latest version of each event and each changed recurrence: the highest SEQUENCE,
// then the latest DTSTAMP. If these are equal, all different versions are kept, because some
// programs give all events the same UID.
func newest(all []*eventVersion) []*eventVersion {
	best := map[string]*eventVersion{}
	for _, o := range all {
		if old := best[o.key()]; old == nil || o.compare(old) >= 0 {
			best[o.key()] = o
		}
	}
	return slices.DeleteFunc(all, func(o *eventVersion) bool {
		latest := best[o.key()]
		return o.uid != "" && o != latest && (o.compare(latest) < 0 || o.start == nil || latest.start == nil || o.start.Value == latest.start.Value)
	})
}

func (v *eventVersion) compare(other *eventVersion) int {
	return cmp.Or(cmp.Compare(v.sequence, other.sequence), cmp.Compare(v.stamp, other.stamp), cmp.Compare(v.edited, other.edited))
}

func (v *eventVersion) key() string {
	if v.of == nil {
		return v.uid
	}
	return fmt.Sprintf("%s\x00%d", v.uid, v.of.instant.Unix())
}

func (v *eventVersion) recurs() bool {
	return v.Props.Get(ical.PropRecurrenceRule) != nil || len(v.Props[ical.PropRecurrenceDates]) > 0
}

// name identifies the event to people.
func (v *eventVersion) name() string {
	title := cut(text(v.Event, ical.PropSummary))
	if title == "" {
		title = "An event without a title"
	} else {
		title = strconv.Quote(title)
	}
	if v.start == nil {
		return title
	}
	if day, err := time.Parse(dateOnly, v.start.Value[:min(len(v.start.Value), len(dateOnly))]); err == nil {
		return title + day.Format(" of Mon 2 Jan 2006")
	}
	return title
}

// changes are the changed recurrences of an event.
type changes struct {
	single []*eventVersion
	future []*eventVersion // by the first recurrence that they apply to
}

func (c *changes) add(o *eventVersion) {
	c.single = append(c.single, o)
	if o.future {
		c.future = append(c.future, o)
		slices.SortFunc(c.future, func(a, b *eventVersion) int { return a.of.instant.Compare(b.of.instant) })
	}
}

// skipped returns the recurrences, of an event that begins at start, that are replaced by events of
// their own.
func (c *changes) skipped(start calendarTime) times {
	skip := times{instants: map[int64]bool{}, days: map[string]bool{}}
	if c != nil {
		for _, o := range c.single {
			skip.add(*o.of, start)
		}
	}
	return skip
}

// from returns the change that applies to a recurrence because it applies to all from an earlier
// one on, or nil.
func (c *changes) from(t calendarTime) *eventVersion {
	var last *eventVersion
	if c != nil {
		for _, o := range c.future {
			if !o.of.instant.After(t.instant) {
				last = o
			}
		}
	}
	return last
}

// shifted moves a recurrence in the way that the change moved its first one.
func (r *reader) shifted(when calendarTime, from *eventVersion) (calendarTime, length, bool) {
	r.zones, r.floating = from.zones, from.floating
	if from.start == nil {
		return calendarTime{}, length{}, false
	}
	start, err := r.readTime(from.start)
	if err != nil {
		return calendarTime{}, length{}, false
	}
	l, err := r.length(from.Event, start)
	if err != nil {
		return calendarTime{}, length{}, false
	}
	// By the wall clock of the changed event: 09:00 stays 09:00 in summer.
	was := newCalendarTime(from.of.wall, from.of.zone, from.of.date)
	days := when.wall.Truncate(24 * time.Hour).Sub(was.wall.Truncate(24 * time.Hour))
	return newCalendarTime(start.wall.Add(days), start.zone, start.date), l, true
}

// times are excluded recurrences. One may be given as a day, even if the event has a time.
type times struct {
	instants map[int64]bool
	days     map[string]bool
}

func (ts times) add(t, start calendarTime) {
	ts.instants[t.instant.Unix()] = true
	if t.date != start.date {
		ts.days[t.wall.Format(dateOnly)] = true
	}
}

func (ts times) has(t calendarTime) bool {
	return ts.instants[t.instant.Unix()] || ts.days[t.wall.Format(dateOnly)]
}
