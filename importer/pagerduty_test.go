package importer_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/importer"
	"github.com/watchbill/watchbill/intake"
)

var now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// read reads the files of a folder.
func read(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if files[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func imported(t *testing.T, files map[string][]byte) importer.Result {
	t.Helper()
	in, err := importer.ReadPagerDuty(files)
	if err != nil {
		t.Fatal(err)
	}
	r := importer.FromPagerDuty(in, now)
	if wrong := r.Setup.Check(intake.Names()); len(wrong) > 0 {
		t.Errorf("our own file is refused: %s", strings.Join(wrong, "\n"))
	}
	return r
}

func TestFromPagerDutyGolden(t *testing.T) {
	t.Parallel()
	golden(t, "testdata/pagerduty.golden", imported(t, read(t, "testdata/pagerduty")))
}

// golden compares a result with its golden file; UPDATE=1 writes the file.
func golden(t *testing.T, name string, r importer.Result) {
	t.Helper()
	var out strings.Builder
	text, err := json.MarshalIndent(r.Setup, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%s\n\n", text)
	for _, l := range r.Lost {
		fmt.Fprintf(&out, "%s: %s\n", l.Where, l.What)
	}
	for _, s := range r.Senders {
		fmt.Fprintf(&out, "switch %s to %s\n", s.What, s.Integration)
	}
	compared, err := importer.Compare(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range compared {
		fmt.Fprintf(&out, "%s: the same for %s of %s\n", c.Schedule, c.Same, c.To.Sub(c.From))
		for _, d := range c.Differences {
			fmt.Fprintf(&out, "  %s\n", d)
		}
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(name, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// A PagerDuty layer and who is on call in it: an independent model, second by second, to check the
// importer.
type layer struct {
	start, end, virtual time.Time
	turn                int64
	restrictions        []restriction
	users               []int
}

type restriction struct {
	weekly        bool
	day           int // 0: Monday
	from, seconds int64
}

func (l layer) at(t time.Time, location *time.Location) (int, bool) {
	if t.Before(l.start) || !l.end.IsZero() && !t.Before(l.end) {
		return 0, false
	}
	wall := wallSeconds(t, location)
	open := len(l.restrictions) == 0
	for _, r := range l.restrictions {
		length := int64(86400)
		offset := r.from
		if r.weekly {
			length = 7 * 86400
			offset += int64(r.day) * 86400
		}
		const monday = 4 * 86400 // 1970-01-05
		open = open || ((wall-monday-offset)%length+length)%length < r.seconds
	}
	if !open {
		return 0, false
	}
	since := wall - wallSeconds(l.virtual, location) // turns keep their hours of the day
	n := int64(len(l.users))
	k := since / l.turn
	return l.users[(k%n+n)%n], true
}

// wallSeconds counts the seconds that the wall clock shows since 1970.
func wallSeconds(t time.Time, location *time.Location) int64 {
	_, offset := t.In(location).Zone()
	return t.Unix() + int64(offset)
}

// randomPagerDuty makes a schedule and PagerDuty's response for it. Hand-offs and edges avoid the hours in
// which clocks change: what PagerDuty does there isn't documented.
func randomPagerDuty(r *rand.Rand, location *time.Location) (layers []layer, files map[string][]byte, overrides []layer) {
	var answer []map[string]any
	for i := range 1 + r.IntN(4) {
		l := layer{turn: []int64{3600 * 12, 86400, 2 * 86400, 7 * 86400, 14 * 86400, 3600 * 8}[r.IntN(6)]}
		hour := 4 + r.IntN(18)
		l.virtual = time.Date(2026, time.Month(1+r.IntN(2)), 1+r.IntN(28), hour, 0, 0, 0, location)
		l.start = l.virtual.Add(time.Duration(r.IntN(100)) * time.Hour)
		if r.IntN(3) == 0 {
			l.start = time.Date(2026, 3, 5+r.IntN(20), hour, 0, 0, 0, location).Add(time.Duration(r.IntN(3)) * time.Hour)
		}
		if r.IntN(4) == 0 {
			l.end = time.Date(2026, time.Month(3+r.IntN(3)), 1+r.IntN(28), hour, 0, 0, 0, location)
			if !l.end.After(l.start) {
				l.end = time.Time{}
			}
		}
		for range r.IntN(3) {
			l.restrictions = append(l.restrictions, restriction{
				weekly: r.IntN(2) == 0, day: r.IntN(7), from: int64(4+r.IntN(18)) * 3600, seconds: int64(1+r.IntN(16)) * 3600,
			})
		}
		for range 1 + r.IntN(4) {
			l.users = append(l.users, r.IntN(4))
		}
		layers = append(layers, l)
		answer = append(answer, l.answer(i))
	}
	files = map[string][]byte{
		"users.json": []byte(`{"users": [{"id": "P0", "name": "Ann", "email": "ann@example.com"}, {"id": "P1", "name": "Bo", "email": "bo@example.com"},
			{"id": "P2", "name": "Cy", "email": "cy@example.com"}, {"id": "P3", "name": "Di", "email": "di@example.com"}]}`),
		"schedule.json": marshal(map[string]any{"schedule": map[string]any{"id": "PS", "name": "Payments", "time_zone": location.String(), "schedule_layers": answer}}),
	}
	var made []map[string]any
	for range r.IntN(3) {
		start := now.Add(time.Duration(r.IntN(1000)) * time.Hour)
		o := layer{start: start, end: start.Add(time.Duration(1+r.IntN(60)) * time.Hour), users: []int{r.IntN(4)}, turn: 86400, virtual: start}
		overrides = append(overrides, o)
		made = append(made, map[string]any{"start": o.start, "end": o.end, "user": map[string]any{"id": fmt.Sprint("P", o.users[0])}})
	}
	files["overrides-PS.json"] = marshal(map[string]any{"overrides": made})
	return layers, files, overrides
}

func (l layer) answer(i int) map[string]any {
	a := map[string]any{"id": fmt.Sprint("PL", i), "name": fmt.Sprint("Layer ", 9-i), "start": l.start, "rotation_virtual_start": l.virtual, "rotation_turn_length_seconds": l.turn}
	if !l.end.IsZero() {
		a["end"] = l.end
	}
	var users, restrictions []map[string]any
	for _, u := range l.users {
		users = append(users, map[string]any{"user": map[string]any{"id": fmt.Sprint("P", u)}})
	}
	for _, r := range l.restrictions {
		m := map[string]any{"type": "daily_restriction", "start_time_of_day": fmt.Sprintf("%02d:00:00", r.from/3600), "duration_seconds": r.seconds}
		if r.weekly {
			m["type"], m["start_day_of_week"] = "weekly_restriction", r.day+1
		}
		restrictions = append(restrictions, m)
	}
	a["users"], a["restrictions"] = users, restrictions
	return a
}

func marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// Every schedule gives the same answers here and there, over 90 days with a clock change.
func TestPagerDutySchedulesAgreeWithModel(t *testing.T) {
	t.Parallel()
	names := []string{"Ann", "Bo", "Cy", "Di"}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		location, err := time.LoadLocation([]string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"}[seed%4])
		if err != nil {
			t.Fatal(err)
		}
		layers, files, overrides := randomPagerDuty(r, location)
		result := imported(t, files)
		var final importer.FinalSchedule
		final.Schedule, final.From, final.To = "Payments", now, now.AddDate(0, 0, 90)
		for at := final.From; at.Before(final.To); at = at.Add(30 * time.Minute) {
			for _, l := range slices.Concat(reversed(overrides), layers) {
				if u, ok := l.at(at, location); ok {
					final.Shifts = appendShift(final.Shifts, importer.FinalShift{User: names[u], From: at, To: at.Add(30 * time.Minute)})
					break
				}
			}
		}
		result.Finals = []importer.FinalSchedule{final}
		compared, err := importer.Compare(result)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range compared[0].Differences {
			if changesClocks(d.From, d.To, location) {
				continue
			}
			t.Fatalf("seed %d, %s: %s\n%s\n%s", seed, location, d, files["schedule.json"], marshal(result.Setup.Schedules))
		}
	}
}

// appendShift adds a shift, or lengthens the last one.
func appendShift(shifts []importer.FinalShift, s importer.FinalShift) []importer.FinalShift {
	if n := len(shifts); n > 0 && shifts[n-1].User == s.User && shifts[n-1].To.Equal(s.From) {
		shifts[n-1].To = s.To
		return shifts
	}
	return append(shifts, s)
}

func reversed(l []layer) []layer {
	l = slices.Clone(l)
	slices.Reverse(l)
	return l
}

// changesClocks reports whether clocks change within three hours of a stretch of less than three.
func changesClocks(from, to time.Time, location *time.Location) bool {
	_, before := from.Add(-3 * time.Hour).In(location).Zone()
	_, after := to.Add(3 * time.Hour).In(location).Zone()
	return before != after && to.Sub(from) <= 3*time.Hour
}

func TestCompareFindsDifferences(t *testing.T) {
	t.Parallel()
	files := read(t, "testdata/pagerduty")
	r := imported(t, files)
	if len(r.Finals) == 0 {
		t.Fatal("there is no final schedule")
	}
	before, err := importer.Compare(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range before {
		if len(c.Differences) > 0 {
			t.Errorf("got %s: %s, want no difference", c.Schedule, c.Differences[0])
		}
		if c.Same != c.To.Sub(c.From) {
			t.Errorf("%s: got %s of %s compared, want %v", c.Schedule, c.Same, c.To.Sub(c.From), c.To.Sub(c.From))
		}
	}
	f := &r.Finals[0]
	f.Shifts[0].User = "Di"
	after, err := importer.Compare(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(after[0].Differences) != 1 || after[0].Differences[0].Theirs[0] != "Di" {
		t.Errorf("got %v, want 1 difference and \"Di\"", after[0].Differences)
	}
}

func TestReadDropsDuplicates(t *testing.T) {
	t.Parallel()
	files := read(t, "testdata/pagerduty")
	files["again.json"] = files["testdata/pagerduty/users.json"]
	files["policies.json"] = files["testdata/pagerduty/escalation_policies.json"]
	r := imported(t, files)
	if len(r.Setup.Users) != 3 || len(r.Setup.Policies) != 2 {
		t.Errorf("got %d users, %d policies, want 3 users and 2 policies", len(r.Setup.Users), len(r.Setup.Policies))
	}
}

func TestReadRefusesOtherJSON(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string][]byte{
		"users":  {},
		"JSON":   {"users.json": []byte(`<html>`)},
		"a map":  {"users.json": []byte(`[1]`)},
		"a list": {"users.json": []byte(`{"users": {"id": 1}}`)},
	} {
		if _, err := importer.ReadPagerDuty(files); err == nil {
			t.Errorf("%s is missing: no error", name)
		}
	}
}
