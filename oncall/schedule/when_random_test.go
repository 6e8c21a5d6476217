package schedule_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

var readZones = []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca", "America/St_Johns", "Pacific/Auckland"}

// TestStampsAreReadBack: every instant of the past year and the next two is read back
// unchanged, and so is every span.
func TestStampsAreReadBack(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 9))
	times := 15_000
	if testing.Short() {
		times = 1_500
	}
	for range times {
		name := readZones[rnd.IntN(len(readZones))]
		zone, err := schedule.LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		location, _ := time.LoadLocation(name)
		now := time.Unix(1_700_000_000+rnd.Int64N(300_000_000), 0).UTC()
		from := now.Add(time.Duration(rnd.Int64N(3*365*24*60)-365*24*60) * time.Minute).Truncate(time.Minute)
		if rnd.IntN(20) == 0 { // near a turn of the clock
			if _, turn := from.In(location).ZoneBounds(); !turn.IsZero() && turn.Before(now.AddDate(2, 0, 0)) {
				from = turn.Add(time.Duration(rnd.IntN(300)-150) * time.Minute).UTC()
			}
		}
		r := schedule.Reader{Zone: zone, Now: now}
		text := schedule.Stamp(from, location)
		if m, n, err := r.Moment(strings.Fields(text)); err != nil || n != len(strings.Fields(text)) || !m.At().Equal(from) {
			t.Fatalf("%s in %s at %s: %s is read as %s (%d words), %v", from, name, now, text, m.At(), n, err)
		}
		to := from.Add(time.Duration(1+rnd.IntN(30*24*60)) * time.Minute)
		text = schedule.Between(from, to, location)
		s, n, problem, err := r.Span(strings.Fields(text))
		if err != nil || problem != schedule.SpanRead || n != len(strings.Fields(text)) {
			t.Fatalf("in %s at %s: got %d words of %s with problem %d, %v, want all and none", name, now, n, text, problem, err)
		}
		if !s.From.Equal(from) || !s.To.Equal(to) {
			t.Fatalf("in %s at %s: got %s read as %s to %s, want %s to %s", name, now, text, s.From, s.To, from, to)
		}
	}
}

// FuzzWhen reads anything without a panic, never more words than there are, and never an end before
// the beginning.
func FuzzWhen(f *testing.F) {
	for _, seed := range []string{
		"mon-fri 9-17", "until friday", "24.-27.12.", "3/4", "dec 7-11", "tue 1 dec 09:00 – 17:00", "in 1h30m", "- - -", "for", "next", "the rest of",
		"29 feb", "end of", "9-", "-9", "0:0", "99999999999999999999h", "1e309 h", "half", "a half", "in a", "kw 53", "31 apr to", "nan h", "inf days", "12/31/9999 23:59",
	} {
		f.Add(seed, int64(1_772_634_600), uint8(1))
	}
	f.Fuzz(func(t *testing.T, text string, now int64, zone uint8) {
		z, err := schedule.LoadZone(readZones[int(zone)%len(readZones)])
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Fields(text)
		r := schedule.Reader{Zone: z, Now: time.Unix(now%7_000_000_000, 0)}
		if m, n, _ := r.Moment(words); n < 0 || n > len(words) || m.End.Before(m.Start) {
			t.Errorf("%q: %d words, %+v; want 0 to %d words, and an end that is not before the start", text, n, m, len(words))
		}
		if _, n, _, _ := r.Span(words); n < 0 || n > len(words) {
			t.Errorf("%q: %d words; want n at least 0 and n at most %d", text, n, len(words))
		}
		_, _ = schedule.ParseWindows(text)
	})
}
