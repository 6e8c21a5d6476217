package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/report"
)

// digestDay is when team 1 gets the digest of the week that began at start.
var digestDay = time.Date(2026, 3, 9, 8, 1, 0, 0, time.UTC)

// dueAt returns the teams whose weekly digest is due.
func (w *world) dueAt(at time.Time) (teams []oncall.TeamID) {
	w.t.Helper()
	for _, d := range must[[]report.DueDigest](w.t)(w.DueDigests(w.t.Context(), at)) {
		teams = append(teams, d.Team)
	}
	return teams
}

// A channel is told on Monday from nine on, in the team's zone, of a week in which something happened, once; of a quiet
// one only where the team wants that; and never where it is off.
func TestDigestSchedule(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := []oncall.TeamID{1}
	if due := w.dueAt(digestDay); due != nil {
		t.Errorf("nothing has ever happened: %v, want nil", due)
	}
	w.storm("a")
	for name, c := range map[string]struct {
		at   time.Time
		want []oncall.TeamID
	}{
		"before nine": {digestDay.Add(-2 * time.Minute), nil}, "at nine": {digestDay, one}, "in the evening": {digestDay.Add(12 * time.Hour), nil},
		"on Tuesday": {digestDay.Add(24 * time.Hour), nil}, "a week later": {digestDay.AddDate(0, 0, 7), one}, "two weeks later": {digestDay.AddDate(0, 0, 14), nil},
	} {
		if due := w.dueAt(c.at); !cmp.Equal(due, c.want) {
			t.Errorf("%s: %v, want %v", name, due, c.want)
		}
	}
	due := must[[]report.DueDigest](t)(w.DueDigests(t.Context(), digestDay))
	told := must[report.Comparison](t)(w.TeamReport(t.Context(), oncall.ByTimer(), 1, due[0].Week))
	for range 2 { // two instances
		w.check(w.PostDigest(t.Context(), due[0], told, digestDay))
	}
	if n := w.count(`SELECT count(*) FROM notices WHERE kind = 'digest' AND recipient = '#payments'`); n != 1 {
		t.Errorf("%d notices, want one", n)
	}
	if due := w.dueAt(digestDay.Add(time.Minute)); due != nil {
		t.Errorf("once it was told: %v, want nil", due)
	}
	w.exec(`UPDATE teams SET digest = 'weekly'`)
	if due := must[[]report.DueDigest](t)(w.another().DueDigests(t.Context(), digestDay.AddDate(0, 0, 21))); len(due) != 1 {
		t.Errorf("quiet, and wanted each week: %v", due)
	}
	w.exec(`UPDATE teams SET digest = 'off'`)
	if due := must[[]report.DueDigest](t)(w.another().DueDigests(t.Context(), digestDay.AddDate(0, 0, 7))); len(due) != 0 {
		t.Errorf("off: %v, want none", due)
	}
}

// Only some teams get their digest in the same minute.
func TestMondayMorningIsSpread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`INSERT INTO teams (name, channel, created_at, time_zone, digest) SELECT 'team ' || n, '#t' || n, $1, 'Europe/Berlin', 'weekly' FROM generate_series(1, 100) AS n`, start)
	fresh := w.another()
	first := must[[]report.DueDigest](t)(fresh.DueDigests(t.Context(), digestDay))
	all := must[[]report.DueDigest](t)(fresh.DueDigests(t.Context(), digestDay.Add(30*time.Minute)))
	if len(first) == 0 || len(first) > 8 || len(all) != 8 {
		t.Errorf("at nine %d, at half past %d, want some, and eight", len(first), len(all))
	}
}

// woken adds pages that woke somebody.
func (w *world) woken(who oncall.UserID, at ...time.Time) {
	w.t.Helper()
	for _, t := range at {
		w.exec(`
			INSERT INTO pages (incident_id, user_id, method, why, key, state, attempt, ended_at, call_seq, detail)
			SELECT 1, $1, 'slack', '', 'night/' || (SELECT count(*) FROM pages), 'delivered', 1, $2, 100 + (SELECT count(*) FROM pages), ''`, who, t)
	}
}

// Whoever was woken twice is offered cover when their hours begin, once; a manager hears of the third such night in
// a fortnight, and nobody of a night with one page.
func TestRestIsOfferedAfterABadNight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE team_members SET role = 'admin' WHERE user_id IN ($1, $2)`, cy, ann)
	w.storm("a")
	fresh := w.another()
	night := time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC) // 02:00 in Berlin
	morning := night.Add(5*time.Hour + time.Minute)
	notices := func() []string {
		return w.strings(`SELECT kind || ' ' || recipient || ' ' || (facts ->> 'count') FROM notices WHERE kind LIKE 'bad%' ORDER BY id`)
	}
	w.woken(ann, night, night.Add(time.Hour))
	w.woken(bo, night)
	w.check(fresh.OfferRest(t.Context(), night.Add(2*time.Hour)))
	if got := notices(); len(got) > 0 {
		t.Errorf("in the night: %q, want none", got)
	}
	for range 2 {
		w.check(fresh.OfferRest(t.Context(), morning))
	}
	if got := notices(); !cmp.Equal(got, []string{"bad_night U0ANN 2"}) {
		t.Errorf("in the morning: %q, want %q", got, []string{"bad_night U0ANN 2"})
	}
	if got := w.strings(`SELECT to_char(scheduled_at AT TIME ZONE 'UTC', 'HH24:MI') FROM river_job WHERE kind = 'tell' ORDER BY id DESC LIMIT 1`); !cmp.Equal(got, []string{"08:00"}) {
		t.Errorf("told at %q, want nine in Berlin", got)
	}
	for _, days := range []int{4, 9, 10} {
		w.woken(ann, night.AddDate(0, 0, days), night.AddDate(0, 0, days).Add(time.Hour), night.AddDate(0, 0, days).Add(2*time.Hour))
		w.check(fresh.OfferRest(t.Context(), morning.AddDate(0, 0, days)))
	}
	want := []string{"bad_night U0ANN 2", "bad_night U0ANN 3", "bad_night U0ANN 3", "bad_nights U0CY 3", "bad_night U0ANN 3"}
	if got := notices(); !cmp.Equal(got, want) {
		t.Errorf("in the fortnight: %q, want %q", got, want)
	}
}
