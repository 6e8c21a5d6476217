package ical_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	second "github.com/arran4/golang-ical"

	"github.com/watchbill/watchbill/ical"
)

func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func feed(t testing.TB) ical.Feed {
	return ical.Feed{
		Name: "On call: Ann, payments; nights", Note: "Shifts of Ann\nfrom Watchbill", Revision: 12, Changed: at(t, "2026-03-01T10:00:00+01:00"),
		Events: []ical.Event{
			{Key: "1/primary/U0ANN/1", Start: at(t, "2026-03-02T09:00:00+01:00"), End: at(t, "2026-03-09T08:00:00Z"), Summary: "On call: payments", Note: "You \\ are, on call;\nAnn"},
			{Key: "1/primary/U0ANN/2", Start: at(t, "2026-03-16T08:00:00Z"), End: at(t, "2026-03-23T08:00:00Z"), Summary: strings.Repeat("Zoë ist dran 🚨 ", 20)},
		},
	}
}

func write(t testing.TB, f ical.Feed) string {
	t.Helper()
	var out bytes.Buffer
	if err := ical.Write(&out, f); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Another library reads from the feed exactly what was written.
func TestFeedIsReadByAnotherLibrary(t *testing.T) {
	t.Parallel()
	f := feed(t)
	c, err := second.ParseCalendar(strings.NewReader(write(t, f)))
	if err != nil {
		t.Fatal(err)
	}
	text := func(props []second.CalendarProperty, name string) (found []string) {
		for _, p := range props {
			if p.IANAToken == name {
				found = append(found, second.FromText(p.Value))
			}
		}
		return found
	}
	for name, want := range map[string]string{
		"VERSION": "2.0", "METHOD": "PUBLISH", "CALSCALE": "GREGORIAN", "REFRESH-INTERVAL": "PT1H", "X-PUBLISHED-TTL": "PT1H",
		"X-WR-CALNAME": f.Name, "X-WR-CALDESC": f.Note,
	} {
		if diff := cmp.Diff([]string{want}, text(c.CalendarProperties, name)); diff != "" {
			t.Errorf("%s: got %s, want \"\"", name, diff)
		}
	}
	if n := len(c.Events()); n != len(f.Events) {
		t.Fatalf("%d events, want %d", n, len(f.Events))
	}
	for i, e := range c.Events() {
		start, err1 := e.GetStartAt()
		end, err2 := e.GetEndAt()
		stamp, err3 := e.GetDtStampTime()
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		if !start.Equal(f.Events[i].Start) || !end.Equal(f.Events[i].End) || !stamp.Equal(f.Changed) {
			t.Errorf("event %d is from %v to %v, written %v, want %v to %v, written %v", i, start, end, stamp, f.Events[i].Start, f.Events[i].End, f.Changed)
		}
		for name, want := range map[second.ComponentProperty]string{
			second.ComponentPropertySummary: f.Events[i].Summary, second.ComponentPropertySequence: "12",
			second.ComponentPropertyTransp: "TRANSPARENT", second.ComponentPropertyStatus: "CONFIRMED",
		} {
			if p := e.GetProperty(name); p == nil || second.FromText(p.Value) != want {
				t.Errorf("event %d: %s is %v, want %q", i, name, p, want)
			}
		}
	}
	note := c.Events()[0].GetProperty(second.ComponentPropertyDescription)
	if note == nil || second.FromText(note.Value) != f.Events[0].Note {
		t.Errorf("the note is %v, want some note and %v", note, f.Events[0].Note)
	}
}

// Our own reader ignores a feed: being on call does not make a person busy.
func TestFeedIsNotTimeOff(t *testing.T) {
	t.Parallel()
	got, err := ical.ReadTimeOff(strings.NewReader(write(t, feed(t))), at(t, "2026-01-01T00:00:00Z"), at(t, "2027-01-01T00:00:00Z"), "UTC")
	if err != nil || len(got.Spans) != 0 || got.Skipped != 0 {
		t.Errorf("%+v, %v, want no error, 0 spans and Skipped 0", got, err)
	}
}

func TestFeedIsFoldedAndStable(t *testing.T) {
	t.Parallel()
	out := write(t, feed(t))
	if again := write(t, feed(t)); again != out {
		t.Error("two writings differ")
	}
	body, ok := strings.CutSuffix(out, "\r\n")
	if !ok {
		t.Fatal("the last line has no end")
	}
	for line := range strings.SplitSeq(body, "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") || !utf8.ValidString(line) {
			t.Errorf("line %q has %d bytes, want at most 75, of valid UTF-8 without line breaks", line, len(line))
		}
	}
}

// A shift keeps its id when its end moves; another shift has a different one.
func TestIDsFollowTheKey(t *testing.T) {
	t.Parallel()
	uids := func(f ical.Feed) (found []string) {
		c, err := second.ParseCalendar(strings.NewReader(write(t, f)))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range c.Events() {
			found = append(found, e.Id())
		}
		return found
	}
	before := uids(feed(t))
	f := feed(t)
	f.Events[0].End, f.Events[0].Summary, f.Revision = f.Events[0].End.Add(time.Hour), "other", 13
	if diff := cmp.Diff(before, uids(f)); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	if before[0] == before[1] {
		t.Error("two shifts have one id")
	}
}

// A name can't smuggle in lines of its own.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	f := feed(t)
	f.Name, f.Events[0].Summary = "x\r\nBEGIN:VEVENT\r\n\x00", "a\rb\xff\x07\nEND:VCALENDAR"
	c, err := second.ParseCalendar(strings.NewReader(write(t, f)))
	if err != nil || len(c.Events()) != 2 {
		t.Errorf("got %v: %d events, want no error and 2 events", err, len(c.Events()))
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteReturnsErrors(t *testing.T) {
	t.Parallel()
	if err := ical.Write(failingWriter{}, feed(t)); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("writing to a full disk: %v, want its error", err)
	}
}
