package timeline_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/timeline"
)

var names = map[oncall.UserID]string{"U0ANN": "Ann Archer", "U0BO": "Bo Brand", "U0CY": "Cy Costa", "U0DI": "Di Dorn"}

func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// rotation is one daily or weekly rotation at 09:00.
func rotation(unit schedule.Unit, turns ...[]oncall.UserID) schedule.Rotation {
	return schedule.Rotation{
		Name: "main", StartDate: schedule.Date{Year: 2026, Month: 1, Day: 5}, HandOff: 9 * 60,
		Period: schedule.Period{Unit: unit, Every: 1}, Turns: turns,
	}
}

func compiled(t testing.TB, zone string, overrides []schedule.Override, rotations ...schedule.Rotation) *schedule.Schedule {
	t.Helper()
	c, err := schedule.Compile(schedule.Definition{
		Name: "payments", TimeZone: zone, Overrides: overrides,
		Versions: []schedule.Version{{Rotations: rotations}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// month returns a typical picture: three rows, an override, a gap, several people at once.
func month(t testing.TB) timeline.Timeline {
	t.Helper()
	from, to := at(t, "2026-03-15T23:00:00Z"), at(t, "2026-04-05T22:00:00Z")
	weekly := rotation(schedule.WeekUnit, []oncall.UserID{"U0ANN"}, []oncall.UserID{"U0BO"}, []oncall.UserID{"U0CY"})
	pairs := rotation(schedule.WeekUnit, []oncall.UserID{"U0DI", "U0BO"}, []oncall.UserID{"U0ANN", "U0CY"})
	hours := rotation(schedule.DayUnit, []oncall.UserID{"U0DI"}, []oncall.UserID{"U0CY"})
	hours.Windows = []schedule.Window{{Days: []schedule.Weekday{"mon", "tue", "wed", "thu", "fri"}, From: 8 * 60, To: 18 * 60}}
	cover := schedule.Override{
		ID: 1, Kind: schedule.OverrideCover, Start: at(t, "2026-03-20T17:00:00Z"), End: at(t, "2026-03-22T17:00:00Z"),
		Users: []oncall.UserID{"U0DI"},
	}
	row := func(name, detail string, c *schedule.Schedule) timeline.Row {
		return timeline.Row{Name: name, Detail: detail, Shifts: c.Shifts(from, to, schedule.RolePrimary)}
	}
	until := at(t, "2026-04-02T10:00:00Z")
	pairs.Until = &until
	return timeline.Timeline{
		Title: "Payments", From: from, To: to, TimeZone: "Europe/Berlin", Now: at(t, "2026-03-18T10:30:00Z"), Names: names,
		Rows: []timeline.Row{
			row("primary", "weekly", compiled(t, "Europe/Berlin", []schedule.Override{cover}, weekly)),
			row("secondary", "two at once", compiled(t, "Europe/Berlin", nil, pairs)),
			row("office hours", "Mon–Fri 08–18", compiled(t, "Europe/Berlin", nil, hours)),
		},
	}
}

// night returns a day and a half around a clock change.
func night(t testing.TB) timeline.Timeline {
	t.Helper()
	from, to := at(t, "2026-03-28T11:00:00Z"), at(t, "2026-03-30T10:00:00Z")
	r := rotation(schedule.HourUnit, []oncall.UserID{"U0ANN"}, []oncall.UserID{"U0BO"}, []oncall.UserID{"U0CY"})
	r.Period.Every = 8
	return timeline.Timeline{
		Title: "Follow the sun", From: from, To: to, TimeZone: "Europe/Berlin", Now: at(t, "2026-03-29T01:00:00Z"), Names: names,
		Rows: []timeline.Row{{Name: "primary", Shifts: compiled(t, "Europe/Berlin", nil, r).Shifts(from, to, "")}},
	}
}

func year(t testing.TB) timeline.Timeline {
	t.Helper()
	from, to := at(t, "2026-01-01T00:00:00Z"), at(t, "2027-01-01T00:00:00Z")
	r := rotation(schedule.WeekUnit, []oncall.UserID{"U0ANN"}, []oncall.UserID{"U0BO"}, []oncall.UserID{"U0CY"}, []oncall.UserID{"U0DI"})
	return timeline.Timeline{
		Title: "A year", From: from, To: to, Names: names,
		Rows: []timeline.Row{{Name: "primary", Shifts: compiled(t, "UTC", nil, r).Shifts(from, to, "")}},
	}
}

func draw(t testing.TB, tl timeline.Timeline) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := timeline.Draw(&out, tl); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func decode(t testing.TB, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// crowd has more of everything than fits.
func crowd(t testing.TB) timeline.Timeline {
	tl := year(t)
	tl.Title, tl.To, tl.Rows = strings.Repeat("A very long title ", 12), tl.From.AddDate(0, 0, 7), nil
	for i := range 30 {
		var users []oncall.UserID
		for j := range i%7 + 1 {
			users = append(users, oncall.UserID("Person "+string(rune('A'+(i*3+j)%26))+" 山田 Longname"))
		}
		tl.Rows = append(tl.Rows, timeline.Row{
			Name:   strings.Repeat("row ", i),
			Shifts: []schedule.Shift{{Start: tl.From, End: tl.From.AddDate(0, 0, i%6+1), Users: users}},
		})
	}
	return tl
}

// If LOOK names a directory, the pictures are written there for people to look at.
func TestDrawBoundsTheSize(t *testing.T) {
	t.Parallel()
	two, week := month(t), month(t)
	two.To, week.To = two.From.AddDate(0, 0, 60), two.From.AddDate(0, 0, 7)
	for name, tl := range map[string]timeline.Timeline{
		"month": month(t), "night": night(t), "year": year(t), "two": two, "week": week, "crowd": crowd(t),
		"empty": {Title: "", From: two.From, To: two.To},
	} {
		data := draw(t, tl)
		if size := decode(t, data).Bounds(); size.Dx() != 1600 || size.Dy() > 6000 || size.Dy() < 200 {
			t.Errorf("%s is %v large, want a width of 1600 and a height of 200 to 6000", name, size)
		}
		if alt := timeline.AltText(tl); utf8.RuneCountInString(alt) > 2000 {
			t.Errorf("%s has %d characters of text, want at most 2000", name, utf8.RuneCountInString(alt))
		}
		if dir := os.Getenv("LOOK"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, name+".png"), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestDrawIsDeterministic(t *testing.T) {
	t.Parallel()
	if !bytes.Equal(draw(t, night(t)), draw(t, night(t))) {
		t.Error("two drawings differ")
	}
}

// sample returns the colours of single pixels in one row, away from text and smooth edges.
func sample(img image.Image, y int, xs ...int) []string {
	var out []string
	for _, x := range xs {
		r, g, b, _ := img.At(x, y).RGBA()
		out = append(out, fmt.Sprintf("%02x%02x%02x", r>>8, g>>8, b>>8))
	}
	return out
}

// One day with several shifts and a gap, in UTC, so that positions are easy to calculate.
func TestDrawPlacesBarsByTime(t *testing.T) {
	t.Parallel()
	from := at(t, "2026-03-02T00:00:00Z")
	h := func(n int) time.Time { return from.Add(time.Duration(n) * time.Hour) }
	tl := timeline.Timeline{
		From: from, To: h(24), Names: names, Now: h(2),
		Rows: []timeline.Row{{Shifts: []schedule.Shift{
			{Start: h(-5), End: h(6), Users: []oncall.UserID{"U0ANN"}},
			{Start: h(6), End: h(12), Users: []oncall.UserID{"U0BO"}, Source: schedule.Source{Override: 7}},
			{Start: h(12), End: h(18), Users: []oncall.UserID{}},
			{Start: h(18), End: h(30), Users: []oncall.UserID{"U0ANN"}},
		}}},
	}
	img := decode(t, draw(t, tl))
	const left, right, top = 44, 1556, 256 // a row without a name reaches from margin to margin
	x := func(hour float64) int { return left + int(hour/24*(right-left)) }
	const y = top + 15 + 8 // near the upper edge of the bars, above the text
	ann, bo := sample(img, y, x(1))[0], sample(img, y, x(8))[0]
	got := sample(img, y, x(1), x(2), x(5.9), x(6.04), x(8), x(11.9), x(20), x(23.9))
	want := []string{ann, "1d1c1d", ann, "1d1c1d", bo, "1d1c1d", ann, ann} // the "now" line and the override's frame are dark
	if diff := cmp.Diff(want, got); diff != "" || ann == bo || ann == "ffffff" {
		t.Errorf("colours %s, %s; (-want +got):\n%s", ann, bo, diff)
	}
	stripes := map[string]bool{}
	for px := x(12.2); px < x(17.8); px++ {
		stripes[sample(img, y, px)[0]] = true
	}
	if !stripes["b3261e"] || !stripes["fdeceb"] || stripes[ann] {
		t.Errorf("got colours %v in the gap, want both of the hatching", stripes)
	}
	tl.Rows[0].Free = true
	if c := sample(decode(t, draw(t, tl)), y, x(15.1))[0]; c != "ffffff" {
		t.Errorf("a hole in which nobody is missed has colour %s, want %s", c, "ffffff")
	}
}

// A day of 23 hours is narrower, and noon is where the clock shows noon.
func TestDrawScalesDaysByTheirLength(t *testing.T) {
	t.Parallel()
	tl := timeline.Timeline{From: at(t, "2026-03-27T23:00:00Z"), To: at(t, "2026-03-30T22:00:00Z"), TimeZone: "Europe/Berlin"}
	img := decode(t, draw(t, tl))
	const y = 44 + 128 + 60 // within the axis, where only the lines of day starts and the weekends are drawn
	x := func(s string) int {
		part := float64(at(t, s).Sub(tl.From)) / float64(tl.To.Sub(tl.From))
		return 44 + int(part*(1556-44))
	}
	got := sample(img, y, x("2026-03-28T22:55:00Z")-4, x("2026-03-29T22:00:00Z")-4, x("2026-03-29T22:00:00Z"), x("2026-03-29T22:00:00Z")+4)
	if diff := cmp.Diff([]string{"f3f4f6", "f3f4f6", "a3a8b0", "ffffff"}, got); diff != "" {
		t.Errorf("Sunday does not end at 22:00 UTC (-want +got):\n%s", diff)
	}
}

func TestDrawGivesEverybodyAColour(t *testing.T) {
	t.Parallel()
	from := at(t, "2026-03-02T00:00:00Z")
	tl := timeline.Timeline{From: from, To: from.AddDate(0, 0, 12)}
	var shifts []schedule.Shift
	for i := range 12 {
		shifts = append(shifts, schedule.Shift{Start: from.AddDate(0, 0, i), End: from.AddDate(0, 0, i+1), Users: []oncall.UserID{oncall.UserID(fmt.Sprint("U", i))}})
	}
	tl.Rows = []timeline.Row{{Shifts: shifts}}
	img := decode(t, draw(t, tl))
	seen := map[string]bool{}
	for i := range 12 {
		seen[sample(img, 256+15+8, 44+126*i+63)[0]] = true
	}
	if len(seen) != 12 {
		t.Errorf("%d colours for 12 people, want 12", len(seen))
	}
}

func TestAltTextTellsWhoIsOnCall(t *testing.T) {
	t.Parallel()
	tl := month(t)
	tl.Rows = tl.Rows[:2]
	want := `Payments: who is on call from Mon 16 Mar 00:00 to Mon 6 Apr 00:00, times in Europe/Berlin.
primary: now Bo Brand. Ann Archer until Mon 16 Mar 09:00; Bo Brand until Fri 20 Mar 18:00; Di Dorn (changed by hand) until Sun 22 Mar 18:00; Bo Brand until Mon 23 Mar 09:00; Cy Costa until Mon 30 Mar 09:00; Ann Archer until Mon 6 Apr 00:00.
secondary: now Bo Brand and Di Dorn. Ann Archer and Cy Costa until Mon 16 Mar 09:00; Bo Brand and Di Dorn until Mon 23 Mar 09:00; Ann Archer and Cy Costa until Mon 30 Mar 09:00; Bo Brand and Di Dorn until Thu 2 Apr 12:00; nobody until Mon 6 Apr 00:00.`
	if diff := cmp.Diff(want, timeline.AltText(tl)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if alt := timeline.AltText(crowd(t)); !strings.Contains(alt, "more rows.") {
		t.Errorf("what is left out is not counted:\n%s", alt)
	}
}

func TestDrawRefusesInvalidTimelines(t *testing.T) {
	t.Parallel()
	from := at(t, "2026-03-02T00:00:00Z")
	for want, tl := range map[string]timeline.Timeline{
		"its end is not after its beginning": {From: from, To: from},
		"longer than ten years":              {From: from, To: from.AddDate(11, 0, 0)},
		`"Mars" is not a time zone`:          {From: from, To: from.AddDate(0, 0, 1), TimeZone: "Mars"},
	} {
		if err := timeline.Draw(io.Discard, tl); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	tl := month(b)
	for b.Loop() {
		if err := timeline.Draw(io.Discard, tl); err != nil {
			b.Fatal(err)
		}
	}
}
