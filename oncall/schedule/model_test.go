package schedule

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A model looks at the wall clock once a minute and crosses off the hand-offs that
// it has reached. It knows nothing of closed forms.
type model struct {
	loc      *time.Location
	rotation Rotation
	reached  time.Time // the latest that the clock has shown, on paper (in UTC)
	next     time.Time // the next hand-off, on paper
	count    int       // hand-offs crossed off
}

func newModel(r Rotation, loc *time.Location) *model {
	m := &model{loc: loc, rotation: r}
	m.next = m.handOver(0)
	return m
}

func paper(d Date, t TimeOfDay) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, int(t), 0, 0, time.UTC)
}

// handOver returns when turn k begins, on paper.
func (m *model) handOver(k int) time.Time {
	r := m.rotation
	start := paper(r.StartDate, r.HandOff)
	n := k * max(r.Period.Every, 1)
	switch {
	case r.Period.Cron != "":
		at := paper(r.StartDate, 0)
		if k > 0 {
			at = m.next.Add(time.Minute)
		}
		for !m.matches(at) {
			at = at.Add(time.Minute)
		}
		return at
	case r.Period.Unit == HourUnit:
		return start.Add(time.Duration(n) * time.Hour)
	case r.Period.Unit == DayUnit:
		return start.AddDate(0, 0, n)
	case r.Period.Unit == WeekUnit:
		return start.AddDate(0, 0, 7*n)
	}
	at := paper(Date{r.StartDate.Year, r.StartDate.Month, 1}, r.HandOff).AddDate(0, n, 0)
	last := at.AddDate(0, 1, -1).Day()
	return at.AddDate(0, 0, min(r.StartDate.Day, last)-1)
}

// matches knows the two expressions that the tests use.
func (m *model) matches(at time.Time) bool {
	switch m.rotation.Period.Cron {
	case "30 1,2 * * *":
		return at.Minute() == 30 && (at.Hour() == 1 || at.Hour() == 2)
	case "0 0,12 13 * 5":
		return at.Minute() == 0 && at.Hour()%12 == 0 && (at.Day() == 13 || at.Weekday() == time.Friday)
	}
	panic("unknown expression")
}

// look reads the clock at t, which must be later than the last look.
func (m *model) look(t time.Time) []UserID {
	local := t.In(m.loc)
	year, month, day := local.Date()
	shown := time.Date(year, month, day, local.Hour(), local.Minute(), 0, 0, time.UTC)
	if shown.After(m.reached) {
		m.reached = shown
	}
	for !m.next.After(m.reached) {
		m.count++
		m.next = m.handOver(m.count)
	}
	if m.count == 0 || !m.open() {
		return nil
	}
	return m.rotation.Turns[(m.count-1+m.rotation.FirstTurn)%len(m.rotation.Turns)]
}

// open reports whether the windows and the holidays let the rotation be in force.
func (m *model) open() bool {
	h := m.rotation.Holidays
	if h == nil {
		return m.openAt(m.reached)
	}
	today := Date{m.reached.Year(), m.reached.Month(), m.reached.Day()}
	holiday := slices.ContainsFunc(slices.Concat(h.Own, h.Days), func(d Holiday) bool { return d.Date == today })
	switch {
	case h.Rule == HolidaysOnly:
		return holiday && m.openAt(m.reached)
	case h.Rule == HolidaysExcept:
		return !holiday && m.openAt(m.reached)
	case h.Rule == HolidaysWeekend && holiday:
		for at := m.reached; ; at = at.AddDate(0, 0, 1) {
			if at.Weekday() == time.Sunday {
				return m.openAt(at)
			}
		}
	}
	return m.openAt(m.reached)
}

// openAt looks for a window that was opened in the last week and is not yet closed.
func (m *model) openAt(at time.Time) bool {
	if len(m.rotation.Windows) == 0 {
		return true
	}
	short := func(t time.Time) Weekday { return weekdays[(t.Weekday()+6)%7] }
	for back := range 8 {
		day := at.AddDate(0, 0, -back).Truncate(24 * time.Hour)
		for _, w := range m.rotation.Windows {
			if short(day) != w.FromDay && !slices.Contains(w.Days, short(day)) {
				continue
			}
			opened := day.Add(time.Duration(w.From) * time.Minute)
			closed := day.Add(time.Duration(w.To) * time.Minute)
			for !closed.After(opened) || w.ToDay != "" && short(closed) != w.ToDay {
				closed = closed.AddDate(0, 0, 1)
			}
			if !opened.After(at) && at.Before(closed) {
				return true
			}
		}
	}
	return false
}

// modelRotation makes up a rotation that begins some days before an instant.
func modelRotation(rng *rand.Rand, around time.Time, zone string) Rotation {
	start := around.AddDate(0, 0, -1-rng.IntN(9))
	r := Rotation{
		Name: "model", TimeZone: zone, StartDate: Date{start.Year(), start.Month(), start.Day()},
		HandOff: TimeOfDay(15 * rng.IntN(16)), // hand-offs in the small hours hurt most
		Turns:   [][]UserID{{"ann"}, {"bo", "cy"}, {"di"}}, FirstTurn: rng.IntN(3),
	}
	switch rng.IntN(7) {
	case 0:
		r.Period = Period{Unit: HourUnit, Every: 1 + rng.IntN(12)}
	case 1:
		r.Period = Period{Cron: "30 1,2 * * *"}
	case 2:
		r.Period = Period{Cron: "0 0,12 13 * 5"}
	case 3:
		r.Period = Period{Unit: WeekUnit}
	case 4:
		r.Period = Period{Unit: MonthUnit}
	default:
		r.Period = Period{Unit: DayUnit, Every: 1 + rng.IntN(2)}
	}
	if rng.IntN(2) == 0 {
		quarter := func() TimeOfDay { return TimeOfDay(15 * rng.IntN(96)) }
		r.Windows = []Window{
			{Days: weekdays[rng.IntN(4) : 4+rng.IntN(4)], From: quarter(), To: quarter()},
			{FromDay: weekdays[rng.IntN(7)], From: quarter(), ToDay: weekdays[rng.IntN(7)], To: quarter()},
		}
	}
	if rng.IntN(3) == 0 {
		r.Holidays = &Holidays{Rule: HolidayRules[rng.IntN(len(HolidayRules))]}
		for range 1 + rng.IntN(6) {
			day := around.AddDate(0, 0, rng.IntN(18)-12)
			one := Holiday{Date: Date{day.Year(), day.Month(), day.Day()}, Name: "a holiday"}
			if rng.IntN(2) == 0 {
				r.Holidays.Own = append(r.Holidays.Own, one)
			} else {
				r.Holidays.Days = append(r.Holidays.Days, one)
			}
		}
	}
	return r
}

func TestSlowModelAgrees(t *testing.T) {
	t.Parallel()
	zones := []string{
		"America/New_York", "Europe/London", "Europe/Berlin", "Australia/Lord_Howe", "Antarctica/Troll",
		"Antarctica/Casey", "Africa/Cairo", "Asia/Beirut", "America/Santiago", "America/Havana", "America/Sao_Paulo",
		"America/Asuncion", "Pacific/Apia", "Pacific/Kwajalein", "Asia/Kathmandu", "Asia/Tehran", "Africa/Casablanca",
		"America/St_Johns", "Pacific/Chatham", "Asia/Pyongyang", "America/Caracas", "Pacific/Kiritimati", "Asia/Gaza",
		"Europe/Dublin", "Africa/Monrovia", "America/Scoresbysund", "Asia/Amman", "Europe/Volgograd", "UTC",
	}
	for i, name := range zones {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(7, uint64(i)))
			z, err := LoadZone(name)
			if err != nil {
				t.Fatal(err)
			}
			loc, _ := time.LoadLocation(name)
			changes := append(changesIn(z, 1985, 2040), Date{2040, 12, 31}.days()*paperDay)
			rng.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
			for _, change := range changes[:min(len(changes), seeds(6))] {
				compareWithModels(t, rng, name, loc, time.Unix(change, 0).UTC())
			}
		})
	}
}

// compareWithModels has a model for each of some rotations, in two versions, and an
// absent person.
func compareWithModels(t *testing.T, rng *rand.Rand, zone string, loc *time.Location, around time.Time) {
	t.Helper()
	edit, back := around.AddDate(0, 0, -1).Add(-42*time.Minute), around.Add(17*time.Hour)
	d := Definition{
		Versions: []Version{{}, {EffectiveFrom: &edit}},
		Inactive: map[UserID][]Span{"bo": {{Start: around.Add(-30 * time.Hour), End: &back}}},
	}
	var models [2][]*model
	for v := range models {
		for range 1 + rng.IntN(3) {
			r := modelRotation(rng, around, zone)
			r.Priority = rng.IntN(2)
			if rng.IntN(3) == 0 {
				r.Until = &back
			}
			if rng.IntN(3) == 0 {
				r.Turns[rng.IntN(3)] = nil
			}
			d.Versions[v].Rotations = append(d.Versions[v].Rotations, r)
			models[v] = append(models[v], newModel(r, loc))
		}
	}
	c := mustCompile(t, d)
	var buffer [4]UserID
	for at := around.AddDate(0, 0, -10).Truncate(time.Minute); at.Before(around.AddDate(0, 0, 3)); at = at.Add(time.Minute) {
		var byPriority [2][]UserID
		for v := range models {
			for _, model := range models[v] {
				users := model.look(at) // every model keeps looking, whichever version is in force
				r := model.rotation
				if edited := !at.Before(edit); edited != (v == 1) || r.Until != nil && !at.Before(*r.Until) {
					continue
				}
				for _, u := range users {
					away := u == "bo" && !at.Before(d.Inactive[u][0].Start) && at.Before(back)
					if !away && !slices.Contains(byPriority[r.Priority], u) {
						byPriority[r.Priority] = append(byPriority[r.Priority], u)
					}
				}
			}
		}
		want := byPriority[1]
		if len(want) == 0 {
			want = byPriority[0]
		}
		slices.Sort(want)
		if got := c.AppendAt(buffer[:0], at, ""); !slices.Equal(got, want) {
			t.Fatalf("%s (%s): %v is on call, want %v\n%+v", at.Format(time.RFC3339), at.In(loc), got, want, d)
		}
	}
}
