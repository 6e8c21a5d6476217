package schedule

import (
	"strconv"
	"strings"
	"time"
)

// zoneHours are the zone abbreviations that people type after a time. If the reader's own zone has
// the same abbreviation, it means that.
var zoneHours = map[string]int{
	"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
	"cet": 1, "cest": 2, "mez": 1, "mesz": 2, "bst": 1, "eest": 3, "jst": 9, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
}

// isZone reports whether a word after a time is a zone: a summer or winter abbreviation of the
// reader's own, an offset, a well-known abbreviation, or a name such as America/New_York.
func (r *reading) isZone(w string) bool {
	if _, ok := zoneOffset(w); ok || r.ownZone(w) {
		return true
	}
	return namedZone(w) != nil
}

// ownZone reports whether the reader's zone has this abbreviation at some time of the year.
func (r *reading) ownZone(w string) bool {
	for _, month := range []time.Month{time.January, time.July} {
		if name, _ := time.Date(r.today().Year, month, 1, 0, 0, 0, 0, r.Zone.Location()).Zone(); strings.EqualFold(name, w) {
			return true
		}
	}
	return false
}

// namedZone finds a zone by its name in lower case.
func namedZone(w string) *Zone {
	zone, err := FindZone(w)
	if err != nil {
		return nil
	}
	return zone
}

// FindZone loads a zone such as "Europe/Berlin", ignoring case.
func FindZone(name string) (*Zone, error) {
	w := strings.ToLower(name)
	if !strings.Contains(w, "/") || w[0] < 'a' || w[0] > 'z' {
		return LoadZone(name)
	}
	b, upper := []byte(w), true
	for i, c := range b {
		if upper && c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
		upper = c == '/' || c == '_' || c == '-'
	}
	return LoadZone(string(b))
}

// zoneOffset parses an abbreviation or an offset.
func zoneOffset(w string) (east time.Duration, ok bool) {
	if hours, ok := zoneHours[w]; ok {
		return time.Duration(hours) * time.Hour, true
	}
	return utcOffset(w)
}

// utcOffset parses "utc", "gmt", "utc+0530" and "+05:30".
func utcOffset(w string) (east time.Duration, ok bool) {
	rest, ok := strings.CutPrefix(w, "utc")
	if !ok {
		rest, ok = strings.CutPrefix(w, "gmt")
	}
	if !ok && len(w) >= len("+0530") && (w[0] == '+' || w[0] == '-') {
		rest, ok = w, true
	}
	switch {
	case !ok:
		return 0, false
	case rest == "":
		return 0, true
	}
	sign := time.Duration(1)
	if rest[0] == '-' {
		sign = -1
	}
	digits := strings.ReplaceAll(rest[1:], ":", "")
	n, err := strconv.Atoi(digits)
	switch {
	case rest[0] != '+' && rest[0] != '-' || err != nil || n < 0 || len(digits) > 4:
		return 0, false
	case len(digits) <= 2:
		return sign * time.Duration(n) * time.Hour, n <= 14
	}
	return sign * (time.Duration(n/100)*time.Hour + time.Duration(n%100)*time.Minute), n <= 1400
}

// eastAt returns the offset of the reader's zone at an instant.
func (r *reading) eastAt(t time.Time) time.Duration {
	_, seconds := t.In(r.Zone.Location()).Zone()
	return time.Duration(seconds) * time.Second
}

// instant returns a time on a day. With a zone, it is a time there; with an abbreviation of the
// reader's own zone, it is the instant at which that offset is in force.
func (r *reading) instant(d Date, at TimeOfDay, zone string) time.Time {
	if zone != "" && !r.ownZone(zone) {
		if east, ok := zoneOffset(zone); ok {
			return time.Unix(d.days()*paperDay+at.seconds(), 0).Add(-east).UTC()
		}
		if there := namedZone(zone); there != nil {
			return there.Instant(d, at)
		}
	}
	t := r.Zone.Instant(d, at)
	if location := r.Zone.Location(); zone != "" {
		if name, _ := t.In(location).Zone(); !strings.EqualFold(name, zone) {
			for _, later := range turnedBack {
				u := t.Add(later)
				if name, _ := u.In(location).Zone(); strings.EqualFold(name, zone) && u.In(location).Format("15:04") == at.String() {
					return u
				}
			}
		}
	}
	return t
}
