package audit

import (
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// Entries name instants in UTC, so that they are unambiguous a year later and to readers anywhere. Change.Times has the
// same instants, so that a page for one reader can show them in the reader's zone.
const (
	stored = "2006-01-02 15:04"
	shown  = "Mon 2 Jan 2006 15:04"
	to     = " to "
	inUTC  = " UTC"
)

// mark surrounds an instant until the entry is bounded. It distinguishes instants from what people wrote.
const mark = "\x02"

// span formats a period.
func span(from, until time.Time) oncall.Sentence {
	return oncall.Say("%s%s%s%s", day(from), to, day(until), inUTC)
}

// day formats an instant, which " UTC" follows.
func day(t time.Time) string { return mark + t.UTC().Format(stored) + mark }

// unmarked returns the change without marks, and with the instants that they surrounded.
func (c Change) unmarked() Change {
	clean := func(text string) string {
		parts := strings.Split(text, mark)
		for _, p := range parts {
			if t, err := time.Parse(stored, p); err == nil && !slices.Contains(c.Times, t) {
				c.Times = append(c.Times, t)
			}
		}
		return strings.Join(parts, "")
	}
	sentence := func(s oncall.Sentence) oncall.Sentence {
		s = slices.Clone(s)
		for i := 0; i < len(s); i += 2 {
			s[i] = clean(s[i])
		}
		return s
	}
	c.What = clean(c.What)
	c.Before, c.After = sentence(c.Before), sentence(c.After)
	return c
}

// In returns the change with its instants in a zone, which isn't named.
func (c Change) In(zone *time.Location) Change {
	var pairs []string
	for _, from := range c.Times { // periods first, because only their ends are followed by the zone
		for _, until := range c.Times {
			pairs = append(pairs, from.Format(stored)+to+until.Format(stored)+inUTC, from.In(zone).Format(shown)+to+until.In(zone).Format(shown))
		}
	}
	for _, t := range c.Times {
		pairs = append(pairs, t.Format(stored)+inUTC, t.In(zone).Format(shown))
	}
	if len(pairs) == 0 {
		return c
	}
	local := strings.NewReplacer(pairs...)
	sentence := func(s oncall.Sentence) oncall.Sentence {
		s = slices.Clone(s)
		for i := 0; i < len(s); i += 2 {
			s[i] = local.Replace(s[i])
		}
		return s
	}
	c.What = local.Replace(c.What)
	c.Before, c.After = sentence(c.Before), sentence(c.After)
	return c
}
