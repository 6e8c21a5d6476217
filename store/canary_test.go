package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// notAsked are the methods that would stop the store under test.
var notAsked = []string{"Close", "Run", "ClaimInstance", "ClaimFrugally", "Pool", "Replay", "EndCanary", "Housekeeping", "SkipNumbers"}

// mayMeetCanary are the methods with which jobs handle the canary.
var mayMeetCanary = []string{"Canary", "BeginPage", "ResumePage"}

// No list in the store contains the canary, and nobody can act on it.
func TestCanaryIsHiddenFromPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	registry := prometheus.NewRegistry()
	counted, err := store.Open(t.Context(), w.url, store.Options{MaxConns: 4, Secrets: storetest.Secrets(), Log: zerolog.Nop(), Metrics: registry, Admins: []string{string(ann)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(counted.Close)
	w.System = counted
	w.run(counted)
	n, older, err := w.StartCanary(t.Context(), time.Minute, w.clock())
	if n != 1 || older || err != nil {
		t.Fatal(n, older, err)
	}
	if err := w.Accept(t.Context(), oncall.CanaryIntegration, []oncall.Signal{oncall.CanarySignal(n, oncall.Trigger)}, w.clock()); err != nil {
		t.Fatal(err)
	}
	w.fold()
	state := func() string {
		var s string
		if err := w.Pool().QueryRow(t.Context(), `SELECT concat_ws(' ', id, status, version, acked_by, links, responders) FROM incidents`).Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := state()
	if !strings.HasPrefix(before, "-1 triggered") {
		t.Fatalf(`%v, want it to begin with "-1 triggered"`, before)
	}
	asked := 0
	for m := range reflect.TypeFor[*store.System]().Methods() {
		if slices.Contains(notAsked, m.Name) || slices.Contains(mayMeetCanary, m.Name) {
			continue
		}
		for _, by := range []oncall.Actor{oncall.ByUser(ann), oncall.ByUser(di), oncall.ByTimer(), oncall.ByCommandLine("root@db-1")} {
			asked++
			for _, out := range w.ask(m, by) {
				if said := strings.ToLower(out); strings.Contains(said, "canary of watchbill") {
					t.Errorf(`%s tells %+v of it: %s, want said not to contain "canary of watchbill"`, m.Name, by, out)
				}
			}
		}
	}
	if asked < 400 {
		t.Errorf("asked %d times only, want at least 400", asked)
	}
	if after := state(); after != before {
		t.Errorf("it is %q, want %q as before", after, before)
	}
	for _, by := range []oncall.Actor{oncall.ByUser(ann), oncall.ByCommandLine("root@db-1")} {
		if _, err := w.Incident(t.Context(), by, -1); !errors.Is(err, oncall.ErrNotFound) {
			t.Errorf("%+v may see it: %v, want the error %v", by, err, oncall.ErrNotFound)
		}
		if _, err := w.Act(t.Context(), -1, by, oncall.Act{Do: oncall.ActResolve}, w.clock()); !errors.Is(err, oncall.ErrNotFound) {
			t.Errorf("%+v may act on it: %v, want the error %v", by, err, oncall.ErrNotFound)
		}
	}
	w.meetsNoneOf(registry)

	// The canary takes no number from people's incidents, which are counted from 1.
	w.Resume() // Suspend was called, too
	w.accept(oncall.Signal{Action: oncall.Trigger, DedupKey: "db-1", Title: "disk full", Severity: oncall.High})
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents WHERE id = 1`); n != 1 {
		t.Errorf("the first incident is not #1: got %v, want 1", n)
	}
}

// meetsNoneOf checks that no metric and no part of the set-up names the canary.
func (w *world) meetsNoneOf(registry *prometheus.Registry) {
	w.t.Helper()
	families, err := registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		if strings.Contains(f.String(), "watchbill-canary") || f.GetName() == "watchbill_incidents_total" {
			w.t.Errorf(`a metric tells of the canary: %s`, f)
		}
	}
	dir, err := w.Directory(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, team := range dir.Teams {
		if team.ID < 0 {
			w.t.Errorf("its team is listed: got %v, want at least 0", team.ID)
		}
	}
	for _, in := range dir.Integrations {
		if in.ID < 0 {
			w.t.Errorf("its integration is listed: got %v, want at least 0", in.ID)
		}
	}
}

// ask calls a method with arguments of the right types and returns its results as text.
func (w *world) ask(m reflect.Method, by oncall.Actor) (said []string) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
	defer cancel()
	defer func() { _ = recover() }() // what it takes may be more than nothing
	in := []reflect.Value{reflect.ValueOf(w.System)}
	takes := m.Type.NumIn()
	if m.Type.IsVariadic() {
		takes--
	}
	for i := 1; i < takes; i++ {
		in = append(in, argument(ctx, m.Type.In(i), by, w.clock()))
	}
	for _, v := range m.Func.Call(in) {
		text, err := json.Marshal(v.Interface())
		if err != nil {
			text = fmt.Appendf(nil, "%+v", v.Interface())
		}
		said = append(said, string(text))
	}
	return said
}

func argument(ctx context.Context, t reflect.Type, by oncall.Actor, now time.Time) reflect.Value {
	known := map[reflect.Type]any{
		reflect.TypeFor[context.Context](): ctx, reflect.TypeFor[oncall.Actor](): by, reflect.TypeFor[time.Time](): now,
		reflect.TypeFor[time.Duration](): time.Hour, reflect.TypeFor[int](): 100,
		reflect.TypeFor[oncall.IncidentID]():   oncall.IncidentID(-1),
		reflect.TypeFor[[]oncall.IncidentID](): []oncall.IncidentID{-1},
		reflect.TypeFor[oncall.TeamID]():       oncall.TeamID(-1),
		reflect.TypeFor[oncall.PolicyID]():     oncall.PolicyID(-1), reflect.TypeFor[oncall.IntegrationID](): oncall.CanaryIntegration,
		reflect.TypeFor[oncall.UserID](): ann, reflect.TypeFor[oncall.Act](): oncall.Act{Do: oncall.ActAck},
	}
	if v, ok := known[t]; ok {
		return reflect.ValueOf(v)
	}
	return reflect.Zero(t)
}

// An earlier release takes the canary's signal for one of a muted integration.
func TestEarlierReleasesIgnoreTheCanary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const load = `
		SELECT i.muted_at IS NOT NULL AND i.muted_until IS NULL AND i.removed_at IS NOT NULL AND p.removed_at IS NOT NULL
		       AND t.removed_at IS NOT NULL AND t.remind = 0 AND t.channel = ''
		FROM integrations i JOIN policies p ON p.id = i.policy_id JOIN teams t ON t.id = i.team_id
		WHERE i.id = -1`
	var ok bool
	if err := w.Pool().QueryRow(t.Context(), load).Scan(&ok); err != nil || !ok {
		t.Fatal(ok, err)
	}
	f := oncall.Fold{Integration: oncall.Integration{ID: 5, Muted: true}, AlertIDs: []oncall.AlertID{1}}
	if became := f.Receive(oncall.CanarySignal(1, oncall.Trigger), start); became.Result != oncall.FoldMuted {
		t.Errorf("it is %s, want %s", became.Result, oncall.FoldMuted)
	}
}

// One of several instances plants a canary when it is due, and a leftover one is removed.
func TestCanaryIsPlantedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.another()
	plant := func(s *store.System, want int64) {
		t.Helper()
		if n, _, err := s.StartCanary(t.Context(), time.Minute, w.clock()); n != want || err != nil {
			t.Errorf("started %d, %v; want %d", n, err, want)
		}
	}
	plant(w.System, 1)
	plant(other, 0)
	if ours, err := other.ClaimCanary(t.Context(), 1, w.clock()); ours || err != nil {
		t.Errorf("another instance claims it: %t, %v, want false", ours, err)
	}
	w.advance(20 * time.Second)
	if ours, err := other.ClaimCanary(t.Context(), 1, w.clock()); !ours || err != nil {
		t.Errorf("another instance claims it: %t, %v, want true", ours, err)
	}
	w.advance(40 * time.Second)
	plant(other, 2)
	w.advance(-3 * time.Hour) // a clock that was wrong
	plant(w.System, 3)

	// An instance that holds only the lock of earlier releases counts as one.
	older, err := pgx.Connect(t.Context(), w.url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := older.Exec(t.Context(), `SELECT pg_advisory_lock($1, hashtext('older'))`, 0x77620001); err != nil {
		t.Fatal(err)
	}
	w.advance(time.Hour)
	if n, ok, err := w.StartCanary(t.Context(), time.Minute, w.clock()); n != 0 || !ok || err != nil {
		t.Errorf("started %d beside an earlier release: %v; want it left to that release", n, err)
	}
	if err := older.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	in, err := w.ClaimInstance(t.Context(), "ours")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Release)
	plant(w.System, 4)
}
