package report

import (
	"strings"
	"testing"
	"time"
)

func TestParsePeriodUnderstandsWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 23, 30, 0, 0, time.UTC) // in Berlin it is Tuesday 1 December
	for typed, want := range map[string]string{
		"":                         "2 Nov – 1 Dec 2026 | 2026-11-02 2026-12-02 | 2026-10-03",
		"today":                    "1 Dec 2026 | 2026-12-01 2026-12-02 | 2026-11-30",
		"last month":               "November 2026 | 2026-11-01 2026-12-01 | 2026-10-01",
		"the last month":           "November 2026 | 2026-11-01 2026-12-01 | 2026-10-01",
		"November":                 "November 2026 | 2026-11-01 2026-12-01 | 2026-10-01",
		"nov 2025":                 "November 2025 | 2025-11-01 2025-12-01 | 2025-10-01",
		"december":                 "December 2026 | 2026-12-01 2027-01-01 | 2026-11-01",
		"mar":                      "March 2026 | 2026-03-01 2026-04-01 | 2026-02-01",
		"2026-02":                  "February 2026 | 2026-02-01 2026-03-01 | 2026-01-01",
		"90 days":                  "3 Sep – 1 Dec 2026 | 2026-09-03 2026-12-02 | 2026-06-05",
		"last 2 weeks":             "18 Nov – 1 Dec 2026 | 2026-11-18 2026-12-02 | 2026-11-04",
		"14d":                      "18 Nov – 1 Dec 2026 | 2026-11-18 2026-12-02 | 2026-11-04",
		"last week":                "23 – 29 Nov 2026 | 2026-11-23 2026-11-30 | 2026-11-16",
		"this week":                "30 Nov – 6 Dec 2026 | 2026-11-30 2026-12-07 | 2026-11-23",
		"quarter":                  "quarter 4 of 2026 | 2026-10-01 2027-01-01 | 2026-07-01",
		"last quarter":             "quarter 3 of 2026 | 2026-07-01 2026-10-01 | 2026-04-01",
		"q1":                       "quarter 1 of 2026 | 2026-01-01 2026-04-01 | 2025-10-01",
		"Q2 2025":                  "quarter 2 of 2025 | 2025-04-01 2025-07-01 | 2025-01-01",
		"2025":                     "2025 | 2025-01-01 2026-01-01 | 2024-01-01",
		"2026-10-01 to 2026-10-31": "1 – 31 Oct 2026 | 2026-10-01 2026-11-01 | 2026-08-31",
		"2026-10-25":               "25 Oct 2026 | 2026-10-25 2026-10-26 | 2026-10-24",
	} {
		p, err := ParsePeriod(strings.Fields(typed), "Europe/Berlin", now)
		if err != nil {
			t.Errorf("%q: %v", typed, err)
			continue
		}
		if got := p.Name + " | " + p.date(p.From).String() + " " + p.date(p.To).String() + " | " + p.date(p.Before().From).String(); got != want {
			t.Errorf("%q: %s, want %s", typed, got, want)
		}
		if !p.Before().To.Equal(p.From) {
			t.Errorf("%q: the period before ends at %s, and it begins at %s", typed, p.Before().To, p.From)
		}
	}
	for typed, want := range map[string]string{
		"soon":                     `"soon" is no period`,
		"2026-10-31 to 2026-10-01": "ends before it begins",
		"2027-01-01":               "has not begun yet",
		"500 days":                 "400 days at most",
		"-3 days":                  "is no period",
		"<!channel> `x`":           `"!channel x" is no period`,
	} {
		if _, err := ParsePeriod(strings.Fields(typed), "Europe/Berlin", now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", typed, err, want)
		}
	}
}

// The days of a period have all their hours, whatever the clocks do.
func TestPeriodsAcrossClockChanges(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	for typed, hours := range map[string]float64{"2026-03-29": 23, "2026-10-25": 25, "march": 31*24 - 1, "october": 31*24 + 1, "2026": 365 * 24} {
		p, err := ParsePeriod(strings.Fields(typed), "Europe/Berlin", now)
		if err != nil || p.To.Sub(p.From).Hours() != hours {
			t.Errorf("%s: %v hours, %v, want %v", typed, p.To.Sub(p.From).Hours(), err, hours)
		}
	}
}

func TestCoverOfferTimes(t *testing.T) {
	t.Parallel()
	c := Person{TimeZone: "Europe/Berlin"}.Clock()
	at := func(text string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04", text, c.zone.Location())
		if err != nil {
			t.Fatal(err)
		}
		return at.UTC()
	}
	for now, want := range map[string]string{
		"2026-03-03 06:59": "", "2026-03-03 07:00": "2026-03-03 09:00", "2026-03-03 11:59": "2026-03-03 09:00", "2026-03-03 12:00": "",
		"2026-03-07 07:00": "2026-03-07 08:00", // a Saturday
	} {
		m, ok := c.Morning(at(now))
		if ok != (want != "") || ok && !m.Offer.Equal(at(want)) {
			t.Errorf("%s: %v, offered at %s, want %s", now, ok, m.Offer, want)
		}
	}
}

// A period in progress is compared with the same part of the previous one.
func TestPeriodInProgress(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)
	for typed, want := range map[string]string{
		"this month": "November 2026 so far, 2026-11-18T12:00:00Z; October 2026 up to the same point, 2026-10-18T11:00:00Z", // October began in summer time
		"this week":  "16 – 22 Nov 2026 so far, 2026-11-18T12:00:00Z; 9 – 15 Nov 2026 up to the same point, 2026-11-11T12:00:00Z",
		"last week":  "9 – 15 Nov 2026, 2026-11-15T23:00:00Z; 2 – 8 Nov 2026, 2026-11-08T23:00:00Z",
	} {
		p, err := ParsePeriod(strings.Fields(typed), "Europe/Berlin", now)
		p = p.Until(now)
		b := p.Before()
		if got := p.Name + ", " + p.To.Format(time.RFC3339) + "; " + b.Name + ", " + b.To.Format(time.RFC3339); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", typed, got, err, want)
		}
	}
}
