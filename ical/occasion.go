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

// An occasion is an event, or with of the one recurrence of an event that it replaces, as one calendar
// tells it.
type occasion struct {
	ical.Event
	uid       string
	of        *moment
	future    bool // it replaces also all later recurrences
	start     *ical.Prop
	off       bool // it does not count as time off, perhaps because it is
	cancelled bool
	sequence  int
	stamp     string
	edited    string // when it was last changed
	owner     string // what the calendar is called
	floating  *schedule.Zone
	zones     map[string]*schedule.Zone
}

// calendar returns the events of a VCALENDAR.
func (x *reader) calendar(c *ical.Calendar) []*occasion {
	x.declare(c)
	method, _ := c.Props.Text(ical.PropMethod)
	owner, _ := c.Props.Text("X-WR-CALNAME")
	var all []*occasion
	for _, e := range c.Events() {
		o := &occasion{
			Event: e, uid: text(e, ical.PropUID), start: e.Props.Get(ical.PropDateTimeStart),
			floating: x.floating, zones: x.zones, owner: owner,
		}
		o.cancelled = strings.EqualFold(text(e, ical.PropStatus), "CANCELLED") || strings.EqualFold(method, "CANCEL")
		o.off = o.cancelled || off(o)
		if p := e.Props.Get(ical.PropSequence); p != nil {
			o.sequence, _ = strconv.Atoi(strings.TrimSpace(p.Value))
		}
		if p := e.Props.Get(ical.PropDateTimeStamp); p != nil {
			o.stamp = strings.ToUpper(strings.TrimSpace(p.Value)) // in UTC, so that it sorts as it is written
		}
		if p := e.Props.Get(ical.PropLastModified); p != nil {
			o.edited = strings.ToUpper(strings.TrimSpace(p.Value))
		}
		if p := e.Props.Get(ical.PropRecurrenceID); p != nil {
			if t, err := x.moment(p); err == nil {
				o.of, o.future = &t, strings.EqualFold(p.Params.Get(ical.ParamRange), "THISANDFUTURE")
			}
		}
		all = append(all, o)
	}
	return all
}

// off reports whether an event that takes place does not count as time off.
func off(o *occasion) bool {
	busy := text(o.Event, "X-MICROSOFT-CDO-BUSYSTATUS")
	if strings.EqualFold(busy, "WORKINGELSEWHERE") || declined(o) {
		return true
	}
	if o.start == nil || isDate(o.start) || strings.EqualFold(busy, "OOF") || strings.EqualFold(text(o.Event, "X-MICROSOFT-CDO-ALLDAYEVENT"), "TRUE") {
		return false
	}
	return strings.EqualFold(text(o.Event, ical.PropTransparency), "TRANSPARENT") || strings.EqualFold(busy, "FREE")
}

// declined reports whether the calendar's owner won't come: Google calls a calendar by its owner's address.
// Where nobody is known to be the owner, everybody must have declined.
func declined(o *occasion) bool {
	said, all := false, true
	for _, p := range o.Props[ical.PropAttendee] {
		no := strings.EqualFold(p.Params.Get(ical.ParamParticipationStatus), "DECLINED")
		if len(p.Value) > len("mailto:") && strings.EqualFold(p.Value[len("mailto:"):], o.owner) {
			return no
		}
		said, all = true, all && no
	}
	return said && all
}

// newest keeps of each event, and of each recurrence that was changed, the latest version: that with the
// highest SEQUENCE, then the latest DTSTAMP. Where neither says which one is later, all that differ are
// kept: some programs give all events the same UID.
func newest(all []*occasion) []*occasion {
	best := map[string]*occasion{}
	for _, o := range all {
		if old := best[o.key()]; old == nil || o.compare(old) >= 0 {
			best[o.key()] = o
		}
	}
	return slices.DeleteFunc(all, func(o *occasion) bool {
		latest := best[o.key()]
		return o.uid != "" && o != latest && (o.compare(latest) < 0 || o.start == nil || latest.start == nil || o.start.Value == latest.start.Value)
	})
}

func (o *occasion) compare(other *occasion) int {
	return cmp.Or(cmp.Compare(o.sequence, other.sequence), cmp.Compare(o.stamp, other.stamp), cmp.Compare(o.edited, other.edited))
}

func (o *occasion) key() string {
	if o.of == nil {
		return o.uid
	}
	return fmt.Sprintf("%s\x00%d", o.uid, o.of.instant.Unix())
}

func (o *occasion) recurs() bool {
	return o.Props.Get(ical.PropRecurrenceRule) != nil || len(o.Props[ical.PropRecurrenceDates]) > 0
}

// name tells people which event it is.
func (o *occasion) name() string {
	title := cut(text(o.Event, ical.PropSummary))
	if title == "" {
		title = "An event without a title"
	} else {
		title = strconv.Quote(title)
	}
	if o.start == nil {
		return title
	}
	if day, err := time.Parse(dateOnly, o.start.Value[:min(len(o.start.Value), len(dateOnly))]); err == nil {
		return title + day.Format(" of Mon 2 Jan 2006")
	}
	return title
}

// changes are what has become of single recurrences of an event.
type changes struct {
	single []*occasion
	future []*occasion // by the recurrence from which they hold
}

func (c *changes) add(o *occasion) {
	c.single = append(c.single, o)
	if o.future {
		c.future = append(c.future, o)
		slices.SortFunc(c.future, func(a, b *occasion) int { return a.of.instant.Compare(b.of.instant) })
	}
}

// skipped are the recurrences of an event, which begins at start, that events of their own replace.
func (c *changes) skipped(start moment) times {
	skip := times{instants: map[int64]bool{}, days: map[string]bool{}}
	if c != nil {
		for _, o := range c.single {
			skip.add(*o.of, start)
		}
	}
	return skip
}

// from is the change that holds for a recurrence as for all since an earlier one, or nil.
func (c *changes) from(t moment) *occasion {
	var last *occasion
	if c != nil {
		for _, o := range c.future {
			if !o.of.instant.After(t.instant) {
				last = o
			}
		}
	}
	return last
}

// shifted moves a recurrence as another was moved from which on the change holds.
func (x *reader) shifted(t moment, from *occasion) (moment, length, bool) {
	x.zones, x.floating = from.zones, from.floating
	if from.start == nil {
		return moment{}, length{}, false
	}
	start, err := x.moment(from.start)
	if err != nil {
		return moment{}, length{}, false
	}
	l, err := x.length(from.Event, start)
	if err != nil {
		return moment{}, length{}, false
	}
	// The days and the time on the clock of the changed event: 09:00 stays 09:00 in summer.
	was := at(from.of.paper, from.of.zone, from.of.date)
	days := t.paper.Truncate(24 * time.Hour).Sub(was.paper.Truncate(24 * time.Hour))
	return at(start.paper.Add(days), start.zone, start.date), l, true
}

// times are recurrences that don't take place. One may be given as a day, though the event has a time.
type times struct {
	instants map[int64]bool
	days     map[string]bool
}

func (s times) add(t, start moment) {
	s.instants[t.instant.Unix()] = true
	if t.date != start.date {
		s.days[t.paper.Format(dateOnly)] = true
	}
}

func (s times) has(t moment) bool {
	return s.instants[t.instant.Unix()] || s.days[t.paper.Format(dateOnly)]
}
