package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// ping stores a ping that arrives now.
func (w *world) ping(name string, p oncall.Ping, said string) {
	w.t.Helper()
	w.accept(oncall.NewPing(name, p, said))
	w.watch()
}

func (w *world) watch() {
	w.t.Helper()
	if err := w.WatchHeartbeats(w.t.Context(), w.clock()); err != nil {
		w.t.Fatal(err)
	}
}

// pass lets time go by while heartbeats are checked, the way instances do.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for end := w.clock().Add(d); w.clock().Before(end); {
		w.advance(min(5*time.Second, end.Sub(w.clock())))
		w.watch()
	}
}

// beats makes heartbeats that are expected each minute, with half a minute of grace, as an API may do.
func (w *world) beats(names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.exec(`INSERT INTO heartbeats (integration_id, name, every, grace, severity, by_ping, created_at)
			VALUES ($1, $2, 60, 30, 'high', true, $3)`, w.integration, name, w.clock())
	}
}

func (w *world) heartbeat(name string) store.HeartbeatDetail {
	w.t.Helper()
	all, err := w.Heartbeats(w.t.Context(), oncall.ByUser(cy))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, h := range all {
		if h.Name == name {
			return h
		}
	}
	w.t.Fatalf("there is no heartbeat %q", name)
	return store.HeartbeatDetail{}
}

// A heartbeat that stops opens an incident like any other, which is resolved when its pings resume.
func TestMissedHeartbeatPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	w.beats("backup")
	w.pass(time.Hour)
	if h := w.heartbeat("backup"); h.State(w.clock()) != oncall.HeartbeatNew {
		t.Errorf("before its first ping it is %s, want %s", h.State(w.clock()), oncall.HeartbeatNew)
	}
	w.ping("backup", oncall.Ping{Kind: oncall.PingSuccess}, "")
	w.pass(85 * time.Second)
	if n := w.count(`SELECT count(*) FROM incidents`); n != 0 {
		t.Fatalf("%d incidents within its grace, want 0", n)
	}
	w.pass(10 * time.Second)
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents WHERE status = 'triggered' AND title LIKE 'Heartbeat backup is missing: nothing has come since%'`); n != 1 {
		t.Fatalf("%d incidents after it, want 1", n)
	}
	if n := w.count(`SELECT count(*) FROM pages WHERE user_id = 'U0ANN'`); n != 1 {
		t.Errorf("Ann has %d pages, want 1", n)
	}
	w.ping("backup", oncall.Ping{Kind: oncall.PingSuccess}, "")
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents WHERE status = 'resolved'`); n != 1 {
		t.Errorf("%d incidents are resolved, want 1", n)
	}
	w.ping("backup", oncall.Ping{Kind: oncall.PingFail, Exit: 3}, "no space left")
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents WHERE status = 'triggered' AND body = 'no space left'`); n != 1 {
		t.Errorf("%d incidents say what it wrote, want 1", n)
	}
	if h := w.heartbeat("backup"); h.State(w.clock()) != oncall.HeartbeatDown || h.Why != "it ended with status 3" || h.Said != "no space left" {
		t.Errorf(`it is %+v; want State(w.clock()) %v, Why "it ended with status 3" and Said "no space left"`, h, oncall.HeartbeatDown)
	}
	if n := w.count(`SELECT count(*) FROM pings`); n != 0 {
		t.Errorf("%d pings wait, want 0", n)
	}
}

// Heartbeats do not go missing while Watchbill is down. Those that ping afterwards were never down; the others are.
func TestHeartbeatsAreNotMissedDuringDowntime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	w.beats("alive", "dead")
	w.ping("alive", oncall.Ping{Kind: oncall.PingSuccess}, "")
	w.ping("dead", oncall.Ping{Kind: oncall.PingSuccess}, "")
	w.pass(30 * time.Second)
	w.advance(40 * time.Minute) // and nobody looks
	w.watch()
	w.pass(50 * time.Second)
	w.ping("alive", oncall.Ping{Kind: oncall.PingSuccess}, "")
	w.pass(80 * time.Second)
	w.ping("alive", oncall.Ping{Kind: oncall.PingSuccess}, "")
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents WHERE title LIKE 'Heartbeat alive%'`); n != 0 {
		t.Errorf("%d incidents of the one that is alive, want 0", n)
	}
	if n := w.count(`SELECT count(*) FROM incidents WHERE title LIKE 'Heartbeat dead%'`); n != 1 {
		t.Errorf("%d incidents of the other, want 1", n)
	}
}

// Pings spooled during an outage count from their arrival, and no heartbeat is judged before they are stored.
func TestPingsInTheSpoolCountWhenTheyCame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Resume()
	w.beats("backup")
	w.ping("backup", oncall.Ping{Kind: oncall.PingSuccess}, "")
	w.pass(50 * time.Second)
	kept := w.clock()
	request, err := store.Spool(w.integration, []oncall.Signal{oncall.NewPing("backup", oncall.Ping{Kind: oncall.PingSuccess}, ""), {Action: oncall.Trigger, DedupKey: "x", Title: "x"}}, kept, store.Doubt{})
	if err != nil {
		t.Fatal(err)
	}
	request.Seq = 1
	w.Suspend()
	w.pass(9 * time.Second)
	w.advance(50 * time.Second)
	w.watch() // it is suspended
	if h := w.heartbeat("backup"); h.DownAt != nil {
		t.Error("a heartbeat was judged while signals wait in the spool, which may hold its pings")
	}
	if err := w.Replay(t.Context(), "spool", []store.SpooledRequest{request}, w.clock()); err != nil {
		t.Fatal(err)
	}
	w.Resume()
	w.watch()
	h := w.heartbeat("backup")
	if h.PingedAt == nil || !h.PingedAt.Equal(kept) || h.DownAt != nil {
		t.Errorf("it is %+v, want it pinged at %s", h, kept)
	}
	if n := w.count(`SELECT count(*) FROM inbox`); n != 1 {
		t.Errorf("%d signals in the inbox, want the one that is no ping", n)
	}
}

// Pings spooled before our own outage are excused for that time too, however late they are replayed.
func TestSpooledPingIsExcusedForOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Resume()
	w.beats("backup")
	w.ping("backup", oncall.Ping{Kind: oncall.PingSuccess}, "")
	request, err := store.Spool(w.integration, []oncall.Signal{oncall.NewPing("backup", oncall.Ping{Kind: oncall.PingSuccess}, "")}, w.clock().Add(30*time.Second), store.Doubt{})
	if err != nil {
		t.Fatal(err)
	}
	request.Seq = 1
	w.advance(20 * time.Minute)
	if err := w.Replay(t.Context(), "spool", []store.SpooledRequest{request}, w.clock()); err != nil {
		t.Fatal(err)
	}
	w.watch()
	w.pass(80 * time.Second)
	if h := w.heartbeat("backup"); h.DownAt != nil {
		t.Errorf("it is down: %+v, want DownAt nil", h)
	}
	w.pass(2 * time.Minute)
	if h := w.heartbeat("backup"); h.DownAt == nil {
		t.Errorf("it is not down at last: %+v, want DownAt non-nil", h)
	}
}

// If many heartbeats stop at once, the team gets one incident.
func TestManyHeartbeatsAreOneIncident(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	var names []string
	for i := range 12 {
		names = append(names, fmt.Sprintf("job-%d", i))
	}
	w.beats(names...)
	for i, name := range names {
		w.ping(name, oncall.Ping{Kind: oncall.PingSuccess}, "")
		if i%3 == 0 {
			w.pass(4 * time.Second)
		}
	}
	w.pass(100 * time.Second)
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 1 {
		t.Errorf("%d incidents, want 1", n)
	}
	if n := w.count(`SELECT count(*) FROM alerts WHERE firing`); n != 12 {
		t.Errorf("%d alerts fire, want 12", n)
	}
	for _, name := range names {
		w.ping(name, oncall.Ping{Kind: oncall.PingSuccess}, "")
	}
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents WHERE status = 'resolved'`); n != 1 {
		t.Errorf("%d are resolved when all have come back, want 1", n)
	}
}

// Only managers mute a heartbeat; the audit log records it, and the mute ends at its time.
func TestHeartbeatIsMuted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	w.beats("backup")
	w.ping("backup", oncall.Ping{Kind: oncall.PingSuccess}, "")
	until := w.clock().Add(10 * time.Minute)
	if err := w.MuteHeartbeat(t.Context(), oncall.ByUser(di), "grafana", "backup", &until, w.clock()); !errors.As(err, new(oncall.Refusal)) {
		t.Errorf("Di, who is not in the team, gets %v, want a Refusal", err)
	}
	if err := w.MuteHeartbeat(t.Context(), oncall.ByUser(cy), "grafana", "nothing", &until, w.clock()); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("muting nothing: %v, want the error %v", err, oncall.ErrNotFound)
	}
	if err := w.MuteHeartbeat(t.Context(), oncall.ByUser(cy), "grafana", "backup", &until, w.clock()); err != nil {
		t.Fatal(err)
	}
	w.pass(9 * time.Minute)
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 0 {
		t.Errorf("%d incidents while it is muted, want 0", n)
	}
	w.pass(90 * time.Second)
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 1 {
		t.Errorf("%d incidents after the mute, want 1", n)
	}
	if n := w.count(`SELECT count(*) FROM audit_log WHERE kind = 'heartbeat' AND act = 'muted' AND name = 'grafana/backup'`); n != 1 {
		t.Errorf("%d entries in the audit log, want 1", n)
	}
	if was, err := w.UnmuteHeartbeat(t.Context(), oncall.ByUser(cy), "grafana", "backup", w.clock()); err != nil || was {
		t.Errorf("it was muted: %t, %v, want false", was, err)
	}
}

// With several instances checking at once, each ping counts once, and each missing heartbeat is reported once.
func TestInstancesLookTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.another()
	w.beats("backup")
	w.accept(oncall.NewPing("backup", oncall.Ping{Kind: oncall.PingFail}, "boom"))
	done := make(chan error, 8)
	for i := range 8 {
		s := []*store.System{w.System, other}[i%2]
		go func() { done <- s.WatchHeartbeats(t.Context(), w.clock()) }()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	w.watch()
	if n := w.count(`SELECT count(*) FROM inbox`); n != 1 {
		t.Errorf("%d signals in the inbox, want 1", n)
	}
}

// A ping for an unknown heartbeat is dropped unless it may create it, and the number created in this way is limited.
func TestPingsMakeHeartbeats(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ping("nothing", oncall.Ping{Kind: oncall.PingSuccess}, "")
	if n := w.count(`SELECT count(*) FROM heartbeats`); n != 0 {
		t.Errorf("%d heartbeats, want 0", n)
	}
	w.ping("nightly", oncall.Ping{Kind: oncall.PingSuccess, Create: true}, "")
	w.ping("", oncall.Ping{Kind: oncall.PingSuccess}, "")
	if h := w.heartbeat("nightly"); h.Every != oncall.HeartbeatEvery || h.State(w.clock()) != oncall.HeartbeatUp {
		t.Errorf("it is %+v; want Every %v and State(w.clock()) %v", h, oncall.HeartbeatEvery, oncall.HeartbeatUp)
	}
	for i := range oncall.MaxHeartbeats + 5 {
		w.accept(oncall.NewPing(fmt.Sprintf("job-%d", i), oncall.Ping{Kind: oncall.PingSuccess, Create: true}, ""))
	}
	w.watch()
	if n := w.count(`SELECT count(*) FROM heartbeats`); n != oncall.MaxHeartbeats {
		t.Errorf("%d heartbeats, want %d", n, oncall.MaxHeartbeats)
	}
	if n := w.count(`SELECT count(*) FROM audit_log WHERE kind = 'heartbeat' AND act = 'added'`); n != oncall.MaxHeartbeats {
		t.Errorf("%d entries in the audit log, want %d", n, oncall.MaxHeartbeats)
	}
}

// The set-up file defines the heartbeats, and an export contains them. A heartbeat that is removed
// from the file while it is down leaves no open incident.
func TestHeartbeatsInTheSetUpFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	apply := func(all ...setup.Heartbeat) []string {
		t.Helper()
		doc := payments()
		doc.Integrations[0].Heartbeats = all
		report, err := w.Apply(t.Context(), doc, store.ApplyOptions{Write: true, By: oncall.ByCommandLine("root")}, w.clock())
		if err != nil {
			t.Fatal(err)
		}
		out, err := w.Export(t.Context(), w.clock())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all, out.Integrations[0].Heartbeats); diff != "" {
			t.Errorf("exported is (-want +got):\n%s", diff)
		}
		again, err := w.Apply(t.Context(), doc, store.ApplyOptions{Write: true, By: oncall.ByCommandLine("root")}, w.clock())
		if err != nil || len(again.Changes) > 0 {
			t.Errorf("to apply it again changes %q, %v, want none", again.Changes, err)
		}
		return report.Changes
	}
	w.ping("dump", oncall.Ping{Kind: oncall.PingSuccess, Create: true}, "")
	backup := setup.Heartbeat{Name: "backup", Every: "1m", Grace: "10s", MaxRuntime: "2h", Severity: oncall.Critical}
	if got, want := apply(backup), []string{`add heartbeat "grafana/backup"`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	w.ping("backup", oncall.Ping{Kind: oncall.PingSuccess}, "")
	backup.Every, backup.Severity = "7d", ""
	if got, want := apply(backup, setup.Heartbeat{Name: "dump", Every: "1d"}), []string{`change heartbeat "grafana/backup": every, severity`, `change heartbeat "grafana/dump": named in the file`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if h := w.heartbeat("backup"); h.DueAt == nil || h.DueAt.Sub(w.clock()) < 7*24*time.Hour {
		t.Errorf("it is due at %v; want non-nil and Sub(w.clock()) at least %v", h.DueAt, 7*24*time.Hour)
	}
	w.ping("backup", oncall.Ping{Kind: oncall.PingFail}, "")
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents WHERE status = 'triggered'`); n != 1 {
		t.Fatalf("%d incidents are open, want 1", n)
	}
	if got, want := apply(setup.Heartbeat{Name: "dump", Every: "1d"}), []string{`remove heartbeat "grafana/backup"`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	w.watch()
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents WHERE status = 'resolved'`); n != 1 {
		t.Errorf("%d incidents are resolved, want 1", n)
	}
	if n := w.count(`SELECT count(*) FROM audit_log WHERE kind = 'integration' AND changes::text LIKE '%heartbeat backup%'`); n != 3 {
		t.Errorf("%d entries in the audit log about it, want 3", n)
	}
}
