package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// maintain begins maintenance for the set-up's team.
func (w *world) maintain(by oncall.Actor, from, until time.Duration, change ...func(*oncall.Maintenance)) oncall.Maintenance {
	w.t.Helper()
	m := oncall.Maintenance{TeamID: w.team("payments"), StartsAt: start.Add(from), EndsAt: start.Add(until), Reason: "upgrade"}
	for _, do := range change {
		do(&m)
	}
	return must[oncall.Maintenance](w.t)(w.AddMaintenance(w.t.Context(), by, m, w.clock()))
}

func (w *world) team(name string) (id oncall.TeamID) {
	w.t.Helper()
	dir := must[*store.Directory](w.t)(w.Directory(w.t.Context()))
	for _, t := range dir.Teams {
		if t.Name == name {
			return t.ID
		}
	}
	w.t.Fatalf("no team %q", name)
	return 0
}

func (w *world) checkMaintenance() {
	w.t.Helper()
	if err := w.CheckMaintenance(w.t.Context(), w.clock()); err != nil {
		w.t.Fatal(err)
	}
	w.fold()
}

func (w *world) said(kind oncall.NoticeKind) []string {
	return w.strings(`SELECT facts::jsonb -> 'lines' ->> 0 FROM notices WHERE kind = $1 ORDER BY id`, kind)
}

func TestMaintenanceKeepsAlertsAndReleasesThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	m := w.maintain(oncall.ByUser(ann), 0, time.Hour)
	w.checkMaintenance()
	w.accept(trigger("disk"), trigger("disk"), trigger("queue"), trigger("cpu"))
	w.fold()
	w.accept(resolve("cpu"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 0 {
		t.Fatalf("%d incidents in maintenance, want 0", n)
	}
	all := must[[]store.MaintenanceState](t)(w.MaintenanceWindows(t.Context(), oncall.ByUser(ann), w.clock()))
	if len(all) != 1 {
		t.Fatalf("there are %d windows, want 1: %+v", len(all), all)
	}
	if a := all[0]; a.ID != m.ID || !a.Manages {
		t.Errorf("window %d, managed by Ann: %t, want %d, true", a.ID, a.Manages, m.ID)
	}
	if a, titles := all[0], []string{"disk is full", "queue is full"}; a.Kept != 3 || a.Firing != 2 || !slices.Equal(a.Titles, titles) {
		t.Errorf("%d alerts were kept, %d fire, with the titles %q, want 3, 2, %q", a.Kept, a.Firing, a.Titles, titles)
	}
	w.advance(30 * time.Minute)
	w.checkMaintenance()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 0 {
		t.Errorf("%d incidents before the end, want 0", n)
	}
	// No instance is running when the window ends, or for an hour afterwards.
	w.advance(90 * time.Minute)
	w.checkMaintenance()
	if titles := w.strings(`SELECT title FROM incidents ORDER BY id`); !slices.Equal(titles, []string{"disk is full", "queue is full"}) {
		t.Errorf("incidents at the end: %q, want %q", titles, []string{"disk is full", "queue is full"})
	}
	if n := w.count(`SELECT count(*) FROM pages WHERE user_id <> ''`); n < 2 {
		t.Errorf("%d pages at the end, want one for each", n)
	}
	w.checkMaintenance()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 2 {
		t.Errorf("%d incidents after a second look, want 2", n)
	}
	if got := w.said(oncall.NoticeMaintenanceOver); !slices.Equal(got, []string{"Maintenance of payments is over. 3 alerts came, of which 2 still fire and page now."}) {
		t.Errorf("told at the end: %q, want one notice of 3 alerts, of which 2 still fire", got)
	}
	if got := w.said(oncall.NoticeMaintenance); len(got) != 1 {
		t.Errorf("told at the beginning: %q, want 1 entry", got)
	}
	w.accept(resolve("disk"), resolve("queue"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents WHERE status <> 'resolved'`); n != 0 {
		t.Errorf("%d are open after their ends, want 0", n)
	}
}

// Alerts covered by two windows are released when the last one ends; ending a window early releases at once.
func TestOverlappingMaintenance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	w.maintain(oncall.ByUser(ann), 0, time.Hour)
	long := w.maintain(oncall.ByUser(bo), 30*time.Minute, 3*time.Hour, func(m *oncall.Maintenance) { m.IntegrationID = w.integration })
	w.accept(trigger("disk"))
	w.fold()
	w.advance(2 * time.Hour)
	w.checkMaintenance()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 0 {
		t.Fatalf("released while another window covers it: got %v, want 0", n)
	}
	if got := w.said(oncall.NoticeMaintenanceOver); len(got) != 1 || !strings.Contains(got[0], "1 fires and is kept by another window") {
		t.Errorf(`told: %q; want one, with "1 fires and is kept by another window"`, got)
	}
	if _, err := w.EndMaintenance(t.Context(), oncall.ByUser(ann), long.ID, w.clock()); err != nil {
		t.Fatal(err)
	}
	w.checkMaintenance()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 1 {
		t.Errorf("%d incidents after the end of the last window, want 1", n)
	}
	if _, err := w.EndMaintenance(t.Context(), oncall.ByUser(ann), long.ID, w.clock()); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("ended twice: %v, want the error %v", err, oncall.ErrNotFound)
	}
	if got := w.strings(`SELECT act FROM audit_log WHERE act LIKE 'maintenance%' ORDER BY id`); !slices.Equal(got, []string{"maintenance_added", "maintenance_added", "maintenance_ended"}) {
		t.Errorf("in the audit log: %q, want %q", got, []string{"maintenance_added", "maintenance_added", "maintenance_ended"})
	}
}

// A planned window keeps nothing before it begins, and a cancelled one keeps nothing at all.
func TestPlannedMaintenance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	w.maintain(oncall.ByUser(ann), time.Hour, 2*time.Hour)
	back := w.maintain(oncall.ByUser(ann), 3*time.Hour, 4*time.Hour)
	if _, err := w.EndMaintenance(t.Context(), oncall.ByUser(ann), back.ID, w.clock()); err != nil {
		t.Fatal(err)
	}
	w.accept(trigger("early"))
	w.fold()
	w.advance(time.Hour)
	w.accept(trigger("within"))
	w.fold()
	w.advance(150 * time.Minute)
	w.accept(trigger("afterwards"))
	w.fold()
	if titles := w.strings(`SELECT title FROM incidents ORDER BY id`); !slices.Equal(titles, []string{"early is full", "afterwards is full"}) {
		t.Errorf("incidents: %q, want %q", titles, []string{"early is full", "afterwards is full"})
	}
	w.checkMaintenance()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 3 {
		t.Errorf("%d incidents, want 3", n)
	}
	if n := w.count(`SELECT count(*) FROM notices WHERE kind LIKE 'maintenance%'`); n != 1 {
		t.Errorf("%d notices: the window that is over is told of, the one taken back isn't, want 1", n)
	}
	if n := w.jobs("maintenance"); n != 5 {
		t.Errorf("%d timers, want two a window, and one for its end", n)
	}
}

// Many alerts that are released at once make a storm, as if they had begun then.
func TestManyReleasedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE integrations SET storm_limit = 5`)
	w.run(w.System)
	w.maintain(oncall.ByUser(ann), 0, time.Hour)
	var signals []oncall.Signal
	for i := range 60 {
		signals = append(signals, trigger(fmt.Sprint("host ", i)))
	}
	w.accept(signals...)
	w.fold()
	w.advance(time.Hour)
	w.checkMaintenance()
	if n := w.count(`SELECT count(*) FROM incidents WHERE status <> 'resolved'`); n > 6 {
		t.Errorf("%d incidents are open, want at most 6", n)
	}
	if n := w.count(`SELECT count(*) FROM alerts a JOIN incidents i ON i.id = a.incident_id WHERE a.firing AND NOT a.kept AND i.status <> 'resolved'`); n != 60 {
		t.Errorf("%d alerts are in an incident that is open, want 60", n)
	}
}

// Alerts kept by a muted integration page when it is unmuted.
func TestMaintenanceAndMute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	w.maintain(oncall.ByUser(ann), 0, time.Hour)
	w.accept(trigger("disk"))
	w.fold()
	until := start.Add(2 * time.Hour)
	if err := w.MuteIntegration(t.Context(), oncall.ByTimer(), "grafana", &until, w.clock()); err != nil {
		t.Fatal(err)
	}
	w.advance(time.Hour)
	w.checkMaintenance()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 0 {
		t.Errorf("it pages although it is muted: got %v, want 0", n)
	}
	w.advance(time.Hour)
	w.checkMaintenance()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 1 {
		t.Errorf("it pages no more: got %v, want 1", n)
	}
}

func TestMaintenancePermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withPrivateTeam()
	ctx := t.Context()
	of := func(team string) oncall.Maintenance {
		return oncall.Maintenance{TeamID: w.team(team), StartsAt: start, EndsAt: start.Add(time.Hour)}
	}
	if _, err := w.AddMaintenance(ctx, oncall.ByUser(di), of("payments"), start); err == nil || !strings.Contains(err.Error(), "Only members of the team") {
		t.Errorf(`who is not in the team: %v; want an error containing "Only members of the team"`, err)
	}
	if _, err := w.AddMaintenance(ctx, oncall.ByUser(ann), of("secret"), start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("of a private team: %v, want the error %v", err, oncall.ErrNotFound)
	}
	hidden := must[oncall.Maintenance](t)(w.AddMaintenance(ctx, oncall.ByUser(eve), of("secret"), start))
	if all := must[[]store.MaintenanceState](t)(w.MaintenanceWindows(ctx, oncall.ByUser(ann), start)); len(all) != 0 {
		t.Errorf("Ann sees %+v, want none", all)
	}
	if _, err := w.EndMaintenance(ctx, oncall.ByUser(ann), hidden.ID, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("Ann ends it: %v, want the error %v", err, oncall.ErrNotFound)
	}
	other := of("secret")
	other.IntegrationID = w.integration
	if _, err := w.AddMaintenance(ctx, oncall.ByUser(eve), other, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("another team's integration: %v, want the error %v", err, oncall.ErrNotFound)
	}
	long := of("payments")
	long.EndsAt = start.Add(31 * 24 * time.Hour)
	_, err := w.AddMaintenance(ctx, oncall.ByUser(ann), long, start)
	refused(t, err, "A maintenance window is 30 days long at most, so that nothing stays quiet for ever. Nothing was changed.")
}
