package ical

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-ical"
	"github.com/teambition/rrule-go"

	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	maxZones   = 200
	maxChanges = 2_000 // per zone
	maxOnsets  = 400   // rules of all zones not recognised by name; one may take 1.5 ms
)

// declare registers the time zones that a calendar defines.
func (r *reader) declare(c *ical.Calendar) {
	r.zones, r.floating = map[string]*schedule.Zone{}, r.home
	if p := c.Props.Get("X-WR-TIMEZONE"); p != nil {
		if z, ok := knownZone(p.Value); ok {
			r.floating = z
		}
	}
	for _, child := range c.Children {
		id := child.Props.Get(ical.PropTimezoneID)
		if child.Name != ical.CompTimezone || id == nil || len(r.zones) > maxZones {
			continue
		}
		// A known name is better than the rules, which often cover only one year.
		z, ok := knownZone(id.Value)
		if place := child.Props.Get("X-LIC-LOCATION"); !ok && place != nil {
			z, ok = knownZone(place.Value)
		}
		if !ok && r.onsets+len(child.Children) <= maxOnsets {
			r.onsets += len(child.Children)
			z, ok = readZone(child)
		}
		if ok {
			r.zones[strings.TrimSpace(id.Value)] = z
		}
	}
}

// readZone reads the rules of a VTIMEZONE.
func readZone(zone *ical.Component) (*schedule.Zone, bool) {
	var changes []schedule.Change
	first, before := int64(0), time.Duration(0)
	for _, rules := range zone.Children {
		if rules.Name != ical.CompTimezoneStandard && rules.Name != ical.CompTimezoneDaylight {
			continue
		}
		from, okFrom := offsetOf(rules.Props.Get(ical.PropTimezoneOffsetFrom))
		to, okTo := offsetOf(rules.Props.Get(ical.PropTimezoneOffsetTo))
		if !okTo {
			return nil, false
		}
		if !okFrom {
			from = to
		}
		for _, at := range onsets(rules, from) {
			c := schedule.Change{At: at.Add(-from).Unix(), Offset: to}
			if len(changes) == 0 || c.At < first {
				first, before = c.At, from
			}
			changes = append(changes, c)
		}
	}
	if len(changes) == 0 || len(changes) > maxChanges {
		return nil, false
	}
	return schedule.NewZone("", before, changes), true
}

// onsets returns when one of the rules of a VTIMEZONE takes effect, by the clock before it.
func onsets(rules *ical.Component, from time.Duration) []time.Time {
	start := rules.Props.Get(ical.PropDateTimeStart)
	if start == nil {
		return nil
	}
	begin, err := time.Parse(floating, strings.TrimSuffix(strings.TrimSpace(start.Value), "Z"))
	if err != nil {
		return nil
	}
	all := []time.Time{begin}
	for _, p := range rules.Props[ical.PropRecurrenceDates] {
		for value := range strings.SplitSeq(p.Value, ",") {
			if t, err := time.Parse(floating, strings.TrimSuffix(strings.TrimSpace(value), "Z")); err == nil && len(all) < maxChanges {
				all = append(all, t)
			}
		}
	}
	rule := rules.Props.Get(ical.PropRecurrenceRule)
	if rule == nil {
		return all
	}
	return append(all, yearly(rule.Value, begin, from)...)
}

// yearly expands a rule of a VTIMEZONE, which recurs once a year, as far as zones are tabled.
func yearly(text string, begin time.Time, from time.Duration) (all []time.Time) {
	defer func() {
		if bad := recover(); bad != nil { // see recur
			all = nil
		}
	}()
	option, err := rrule.StrToROption(cleanRule(text))
	if err != nil || option.Freq != rrule.YEARLY {
		return nil
	}
	option.Dtstart = begin
	if begin.Year() < 1970 { // Outlook begins in 1601, with the same rules
		option.Dtstart = begin.AddDate(1970-begin.Year(), 0, 0)
		option.Count = 0
	}
	const shift = (lastYear - 1 - 2200) / 400 * 400 // see lastYear
	option.Dtstart = option.Dtstart.AddDate(shift, 0, 0)
	if !option.Until.IsZero() { // Until is in UTC
		option.Until = option.Until.Add(from).AddDate(shift, 0, 0)
	}
	rule, err := rrule.NewRRule(*option)
	if err != nil {
		return nil
	}
	for next := rule.Iterator(); len(all) < maxChanges/2; {
		t, ok := next()
		if !ok || t.Year()-shift >= 2200 {
			break
		}
		all = append(all, t.AddDate(-shift, 0, 0))
	}
	return all
}

// offsetForm matches "+0100", "-05:00", "+03" and "+023015".
var offsetForm = regexp.MustCompile(`^([+-])(\d{1,2}):?(\d{2})?:?(\d{2})?$`)

func offsetOf(p *ical.Prop) (time.Duration, bool) {
	if p == nil {
		return 0, false
	}
	return offset(p.Value)
}

func offset(text string) (time.Duration, bool) {
	m := offsetForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return 0, false
	}
	number := func(s string) time.Duration { n, _ := strconv.Atoi(s); return time.Duration(n) }
	d := number(m[2])*time.Hour + number(m[3])*time.Minute + number(m[4])*time.Second
	if d > 15*time.Hour {
		return 0, false
	}
	if m[1] == "-" {
		d = -d
	}
	return d, true
}

// zone finds a time zone by the name that a calendar uses.
func (r *reader) zone(name string) *schedule.Zone {
	name = strings.TrimSpace(name)
	if name == "" {
		return r.floating
	}
	if z, ok := r.zones[name]; ok {
		return z
	}
	z, ok := knownZone(name)
	if !ok {
		z = r.floating
		if shortened := cut(name); len(r.out.Zones) < 20 && !slices.Contains(r.out.Zones, shortened) {
			r.out.Zones = append(r.out.Zones, shortened)
		}
	}
	if len(r.zones) < 1000 {
		r.zones[name] = z
	}
	return z
}

// offsetBefore matches the offset before a zone's display name: "(UTC-05:00) Eastern Time (US &
// Canada)", "(GMT+01.00) Paris", or alone: "UTC+03:00", "GMT-3".
var offsetBefore = regexp.MustCompile(`^\(?(?:UTC|GMT)\s*([+-]\d{1,2}(?:[:.]?\d{2})?)?\)?\s*(.*)$`)

// zoneOfPlace finds the zone of a place at the end of a name: "central european time - berlin",
// "america/new york", "europe/berlin (cet)".
func zoneOfPlace(name string) (*schedule.Zone, bool) {
	name, _, _ = strings.Cut(name, " (")
	if i := strings.LastIndex(name, " - "); i >= 0 {
		name = name[i+len(" - "):]
	}
	name = strings.ReplaceAll(strings.TrimSpace(name), " ", "_")
	if name == "" {
		return nil, false
	}
	if strings.Contains(name, "/") {
		z, err := schedule.FindZone(name)
		return z, err == nil
	}
	for _, region := range []string{"europe/", "america/", "asia/", "australia/", "africa/", "pacific/", "atlantic/"} {
		if z, err := schedule.FindZone(region + name); err == nil {
			return z, true
		}
	}
	return nil, false
}

// knownZone recognises IANA names, also at the end of a longer one
// ("/freeassociation.sourceforge.net/Europe/Berlin"), the names and display names of Windows and
// Outlook, and offsets.
func knownZone(name string) (*schedule.Zone, bool) {
	name = strings.Trim(strings.TrimSpace(name), `"`)
	if len(name) > 200 {
		return nil, false
	}
	m := offsetBefore.FindStringSubmatch(name)
	place := strings.ToLower(name)
	if m != nil {
		place = strings.ToLower(m[2])
	}
	if iana, ok := displayZones[place]; ok {
		name = iana
	}
	for rest := name; rest != ""; {
		standard := strings.Replace(strings.ToLower(rest), " daylight time", " standard time", 1)
		if z, err := schedule.LoadZone(cmp.Or(windowsZones[standard], rest)); err == nil {
			return z, true
		}
		if z, err := schedule.FindZone(rest); err == nil {
			return z, true
		}
		_, rest, _ = strings.Cut(rest, "/")
	}
	if z, ok := zoneOfPlace(place); ok {
		return z, true
	}
	switch {
	case m != nil:
		m[1] = strings.ReplaceAll(m[1], ".", ":")
	case offsetForm.MatchString(name):
		m = []string{"", name}
	default:
		return nil, false
	}
	if d, ok := offset(m[1]); ok {
		return schedule.NewZone("", d, nil), true
	}
	return nil, false
}
