package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// berlin returns a reader for Wednesday 4 March 2026, 15:30.
func berlin(t testing.TB) schedule.Reader {
	t.Helper()
	zone, err := schedule.LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return schedule.Reader{Zone: zone, Now: time.Date(2026, 3, 4, 14, 30, 0, 0, time.UTC)}
}

const wall = "2006-01-02 15:04"

// TestMomentUnderstandsWhatPeopleWrite reads instants in Berlin. "?" is a question; "" is no time at all.
func TestMomentUnderstandsWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	r := berlin(t)
	location, _ := time.LoadLocation("Europe/Berlin")
	for in, want := range map[string]string{
		"now": "2026-03-04 15:30", "NOW": "2026-03-04 15:30", "right now": "2026-03-04 15:30", "jetzt": "2026-03-04 15:30",
		"in 2 hours": "2026-03-04 17:30", "in an hour": "2026-03-04 16:30", "in 90 min": "2026-03-04 17:00", "in 2h": "2026-03-04 17:30",
		"in 30 min": "2026-03-04 16:00", "in half an hour": "2026-03-04 16:00", "in 1h30": "2026-03-04 17:00", "in 1.5 hours": "2026-03-04 17:00",
		"in 2 and a half hours": "2026-03-04 18:00", "in a couple of days": "2026-03-06 15:30", "in zwei Stunden": "2026-03-04 17:30",
		"in two hours": "2026-03-04 17:30", "in 3 days": "2026-03-07 15:30", "in 4 weeks": "2026-04-01 15:30", "in 2 months": "2026-05-04 15:30",

		"18:00": "2026-03-04 18:00", "9:00": "2026-03-05 09:00", "at 6pm": "2026-03-04 18:00", "6:45PM": "2026-03-04 18:45", "6 p.m.": "2026-03-04 18:00",
		"noon": "2026-03-05 12:00", "midnight": "2026-03-05 00:00", "17h": "2026-03-04 17:00", "17h30": "2026-03-04 17:30", "17 Uhr": "2026-03-04 17:00",
		"um 17 Uhr": "2026-03-04 17:00", "at 17": "2026-03-04 17:00", "at 9": "2026-03-05 09:00", "17.30": "2026-03-04 17:30", "9.12 Uhr": "2026-03-05 09:12",
		"0930": "2026-03-05 09:30", "12am": "2026-03-05 00:00", "12pm": "2026-03-05 12:00", "8 o'clock": "2026-03-05 08:00",
		"at 5": "?", "tomorrow 5": "?", "tomorrow at 05": "2026-03-05 05:00",

		"today": "2026-03-04 15:30", "today 9:00": "2026-03-04 09:00", "tomorrow": "2026-03-05 09:00", "tomorrow 9:00": "2026-03-05 09:00",
		"9:00 tomorrow": "2026-03-05 09:00", "tomorrow at 9:00": "2026-03-05 09:00", "tomorrow 9": "2026-03-05 09:00", "yesterday 9:00": "2026-03-03 09:00",
		"day after tomorrow": "2026-03-06 09:00", "the day after tomorrow noon": "2026-03-06 12:00", "übermorgen 9 Uhr": "2026-03-06 09:00",
		"morgen": "2026-03-05 09:00", "heute 18 Uhr": "2026-03-04 18:00", "morgen früh": "2026-03-05 09:00", "heute Abend": "2026-03-04 18:00",
		"tonight": "2026-03-04 18:00", "tomorrow night": "2026-03-05 18:00", "this evening": "2026-03-04 18:00", "tomorrow afternoon": "2026-03-05 13:00",
		"monday morning": "2026-03-09 09:00", "Montag Morgen": "2026-03-09 09:00",

		"fri": "2026-03-06 09:00", "fri 18:00": "2026-03-06 18:00", "on Friday, 18:00": "2026-03-06 18:00", "friday 9am": "2026-03-06 09:00",
		"wed 18:00": "2026-03-04 18:00", "wed 9:00": "2026-03-11 09:00", "wednesday": "2026-03-11 09:00", "Freitag 18 Uhr": "2026-03-06 18:00",
		"fr 18:00": "2026-03-06 18:00", "am Freitag um 18 Uhr": "2026-03-06 18:00", "this friday": "2026-03-06 09:00", "this fri 6pm": "2026-03-06 18:00",
		"next friday": "2026-03-13 09:00", "next friday 9:00": "2026-03-13 09:00", "next monday 10:00": "2026-03-09 10:00", "next wed 18:00": "2026-03-11 18:00",
		"nächsten Freitag": "2026-03-13 09:00", "last friday": "2026-02-27 09:00", "next week": "2026-03-09 09:00", "this weekend": "2026-03-07 09:00", "next weekend": "2026-03-14 09:00",
		"next month": "2026-04-01 09:00", "nächste Woche": "2026-03-09 09:00", "week 50": "2026-12-07 09:00", "KW 9": "2027-03-01 09:00",

		"24 dec": "2026-12-24 09:00", "24 dec 9:00": "2026-12-24 09:00", "at 9am on December 24th": "2026-12-24 09:00", "24. Dezember": "2026-12-24 09:00",
		"24 Dec. 2027, 18:00": "2027-12-24 18:00", "the 24th of december": "2026-12-24 09:00", "dec 24": "2026-12-24 09:00", "dec 24 2027": "2027-12-24 09:00",
		"4 march": "2026-03-04 15:30", "3 mar": "2027-03-03 09:00", "29 feb": "2028-02-29 09:00", "29 feb 2028": "2028-02-29 09:00",
		"24.12.": "2026-12-24 09:00", "24.12": "2026-12-24 09:00", "24.12.2026": "2026-12-24 09:00", "24.12.26 18:00": "2026-12-24 18:00",
		"12/24": "2026-12-24 09:00", "24/12": "2026-12-24 09:00", "12/24/2026": "2026-12-24 09:00", "12/24/26 6pm": "2026-12-24 18:00", "24/12/2026": "2026-12-24 09:00",
		"3/4": "?", "3/4/2026": "?", "3/4 18:00": "?", "5/5": "2026-05-05 09:00",
		"2026-12-24": "2026-12-24 09:00", "2026/12/24": "2026-12-24 09:00", "2026-12-24 09:00": "2026-12-24 09:00", "2026-12-24T09:00": "2026-12-24 09:00",
		"2026-12-24T09:00:00Z": "2026-12-24 10:00", "2026-12-24T09:00:00+05:30": "2026-12-24 04:30", "2026-12-24 09:00 UTC": "2026-12-24 10:00",
		"the 24th": "2026-03-24 09:00", "2nd": "2026-04-02 09:00",
		"Tue 1 Dec 09:00": "2026-12-01 09:00", "thu 24 dec": "2026-12-24 09:00", "Thursday, December 24": "2026-12-24 09:00", "mon 1 dec 2026": "?",
		"2026-03-29 02:30": "2026-03-29 03:00", "2026-10-25 02:30": "2026-10-25 02:30", "end of the day": "2026-03-05 00:00", "end of week": "2026-03-09 00:00",

		"tomorrow evening 8pm": "2026-03-05 20:00", "tonight 8": "2026-03-04 20:00", "tonight at 20:30": "2026-03-04 20:30", "tonight 3am": "2026-03-05 03:00",
		"tonight at midnight": "2026-03-05 00:00", "monday morning at 8": "2026-03-09 08:00", "friday 5 in the afternoon": "2026-03-06 17:00",
		"8 in the evening": "2026-03-04 20:00", "in the morning": "2026-03-05 09:00", "9 Uhr abends": "2026-03-04 21:00", "heute Abend um 8": "2026-03-04 20:00",
		"12 noon": "2026-03-05 12:00", "12:00 midnight": "2026-03-05 00:00", "18:00:30": "2026-03-04 18:00", "um 10.12": "2026-03-05 10:12", "10.12": "2026-12-10 09:00",
		"2026-12-24T18:00Z": "2026-12-24 19:00", "2026-12-24T18:00-05:00": "2026-12-25 00:00", "2026-12-24 18:00:00 +0100": "2026-12-24 18:00",
		"20261224T180000Z": "2026-12-24 19:00", "2026-12-24T18:00:00": "2026-12-24 18:00", "18:00Z": "2026-03-04 19:00", "18:00+02:00": "2026-03-04 17:00",
		"18:00 EST": "2026-03-05 00:00", "tomorrow 9am PST": "2026-03-05 18:00", "18:00 America/New_York": "2026-03-05 00:00", "6pm america/los_angeles": "2026-03-05 03:00",
		"24-12-2026": "2026-12-24 09:00", "24-Dec-2026": "2026-12-24 09:00", "24-dec": "2026-12-24 09:00", "2026-3-5": "2026-03-05 09:00", "2026.03.05": "2026-03-05 09:00",
		"3-4-2026": "?", "friday next week": "2026-03-13 09:00", "next week friday": "2026-03-13 09:00", "wed of next week 18:00": "2026-03-11 18:00",
		"this week friday": "2026-03-06 09:00", "end of march": "2026-04-01 00:00", "end of the year": "2027-01-01 00:00", "next year": "2027-01-01 09:00",
		"in a year": "2027-03-04 15:30", "\"tomorrow\"": "2026-03-05 09:00", "(tomorrow.)": "2026-03-05 09:00", "Thu, 5 Mar 2026 09:00:00 +0100": "2026-03-05 09:00",
		"12/24 at 5": "?", "18:00 Foo/Bar": "", "18:00 /": "", "24-xyz": "", "18:00:60": "",

		"": "", "9": "", "25:00": "", "frday 18:00": "", "in": "", "in 2 fortnights": "", "in -2 hours": "", "in 99999999 days": "", "18:00 19:00": "",
		"fri sat": "", "next tomorrow": "", "next 9:00": "", "2026-02-30": "?", "30 feb": "?", "24 dec 25 dec": "", "24": "", "dec": "", "at": "", "13/13": "",
		"32.12.": "?", "13pm": "", "in payments": "", "may": "", "payments": "",
	} {
		words := strings.Fields(in)
		m, n, err := r.Moment(words)
		got := m.At().In(location).Format(wall)
		switch {
		case err != nil:
			got = "?"
		case n != len(words) || n == 0:
			got = ""
		}
		if got != want {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
}

// TestSpanUnderstandsWhatPeopleWrite reads stretches of time in Berlin: from, to and what is left of the words. "?" is a question.
func TestSpanUnderstandsWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	r := berlin(t)
	location, _ := time.LoadLocation("Europe/Berlin")
	for _, c := range []struct{ in, want string }{
		{"18:00 to 20:00", "2026-03-04 18:00/2026-03-04 20:00"},
		{"18:00-20:00", "2026-03-04 18:00/2026-03-04 20:00"},
		{"6pm–8pm payments", "2026-03-04 18:00/2026-03-04 20:00/payments"},
		{"6-8pm", "2026-03-04 18:00/2026-03-04 20:00"},
		{"9-17 payments-primary", "2026-03-05 09:00/2026-03-05 17:00/payments-primary"},
		{"9am-5pm", "2026-03-05 09:00/2026-03-05 17:00"},
		{"9am-5", "2026-03-05 09:00/2026-03-05 17:00"},
		{"9-5pm", "2026-03-05 09:00/2026-03-05 17:00"},
		{"11-2pm", "2026-03-05 11:00/2026-03-05 14:00"},
		{"17h-22h", "2026-03-04 17:00/2026-03-04 22:00"},
		{"9h to 17h30", "2026-03-05 09:00/2026-03-05 17:30"},
		{"9-5", "?"},
		{"2-4", "?"},
		{"10-2", "?"},
		{"9:00 to 5:00", "?"},
		{"7-11", "2026-03-05 07:00/2026-03-05 11:00"},
		{"tomorrow 1 to 3", "?"},
		{"22-6", "2026-03-04 22:00/2026-03-05 06:00"},
		{"22:00 to 6:00", "2026-03-04 22:00/2026-03-05 06:00"},
		{"tomorrow 9-17", "2026-03-05 09:00/2026-03-05 17:00"},
		{"9 to 17 tomorrow", "2026-03-05 09:00/2026-03-05 17:00"},
		{"tomorrow 9 to 17 in Payments EU", "2026-03-05 09:00/2026-03-05 17:00/in Payments EU"},
		{"from today 18:00 until 22:00 in Payments EU", "2026-03-04 18:00/2026-03-04 22:00/in Payments EU"},
		{"today 18:00 to 22:00 at the doctor's", "2026-03-04 18:00/2026-03-04 22:00/at the doctor's"},
		{"fri 18:00 to 22:00 so that Ann can rest", "2026-03-06 18:00/2026-03-06 22:00/so that Ann can rest"},
		{"fri 18:00 to mon 9:00 payments", "2026-03-06 18:00/2026-03-09 09:00/payments"},
		{"fri to mon", "2026-03-06 00:00/2026-03-10 00:00"},
		{"fri-mon", "2026-03-06 00:00/2026-03-10 00:00"},
		{"fri to mon 9:00", "2026-03-06 00:00/2026-03-09 09:00"},
		{"Fr bis Mo", "2026-03-06 00:00/2026-03-10 00:00"},
		{"mon-fri", "2026-03-09 00:00/2026-03-14 00:00"},
		{"mon to fri", "2026-03-09 00:00/2026-03-14 00:00"},
		{"mon-fri 9-17", "2026-03-09 09:00/2026-03-13 17:00 mon-fri 09:00-17:00"},
		{"9-17 mon-fri ops", "2026-03-09 09:00/2026-03-13 17:00 mon-fri 09:00-17:00/ops"},
		{"mon-fri 22:00-06:00", "2026-03-09 22:00/2026-03-14 06:00 mon-fri 22:00-06:00"},
		{"mon 9 to fri 17", "2026-03-09 09:00/2026-03-13 17:00"},
		{"next week", "2026-03-09 00:00/2026-03-16 00:00"},
		{"this week", "2026-03-04 15:30/2026-03-09 00:00"},
		{"this weekend ops", "2026-03-07 00:00/2026-03-09 00:00/ops"},
		{"next week 9-17", "2026-03-09 09:00/2026-03-15 17:00 daily 09:00-17:00"},
		{"saturday", "2026-03-07 00:00/2026-03-08 00:00"},
		{"today", "2026-03-04 15:30/2026-03-05 00:00"},
		{"24 dec", "2026-12-24 00:00/2026-12-25 00:00"},
		{"this friday", "2026-03-06 00:00/2026-03-07 00:00"},
		{"next friday", "2026-03-13 00:00/2026-03-14 00:00"},
		{"all day tomorrow", "2026-03-05 00:00/2026-03-06 00:00"},
		{"tomorrow all day ops", "2026-03-05 00:00/2026-03-06 00:00/ops"},
		{"tonight", "2026-03-04 18:00/2026-03-05 09:00"},
		{"tomorrow night payments", "2026-03-05 18:00/2026-03-06 09:00/payments"},
		{"monday morning", "2026-03-09 09:00/2026-03-09 12:00"},
		{"this afternoon", "2026-03-04 15:30/2026-03-04 18:00"},
		{"the rest of the day", "2026-03-04 15:30/2026-03-05 00:00"},
		{"rest of the week", "2026-03-04 15:30/2026-03-09 00:00"},
		{"24 dec to 27 dec holidays", "2026-12-24 00:00/2026-12-28 00:00/holidays"},
		{"24 dec - 2 jan", "2026-12-24 00:00/2027-01-03 00:00"},
		{"dec 7-11", "2026-12-07 00:00/2026-12-12 00:00"},
		{"7-11 dec", "2026-12-07 00:00/2026-12-12 00:00"},
		{"dec 7 to 11", "2026-12-07 00:00/2026-12-12 00:00"},
		{"7 to 11 dec", "2026-12-07 00:00/2026-12-12 00:00"},
		{"7 dec to 11", "2026-12-07 00:00/2026-12-12 00:00"},
		{"dec 7th - 11th", "2026-12-07 00:00/2026-12-12 00:00"},
		{"24.12. bis 27.12.", "2026-12-24 00:00/2026-12-28 00:00"},
		{"24.-27.12.", "2026-12-24 00:00/2026-12-28 00:00"},
		{"24.12.-2.1.", "2026-12-24 00:00/2027-01-03 00:00"},
		{"12/24 to 12/27", "2026-12-24 00:00/2026-12-28 00:00"},
		{"12/24-1/2", "2026-12-24 00:00/2027-01-03 00:00"},
		{"3/4 to 3/20", "2026-03-04 15:30/2026-03-21 00:00"},
		{"3/5 to 5/5", "?"},
		{"3/5-4/5", "?"},
		{"2026-12-24 to 2026-12-27", "2026-12-24 00:00/2026-12-28 00:00"},
		{"dec 7-11 9-17", "2026-12-07 09:00/2026-12-11 17:00 mon-fri 09:00-17:00"},
		{"until friday", "2026-03-04 15:30/2026-03-07 00:00"},
		{"until fri 18:00 payments", "2026-03-04 15:30/2026-03-06 18:00/payments"},
		{"bis Freitag", "2026-03-04 15:30/2026-03-07 00:00"},
		{"until 18", "2026-03-04 15:30/2026-03-04 18:00"},
		{"until 5", "?"},
		{"until midnight", "2026-03-04 15:30/2026-03-05 00:00"},
		{"until tomorrow", "2026-03-04 15:30/2026-03-06 00:00"},
		{"until monday morning", "2026-03-04 15:30/2026-03-09 09:00"},
		{"until the end of the week", "2026-03-04 15:30/2026-03-09 00:00"},
		{"through 27 dec", "2026-03-04 15:30/2026-12-28 00:00"},
		{"up to friday", "2026-03-04 15:30/2026-03-07 00:00"},
		{"now to friday", "2026-03-04 15:30/2026-03-07 00:00"},
		{"now - 18:00", "2026-03-04 15:30/2026-03-04 18:00"},
		{"now for 2 hours payments", "2026-03-04 15:30/2026-03-04 17:30/payments"},
		{"now 2h payments", "2026-03-04 15:30/2026-03-04 17:30/payments"},
		{"for 2 hours payments", "2026-03-04 15:30/2026-03-04 17:30/payments"},
		{"2h", "2026-03-04 15:30/2026-03-04 17:30"},
		{"for an hour", "2026-03-04 15:30/2026-03-04 16:30"},
		{"the next 3 hours", "2026-03-04 15:30/2026-03-04 18:30"},
		{"for 2 hours from 18:00", "2026-03-04 18:00/2026-03-04 20:00"},
		{"tomorrow for 2 hours", "2026-03-05 09:00/2026-03-05 11:00"},
		{"tomorrow for 3 days", "2026-03-05 00:00/2026-03-08 00:00"},
		{"tomorrow 9:00 3 days payments", "2026-03-05 09:00/2026-03-08 09:00/payments"},
		{"tomorrow 9:00 for 1 day", "2026-03-05 09:00/2026-03-06 09:00"},
		{"18:00 for 2 hours", "2026-03-04 18:00/2026-03-04 20:00"},
		{"18:00 2h", "2026-03-04 18:00/2026-03-04 20:00"},
		{"in 30 min for 2 hours", "2026-03-04 16:00/2026-03-04 18:00"},
		{"18:00 22:00", "2026-03-04 18:00/2026-03-04 22:00"},
		{"between 18:00 and 22:00", "2026-03-04 18:00/2026-03-04 22:00"},
		{"Sat 24 Oct 23:00 – Sun 25 Oct 02:30 CET", "2026-10-24 23:00/2026-10-25 02:30"},

		{"24 dec 18:00 to 2 jan 9:00", "2026-12-24 18:00/2027-01-02 09:00"},
		{"7 mar 9:00 to 8 mar", "2026-03-07 09:00/2026-03-09 00:00"},
		{"7 mar 9:00 to 7 mar 17:00", "2026-03-07 09:00/2026-03-07 17:00"},
		{"5 mar, 9 am - 6 mar, 5 pm", "2026-03-05 09:00/2026-03-06 17:00"},
		{"7 mar to 7 mar", "2026-03-07 00:00/2026-03-08 00:00"},
		{"24 dec to 20 dec", "?"},
		{"03/14 to 03/04", "?"},
		{"until 3 mar", "?"},
		{"until 3 mar 2027", "2026-03-04 15:30/2027-03-04 00:00"},
		{"24 dec to 20 dec 2027", "2026-12-24 00:00/2027-12-21 00:00"},
		{"28-3 jan", "2026-12-28 00:00/2027-01-04 00:00"},
		{"30.-2.1.", "2026-12-30 00:00/2027-01-03 00:00"},
		{"24 - 27.12.", "2026-12-24 00:00/2026-12-28 00:00"},
		{"the 5th until the 7th", "2026-03-05 00:00/2026-03-08 00:00"},
		{"sat and sun payments", "2026-03-07 00:00/2026-03-09 00:00/payments"},
		{"fri, sat & sun", "2026-03-06 00:00/2026-03-09 00:00"},
		{"mon and wed", "?"},
		{"mon, wed and fri", "?"},
		{"between mon and fri", "2026-03-09 00:00/2026-03-14 00:00"},
		{"tomorrow between 9 and 17", "2026-03-05 09:00/2026-03-05 17:00"},
		{"between 9 and 17 fri", "2026-03-06 09:00/2026-03-06 17:00"},
		{"mon-fri next week", "2026-03-09 00:00/2026-03-14 00:00"},
		{"next week mon-wed 9-17", "2026-03-09 09:00/2026-03-11 17:00 mon-wed 09:00-17:00"},
		{"wed next week 9-17", "2026-03-11 09:00/2026-03-11 17:00"},
		{"tonight 8-10", "2026-03-04 20:00/2026-03-04 22:00"},
		{"monday morning 8-10", "2026-03-09 08:00/2026-03-09 10:00"},
		{"tonight 22:00 to 1:00", "2026-03-04 22:00/2026-03-05 01:00"},
		{"noon-6", "2026-03-05 12:00/2026-03-05 18:00"},
		{"6-midnight", "?"},
		{"10-6am", "?"},
		{"10pm to 6am sat", "?"},
		{"fri 10pm to 6am sat", "2026-03-06 22:00/2026-03-07 06:00"},
		{"1800-2000", "2026-03-04 18:00/2026-03-04 20:00"},
		{"9.30-10.12", "2026-03-05 09:30/2026-03-05 10:12"},
		{"10.12-11.30", "2026-03-05 10:12/2026-03-05 11:30"},
		{"6 pm-8 pm ops", "2026-03-04 18:00/2026-03-04 20:00/ops"},
		{"tomorrow (18:00-20:00)", "2026-03-05 18:00/2026-03-05 20:00"},
		{"9:00 → 17:00", "2026-03-05 09:00/2026-03-05 17:00"},
		{"tomorrow 9-17 UTC+2", "2026-03-05 08:00/2026-03-05 16:00"},
		{"9-17 EST", "2026-03-05 15:00/2026-03-05 23:00"},
		{"mon-fri 9-17 EST", "?"},
		{"2026-12-24T18:00/2026-12-25T06:00", "2026-12-24 18:00/2026-12-25 06:00"},
		{"2026-12-24/2026-12-27", "2026-12-24 00:00/2026-12-28 00:00"},
		{"24h", "2026-03-04 15:30/2026-03-05 15:30"},
		{"24h from 9:00", "2026-03-05 09:00/2026-03-06 09:00"},
		{"the next hour", "2026-03-04 15:30/2026-03-04 16:30"},
		{"for 1 year", "2026-03-04 15:30/2027-03-04 15:30"},
		{"tue to tue 9:00", "2026-03-10 00:00/2026-03-17 09:00"},
		{"mon 9:00 to mon 9:00", "2026-03-09 09:00/2026-03-16 09:00"},
		{"29 mar 2:00-3:00", "2026-03-29 03:00/2026-03-29 03:00"},
		{"12/24 9-5", "?"},
		{"3 mar", "?"},
		{"3 mar 9:00 to 17:00", "?"},
		{"3.3. - 5.3.", "?"},
		{"1 mar to 3 mar", "?"},
		{"3 mar 2027", "2027-03-03 00:00/2027-03-04 00:00"},
		{"29 feb 2028", "2028-02-29 00:00/2028-03-01 00:00"},
		{"next year", "2027-01-01 00:00/2028-01-01 00:00"},
		{"Wed 3 Mar 09:00 – 17:00", "2027-03-03 09:00/2027-03-03 17:00"},
		{"10th to 12th of april", "2026-04-10 00:00/2026-04-13 00:00"},
		{"2 weeks from today", "2026-03-04 15:30/2026-03-18 00:00"},
		{"8h30-12h15", "2026-03-05 08:30/2026-03-05 12:15"},

		{"", "nothing"},
		{"payments", "nothing"},
		{"later to 20:00", "nothing"},
		{"18:00", "no end"},
		{"18:00 to", "bad end"},
		{"18:00 to later", "bad end"},
		{"fri 18:00 ops", "no end"},
	} {
		words := strings.Fields(c.in)
		s, n, problem, err := r.Span(words)
		got := map[schedule.SpanProblem]string{schedule.SpanNothing: "nothing", schedule.SpanNoEnd: "no end", schedule.SpanBadEnd: "bad end"}[problem]
		switch {
		case err != nil:
			got = "?"
		case problem == schedule.SpanRead:
			got = s.From.In(location).Format(wall) + "/" + s.To.In(location).Format(wall)
			if len(s.Windows) > 0 {
				got += " " + schedule.WindowsText(s.Windows)
			}
			if n < len(words) {
				got += "/" + strings.Join(words[n:], " ")
			}
		}
		if got != c.want {
			t.Errorf("%q: got %q, %v; want %q", c.in, got, err, c.want)
		}
	}
}

// TestDaysThatMonthsDontHave names what is wrong, instead of an example of a time.
func TestDaysThatMonthsDontHave(t *testing.T) {
	t.Parallel()
	zone, err := schedule.LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	r := schedule.Reader{Zone: zone, Now: time.Date(2026, 3, 4, 14, 30, 0, 0, time.UTC)}
	for text, want := range map[string]string{
		"31 feb":              "There is no 31 February: it has 28 days, or 29 in a leap year.",
		"feb 30":              "There is no 30 February: it has 28 days, or 29 in a leap year.",
		"29 feb 2027":         "There is no 29 February 2027: it has 28 days in that year.",
		"fri 31 nov 9:00":     "There is no 31 November: it has 30 days.",
		"31st of april":       "There is no 31 April: it has 30 days.",
		"32 dec":              "There is no 32 December: it has 31 days.",
		"dec 32":              "There is no 32 December: it has 31 days.",
		"24 dec to 32 dec":    "There is no 32 December: it has 31 days.",
		"30 nov to 31 nov":    "There is no 31 November: it has 30 days.",
		"28-31 nov":           "There is no 31 November: it has 30 days.",
		"2026-02-30":          "There is no 30 February 2026: it has 28 days in that year.",
		"31.2.":               "There is no 31 February: it has 28 days, or 29 in a leap year.",
		"31/4":                "There is no 31 April: it has 30 days.",
		"4/31":                "There is no 31 April: it has 30 days.",
		"fri 18:00 to 31 nov": "There is no 31 November: it has 30 days.",
	} {
		if _, _, _, err := r.Span(strings.Fields(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"load 31.2", "31.2"} {
		if _, _, _, err := r.Span(strings.Fields(text)); err != nil {
			t.Errorf("%q: %v, want no refusal: it may be a number", text, err)
		}
	}
}

// TestGoesOnTellsTimesFromReasons tells a reason from a time that was not read to its end.
func TestGoesOnTellsTimesFromReasons(t *testing.T) {
	t.Parallel()
	r := berlin(t)
	for in, want := range map[string]bool{
		"": false, "holidays": false, "at the dentist": false, "so that Ann can rest": false, "2 kids are ill": false, "may be longer": false, "in Spain": false,
		"and friday": true, "& sun": true, "until later": false, "until": true, "and": true, "25": true, "25 and 26 dec": true, "18:00": true, "next week": true,
		"in 2 weeks": true, "ET": true, "et al": false, "monday": true, "3/4": true, "for 2 hours": true, "+ 5 days": true, "a day off": false, "3 kids at home": false, "and 2 more days": false,
	} {
		if got := r.GoesOn(strings.Fields(in)); got != want {
			t.Errorf("%q: %t, want %t", in, got, want)
		}
	}
}

// An override that acts only while somebody would be on call leaves a schedule's free nights free.
func TestOverrideLeavesUncoveredHoursFree(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for covered, night := range map[bool]int{true: 0, false: 1} {
		c, err := schedule.Compile(schedule.Definition{
			ID: 1, Name: "days", TimeZone: "UTC",
			Versions: []schedule.Version{{Rotations: []schedule.Rotation{{
				Name: "days", Period: schedule.Period{Every: 1, Unit: schedule.WeekUnit}, StartDate: schedule.Date{Year: 2026, Month: 1, Day: 5}, HandOff: 9 * 60,
				Turns:   [][]schedule.UserID{{"U0ANN"}},
				Windows: []schedule.Window{{Days: []schedule.Weekday{schedule.Monday, schedule.Tuesday}, From: 9 * 60, To: 17 * 60}},
			}}}},
			Overrides: []schedule.Override{{ID: 1, Kind: schedule.OverrideCover, Start: at, End: at.AddDate(0, 0, 2), Users: []schedule.UserID{"U0BO"}, OnlyCovered: covered}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.At(at.Add(time.Hour), ""); len(got) != 1 || got[0] != "U0BO" {
			t.Errorf(`covered %t: %v by day; want only "U0BO"`, covered, got)
		}
		if got := c.At(at.Add(12*time.Hour), ""); len(got) != night {
			t.Errorf("covered %t: %v at night, want %v entries", covered, got, night)
		}
	}
}
