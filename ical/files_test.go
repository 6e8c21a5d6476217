package ical_test

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// Calendars as written by widespread programs, read by somebody in Berlin, with each kind of line
// ending.
func TestCalendarsOfWidespreadPrograms(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"google.ics": `
03-17 13:00 – 03-17 17:00 Course
04-01 07:00 – 04-01 08:00 Course, moved to Wednesday
04-06 22:00 – 04-10 22:00 all day Easter holidays, a day shorter
04-07 12:00 – 04-07 16:00 Course
04-14 12:00 – 04-14 16:00 Course
05-20 13:00 – 05-20 21:00 By the calendar's own clock`,
		"outlook.ics": `
03-09 13:00 – 03-09 21:00 In the office of New York
04-13 13:00 – 04-13 21:00 In the office of New York
05-11 13:00 – 05-11 21:00 In the office of New York
07-12 22:00 – 07-24 22:00 Urlaub
07-13 13:00 – 07-13 14:00 Doctor`,
		"icloud.ics": `
06-02 08:00 – 06-02 12:00 Training
06-03 08:00 – 06-03 12:00 Training
06-04 13:30 – 06-04 16:30 Training in the afternoon
06-05 13:30 – 06-05 16:30 Training in the afternoon
08-02 22:00 – 08-14 22:00 all day Summer, with a title that is so long that it must be folded in the middle of a word`,
		"nextcloud.ics": `
05-04 05:00 – 05-04 09:00 Flight
05-05 16:00 – 05-06 16:00 Journey
09-06 22:00 – 09-13 22:00 all day Parental leave
09-14 07:00 – 09-14 10:00 Physiotherapy
09-16 07:00 – 09-16 10:00 Physiotherapy
10-04 22:00 – 10-05 22:00 all day School
12-20 23:00 – 12-21 23:00 all day Christmas
12-21 23:00 – 12-22 23:00 all day Christmas
12-22 23:00 – 12-23 23:00 all day Christmas
"School" of Mon 5 Oct 2026: its rule "FREQ=EVERYWEEK;BYDAY=MO" can't be followed`,
		"personio.ics": `
02-16 23:00 – 02-20 23:00 all day Ann: Paid vacation; one day less
03-02 23:00 – 03-03 11:00 Ann: half a day`,
		"bamboohr.ics": `
05-31 22:00 – 06-01 22:00 all day Bo (Vacation - 1 day)
06-07 22:00 – 06-12 22:00 all day Bo (Vacation - 5 days)`,
	} {
		data, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []func(string) string{withLineEndings("\n"), withLineEndings("\r\n"), withLineEndings("\r"), utf16LE} {
			got, reading := read(t, form(string(data)))
			for _, trouble := range reading.Troubles {
				trouble, _, _ = strings.Cut(trouble, " (")
				got += "\n" + trouble
			}
			if diff := cmp.Diff(strings.TrimSpace(want), got); diff != "" || reading.Skipped != 0 || len(reading.Zones) != 0 {
				t.Errorf("%s: skipped %d, zones %q (-want +got):\n%s", file, reading.Skipped, reading.Zones, diff)
			}
		}
	}
}

// withLineEndings rewrites a text with other line endings.
func withLineEndings(with string) func(string) string {
	return func(text string) string { return strings.ReplaceAll(text, "\n", with) }
}

// utf16LE writes a text as Windows programs do.
func utf16LE(text string) string {
	out := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return string(out)
}

// A time zone by any name or rules that calendars use.
func TestZonesByAnyName(t *testing.T) {
	t.Parallel()
	for zone, want := range map[string]string{ // 1 July, 09:00
		"(UTC-05:00) Eastern Time (US & Canada)":                            "13:00",
		"(GMT-05:00) Eastern Time (US & Canada)":                            "13:00",
		"Eastern Time (US & Canada)":                                        "13:00",
		"(UTC-08:00) Pacific Time (US & Canada)":                            "16:00",
		"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna":      "07:00",
		"(GMT+01.00) Amsterdam / Berlin / Bern / Rome / Stockholm / Vienna": "07:00",
		"(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi":                   "03:30",
		"(UTC) Dublin, Edinburgh, Lisbon, London":                           "08:00",
		"(UTC+00:00) Dublin, Edinburgh, Lisbon, London":                     "08:00",
		"(UTC) Coordinated Universal Time":                                  "09:00",
		"(UTC-07:00) Arizona":                                               "16:00",
		"(UTC+04:00) Some new place":                                        "05:00",
		"UTC+03:00":                                                         "06:00",
		"UTC-3":                                                             "12:00",
		"GMT+0530":                                                          "03:30",
		"+02:00":                                                            "07:00",
		"(GMT+01:00) Central European Time - Berlin":                        "07:00",
		"(GMT-05:00) Eastern Time - New York":                               "13:00",
		"Europe/Berlin (CET)":                                               "07:00",
		"America/New York":                                                  "13:00",
		"america/new_york":                                                  "13:00",
		"Tokyo":                                                             "00:00",
		"CEST":                                                              "07:00",
		"PDT":                                                               "16:00",
		"Eastern Time":                                                      "13:00",
		"Mitteleuropäische Zeit":                                            "07:00",
		"Z":                                                                 "09:00",
		"Etc/GMT-3":                                                         "06:00",
		"tzone://Microsoft/Utc":                                             "09:00",
	} {
		for _, quote := range []string{`"`, ""} {
			if quote == "" && strings.ContainsAny(zone, ",;") {
				continue
			}
			got, reading := read(t, calendar(event("DTSTART;TZID="+quote+zone+quote+":20260701T090000\nDURATION:PT1H")))
			if !strings.HasPrefix(got, "07-01 "+want) || len(reading.Zones) != 0 {
				t.Errorf("%s%s: %s, want %s; unknown: %q", quote, zone, got, want, reading.Zones)
			}
		}
	}
	const rules = `BEGIN:VTIMEZONE
TZID:Ours
BEGIN:STANDARD
DTSTART:20201101T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RDATE:20251102T020000,20261101T020000
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20260308T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
END:VTIMEZONE
`
	for day, want := range map[string]string{"20260307": "03-07 14:00", "20260308": "03-08 13:00", "20261031": "10-31 13:00", "20261101": "11-01 14:00"} {
		got, reading := read(t, calendar(rules+event("DTSTART;TZID=Ours:"+day+"T090000\nDURATION:PT1H")))
		if !strings.HasPrefix(got, want) || len(reading.Zones) != 0 {
			t.Errorf("by rules, on %s: %s, want %s; unknown: %q", day, got, want, reading.Zones)
		}
	}
}

// The latest of several versions of an event counts, whatever their order.
func TestLatestEventVersionWins(t *testing.T) {
	t.Parallel()
	version := func(day, more string) string { return event("DTSTART;VALUE=DATE:202603" + day + "\n" + more) }
	for name, test := range map[string]struct{ in, want string }{
		"by SEQUENCE":            {version("02", "SEQUENCE:2") + version("09", "SEQUENCE:0"), "03-01 23:00 – 03-02 23:00 all day"},
		"by SEQUENCE, behind":    {version("09", "SEQUENCE:9") + version("02", "SEQUENCE:10"), "03-01 23:00 – 03-02 23:00 all day"},
		"before DTSTAMP":         {version("02", "SEQUENCE:1\nDTSTAMP:20260101T000000Z") + version("09", "DTSTAMP:20260201T000000Z"), "03-01 23:00 – 03-02 23:00 all day"},
		"by DTSTAMP":             {version("02", "DTSTAMP:20260202T000000Z") + version("09", "DTSTAMP:20260201T000000Z"), "03-01 23:00 – 03-02 23:00 all day"},
		"by LAST-MODIFIED":       {version("02", "LAST-MODIFIED:20260202T000000Z") + version("09", "LAST-MODIFIED:20260201T000000Z"), "03-01 23:00 – 03-02 23:00 all day"},
		"cancelled later":        {version("02", "SEQUENCE:1\nSTATUS:CANCELLED") + version("02", "SEQUENCE:0"), ""},
		"not cancelled any more": {version("02", "SEQUENCE:1") + version("02", "SEQUENCE:0\nSTATUS:CANCELLED"), "03-01 23:00 – 03-02 23:00 all day"},
		"the same twice":         {version("02", "") + version("02", ""), "03-01 23:00 – 03-02 23:00 all day"},
		"nobody knows":           {version("02", "") + version("09", ""), "03-01 23:00 – 03-02 23:00 all day\n03-08 23:00 – 03-09 23:00 all day"},
		"of a recurrence": {
			version("02", "RRULE:FREQ=WEEKLY;COUNT=2") + version("11", "RECURRENCE-ID;VALUE=DATE:20260309\nSEQUENCE:2") + version("12", "RECURRENCE-ID;VALUE=DATE:20260309\nSEQUENCE:1"),
			"03-01 23:00 – 03-02 23:00 all day\n03-10 23:00 – 03-11 23:00 all day",
		},
		"a series that is cancelled": {version("02", "RRULE:FREQ=WEEKLY;COUNT=3\nSEQUENCE:3\nSTATUS:CANCELLED") + version("11", "RECURRENCE-ID;VALUE=DATE:20260309\nSEQUENCE:1"), ""},
	} {
		if got, _ := read(t, calendar(test.in)); got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, test.want)
		}
	}
	split := calendar(version("02", "SEQUENCE:0")) + strings.Replace(calendar(version("02", "SEQUENCE:1")), "VERSION", "METHOD:CANCEL\r\nVERSION", 1)
	if got, _ := read(t, split); got != "" {
		t.Errorf("cancelled in a second calendar of the file: got %s, want \"\"", got)
	}
}
