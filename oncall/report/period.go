package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Period is a half-open span of time.
type Period struct {
	Name     string    `json:"name"` // as it is called at the head of a report: "November 2026"
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	TimeZone string    `json:"time_zone"` // IANA name of the zone in which its days begin
	unit     unit
	whole    time.Time // its full end, if it isn't over and To is the present
}

// A unit is what a period is one of; the previous period is of the same unit.
type unit int

const (
	days unit = iota
	months
	quarters
	years
)

// MostDays is the maximum length of a period.
const MostDays = 400

// Has reports whether an instant is in the period.
func (p Period) Has(t time.Time) bool { return !t.Before(p.From) && t.Before(p.To) }

func (p Period) zone() *schedule.Zone {
	zone, err := schedule.LoadZone(p.TimeZone)
	if err != nil {
		zone, _ = schedule.LoadZone("UTC")
	}
	return zone
}

func (p Period) date(t time.Time) schedule.Date {
	day, _ := p.zone().Local(t)
	return day
}

// days lists the days of the period.
func (p Period) days() []Day {
	out := []Day{}
	zone := p.zone()
	for day := p.date(p.From); zone.Instant(day, 0).Before(p.To) && len(out) <= MostDays; day = day.AddDays(1) {
		out = append(out, Day{Date: day})
	}
	return out
}

// Until returns the part of the period before an instant.
func (p Period) Until(now time.Time) Period {
	if now.Before(p.To) {
		p.To, p.Name, p.whole = now, p.Name+" so far", p.To
	}
	return p
}

// Before returns the previous period: the month before a month, else the same number of days. If
// the period isn't over, it is cut to the same length.
func (p Period) Before() Period {
	full := p
	if !p.whole.IsZero() {
		full.To = p.whole
	}
	b := full.before()
	if end := b.From.Add(p.To.Sub(p.From)); !p.whole.IsZero() && end.Before(b.To) {
		b.To, b.Name = end, b.Name+" up to the same point"
	}
	return b
}

func (p Period) before() Period {
	zone := p.zone()
	first, end := p.date(p.From), p.date(p.To)
	switch p.unit {
	case months:
		return monthsFrom(zone, addMonths(first, -1), 1)
	case quarters:
		return monthsFrom(zone, addMonths(first, -3), 3)
	case years:
		return monthsFrom(zone, addMonths(first, -12), 12)
	default:
	}
	if !zone.Instant(first, 0).Equal(p.From) || !zone.Instant(end, 0).Equal(p.To) { // it began or ended within a day
		return Period{Name: "the time before", From: p.From.Add(-p.To.Sub(p.From)), To: p.From, TimeZone: p.TimeZone}
	}
	n := 0
	for d := first; d != end; d = d.AddDays(1) {
		n++
	}
	return daysFrom(zone, first.AddDays(-n), n)
}

// Days returns a period of whole days.
func Days(timeZone string, first schedule.Date, n int) Period {
	return daysFrom(Period{TimeZone: timeZone}.zone(), first, n)
}

func daysFrom(zone *schedule.Zone, first schedule.Date, n int) Period {
	last := first.AddDays(n - 1)
	return Period{Name: daysName(first, last), From: zone.Instant(first, 0), To: zone.Instant(first.AddDays(n), 0), TimeZone: zone.Name()}
}

// daysName names a range of days: "2 – 8 Mar 2026".
func daysName(first, last schedule.Date) string {
	written := func(d schedule.Date, layout string) string {
		return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Format(layout)
	}
	end := written(last, "2 Jan 2006")
	switch {
	case first == last:
		return end
	case first.Year != last.Year:
		return written(first, "2 Jan 2006") + " – " + end
	case first.Month != last.Month:
		return written(first, "2 Jan") + " – " + end
	}
	return written(first, "2") + " – " + end
}

func addMonths(d schedule.Date, n int) schedule.Date {
	month := d.Year*12 + int(d.Month) - 1 + n
	return schedule.Date{Year: month / 12, Month: time.Month(month%12 + 1), Day: 1}
}

func monthsFrom(zone *schedule.Zone, first schedule.Date, n int) Period {
	first.Day = 1
	p := Period{From: zone.Instant(first, 0), To: zone.Instant(addMonths(first, n), 0), TimeZone: zone.Name()}
	switch n {
	case 1:
		p.Name, p.unit = fmt.Sprintf("%s %d", first.Month, first.Year), months
	case 3:
		p.Name, p.unit = fmt.Sprintf("quarter %d of %d", (int(first.Month)+2)/3, first.Year), quarters
	default:
		p.Name, p.unit = strconv.Itoa(first.Year), years
	}
	return p
}

// Week returns the seven days from the Monday of a date's week.
func Week(timeZone string, of schedule.Date) Period {
	back := slices.Index([]schedule.Weekday{
		schedule.Monday, schedule.Tuesday, schedule.Wednesday, schedule.Thursday, schedule.Friday, schedule.Saturday, schedule.Sunday,
	}, of.Weekday())
	return Days(timeZone, of.AddDays(-back), 7)
}

const periodExamples = "Say a period as `last month`, `november`, `90 days`, `last week`, `last quarter`, `q3 2026` or `2026-10-01 to 2026-10-31`."

// ParsePeriod parses a period as people type it, in their zone; no words mean the last 30 days.
// Without a year it is the latest that has begun. The error is a Refusal.
func ParsePeriod(words []string, timeZone string, now time.Time) (Period, error) {
	zone := Period{TimeZone: timeZone}.zone()
	today, _ := zone.Local(now)
	text := strings.ToLower(strings.Join(words, " "))
	for _, filler := range []string{"for ", "the ", "in ", "of "} {
		text = strings.TrimPrefix(text, filler)
	}
	p, known := namedPeriod(zone, today, text)
	if !known {
		p, known = spokenDays(zone, today, text)
	}
	if !known {
		p, known = calendarPeriod(zone, today, text)
	}
	if !known {
		p, known = datedPeriod(zone, text)
	}
	n := int(p.To.Sub(p.From).Hours()) / 24
	switch {
	case !known:
		return Period{}, oncall.Refuse("%q is no period that Watchbill understands. "+periodExamples, clip(strings.Join(words, " ")))
	case !p.From.Before(p.To):
		return Period{}, oncall.Refuse("The period ends before it begins. " + periodExamples)
	case n > MostDays:
		return Period{}, oncall.Refuse("A report covers %d days at most, and these are %d.", MostDays, n)
	case p.From.After(now):
		return Period{}, oncall.Refuse("The period has not begun yet. " + periodExamples)
	}
	return p, nil
}

// clip shortens typed text and keeps it from closing the quotation around it.
func clip(s string) string {
	s = strings.NewReplacer("`", "", "<", "", ">", "", "&", "").Replace(s)
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return s
}

func namedPeriod(zone *schedule.Zone, today schedule.Date, text string) (Period, bool) {
	quarter := addMonths(today, -(int(today.Month)-1)%3)
	switch text {
	case "":
		return daysFrom(zone, today.AddDays(-29), 30), true
	case "today":
		return daysFrom(zone, today, 1), true
	case "yesterday":
		return daysFrom(zone, today.AddDays(-1), 1), true
	case "this week", "week":
		return Week(zone.Name(), today), true
	case "last week", "previous week":
		return Week(zone.Name(), today.AddDays(-7)), true
	case "this month", "month":
		return monthsFrom(zone, today, 1), true
	case "last month", "previous month":
		return monthsFrom(zone, addMonths(today, -1), 1), true
	case "this quarter", "quarter":
		return monthsFrom(zone, quarter, 3), true
	case "last quarter", "previous quarter":
		return monthsFrom(zone, addMonths(quarter, -3), 3), true
	case "this year", "year":
		return monthsFrom(zone, schedule.Date{Year: today.Year, Month: 1, Day: 1}, 12), true
	case "last year", "previous year":
		return monthsFrom(zone, schedule.Date{Year: today.Year - 1, Month: 1, Day: 1}, 12), true
	}
	return Period{}, false
}

// spokenDays parses "90 days", "last 2 weeks", "14d": that many days, including today.
func spokenDays(zone *schedule.Zone, today schedule.Date, text string) (Period, bool) {
	for _, filler := range []string{"last ", "past ", "previous "} {
		text = strings.TrimPrefix(text, filler)
	}
	fields := strings.Fields(text)
	if len(fields) == 1 && len(fields[0]) > 1 {
		at := len(fields[0]) - 1
		fields = []string{fields[0][:at], fields[0][at:]}
	}
	if len(fields) != 2 {
		return Period{}, false
	}
	n, err := strconv.Atoi(fields[0])
	unit, known := map[string]int{"d": 1, "day": 1, "days": 1, "w": 7, "week": 7, "weeks": 7, "month": 30, "months": 30, "y": 365, "year": 365, "years": 365}[fields[1]]
	if err != nil || !known || n < 1 || n > 10_000 {
		return Period{}, false
	}
	return daysFrom(zone, today.AddDays(1-n*unit), n*unit), true
}

// calendarPeriod parses a month, a quarter or a year: "november", "nov 2025", "2026-11", "q3",
// "2026".
func calendarPeriod(zone *schedule.Zone, today schedule.Date, text string) (Period, bool) {
	name, rest, _ := strings.Cut(text, " ")
	year := 0
	if rest != "" {
		n, err := strconv.Atoi(rest)
		if err != nil || n < 2000 || n > 2200 {
			return Period{}, false
		}
		year = n
	}
	at := func(month time.Month, n int) (Period, bool) {
		first := schedule.Date{Year: year, Month: month, Day: 1}
		if year == 0 {
			if first.Year = today.Year; month > today.Month {
				first.Year--
			}
		}
		return monthsFrom(zone, first, n), true
	}
	for m := time.January; m <= time.December; m++ {
		if full := strings.ToLower(m.String()); name == full || name == full[:3] || name == "sept" && m == time.September {
			return at(m, 1)
		}
	}
	if len(name) == 2 && name[0] == 'q' && name[1] >= '1' && name[1] <= '4' {
		return at(time.Month(3*int(name[1]-'1')+1), 3)
	}
	if t, err := time.Parse("2006-01", text); err == nil {
		year = t.Year()
		return at(t.Month(), 1)
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 2000 && n <= 2200 {
		return monthsFrom(zone, schedule.Date{Year: n, Month: 1, Day: 1}, 12), true
	}
	return Period{}, false
}

// datedPeriod parses "2026-10-01 to 2026-10-31", both days included, or a single day.
func datedPeriod(zone *schedule.Zone, text string) (Period, bool) {
	var dates []schedule.Date
	for word := range strings.FieldsSeq(strings.TrimPrefix(text, "from ")) {
		if slices.Contains([]string{"to", "until", "till", "-", "–", ".."}, word) {
			continue
		}
		d, err := schedule.ParseDate(word)
		if err != nil {
			return Period{}, false
		}
		dates = append(dates, d)
	}
	switch len(dates) {
	case 1:
		return daysFrom(zone, dates[0], 1), true
	case 2:
		p := Period{
			Name: daysName(dates[0], dates[1]), TimeZone: zone.Name(),
			From: zone.Instant(dates[0], 0), To: zone.Instant(dates[1].AddDays(1), 0),
		}
		return p, true
	}
	return Period{}, false
}
