package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

var people = map[oncall.UserID]Person{
	"ann": {TimeZone: "Europe/Berlin"}, "bo": {TimeZone: "America/New_York"}, "cy": {TimeZone: "Asia/Kolkata"}, "di": {TimeZone: "Australia/Lord_Howe"},
}

// randomFacts are about the days around a change of clocks.
func randomFacts(r *rand.Rand, p Period) Facts {
	f := Facts{Period: p, People: people, Ways: map[oncall.OverrideID]Way{}}
	users := []oncall.UserID{"ann", "bo", "cy", "di"}
	span := p.To.Sub(p.From) + 4*Lead
	at := func() time.Time {
		return p.From.Add(-2*Lead + time.Duration(r.Int64N(int64(span/time.Second)))*time.Second)
	}
	for id := range oncall.IncidentID(40) {
		in := Incident{
			ID: id + 1, OpenedAt: at(), Severity: []oncall.Severity{oncall.Critical, oncall.High, oncall.Low}[r.IntN(3)],
			Integration: fmt.Sprint("in", r.IntN(3)), Service: []string{"", "a", "b"}[r.IntN(3)], ByPerson: r.IntN(2) == 0,
			Verdict: []Verdict{NoVerdict, Real, Noise, Unsure}[r.IntN(4)],
		}
		if r.IntN(2) == 0 {
			in.AckedAt = new(in.OpenedAt.Add(time.Duration(r.IntN(7200)) * time.Second))
		}
		if r.IntN(3) > 0 {
			in.ResolvedAt = new(in.OpenedAt.Add(time.Duration(7200+r.IntN(7200)) * time.Second))
		}
		if r.IntN(6) == 0 {
			in.MergedInto = 1 + oncall.IncidentID(r.IntN(40))
		}
		f.Incidents = append(f.Incidents, in)
	}
	when := at()
	for n := range 400 {
		switch r.IntN(4) {
		case 0:
			when = at()
		default:
			when = when.Add(time.Duration(r.IntN(200)) * time.Second)
		}
		f.Pages = append(f.Pages, Page{
			User: users[r.IntN(4)], At: when, Incident: 1 + oncall.IncidentID(r.IntN(40)), Seq: int64(r.IntN(3)), Message: oncall.PageID(n + 1),
		})
		if last := &f.Pages[len(f.Pages)-1]; n > 0 && r.IntN(5) == 0 { // a bundle
			before := f.Pages[len(f.Pages)-2]
			last.User, last.At, last.Message = before.User, before.At, before.Message
		}
	}
	s := schedule.Definition{ID: 1, Name: "s", TimeZone: "Europe/Berlin", Versions: []schedule.Version{{Rotations: []schedule.Rotation{{
		Name: "r", Period: schedule.Period{Unit: schedule.DayUnit}, StartDate: schedule.Date{Year: 2026, Month: 1, Day: 1}, HandOff: 9 * 60,
		Turns: [][]schedule.UserID{{"ann"}, {"bo"}, {"cy", "di"}},
	}, {
		Name: "second", Role: schedule.RoleSecondary, Period: schedule.Period{Unit: schedule.WeekUnit}, StartDate: schedule.Date{Year: 2026, Month: 1, Day: 5},
		Turns: [][]schedule.UserID{{"di"}, {"ann"}},
	}}}}}
	for id := range schedule.OverrideID(8) {
		start := at().Truncate(time.Minute)
		o := schedule.Override{ID: id + 1, ScheduleID: 1, Start: start, End: start.Add(time.Duration(1+r.IntN(3000)) * time.Minute)}
		if r.IntN(2) == 0 {
			o.Kind, o.Users = schedule.OverrideCover, []schedule.UserID{users[r.IntN(4)]}
		} else {
			o.Kind, o.From, o.To = schedule.OverrideSwap, "ann", "bo"
		}
		s.Overrides = append(s.Overrides, o)
		f.Ways[o.ID] = []Way{ByOverride, BySwap, ByCover}[r.IntN(3)]
	}
	f.Schedules = []schedule.Definition{s}
	return f
}

// within returns the facts that are known about a part of the period.
func (f Facts) within(p Period) Facts {
	f.Period = p
	f.Pages = slices.DeleteFunc(slices.Clone(f.Pages), func(g Page) bool {
		return g.At.Before(p.From.Add(-Lead)) || !g.At.Before(p.To.Add(Lead))
	})
	return f
}

// figures returns everything that adds up.
func figures(of ...Report) map[string]int {
	out := map[string]int{}
	add := func(name string, n int) {
		if n != 0 {
			out[name] += n
		}
	}
	bands := func(name string, b Bands) {
		add(name+" working", b.Working)
		add(name+" off", b.Off)
		add(name+" sleep", b.Sleep)
	}
	for _, r := range of {
		add("incidents", r.Incidents)
		add("open", r.Open)
		add("cleared", r.Cleared)
		add("unacked", r.Unacked)
		add("acked", r.Ack.Of)
		add("resolved", r.Resolve.Of)
		add("woken", r.Woken)
		add("bad", r.Bad)
		add("hours", int(r.Hours/time.Second))
		bands("all", r.Interruptions)
		for part, counts := range map[string][]Count{"severity": r.BySeverity, "service": r.ByService, "integration": r.ByIntegration} {
			for _, c := range counts {
				for what, n := range map[string]int{"incidents": c.Incidents, "interruptions": c.Interruptions, "real": c.Real, "noise": c.Noise, "unsure": c.Unsure} {
					add(part+" "+c.Name+" "+what, n)
				}
			}
		}
		for _, p := range r.People {
			bands(string(p.User), p.Interruptions)
			h := p.Hours
			for what, n := range map[string]int{
				"woken": p.Woken, "bad": p.Bad, "nights": h.Nights, "weekend days": h.WeekendDay, "planned": int(h.Planned / time.Second),
				"override": int(h.Override / time.Second), "swap": int(h.Swap / time.Second), "cover": int(h.Cover / time.Second), "given": int(h.GivenAway / time.Second),
			} {
				add(string(p.User)+" "+what, n)
			}
		}
		for _, d := range r.Days {
			bands(d.Date.String(), d.Interruptions)
			add(d.Date.String(), d.Incidents)
		}
	}
	return out
}

// Wherever a period is split, its parts add up to it.
func TestPartsAddUpToTheWhole(t *testing.T) {
	t.Parallel()
	for seed := range seeds(150) {
		r := rand.New(rand.NewPCG(seed, 13))
		first := schedule.Date{Year: 2026, Month: 3, Day: 26} // Berlin's clocks change on the 29th
		if seed%2 == 1 {
			first = schedule.Date{Year: 2026, Month: 10, Day: 23} // on the 25th
		}
		p := Days([]string{"Europe/Berlin", "America/New_York", "UTC"}[r.IntN(3)], first, 6)
		f := randomFacts(r, p)
		cut := p.From.Add(time.Duration(r.Int64N(int64(p.To.Sub(p.From)/time.Second))) * time.Second)
		if r.IntN(2) == 0 {
			cut = Days(p.TimeZone, first, 1+r.IntN(5)).To
		}
		head, tail := p, p
		head.To, tail.From = cut, cut
		whole := figures(Make(f.within(p)))
		if diff := cmp.Diff(whole, figures(Make(f.within(head)), Make(f.within(tail)))); diff != "" {
			t.Fatalf("seed %d, cut at %s (-whole +parts):\n%s", seed, cut, diff)
		}
	}
}

// Totals are the sums of their parts.
func TestTotalsAreSums(t *testing.T) {
	t.Parallel()
	for seed := range seeds(50) {
		r := rand.New(rand.NewPCG(seed, 7))
		p := Days("Europe/Berlin", schedule.Date{Year: 2026, Month: 3, Day: 26}, 6)
		got := Make(randomFacts(r, p).within(p))
		var people, days Bands
		var woken, incidents int
		var hours time.Duration
		for _, who := range got.People {
			people.Working += who.Interruptions.Working
			people.Off += who.Interruptions.Off
			people.Sleep += who.Interruptions.Sleep
			woken += who.Woken
			hours += who.Hours.All()
		}
		for _, d := range got.Days {
			days.Working += d.Interruptions.Working
			days.Off += d.Interruptions.Off
			days.Sleep += d.Interruptions.Sleep
			incidents += d.Incidents
		}
		if people != got.Interruptions || days != got.Interruptions {
			t.Errorf("seed %d: got %v interruptions by people and %v by days, want %v", seed, people, days, got.Interruptions)
		}
		if woken != got.Woken || hours != got.Hours {
			t.Errorf("seed %d: got %d woken and %s by people, want %d and %s", seed, woken, hours, got.Woken, got.Hours)
		}
		if incidents != got.Incidents {
			t.Errorf("seed %d: got %d incidents by days, want %d", seed, incidents, got.Incidents)
		}
		for _, part := range [][]Count{got.BySeverity, got.ByService, got.ByIntegration} {
			n, rings := 0, 0
			for _, c := range part {
				n, rings = n+c.Incidents, rings+c.Interruptions
			}
			if n != got.Incidents || rings != got.Interruptions.All() {
				t.Errorf("seed %d: %d incidents and %d interruptions by name of %d and %d", seed, n, rings, got.Incidents, got.Interruptions.All())
			}
		}
		if got.Ack.Of+got.Unacked+got.Cleared > got.Incidents || got.Resolve.Of+got.Open != got.Incidents {
			t.Errorf("seed %d: acknowledged, unacknowledged and cleared are %d, %d and %d, want at most %d in all; resolved and open %d and %d, want %d in all", seed, got.Ack.Of, got.Unacked, got.Cleared, got.Incidents, got.Resolve.Of, got.Open, got.Incidents)
		}
	}
}

// With one schedule, the hours of each person are those of its shifts, whatever the overrides.
func TestHoursAreTheSchedulesShifts(t *testing.T) {
	t.Parallel()
	for seed := range seeds(50) {
		r := rand.New(rand.NewPCG(seed, 3))
		p := Days("Europe/Berlin", schedule.Date{Year: 2026, Month: 10, Day: 23}, 6)
		f := randomFacts(r, p)
		s, err := schedule.Compile(f.Schedules[0])
		if err != nil {
			t.Fatal(err)
		}
		slow := map[oncall.UserID]time.Duration{}
		for at := p.From; at.Before(p.To); at = at.Add(time.Minute) {
			var on []oncall.UserID
			for _, role := range s.Roles() {
				on = append(on, s.At(at, role)...)
			}
			slices.Sort(on)
			for _, u := range slices.Compact(on) {
				slow[u] += time.Minute
			}
		}
		for u, h := range duties(f, newClocks(f.People)) {
			if h.All() != slow[u] {
				t.Errorf("seed %d: %s was on call for %s, want %s, as counted minute by minute", seed, u, h.All(), slow[u])
			}
		}
	}
}

func TestFairnessComparesBeforeAndAfter(t *testing.T) {
	t.Parallel()
	rota := func(turns ...[]schedule.UserID) *schedule.Schedule {
		s, err := schedule.Compile(schedule.Definition{TimeZone: "Europe/Berlin", Versions: []schedule.Version{{Rotations: []schedule.Rotation{{
			Name: "weeks", Period: schedule.Period{Unit: schedule.WeekUnit}, StartDate: schedule.Date{Year: 2026, Month: 3, Day: 2}, HandOff: 9 * 60, Turns: turns,
		}}}}})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	from := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	was, is := rota([]schedule.UserID{"ann"}, []schedule.UserID{"bo"}), rota([]schedule.UserID{"ann"}, []schedule.UserID{"ann"}, []schedule.UserID{"cy"})
	got := Fairness(was, is, people, from, from.AddDate(0, 0, 42))
	hour := time.Hour
	// The week of 23 March has an hour less in Berlin, and the six weeks end an hour after a hand-off. In New York Bo's last
	// night of that week goes to Ann, as it is 03:00 there when Berlin hands over.
	want := []ShareChange{
		{User: "ann", Was: Share{On: 505 * hour, Nights: 21, WeekendDays: 6}, Is: Share{On: 672 * hour, Nights: 28, WeekendDays: 8}},
		{User: "bo", Was: Share{On: 503 * hour, Nights: 20, WeekendDays: 6}, NoLongerIn: true},
		{User: "cy", Is: Share{On: 336 * hour, Nights: 14, WeekendDays: 4}, Newcomer: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
