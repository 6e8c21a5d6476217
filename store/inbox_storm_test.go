package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// newStormyWorld returns a world whose integration has the usual limit of incidents per minute.
func newStormyWorld(t *testing.T) *world {
	w := newWorld(t)
	s := payments()
	s.Integrations[0].Storm, w.stormLimit = "", ""
	must[any](t)(w.Apply(t.Context(), s, store.ApplyOptions{Write: true}, start))
	w.forgetJobs()
	return w
}

func TestThousandsOfAlertsAreOneIncident(t *testing.T) {
	t.Parallel()
	w := newStormyWorld(t)
	w.run(w.System)
	for i := range 10 {
		var signals []oncall.Signal
		for n := range 200 {
			s := trigger(fmt.Sprint("alert ", i, "/", n))
			s.Labels = map[string]string{"service": []string{"web", "db"}[n%2], "host": fmt.Sprint("host-", n), "cluster": "eu"}
			signals = append(signals, s)
		}
		w.accept(signals...)
	}
	w.fold()
	if got := w.strings(`SELECT status || ' ' || merged_into FROM incidents WHERE storm IS NULL ORDER BY id`); strings.Join(got, ",") != strings.Repeat("resolved 11,", 9)+"resolved 11" {
		t.Errorf(`the first: %q, want ten times "resolved 11"`, got)
	}
	storm := w.incident(11)
	if storm.Storm == nil || storm.Status != oncall.Triggered || storm.SignalCount != 2000 {
		t.Fatalf("the storm: %+v; want Storm non-nil, Status %v and SignalCount 2000", storm, oncall.Triggered)
	}
	for what, n := range map[string][2]int{
		"alerts":  {w.count(`SELECT count(*) FROM alerts WHERE incident_id = 11 AND firing`), 2000},
		"pages":   {w.count(`SELECT count(*) FROM pages`), 1},
		"jobs":    {w.count(`SELECT count(*) FROM river_job WHERE kind IN ('page', 'escalate')`), 2},
		"timer's": {w.jobs("draw"), 11},
	} {
		if n[0] != n[1] {
			t.Errorf("%s: %d, want %d", what, n[0], n[1])
		}
	}
	p := must[oncall.Picture](t)(w.Picture(t.Context(), oncall.ByTimer(), 11, w.clock()))
	if p.Tally.Alerts != 2000 || p.Tally.Firing != 2000 {
		t.Errorf("got %d alerts, %d firing, want 2000, all firing", p.Tally.Alerts, p.Tally.Firing)
	}
	if len(p.Tally.Services) != 2 || len(p.Tally.Labels) != 10 {
		t.Fatalf("got %d services and %d labels, want 2 and 10", len(p.Tally.Services), len(p.Tally.Labels))
	}
	if got, want := p.Tally.Labels[0], (oncall.TallyCount{Name: "cluster=eu", Alerts: 2000, Firing: 2000}); got != want {
		t.Errorf("got the first label %+v, want %+v", got, want)
	}
	rows := 0
	if all := must[int](t)(w.EachAlert(t.Context(), oncall.ByTimer(), 11, func(a oncall.Alert) error {
		if rows++; a.Labels["cluster"] != "eu" || a.Title == "" {
			return fmt.Errorf("%+v", a)
		}
		return nil
	})); all != 2000 || rows != 2000 {
		t.Errorf("%d of %d listed; want all 2000 and rows 2000", rows, all)
	}
	// The end of each alert finds it.
	for i := range 10 {
		var ends []oncall.Signal
		for n := range 200 {
			ends = append(ends, resolve(fmt.Sprint("alert ", i, "/", n)))
		}
		w.accept(ends[:199]...)
		w.fold()
		if in := w.incident(11); in.Status != oncall.Triggered {
			t.Fatalf("it is %s after %d alerts, want triggered", in.Status, i*200+199)
		}
		w.accept(ends[199])
	}
	w.fold()
	if in := w.incident(11); in.Status != oncall.Resolved || w.count(`SELECT count(*) FROM alerts WHERE firing`) != 0 {
		t.Errorf("in the end it is %s, want resolved, with no firing alert: %+v", in.Status, in)
	}
}

// While the storm is locked, alerts that would join it wait, and no incidents are opened instead.
func TestLockedStormDelaysItsAlerts(t *testing.T) {
	t.Parallel()
	w := newStormyWorld(t)
	w.run(w.System)
	w.accept(many(20)...)
	w.fold()
	conn := must[*pgx.Conn](t)(pgx.Connect(t.Context(), w.url))
	defer conn.Close(t.Context())
	tx := must[pgx.Tx](t)(conn.Begin(t.Context()))
	_, err := tx.Exec(t.Context(), `SELECT FROM incidents WHERE id = 11 FOR UPDATE`)
	w.check(err)
	w.accept(trigger("one more"), resolve("alert 3"))
	other := w.more(1)[0]
	w.check(w.Accept(t.Context(), other, []oncall.Signal{trigger("disk")}, w.clock()))
	w.until("another integration's is folded", func() bool { return w.count(`SELECT count(*) FROM incidents`) == 12 })
	if n := w.count(`SELECT count(*) FROM inbox`); n != 2 {
		t.Errorf("%d signals wait, want 2", n)
	}
	w.check(tx.Rollback(t.Context()))
	w.fold()
	if in := w.incident(11); in.SignalCount != 21 || w.count(`SELECT count(*) FROM incidents`) != 12 {
		t.Errorf("the storm has %d signals, want 21, of 12 incidents: %+v", in.SignalCount, in)
	}
}

// Incidents already in the channel stay separate; the others become part of the storm.
func TestStormKeepsIncidentsInTheChannel(t *testing.T) {
	t.Parallel()
	w := newStormyWorld(t)
	w.run(w.System)
	w.accept(many(10)...)
	w.fold()
	must[store.Drawing](t)(w.BeginDraw(t.Context(), 3, 1, w.clock()))
	w.check(w.RootTried(t.Context(), 3, w.clock()))
	w.advance(30 * time.Second)
	w.accept(trigger("one more"))
	w.fold()
	if in := w.incident(3); in.Status != oncall.Triggered {
		t.Errorf("the one in the channel: %+v, want Status %v", in, oncall.Triggered)
	}
	if n := w.count(`SELECT count(*) FROM alerts WHERE incident_id = 11`); n != 10 {
		t.Errorf("the storm has %d alerts, want 10", n)
	}
	d := must[store.Drawing](t)(w.BeginDraw(t.Context(), 4, 2, w.clock()))
	if !d.Picture.Incident.AbsorbedByStorm() || d.RootTried != nil {
		t.Errorf("what was taken in: %+v; want it taken in, with no message tried", d)
	}
	for _, waiting := range must[[]store.WaitingDraw](t)(w.WaitingDraws(t.Context(), w.clock())) {
		if waiting.Channel != "" && waiting.Incident != 3 && waiting.Incident != 11 {
			t.Errorf("incident %d is to be posted, want 3 and 11 only", waiting.Incident)
		}
	}
}

func TestStormEndsAndAlertIsSplitOff(t *testing.T) {
	t.Parallel()
	w := newStormyWorld(t)
	w.run(w.System)
	w.accept(many(20)...)
	w.fold()
	split := func(a oncall.Act) error {
		a.Do = oncall.ActSplit
		_, err := w.Act(t.Context(), 11, oncall.ByUser(bo), a, w.clock())
		return err
	}
	for text, want := range map[string]string{"nothing": "No such alert", "": "Say which"} {
		if err := split(oncall.Act{Text: text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("split %q: %v; want an error containing %q", text, err, want)
		}
	}
	worst := must[[]oncall.Alert](t)(w.WorstAlerts(t.Context(), oncall.ByUser(bo), 11, 5))
	if len(worst) != 5 || worst[0].Title == "" {
		t.Errorf("worst: %+v; want 5, the first with a title", worst)
	}
	w.check(split(oncall.Act{Text: "alert 7"}))
	w.fold()
	w.check(split(oncall.Act{Alert: worst[0].ID}))
	w.fold()
	if own := w.incident(12); own.Title != "alert 7 is full" || own.Status != oncall.Triggered {
		t.Errorf(`its own: %+v; want Title "alert 7 is full" and Status %v`, own, oncall.Triggered)
	}
	if own := w.incident(13); own.Title != worst[0].Title {
		t.Errorf("the worst: %+v, want the title %q", own, worst[0].Title)
	}
	w.accept(resolve("alert 7"))
	w.fold()
	if own := w.incident(12); own.Status != oncall.Resolved {
		t.Errorf("its end: %+v, want Status %v", own, oncall.Resolved)
	}
	end := func() {
		for _, id := range must[[]oncall.IncidentID](t)(w.Storms(t.Context())) {
			w.check(w.EndStorm(t.Context(), id, w.clock()))
		}
	}
	if end(); w.count(`SELECT count(*) FROM incident_events WHERE kind = 'storm_over'`) != 0 {
		t.Error("the storm ends before 5 minutes without a new alert have passed")
	}
	w.advance(6 * time.Minute)
	end()
	if got := w.strings(`SELECT detail ->> 'count' || ' ' || (detail ->> 'of') FROM incident_events WHERE kind = 'storm_over'`); len(got) != 1 || got[0] != "18 18" {
		t.Errorf(`what it was: %q; want only "18 18"`, got)
	}
	end()
	w.accept(trigger("later"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents WHERE id = 14 AND storm IS NULL`); n != 1 {
		t.Errorf("what comes later has no incident of its own: got %v, want 1", n)
	}
}

// Incidents grouped by labels are also found in the database by those labels, even while they are
// locked.
func TestAlertsAreGroupedByTheirLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := payments()
	s.Integrations[0].Group = &setup.Group{By: []string{"service"}, Window: "10m"}
	report := must[store.ApplyReport](t)(w.Apply(t.Context(), s, store.ApplyOptions{Write: true}, start))
	if len(report.Changes) != 1 || report.Changes[0] != `change integration "grafana": group` {
		t.Errorf(`changes: %q; want only "change integration \"grafana\": group"`, report.Changes)
	}
	if again := must[store.ApplyReport](t)(w.Apply(t.Context(), s, store.ApplyOptions{Write: true}, start)); len(again.Changes) != 0 {
		t.Errorf("applied again: %q, want none", again.Changes)
	}
	w.run(w.System)
	fire := func(service, key string) {
		one := trigger(key)
		one.Labels = map[string]string{"service": service}
		w.accept(one)
	}
	fire("web", "a")
	w.fold()
	fire("db", "b")
	fire("web", "c")
	w.fold()
	conn := must[*pgx.Conn](t)(pgx.Connect(t.Context(), w.url))
	defer conn.Close(t.Context())
	tx := must[pgx.Tx](t)(conn.Begin(t.Context()))
	_, err := tx.Exec(t.Context(), `SELECT FROM incidents WHERE id = 1 FOR UPDATE`)
	w.check(err)
	fire("web", "d")
	fire("cache", "e")
	w.until("another group is folded", func() bool { return w.count(`SELECT count(*) FROM incidents`) == 3 })
	w.check(tx.Rollback(t.Context()))
	w.fold()
	if n := w.count(`SELECT count(*) FROM alerts WHERE incident_id = 1`); n != 3 || w.count(`SELECT count(*) FROM incidents`) != 3 {
		t.Errorf("%d alerts in the first incident, want 3", n)
	}
	w.advance(10 * time.Minute)
	fire("web", "f")
	w.fold()
	if in := w.incident(4); in.Title != "f is full" {
		t.Errorf(`after the window: %+v, want Title "f is full"`, in)
	}
}
