package importer_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// A gaModel is a rule of GoAlert's with whoever has the turn.
type gaModel struct {
	from, to int64 // of the day
	days     [7]bool
	turn     int64 // 0: one person
	start    int64 // on paper
	users    []int
	active   int
}

func (m gaModel) at(t time.Time, location *time.Location) (int, bool) {
	wall := wallSeconds(t, location)
	day, clock := wall/86400, wall%86400
	weekday := func(day int64) int64 { return ((day+4)%7 + 7) % 7 } // 1970-01-01 was a Thursday
	open := m.days[weekday(day)] && clock >= m.from && (clock < m.to || m.to <= m.from)
	open = open || m.to <= m.from && m.days[weekday(day-1)] && clock < m.to
	if !open {
		return 0, false
	}
	if m.turn == 0 {
		return m.users[0], true
	}
	k := func(at time.Time) int64 {
		since := wallSeconds(at, location) - m.start
		return (since - ((since%m.turn)+m.turn)%m.turn) / m.turn
	}
	n := int64(len(m.users))
	return m.users[((int64(m.active)+k(t)-k(now))%n+n)%n], true
}

// Every schedule gives the same answers here and there: combined rules, turns from the present one,
// overrides, temporary schedules.
func TestGoAlertSchedulesAgreeWithModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 4))
		location := zoneOf(t, seed)
		var models []gaModel
		var targets, rotations, overrides []map[string]any
		for i := range 1 + r.IntN(3) {
			m := gaModel{from: int64(4+r.IntN(18)) * 3600, to: int64(4+r.IntN(18)) * 3600}
			for d := range m.days {
				m.days[d] = r.IntN(3) > 0
			}
			target := map[string]any{"id": fmt.Sprint("U", i), "type": "user", "name": "x"}
			m.users = []int{i}
			if r.IntN(3) > 0 {
				kind := r.IntN(3)
				length := int64(1 + r.IntN(3))
				m.turn = length * []int64{3600, 86400, 7 * 86400}[kind] * []int64{4, 1, 1}[kind]
				start := time.Date(2026, time.Month(1+r.IntN(5)), 1+r.IntN(28), 4+r.IntN(18), 0, 0, 0, location)
				m.start = wallSeconds(start, location)
				m.users = nil
				var ids []string
				for range 1 + r.IntN(4) {
					m.users = append(m.users, r.IntN(4))
					ids = append(ids, fmt.Sprint("U", m.users[len(m.users)-1]))
				}
				m.active = r.IntN(len(m.users))
				if kind == 0 {
					length *= 4
				}
				rotations = append(rotations, map[string]any{
					"id": fmt.Sprint("R", i), "name": fmt.Sprint("Turns ", i), "type": []string{"hourly", "daily", "weekly"}[kind], "shiftLength": length, "start": start, "timeZone": location.String(), "userIDs": ids, "activeUserIndex": m.active,
				})
				target = map[string]any{"id": fmt.Sprint("R", i), "type": "rotation", "name": "x"}
			}
			models = append(models, m)
			targets = append(targets, map[string]any{"target": target, "rules": []any{map[string]any{"start": fmt.Sprintf("%02d:00", m.from/3600), "end": fmt.Sprintf("%02d:00", m.to/3600), "weekdayFilter": m.days}}})
		}
		type change struct {
			from, to    time.Time
			add, remove int
		}
		var changes []change
		for i := range r.IntN(3) { // not touching, because GoAlert orders those in its own way
			c := change{from: now.AddDate(0, 0, 3+20*i).Add(time.Duration(r.IntN(48)) * time.Hour), add: r.IntN(5) - 1, remove: r.IntN(5) - 1}
			c.to = c.from.Add(time.Duration(1+r.IntN(100)) * time.Hour)
			if c.add == c.remove {
				continue
			}
			o := map[string]any{"id": fmt.Sprint("O", i), "start": c.from, "end": c.to, "addUserID": "", "removeUserID": "", "target": map[string]any{"id": "S", "type": "schedule"}}
			if c.add >= 0 {
				o["addUserID"] = fmt.Sprint("U", c.add)
			}
			if c.remove >= 0 {
				o["removeUserID"] = fmt.Sprint("U", c.remove)
			}
			changes, overrides = append(changes, c), append(overrides, o)
		}
		temporary := change{from: now.AddDate(0, 0, 10), to: now.AddDate(0, 0, 11), add: r.IntN(4)}
		var users []map[string]any
		for i, name := range []string{"Ann", "Bo", "Cy", "Di"} {
			users = append(users, map[string]any{"id": fmt.Sprint("U", i), "name": name, "email": strings.ToLower(name) + "@example.com"})
		}
		nodes := func(list any) map[string]any { return map[string]any{"nodes": list} }
		files := map[string][]byte{"answer.json": marshal(map[string]any{"data": map[string]any{
			"users": nodes(users), "rotations": nodes(rotations), "userOverrides": nodes(overrides),
			"schedules": nodes([]any{map[string]any{"id": "S", "name": "Payments", "timeZone": location.String(), "targets": targets, "temporarySchedules": []any{map[string]any{
				"start": temporary.from, "end": temporary.to, "shifts": []any{map[string]any{"userID": fmt.Sprint("U", temporary.add), "start": temporary.from.Add(2 * time.Hour), "end": temporary.to}},
			}}}}),
		}})}
		checkAgreement(t, seed, location, fromGoAlert(t, files), modelFinal("Payments", 60, func(at time.Time) (on []int) {
			within := func(c change) bool { return !at.Before(c.from) && at.Before(c.to) }
			if within(temporary) {
				if at.Before(temporary.from.Add(2 * time.Hour)) {
					return nil
				}
				return []int{temporary.add}
			}
			for _, m := range models {
				if u, ok := m.at(at, location); ok && !slices.Contains(on, u) {
					on = append(on, u)
				}
			}
			for _, c := range changes {
				if !within(c) {
					continue
				}
				had := slices.Contains(on, c.remove)
				on = slices.DeleteFunc(on, func(u int) bool { return u == c.remove })
				if c.add >= 0 && (c.remove < 0 || had) && !slices.Contains(on, c.add) {
					on = append(on, c.add)
				}
			}
			return on
		}), files)
	}
}
