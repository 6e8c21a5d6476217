package store_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/report"
	"github.com/watchbill/watchbill/oncall/schedule"
)

var march = report.Days("Europe/Berlin", schedule.Date{Year: 2026, Month: 3, Day: 1}, 31)

// delivered marks somebody's waiting page as delivered at an instant.
func (w *world) delivered(page oncall.PageID, at time.Time) {
	w.t.Helper()
	w.begin(page, at)
	w.check(w.RecordPage(w.t.Context(), page, oncall.PageAccepted{}, at))
}

// actAt carries out somebody's act on an incident at an instant.
func (w *world) actAt(id oncall.IncidentID, who oncall.UserID, do oncall.ActKind, at time.Time) {
	w.t.Helper()
	must[oncall.Incident](w.t)(w.Act(w.t.Context(), id, oncall.ByUser(who), oncall.Act{Do: do}, at))
}

// A report tells of a bundle as of one interruption, keeps an acknowledgement that was given back, and knows who was
// on call instead of whom.
func TestTeamReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storm("a", "b", "c")
	w.delivered(1, start)
	w.actAt(1, bo, oncall.ActAck, start.Add(2*time.Minute))
	w.actAt(1, bo, oncall.ActUnack, start.Add(3*time.Minute))
	w.actAt(1, ann, oncall.ActAck, start.Add(50*time.Minute))
	w.actAt(2, bo, oncall.ActResolve, start.Add(10*time.Minute))
	made := w.override(w.stored("primary").ID, start.Add(time.Hour), cy)

	got := must[report.Comparison](t)(w.TeamReport(t.Context(), oncall.ByUser(ann), 1, march))
	if got.Name != "payments" || got.Before.Incidents != 0 {
		t.Errorf("%d incidents of %q in the period before, want 0 of payments", got.Before.Incidents, got.Name)
	}
	if n := []int{got.Now.Incidents, got.Now.Open, got.Now.Unacked}; !slices.Equal(n, []int{3, 2, 1}) {
		t.Errorf("incidents, open and unacknowledged ones are %d, want [3 2 1]", n)
	}
	if a := got.Now.Ack; a.Of != 1 || a.Mean != 2*time.Minute {
		t.Errorf("acknowledged: %+v, want the first, after two minutes", a)
	}
	if got.Now.Interruptions != (report.Bands{Working: 1}) {
		t.Errorf("interruptions: %+v, want the bundle, once", got.Now.Interruptions)
	}
	want := []report.Count{{Name: "grafana", Incidents: 3, Interruptions: 1}}
	if diff := cmp.Diff(want, got.Now.ByIntegration); diff != "" {
		t.Errorf("by integration (-want +got):\n%s", diff)
	}
	hours := map[oncall.UserID]report.Hours{}
	for _, p := range got.Now.People {
		hours[p.User] = p.Hours
	}
	if h := hours[cy]; h.Override != made.End.Sub(made.Start) || h.Planned != 0 {
		t.Errorf("Cy: %+v; want Override %v and Planned 0", h, made.End.Sub(made.Start))
	}
	if h := hours[ann]; h.GivenAway != made.End.Sub(made.Start) {
		t.Errorf("Ann: %+v, want GivenAway %v", h, made.End.Sub(made.Start))
	}
	if all := hours[ann].All() + hours[bo].All() + hours[cy].All(); all != march.To.Sub(start) || all != got.Now.Hours {
		t.Errorf("people were on call for %s, and in the report for %s, want %s", all, got.Now.Hours, march.To.Sub(start)) // since the schedule was made
	}

	mine := must[report.Comparison](t)(w.MyReport(t.Context(), oncall.ByUser(ann), ann, march))
	if len(mine.Now.People) != 1 || mine.Now.People[0].User != ann {
		t.Errorf("Ann's report is about %+v, want her alone", mine.Now.People)
	}
	if mine.Now.Incidents != 3 || mine.Now.Hours != hours[ann].All() {
		t.Errorf("Ann's report has %d incidents in %s, want 3 in %s", mine.Now.Incidents, mine.Now.Hours, hours[ann].All())
	}
	if none := must[report.Comparison](t)(w.MyReport(t.Context(), oncall.ByUser(di), di, march)); none.Now.Incidents != 0 || none.Now.Hours != 0 {
		t.Errorf("Di's: %+v; want Incidents 0 and Hours 0", none.Now)
	}
}

// Incidents that joined a storm are counted with it, although each of them had opened and paged before.
func TestReportCountsStormOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storm("a", "b")
	w.delivered(1, start)
	w.exec(`UPDATE incidents SET merged_into = 2, status = 'resolved', resolved_at = $1 WHERE id = 1`, start)
	got := must[report.Comparison](t)(w.TeamReport(t.Context(), oncall.ByTimer(), 1, march))
	if got.Now.Incidents != 1 || got.Now.Interruptions.All() != 1 || got.Now.BySeverity[0].Interruptions != 1 {
		t.Errorf("the report is %+v, want one incident and one interruption", got.Now)
	}
	// The next month's report has only the pages of an incident that had opened before.
	april := report.Days("Europe/Berlin", schedule.Date{Year: 2026, Month: 4, Day: 1}, 30)
	later := must[report.Comparison](t)(w.TeamReport(t.Context(), oncall.ByTimer(), 1, april))
	if later.Now.Incidents != 0 || later.Before.Incidents != 1 {
		t.Errorf("in April: %d, before %d; want 0 and 1", later.Now.Incidents, later.Before.Incidents)
	}
}

// Only managers and the person see a single person's figures, and only members those of a private team.
func TestReportPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE team_members SET role = 'admin' WHERE user_id = $1`, cy)
	w.storm("a")
	w.delivered(1, start)
	fresh := w.another()
	for who, people := range map[oncall.Actor]bool{
		oncall.ByUser(cy): true, oncall.ByUser(ann): false, oncall.ByUser(di): false, oncall.InChannel(cy): false, oncall.ByCommandLine("ops"): true,
	} {
		got, err := fresh.TeamReport(t.Context(), who, 1, march)
		if err != nil || (len(got.Now.People) > 0) != people || got.Now.Incidents != 1 {
			t.Errorf("%v: %d people and %d incidents, %v; want people: %v", who, len(got.Now.People), got.Now.Incidents, err, people)
		}
	}
	if _, err := fresh.MyReport(t.Context(), oncall.ByUser(cy), ann, march); err == nil {
		t.Error("a manager reads somebody else's own report, want that refused")
	}
	w.exec(`UPDATE teams SET private = true`)
	private := w.another()
	for who, may := range map[oncall.Actor]bool{oncall.ByUser(ann): true, oncall.ByUser(di): false} {
		if _, err := private.TeamReport(t.Context(), who, 1, march); (err == nil) != may {
			t.Errorf("%v of a private team: %v, want may: %v", who, err, may)
		}
	}
}

// BenchmarkReport is a month in which a team had a hundred thousand incidents.
func BenchmarkReport(b *testing.B) {
	w := newWorld(b)
	plantReport(w)
	for b.Loop() {
		got, err := w.TeamReport(context.Background(), oncall.ByTimer(), 1, march)
		if err != nil || got.Now.Incidents != 100_000 {
			b.Fatalf("%d incidents, %v, want 100_000", got.Now.Incidents, err)
		}
	}
}

// plantReport makes a month with a hundred thousand incidents, each with its alert, its timeline and two pages.
func plantReport(w *world) {
	w.t.Helper()
	w.exec(`
		INSERT INTO incidents (id, team_id, policy_id, integration_id, group_key, title, body, link, severity, status, version, opened_at, signal_count,
		                       last_signal_at, flaps, acked_by, resolved_by, resolved_at, seq, round, step, run, exhausted)
		SELECT n, 1, 1, 1, n::text, 'disk', '', '', 'high', 'resolved', 3, $1::timestamptz + n * interval '20 seconds', 1, $1, 0, '{}', '{}', $1::timestamptz + n * interval '21 seconds',
		       1, 1, 1, 1, false
		FROM generate_series(1, 100000) AS n`, march.From)
	w.exec(`
		INSERT INTO incident_events (incident_id, at, kind, actor, detail)
		SELECT n, $1::timestamptz + n * interval '20 seconds' + interval '90 seconds', k, '{"user": "U0ANN"}', '{}'
		FROM generate_series(1, 100000) AS n CROSS JOIN unnest('{opened,paging,page_delivered,acknowledged,resolved}'::text[]) AS k`, march.From)
	w.exec(`
		INSERT INTO alerts (integration_id, dedup_key, group_key, incident_id, firing, title, body, link, severity, labels, count, first_at, last_at)
		SELECT 1, n::text, n::text, n, false, 'disk', '', '', 'high', '{"service": "checkout"}', 1, $1, $1
		FROM generate_series(1, 100000) AS n`, march.From)
	w.exec(`
		INSERT INTO pages (incident_id, user_id, method, why, key, state, attempt, ended_at, detail)
		SELECT n, 'U0ANN', m, '', n || m, 'delivered', 1, $1::timestamptz + n * interval '20 seconds' + interval '1 second', ''
		FROM generate_series(1, 100000) AS n CROSS JOIN unnest('{slack,sms}'::text[]) AS m`, march.From)
	w.exec(`ANALYZE`)
}
