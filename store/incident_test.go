package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
)

func TestSignalBecomesIncidentThatPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.open()
	if in.ID != 1 || in.Title != "disk is full" || in.Status != oncall.Triggered {
		t.Errorf("got #%d %q %s, want #1 %q %s", in.ID, in.Title, in.Status, "disk is full", oncall.Triggered)
	}
	if in.Version != 2 || in.SignalCount != 1 {
		t.Errorf("got version %d with %d signals, want 2 with 1", in.Version, in.SignalCount)
	}
	if want := start.Add(5 * time.Minute); in.NextAt == nil || !in.NextAt.Equal(want) || in.NextAt.Location() != time.UTC {
		t.Errorf("next step at %v, want %v", in.NextAt, want)
	}
	if got := w.strings(`SELECT user_id || ' ' || key || ' ' || state FROM pages`); !cmp.Equal(got, []string{"U0ANN 1/1/U0ANN/slack waiting"}) {
		t.Errorf("pages: %q, want %q", got, []string{"U0ANN 1/1/U0ANN/slack waiting"})
	}
	jobs := w.strings(`SELECT queue || ' ' || kind || ' ' || state || ' ' || args::text FROM river_job ORDER BY queue`)
	want := []string{
		`draw draw available {"version": 2, "incident": 1}`,
		`escalate escalate scheduled {"seq": 1, "incident": 1}`,
		`page page available {"line": "slack", "page": 1}`,
	}
	if d := cmp.Diff(want, jobs); d != "" {
		t.Errorf("jobs (-want +got):\n%s", d)
	}
	if n := w.count(`SELECT count(*) FROM river_job WHERE created_at <> $1`, start); n != 0 {
		t.Errorf("%d jobs are dated by another clock, want 0", n)
	}
	var kinds []oncall.EventKind
	for _, e := range must[[]oncall.Event](t)(w.Events(t.Context(), oncall.ByTimer(), 1)) {
		kinds = append(kinds, e.Kind)
	}
	if d := cmp.Diff([]oncall.EventKind{oncall.EventOpened, oncall.EventPaging}, kinds); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
}

func TestUpdateIsAllOrNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	at := start.Add(time.Minute)
	in := must[oncall.Incident](t)(w.Act(t.Context(), 1, oncall.ByUser(ann), oncall.Act{Do: oncall.ActAck}, at))
	if d := cmp.Diff(w.incident(1), in); d != "" {
		t.Errorf("what is returned is not what is stored: %s", d)
	}
	if in.Status != oncall.Acknowledged || in.AckedBy != oncall.ByUser(ann) || !in.AckedAt.Equal(at) {
		t.Errorf("incident: status %v, want %v; acked by %v, want %v; acked at %v, want %v",
			in.Status, oncall.Acknowledged, in.AckedBy, oncall.ByUser(ann), in.AckedAt, at)
	}
	_, err := w.Act(t.Context(), 1, oncall.ByUser(bo), oncall.Act{Do: oncall.ActAck}, at)
	refused(t, err, "Incident #1 is already acknowledged by U0ANN.")
	if _, err := w.Act(t.Context(), 99, oncall.ByUser(bo), oncall.Act{Do: oncall.ActAck}, at); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("an incident that is not there: %v, want the error %v", err, oncall.ErrNotFound)
	}
	if _, err := w.Incident(t.Context(), oncall.ByTimer(), 99); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("an incident that is not there: %v, want the error %v", err, oncall.ErrNotFound)
	}
	// If a job can't be queued, nothing else is saved either.
	before := w.incident(1)
	if _, err := w.Decide(t.Context(), 1, func(in oncall.Incident) (oncall.Change, error) {
		c, err := in.Do(oncall.Act{Do: oncall.ActResolve}, oncall.ByUser(ann), oncall.Facts{}, at)
		c.Tasks = append(c.Tasks, oncall.Task{Args: unknownJob{}})
		return c, err
	}); err == nil {
		t.Error("an unknown job was queued")
	}
	if d := cmp.Diff(before, w.incident(1)); d != "" {
		t.Errorf("half a change was saved (-want +got):\n%s", d)
	}
}

type unknownJob struct{}

func (unknownJob) Kind() string { return "unknown" }

func TestStaleTimerDoesNotEscalate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.open()
	at := start.Add(5 * time.Minute)
	if due := must[bool](t)(w.RunIncidentTimer(t.Context(), 1, in.Seq, at)); !due {
		t.Error("the timer that the incident waits for is stale")
	}
	if due := must[bool](t)(w.RunIncidentTimer(t.Context(), 1, in.Seq, at)); due {
		t.Error("the same timer escalated twice")
	}
	if got := w.strings(`SELECT user_id FROM pages ORDER BY id`); !cmp.Equal(got, []string{"U0ANN", "U0BO", "U0DI"}) {
		t.Errorf("paged: %q, want %q", got, []string{"U0ANN", "U0BO", "U0DI"})
	}
	in = w.incident(1)
	must[bool](t)(w.RunIncidentTimer(t.Context(), 1, in.Seq, at.Add(10*time.Minute)))
	if in = w.incident(1); !in.Exhausted || in.NextAt != nil {
		t.Errorf("the policy has not run out: exhausted %v, want true; next at %v, want nil", in.Exhausted, in.NextAt)
	}
	if _, err := w.RunIncidentTimer(t.Context(), 99, 1, at); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("an incident that is not there: %v, want the error %v", err, oncall.ErrNotFound)
	}
}

// An acknowledgement, a resolve and the timer run concurrently, twenty times. The timer and one person
// each take effect at most once, and the stored result is consistent.
func TestConcurrentDecisionsAreOneAfterTheOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.another()
	stop := w.run(w.System)
	var signals []oncall.Signal
	const n = 20
	for i := range n {
		signals = append(signals, trigger(string(rune('a'+i))))
	}
	w.accept(signals...)
	w.fold()
	stop()
	at := start.Add(5 * time.Minute)
	for id := oncall.IncidentID(1); id <= n; id++ {
		seq := w.incident(id).Seq
		var mu sync.Mutex
		acks, refusals, steps := 0, 0, 0
		var wg sync.WaitGroup
		for i := range 4 {
			s := w.System
			if i%2 == 1 {
				s = other
			}
			wg.Go(func() {
				_, err := s.Act(context.Background(), id, oncall.ByUser(ann), oncall.Act{Do: oncall.ActAck}, at)
				_, refused := errors.AsType[oncall.Refusal](err)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					acks++
				case refused:
					refusals++
				default:
					t.Error(err)
				}
			})
			wg.Go(func() {
				due, err := s.RunIncidentTimer(context.Background(), id, seq, at)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if due {
					steps++
				}
			})
		}
		wg.Go(func() {
			if _, err := other.Act(context.Background(), id, oncall.ByUser(bo), oncall.Act{Do: oncall.ActResolve}, at); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		in := w.incident(id)
		if in.Status != oncall.Resolved || acks > 1 || steps > 1 {
			t.Errorf("incident %d: got %s, %d acknowledged, %d escalated, want it resolved and at most 1 of each", id, in.Status, acks, steps)
		}
		if acks+refusals != 4 {
			t.Errorf("incident %d: got %d acknowledged and %d refused, want 4 together", id, acks, refusals)
		}
		if got, want := w.count(`SELECT count(*) FROM pages WHERE incident_id = $1`, id), 1+2*steps; got != want {
			t.Errorf("incident %d: %d pages, want %d", id, got, want)
		}
		if got, want := in.Version, int64(2+1+acks+steps); got != want {
			t.Errorf("incident %d: version %d, want %d", id, got, want)
		}
		if due := must[bool](t)(w.RunIncidentTimer(t.Context(), id, seq, at)); due {
			t.Errorf("incident %d: a stale timer is due: %t, want false", id, due)
		}
	}
}

func TestTimelineCantBeChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	for _, sql := range []string{
		`UPDATE incident_events SET kind = 'resolved'`,
		`DELETE FROM incident_events`,
		`TRUNCATE incident_events`,
		`UPDATE schedule_versions SET effective_from = NULL`,
		`DELETE FROM schedule_versions`,
		`TRUNCATE schedule_versions`,
	} {
		if _, err := w.Pool().Exec(t.Context(), sql); err == nil {
			t.Errorf("%s was done, want an error", sql)
		}
	}
	if got := w.strings(`SELECT kind FROM incident_events ORDER BY id`); !cmp.Equal(got, []string{"opened", "paging"}) {
		t.Errorf("events: %q, want %q", got, []string{"opened", "paging"})
	}
}

func TestPictureShowsWholeIncident(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.run(w.System)
	var signals []oncall.Signal
	for i := range oncall.MaxPictured + 2 {
		s := trigger(string(rune('a' + i)))
		s.GroupKey, s.Labels = "g", map[string]string{"host": "db-1"}
		signals = append(signals, s)
	}
	w.accept(signals...)
	w.accept(resolve("a"))
	w.fold()
	stop()
	p := must[oncall.Picture](t)(w.Picture(t.Context(), oncall.ByTimer(), 1, start))
	if p.Team.Name != "payments" || p.Team.Channel != "#payments" {
		t.Errorf("got team %q in %q, want payments in #payments", p.Team.Name, p.Team.Channel)
	}
	if p.Integration != "grafana" || p.Policy != "default" {
		t.Errorf("got integration %q and policy %q, want grafana and default", p.Integration, p.Policy)
	}
	if p.AlertCount != 12 || p.Firing != 11 || len(p.Alerts) != oncall.MaxPictured {
		t.Fatalf("got %d alerts, %d firing, %d pictured, want 12, 11 and %d", p.AlertCount, p.Firing, len(p.Alerts), oncall.MaxPictured)
	}
	if a := p.Alerts[0]; !a.Firing || a.Labels["host"] != "db-1" {
		t.Errorf("got the first alert firing %t on %q, want true on db-1", a.Firing, a.Labels["host"])
	}
	if !cmp.Equal(p.Paged, []oncall.UserID{ann}) {
		t.Errorf("paged: %v, want %v", p.Paged, []oncall.UserID{ann})
	}
	want := &oncall.NextStep{At: start.Add(5 * time.Minute), Users: []oncall.UserID{bo, di}}
	if d := cmp.Diff(want, p.Next); d != "" {
		t.Errorf("next (-want +got):\n%s", d)
	}
	if d := cmp.Diff(must[[]oncall.Event](t)(w.Events(t.Context(), oncall.ByTimer(), 1)), p.Events); d != "" {
		t.Errorf("the picture's events differ from the stored ones (-stored +shown):\n%s", d)
	}
	if _, err := w.Picture(t.Context(), oncall.ByTimer(), 99, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("an incident that is not there: %v, want the error %v", err, oncall.ErrNotFound)
	}
}

// BenchmarkUpdate measures a decision with an event, a drawing and a timer, both one after another and
// concurrently.
func BenchmarkUpdate(b *testing.B) {
	for _, callers := range []int{1, 8} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			w := newWorld(b)
			stop := w.run(w.System)
			for i := range callers {
				w.accept(trigger(fmt.Sprint(i)))
			}
			w.fold()
			stop()
			b.ResetTimer()
			var wg sync.WaitGroup
			for i := range callers {
				wg.Go(func() {
					for range b.N / callers {
						if _, err := w.Decide(context.Background(), oncall.IncidentID(i+1), func(in oncall.Incident) (oncall.Change, error) {
							in.Version++
							return oncall.Change{
								Incident: in,
								Events:   []oncall.Event{{IncidentID: in.ID, At: start, Kind: oncall.EventSeverity}},
								Tasks: []oncall.Task{
									{Args: oncall.Draw{Incident: in.ID, Version: in.Version}},
									{Args: oncall.IncidentTimer{Incident: in.ID}, At: start.Add(time.Hour)},
								},
							}, nil
						}); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// Unacknowledged incidents come first, then the worst, then the oldest.
func TestOpenIncidentsAreListedMostUrgentFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.run(w.System)
	defer stop()
	for i, severity := range []oncall.Severity{oncall.Critical, oncall.Low, oncall.High, oncall.Critical, oncall.High, oncall.Medium} {
		s := trigger(string(rune('a' + i)))
		s.Severity = severity
		w.accept(s)
		w.fold()
	}
	must[oncall.Incident](t)(w.Act(t.Context(), 1, oncall.ByUser(ann), oncall.Act{Do: oncall.ActAck}, start))
	must[oncall.Incident](t)(w.Act(t.Context(), 5, oncall.ByUser(ann), oncall.Act{Do: oncall.ActResolve}, start))
	for limit, want := range map[int][]oncall.IncidentID{10: {4, 3, 6, 2, 1}, 2: {4, 3}} {
		var got []oncall.IncidentID
		for _, in := range must[[]oncall.Incident](t)(w.OpenIncidents(t.Context(), oncall.ByTimer(), limit)) {
			got = append(got, in.ID)
		}
		if !cmp.Equal(got, want) {
			t.Errorf("the first %d: %v; want %v", limit, got, want)
		}
	}
}
