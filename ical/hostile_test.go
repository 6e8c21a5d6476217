package ical_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	second "github.com/arran4/golang-ical"

	"github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/ical"
)

// Whatever people and schedules are called, a calendar has only our events, in lines that every
// program accepts, and names read back without anything that could break or reverse a line.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	for _, h := range hostile.Texts {
		f := feed(t)
		f.Name, f.Note, f.Events[0].Summary, f.Events[0].Note, f.Events[1].Key = h.Text, h.Text, h.Text, h.Text, h.Text
		text := write(t, f)
		for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
			if fault := hostile.Plain(strings.ReplaceAll(line, "\t", ""), false); fault != "" || len(line) > 75 {
				t.Fatalf("%s: a line of %[3]d bytes, want plain text of at most 75 (%[2]s): %[4]q", h.Name, fault, len(line), line)
			}
		}
		if most := 64 << 10; len(text) > most {
			t.Errorf("%s: a calendar of %d bytes, want at most %d", h.Name, len(text), most)
		}
		c, err := second.ParseCalendar(strings.NewReader(text))
		if err != nil || len(c.Events()) != 2 {
			t.Fatalf("%s: got %v, want no error and 2 events", h.Name, err)
		}
		for _, e := range c.Events() {
			for _, p := range e.Properties {
				if !slices.Contains(strings.Fields("UID DTSTAMP LAST-MODIFIED SEQUENCE DTSTART DTEND SUMMARY DESCRIPTION STATUS TRANSP X-MICROSOFT-CDO-BUSYSTATUS"), p.IANAToken) {
					t.Errorf("%s: the event has the property %s, want only those we write", h.Name, p.IANAToken)
				}
			}
		}
	}
}

// A note in a person's calendar becomes one short line.
func TestHostileTimeOff(t *testing.T) {
	t.Parallel()
	escape := strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)
	for _, h := range hostile.Texts {
		text := calendar(event("DTSTART:20260302T090000Z\nDTEND:20260302T100000Z\nSUMMARY:" + escape.Replace(h.Text)))
		reading, err := ical.ReadTimeOff(strings.NewReader(text), at(t, "2026-01-01T00:00:00Z"), at(t, "2027-01-01T00:00:00Z"), "Europe/Berlin")
		if err != nil {
			t.Errorf("%s: %v", h.Name, err)
			continue
		}
		for _, s := range reading.Spans {
			if fault := hostile.Plain(s.Note, false); fault != "" || utf8.RuneCountInString(s.Note) > 200 || s.End.Sub(s.Start) != time.Hour {
				t.Errorf("%s: got note %q of %s, want a plain one, fault %q", h.Name, s.Note, s.End.Sub(s.Start), fault)
			}
		}
	}
}
