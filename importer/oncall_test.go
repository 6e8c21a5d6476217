package importer_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/importer"
)

// A gocModel is a shift of Grafana OnCall's, modelled as the dates on which it occurs.
type gocModel struct {
	level    int
	freq     string
	interval int
	start    int64 // on paper
	lasts    int64
	days     []int // 0: Monday
	groups   [][]int
	until    time.Time
}

const monday = 4 // 1970-01-05, counted in days

// at returns the people on call in the current occurrence of the shift. Weeks begin on Monday.
func (m gocModel) at(t time.Time, location *time.Location) ([]int, bool) {
	if !m.until.IsZero() && !t.Before(m.until) {
		return nil, false
	}
	wall := wallSeconds(t, location)
	step := map[bool]int64{true: 3600, false: 86400}[m.freq == "hourly"]
	for begin := m.start + max(wall-m.lasts-m.start, 0)/step*step; begin <= wall; begin += step {
		if turn, ok := m.turn(begin); ok && wall < begin+m.lasts {
			return m.groups[turn%len(m.groups)], true
		}
	}
	return nil, false
}

// turn returns the index of the person whose turn an occurrence is, if there is one.
func (m gocModel) turn(begin int64) (int, bool) {
	weekday := int(((begin/86400-monday)%7 + 7) % 7)
	on := len(m.days) == 0 || slices.Contains(m.days, weekday)
	switch {
	case m.freq == "hourly":
		n := int((begin - m.start) / 3600)
		return n / m.interval, n%m.interval == 0
	case m.freq == "daily" && len(m.days) == 0:
		n := int((begin - m.start) / 86400)
		return n / m.interval, n%m.interval == 0
	case m.freq == "daily": // the days that count are dealt out one by one
		n := 0
		for day := m.start; day < begin; day += 86400 {
			if slices.Contains(m.days, int(((day/86400-monday)%7+7)%7)) {
				n++
			}
		}
		return n / m.interval, on
	}
	week := func(at int64) int64 { return (at/86400 - monday) / 7 }
	if len(m.days) == 0 {
		on = (begin-m.start)%(7*86400) == 0
	}
	n := int(week(begin) - week(m.start))
	return n / m.interval, on && n%m.interval == 0
}

func randomOnCall(r *rand.Rand, location *time.Location) (models []gocModel, files map[string][]byte) {
	words := []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}
	var shifts []map[string]any
	for i := range 1 + r.IntN(3) {
		m := gocModel{level: r.IntN(3), freq: []string{"hourly", "daily", "weekly"}[r.IntN(3)], interval: 1 + r.IntN(2)}
		start := time.Date(2026, time.Month(1+r.IntN(3)), 1+r.IntN(28), 4+r.IntN(18), 0, 0, 0, time.UTC)
		unit := map[string]int64{"hourly": 3600, "daily": 86400, "weekly": 7 * 86400}[m.freq]
		if m.freq == "hourly" {
			m.interval = 6 * (1 + r.IntN(3))
		}
		m.lasts = unit * int64(m.interval)
		switch {
		case m.freq == "hourly" && r.IntN(2) == 0:
			m.lasts = 3600 * int64(1+r.IntN(m.interval))
		case m.freq != "hourly" && r.IntN(3) > 0:
			m.lasts = 3600 * int64(1+r.IntN(16))
			for d := range 7 {
				if r.IntN(2) == 0 && r.IntN(3) > 0 {
					m.days = append(m.days, d)
				}
			}
			if m.freq == "daily" && len(m.days) > 0 {
				m.interval = min(m.interval, len(m.days))
			}
		}
		if len(m.days) > 0 { // begin on one of them
			for !slices.Contains(m.days, int(start.Weekday()+6)%7) {
				start = start.AddDate(0, 0, 1)
			}
		}
		m.start = start.Unix()
		a := map[string]any{
			"id": fmt.Sprint("O", i), "name": fmt.Sprint("Shift ", i), "type": "rolling_users", "level": m.level, "start": start.Format("2006-01-02T15:04:05"), "rotation_start": start.Format("2006-01-02T15:04:05"),
			"duration": m.lasts, "frequency": m.freq, "interval": m.interval, "week_start": "MO",
		}
		var by []string
		for _, d := range m.days {
			by = append(by, words[d])
		}
		a["by_day"] = by
		var rolling [][]string
		first := 0
		for range 1 + r.IntN(3) {
			group := []int{r.IntN(4)}
			if r.IntN(4) == 0 {
				group = append(group, (group[0]+1)%4)
			}
			m.groups = append(m.groups, group)
			var ids []string
			for _, u := range group {
				ids = append(ids, fmt.Sprint("U", u))
			}
			rolling = append(rolling, ids)
		}
		first = r.IntN(len(m.groups))
		m.groups = slices.Concat(m.groups[first:], m.groups[:first])
		a["rolling_users"], a["start_rotation_from_user_index"] = rolling, first
		if r.IntN(4) == 0 { // at the end of an occurrence: what happens to one that is cut off isn't known
			m.until = time.Date(2026, 4, 1+r.IntN(28), 2, 0, 0, 0, time.UTC)
			a["until"] = m.until.Format("2006-01-02T15:04:05")
		}
		models, shifts = append(models, m), append(shifts, a)
	}
	var users []map[string]any
	for i, name := range []string{"Ann", "Bo", "Cy", "Di"} {
		users = append(users, map[string]any{"id": fmt.Sprint("U", i), "username": name, "email": strings.ToLower(name) + "@example.com"})
	}
	return models, map[string][]byte{
		"users.json":            marshal(map[string]any{"results": users}),
		"schedules.json":        marshal(map[string]any{"results": []any{map[string]any{"id": "S", "name": "Payments", "type": "web", "time_zone": location.String()}}}),
		"on_call_shifts-S.json": marshal(map[string]any{"results": shifts}),
	}
}

// Every schedule gives the same answers here and there: levels, weekdays, groups, turns by day or
// by week.
func TestOnCallSchedulesAgreeWithModel(t *testing.T) {
	t.Parallel()
	compared := 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		location := zoneOf(t, seed)
		models, files := randomOnCall(r, location)
		result := fromOnCall(t, files)
		if slices.ContainsFunc(result.Lost, func(l importer.Loss) bool { return strings.Contains(l.What, "can't be said") }) {
			continue // single dates, with a remark
		}
		compared++
		checkAgreement(t, seed, location, result, modelFinal("Payments", 60, func(at time.Time) (on []int) {
			highest := -1
			for _, m := range models {
				group, ok := m.at(at, location)
				if !ok || m.level < highest {
					continue
				}
				if m.level > highest {
					highest, on = m.level, nil
				}
				for _, u := range group {
					if !slices.Contains(on, u) {
						on = append(on, u)
					}
				}
			}
			return on
		}), files)
	}
	if compared < 30 {
		t.Errorf("%d schedules were compared, want at least 30", compared)
	}
}
