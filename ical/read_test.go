package ical_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/ical"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// calendar wraps events, or anything else, into a calendar with RFC 5545's line endings.
func calendar(inside string) string {
	return strings.ReplaceAll("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y\n"+strings.TrimSpace(inside)+"\nEND:VCALENDAR\n", "\n", "\r\n")
}

func event(lines string) string {
	return "BEGIN:VEVENT\nUID:1\n" + strings.TrimSpace(lines) + "\nEND:VEVENT\n"
}

// repeatEvent repeats an event, each time with a UID of its own.
func repeatEvent(event string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Replace(event, "UID:1", fmt.Sprint("UID:", i), 1))
	}
	return b.String()
}

// read reads the time off in 2026 of somebody in Berlin, one line per span.
func read(t testing.TB, text string) (string, ical.Reading) {
	t.Helper()
	got, err := ical.ReadTimeOff(strings.NewReader(text), at(t, "2026-01-01T00:00:00Z"), at(t, "2027-01-01T00:00:00Z"), "Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, s := range got.Spans {
		line := s.Start.UTC().Format("01-02 15:04") + " – " + s.End.UTC().Format("01-02 15:04")
		if s.AllDay {
			line += " all day"
		}
		if s.Note != "" {
			line += " " + s.Note
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n"), got
}

func TestReadTimeOff(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{"in UTC", event("DTSTART:20260302T090000Z\nDTEND:20260302T100000Z\nSUMMARY:Dentist\\, then\\nlunch"), "03-02 09:00 – 03-02 10:00 Dentist, then lunch"},
		{"a zone of IANA", event("DTSTART;TZID=America/New_York:20260302T090000\nDTEND;TZID=America/New_York:20260302T100000"), "03-02 14:00 – 03-02 15:00"},
		{"a zone of Outlook", event("DTSTART;TZID=\"Pacific Standard Time\":20260302T090000\nDTEND;TZID=Pacific Standard Time:20260302T100000"), "03-02 17:00 – 03-02 18:00"},
		{"a zone with a path", event("DTSTART;TZID=/freeassociation.sourceforge.net/Asia/Tokyo:20260302T090000\nDURATION:PT1H"), "03-02 00:00 – 03-02 01:00"},
		{"a zone that says where it is", "BEGIN:VTIMEZONE\nTZID:Ours\nX-LIC-LOCATION:Asia/Tokyo\nEND:VTIMEZONE\n" + event("DTSTART;TZID=Ours:20260302T090000\nDURATION:PT1H"), "03-02 00:00 – 03-02 01:00"},
		{"no zone", event("DTSTART:20260302T090000\nDTEND:20260302T100000"), "03-02 08:00 – 03-02 09:00"},
		{"all day, at home", event("DTSTART;VALUE=DATE:20260302\nDTEND;VALUE=DATE:20260304\nSUMMARY:Holiday\nTRANSP:TRANSPARENT"), "03-01 23:00 – 03-03 23:00 all day Holiday"},
		{"all day without an end", event("DTSTART;VALUE=DATE:20260302"), "03-01 23:00 – 03-02 23:00 all day"},
		{"all day of 23 hours", event("DTSTART;VALUE=DATE:20260329\nDURATION:P1D"), "03-28 23:00 – 03-29 22:00 all day"},
		{"all day that ends where it begins", event("DTSTART;VALUE=DATE:20260302\nDTEND;VALUE=DATE:20260302"), "03-01 23:00 – 03-02 23:00 all day"},
		{"days and hours", event("DTSTART;TZID=Europe/Berlin:20260328T120000\nDURATION:P1DT2H"), "03-28 11:00 – 03-29 12:00"},
		{"a time that does not exist", event("DTSTART;TZID=Europe/Berlin:20260329T023000\nDTEND;TZID=Europe/Berlin:20260329T040000"), "03-29 01:00 – 03-29 02:00"},
		{"a time that exists twice", event("DTSTART;TZID=Europe/Berlin:20261025T023000\nDTEND;TZID=Europe/Berlin:20261025T030000"), "10-25 00:30 – 10-25 02:00"},
		{"cancelled", event("DTSTART:20260302T090000Z\nDTEND:20260302T100000Z\nSTATUS:CANCELLED"), ""},
		{"makes nobody busy", event("DTSTART:20260302T090000Z\nDTEND:20260302T100000Z\nTRANSP:TRANSPARENT"), ""},
		{"no length", event("DTSTART:20260302T090000Z"), ""},
		{"outside", event("DTSTART:20250302T090000Z\nDURATION:PT1H"), ""},
		{"over the edge", event("DTSTART:20251231T230000Z\nDURATION:PT2H"), "12-31 23:00 – 01-01 01:00"},
		{"folded, in small letters", strings.ReplaceAll(event("dtstart:20260302T0900\n 00Z\nDURATION:PT1H\nSUMMARY:Lo\n ng"), "BEGIN:VEVENT", "begin:vevent"), "03-02 09:00 – 03-02 10:00 Long"},
		{"every week over the change of clocks", event("DTSTART;TZID=Europe/Berlin:20260320T140000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3"), "03-20 13:00 – 03-20 14:00\n03-27 13:00 – 03-27 14:00\n04-03 12:00 – 04-03 13:00"},
		{"begun long ago", event("DTSTART;VALUE=DATE:19800115\nRRULE:FREQ=YEARLY\nSUMMARY:Birthday"), "01-14 23:00 – 01-15 23:00 all day Birthday"},
		{"until, in UTC", event("DTSTART;TZID=Europe/Berlin:20260601T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20260602T070000Z"), "06-01 07:00 – 06-01 08:00\n06-02 07:00 – 06-02 08:00"},
		{"until a day", event("DTSTART;TZID=Europe/Berlin:20260601T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20260602"), "06-01 07:00 – 06-01 08:00\n06-02 07:00 – 06-02 08:00"},
		{"the last Friday of a month", event("DTSTART;VALUE=DATE:20261030\nRRULE:FREQ=MONTHLY;BYDAY=-1FR"), "10-29 23:00 – 10-30 23:00 all day\n11-26 23:00 – 11-27 23:00 all day\n12-24 23:00 – 12-25 23:00 all day"},
		{"exceptions", event("DTSTART;TZID=Europe/Berlin:20260601T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE;TZID=Europe/Berlin:20260602T090000,20260603T090000"), "06-01 07:00 – 06-01 08:00\n06-04 07:00 – 06-04 08:00"},
		{"further dates", event("DTSTART;VALUE=DATE:20260601\nRDATE;VALUE=DATE:20260605,20260601"), "05-31 22:00 – 06-01 22:00 all day\n06-04 22:00 – 06-05 22:00 all day"},
		{"one of them moved, one cancelled", event("DTSTART:20260601T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3") +
			event("RECURRENCE-ID:20260602T090000Z\nDTSTART:20260602T150000Z\nDURATION:PT2H") +
			event("RECURRENCE-ID:20260603T090000Z\nDTSTART:20260603T090000Z\nDURATION:PT1H\nSTATUS:CANCELLED"), "06-01 09:00 – 06-01 10:00\n06-02 15:00 – 06-02 17:00"},
		{"a whole day of it left out, by its midnight in UTC", event("DTSTART;VALUE=DATE:20260302\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260302T230000Z"), "03-01 23:00 – 03-02 23:00 all day\n03-03 23:00 – 03-04 23:00 all day"},
		{"a whole day of it left out, by a midnight", event("DTSTART;VALUE=DATE:20260302\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260303T000000Z"), "03-01 23:00 – 03-02 23:00 all day\n03-03 23:00 – 03-04 23:00 all day"},
		{"two rules", event("DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=2\nRRULE:FREQ=MONTHLY;COUNT=2"), "03-02 09:00 – 03-02 10:00\n03-09 09:00 – 03-09 10:00\n04-02 09:00 – 04-02 10:00"},
		{"a rule of exceptions", event("DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4\nEXRULE:FREQ=DAILY;INTERVAL=2;COUNT=2"), "03-03 09:00 – 03-03 10:00\n03-05 09:00 – 03-05 10:00"},
		{"periods", event("DTSTART:20260302T090000Z\nDURATION:PT1H\nRDATE;VALUE=PERIOD:20260303T090000Z/PT3H,20260304T090000Z/20260304T110000Z"), "03-02 09:00 – 03-02 10:00\n03-03 09:00 – 03-03 12:00\n03-04 09:00 – 03-04 11:00"},
		{"declined by everybody", event("DTSTART:20260302T090000Z\nDURATION:PT1H\nATTENDEE;PARTSTAT=DECLINED:mailto:ann@example.com"), ""},
		{"declined by somebody", event("DTSTART:20260302T090000Z\nDURATION:PT1H\nATTENDEE;PARTSTAT=DECLINED:mailto:ann@example.com\nATTENDEE;PARTSTAT=ACCEPTED:mailto:bo@example.com"), "03-02 09:00 – 03-02 10:00"},
		{"declined by the owner", "X-WR-CALNAME:ann@example.com\n" + event("DTSTART:20260302T090000Z\nDURATION:PT1H\nATTENDEE;PARTSTAT=ACCEPTED:mailto:bo@example.com\nATTENDEE;PARTSTAT=DECLINED:MAILTO:Ann@example.com"), ""},
		{"out of office, though transparent", event("DTSTART:20260302T090000Z\nDURATION:PT1H\nTRANSP:TRANSPARENT\nX-MICROSOFT-CDO-BUSYSTATUS:OOF"), "03-02 09:00 – 03-02 10:00"},
		{"whole days of Exchange", event("DTSTART;TZID=W. Europe Standard Time:20260302T000000\nDTEND;TZID=W. Europe Standard Time:20260303T000000\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE\nTRANSP:TRANSPARENT"), "03-01 23:00 – 03-02 23:00"},
		{"without seconds", event("DTSTART:20260302T0900z\nDTEND:20260302T1000z"), "03-02 09:00 – 03-02 10:00"},
		{"until 24:00", event("DTSTART:20260302T090000\nDTEND:20260302T240000"), "03-02 08:00 – 03-02 23:00"},
		{"ISO 8601", event("DTSTART:2026-03-02T09:00:00Z\nDTEND:2026-03-02T12:00:00.000+01:00"), "03-02 09:00 – 03-02 11:00"},
		{"ISO 8601 days", event("DTSTART:2026-03-02\nDTEND;VALUE=DATE:2026-03-04"), "03-01 23:00 – 03-03 23:00 all day"},
		{"a zone in small letters", event("DTSTART;TZID=america/new_york:20260302T090000\nDURATION:PT1H"), "03-02 14:00 – 03-02 15:00"},
		{"a zone's name in summer", event("DTSTART;TZID=Pacific Daylight Time:20260702T090000\nDURATION:PT1H"), "07-02 16:00 – 07-02 17:00"},
		{"in ISO 8859-1", event("DTSTART:20260302T090000Z\nDURATION:PT1H\nSUMMARY:Urlaub f\xfcr Anne"), "03-02 09:00 – 03-02 10:00 Urlaub für Anne"},
		{"folded within a letter", event("DTSTART:20260302T090000Z\nDURATION:PT1H\nSUMMARY:\xc3\n \xa4rger"), "03-02 09:00 – 03-02 10:00 ärger"},
	} {
		got, reading := read(t, calendar(test.in))
		if diff := cmp.Diff(test.want, got); diff != "" || reading.Skipped != 0 || len(reading.Zones) != 0 {
			t.Errorf("%s: skipped %d, zones %q (-want +got):\n%s", test.name, reading.Skipped, reading.Zones, diff)
		}
	}
}

// An event that is not understood does not affect the others.
func TestStrangeEventsAreSkipped(t *testing.T) {
	t.Parallel()
	good := strings.Replace(event("DTSTART:20260302T090000Z\nDURATION:PT1H"), "UID:1", "UID:2", 1)
	for _, bad := range []string{
		"SUMMARY:no start", "DTSTART:yesterday\nDURATION:PT1H", "DTSTART;VALUE=DATE:2026", "DTSTART:99990101T000000Z\nDURATION:PT1H",
		"DTSTART:20260302T090000Z\nDTEND:20260301T090000Z", "DTSTART:20260302T090000Z\nDURATION:P9999D", "DTSTART:20260302T090000Z\nDURATION:soon",
	} {
		got, reading := read(t, calendar(event(bad)+good))
		if got != "03-02 09:00 – 03-02 10:00" || reading.Skipped != 1 {
			t.Errorf("%s: skipped %d, read %s, want \"03-02 09:00 – 03-02 10:00\" and Skipped 1", bad, reading.Skipped, got)
		}
	}
	// If an event's rule can't be followed, its first occurrence counts.
	for _, bad := range []string{
		"DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;INTERVAL=0", "DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:INTERVAL=-00;FREQ=DAILY",
		"DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;INTERVAL=-1", "DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=-1",
		"DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=MONTHLY;BYMONTHDAY=5,0", "DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0",
		"DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=MONTHLY;BYDAY=0MO", "DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=YEARLY;BYMONTH=0",
		"DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=SECONDLY", "DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY;BYHOUR=1;INTERVAL=24",
		"DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;INTERVAL=9223372036854775807", "DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=0", "DTSTART:20260102T090000Z\nDURATION:PT1H\nRRULE:FREQ=MONTHLY;BYDAY=-53MO",
		"DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=YEARLY;BYEASTER=100000", "DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYSECOND=" + strings.Repeat("1,", 60) + "1",
	} {
		got, reading := read(t, calendar(event(bad+"\nSUMMARY:Course")+good))
		first := "03-02 09:00 – 03-02 10:00 Course\n03-02 09:00 – 03-02 10:00"
		if strings.Contains(bad, "20260102") {
			first = "01-02 09:00 – 01-02 10:00 Course\n03-02 09:00 – 03-02 10:00"
		}
		if got != first || reading.Skipped != 0 {
			t.Errorf("%s: read %s and skipped %d, want %s and none", bad, got, reading.Skipped, first)
		}
		if len(reading.Troubles) != 1 || !strings.HasPrefix(reading.Troubles[0], `"Course" of `) {
			t.Errorf("%s: got the troubles %q, want one about the course", bad, reading.Troubles)
		}
	}
	// Malformed lines are skipped, including those that break the library.
	for _, bad := range []string{"X;A=b", "X", ";:", "X;=:", `X;A="b:`, "\x00", "X;A=b;"} {
		if got, _ := read(t, calendar(bad+"\n"+good)); got != "03-02 09:00 – 03-02 10:00" {
			t.Errorf("%q: read %q, want \"03-02 09:00 – 03-02 10:00\"", bad, got)
		}
	}
}

func TestUnknownZonesAreNamed(t *testing.T) {
	t.Parallel()
	got, reading := read(t, calendar(event("DTSTART;TZID=Middle Earth:20260302T090000\nDTEND;TZID=Middle Earth:20260302T100000")))
	if got != "03-02 08:00 – 03-02 09:00" || !cmp.Equal(reading.Zones, []string{"Middle Earth"}) {
		t.Errorf("got %s, unknown zones %q, want Middle Earth", got, reading.Zones)
	}
}

// Anything that is not a calendar, or is malicious, is refused quickly and in one sentence.
func TestHostileCalendars(t *testing.T) {
	t.Parallel()
	rules := repeatEvent(event("DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), 100)
	for name, test := range map[string]struct{ in, want string }{
		"nothing":                 {"", "not a calendar"},
		"a page":                  {"<html><body>Sign in</body></html>", "not a calendar"},
		"half":                    {"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "not a calendar"},
		"too large":               {strings.Repeat("x", 5<<20), "larger than 4 MB"},
		"too deep":                {strings.Repeat("BEGIN;X=1:VEVENT\r\n", 200_000), "nested too deeply"},
		"too many":                {calendar(strings.Repeat("BEGIN:VEVENT\nEND:VEVENT\n", 20_001)), "more than 20000 events"},
		"too many spans":          {calendar(repeatEvent(event("DTSTART:20260302T090000Z\nDURATION:PT1H"), 5001)), "more than 5000 events in this time"},
		"too many rules":          {calendar(repeatEvent(event("DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=YEARLY"), 301)), "more than 300 events that come back"},
		"ended rules":             {calendar(repeatEvent(event("DTSTART:20240302T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20240401"), 1000)), ""},
		"too often":               {calendar(repeatEvent(event("DTSTART:19000302T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7,8,9"), 2)), "come back too often"},
		"never":                   {calendar(rules), ""},
		"zones that never change": {calendar(strings.Repeat("BEGIN:VTIMEZONE\nTZID:a\n"+strings.Repeat("BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\nEND:STANDARD\n", 40)+"END:VTIMEZONE\n", 300)), ""},
		"one long line":           {calendar("X;A=" + strings.Repeat("b", 3<<20) + ":c"), ""},
	} {
		if testing.Short() && (name == "never" || name == "zones that never change") {
			continue // half a minute under the race detector; `make test` tries them without
		}
		begun := time.Now()
		_, err := ical.ReadTimeOff(strings.NewReader(test.in), at(t, "2026-01-01T00:00:00Z"), at(t, "2027-01-01T00:00:00Z"), "UTC")
		switch refusal, ok := errors.AsType[oncall.Refusal](err); {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v, want no error", name, err)
		case test.want != "" && (!ok || !strings.Contains(refusal.Error(), test.want)):
			t.Errorf("%s: %v, want a refusal with %q", name, err, test.want)
		}
		if took := time.Since(begun); took > 20*time.Second { // generous: the race detector and other tests slow it down
			t.Errorf("%s took %v, want at most 20 s", name, took)
		}
	}
}

func TestEveryWindowsZoneIsKnown(t *testing.T) {
	t.Parallel()
	for windows, want := range map[string]string{
		"W. Europe Standard Time": "Europe/Berlin", "GMT Standard Time": "Europe/London", "Eastern Standard Time": "America/New_York",
		"India Standard Time": "Asia/Kolkata", "AUS Eastern Standard Time": "Australia/Sydney", "UTC": "UTC", "Tokyo Standard Time": "Asia/Tokyo",
	} {
		zone, err := schedule.LoadZone(want)
		if err != nil {
			t.Fatal(err)
		}
		start := zone.Instant(schedule.Date{Year: 2026, Month: 7, Day: 1}, 9*60)
		got, reading := read(t, calendar(event(fmt.Sprintf("DTSTART;TZID=%s:20260701T090000\nDURATION:PT1H", windows))))
		if want := start.Format("01-02 15:04") + " – " + start.Add(time.Hour).Format("01-02 15:04"); got != want || len(reading.Zones) > 0 {
			t.Errorf("%s: %s, want %s", windows, got, want)
		}
	}
}

func FuzzReadTimeOff(f *testing.F) {
	f.Add(calendar(event("DTSTART;TZID=Europe/Berlin:20260601T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE:20260602T070000Z")))
	f.Add(calendar(event("DTSTART;VALUE=DATE:20260601\nDTEND;VALUE=DATE:20260603\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=1")))
	f.Add(calendar("BEGIN:VTIMEZONE\nTZID:a\nX-LIC-LOCATION:Asia/Tokyo\nEND:VTIMEZONE\n" + event("DTSTART;TZID=a:20260601T090000\nRDATE;VALUE=PERIOD:20260601T090000Z/PT1H")))
	f.Fuzz(func(t *testing.T, text string) {
		from, to := at(t, "2026-01-01T00:00:00Z"), at(t, "2027-01-01T00:00:00Z")
		got, err := ical.ReadTimeOff(strings.NewReader(text), from, to, "Europe/Berlin")
		if err != nil {
			if _, ok := errors.AsType[oncall.Refusal](err); !ok {
				t.Fatalf("got the error %v, want a Refusal", err)
			}
		}
		for _, s := range got.Spans {
			if !s.Start.Before(s.End) || !s.Start.Before(to) || !s.End.After(from) {
				t.Errorf("got a span %v – %v, want it to end after it starts, and to meet %v – %v", s.Start, s.End, from, to)
			}
		}
	})
}
