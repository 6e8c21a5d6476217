package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// monday is the hand-off from Ann to Bo.
var monday = time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC)

// notices lists the notices as "kind recipient" in the order in which they were made.
func (w *world) notices() []string {
	w.t.Helper()
	return w.strings(`SELECT kind || ' ' || recipient FROM notices ORDER BY id`)
}

// forget deletes the notices made so far.
func (w *world) forget() { w.exec(`DELETE FROM notices`) }

func (w *world) look(s *store.System, now time.Time) {
	w.t.Helper()
	for _, id := range must[[]oncall.ScheduleID](w.t)(s.DueScheduleChecks(w.t.Context(), now)) {
		w.check(s.CheckSchedule(w.t.Context(), id, now))
	}
}

func (w *world) number() int64 {
	return int64(w.count(`SELECT number FROM handoffs WHERE role = 'primary'`))
}

func wantNotices(t *testing.T, w *world, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), w.notices()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestFirstOnCallIsNotAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.look(w.System, start)
	wantNotices(t, w)
	if got := w.strings(`SELECT unnest(users) FROM handoffs`); !slices.Equal(got, []string{string(ann)}) {
		t.Errorf("noted: %q, want %q", got, []string{string(ann)})
	}
}

// However many checks run at once on two instances, one hand-off is announced once.
func TestHandoffHappensOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.look(w.System, start)
	stores := []*store.System{w.System, w.another()}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { w.look(stores[i%2], monday) })
	}
	all.Wait()
	wantNotices(t, w, "handoff_coming U0BO", "handoff_going U0ANN", "handoff_channel #payments")
	if n := w.jobs("chase_handoff"); n != 1 {
		t.Errorf("%d timers, want 1", n)
	}
	// With the same people on call afterwards, there is nothing to announce.
	w.look(w.System, monday.Add(time.Hour))
	if n := len(w.notices()); n != 3 {
		t.Errorf("told %d times, want 3", n)
	}
}

// After a long stop only the current hand-off is reported, and none if nothing has changed.
func TestHandoffsAfterLongStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.look(w.System, start)
	w.look(w.System, monday.AddDate(0, 0, 7+1)) // Ann, Bo, Ann
	wantNotices(t, w)
	w.look(w.System, monday.AddDate(0, 0, 7*6+1)) // Bo again, after many others
	wantNotices(t, w, "handoff_coming U0BO", "handoff_going U0ANN", "handoff_channel #payments")
}

func TestHandoffIsConfirmedByTheNextOnCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.look(w.System, start)
	w.look(w.System, monday)
	number := w.number()
	isRefused(t, w.ConfirmHandoff(t.Context(), oncall.ByUser(ann), number, monday), "Only U0BO can say that.")
	isRefused(t, w.ConfirmHandoff(t.Context(), oncall.ByUser(bo), number+7, monday), "That hand-off is over: there was another one since.")
	if err := w.ConfirmHandoff(t.Context(), oncall.ByUser(bo), number, monday); err != nil {
		t.Fatal(err)
	}
	isRefused(t, w.ConfirmHandoff(t.Context(), oncall.ByUser(bo), number, monday), "You have said so already.")
	if n := w.count(`SELECT count(*) FROM notices WHERE facts ->> 'state' = 'taken'`); n != 3 {
		t.Errorf("%d notices show it, want 3", n)
	}
	w.forget()
	if err := w.ChaseHandoff(t.Context(), number, monday.Add(15*time.Minute)); err != nil {
		t.Fatal(err)
	}
	wantNotices(t, w)
}

func TestUnconfirmedHandoffIsReportedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := payments()
	s.Teams[0].Admins = []string{"cy"}
	if _, err := w.Apply(t.Context(), s, store.ApplyOptions{Write: true}, start); err != nil {
		t.Fatal(err)
	}
	w.look(w.System, start)
	w.look(w.System, monday)
	w.forget()
	other := w.another()
	var all sync.WaitGroup
	for _, s := range []*store.System{w.System, other} {
		all.Go(func() {
			if err := s.ChaseHandoff(t.Context(), w.number(), monday.Add(15*time.Minute)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	wantNotices(t, w, "handoff_unanswered U0ANN", "handoff_unanswered U0CY")
}

// An override is a hand-off at its beginning and at its end, and queues a check at both.
func TestOverrideCausesHandoff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.look(w.System, start)
	id := w.schedule("primary").ID()
	begin := start.Add(time.Hour)
	_, err := w.AddOverride(t.Context(), oncall.ByTimer(), id, schedule.Override{
		Kind: schedule.OverrideCover, Start: begin, End: begin.Add(2 * time.Hour), Users: []oncall.UserID{cy}, CreatedBy: bo,
	}, start)
	if err != nil {
		t.Fatal(err)
	}
	wantNotices(t, w, "shift_moved U0ANN", "shift_moved U0CY")
	w.forget()
	if err := w.CheckSchedule(t.Context(), id, start); err != nil {
		t.Fatal(err)
	}
	wantNotices(t, w, "reminder U0CY") // it begins in an hour
	w.forget()
	next := func() time.Time {
		return must[time.Time](t)(scan[time.Time](w, `SELECT look_at FROM schedules WHERE id = $1`, id))
	}
	if got := next(); !got.Equal(begin) {
		t.Errorf("the next look is at %s, want %s", got, begin)
	}
	if err := w.CheckSchedule(t.Context(), id, begin); err != nil {
		t.Fatal(err)
	}
	wantNotices(t, w, "handoff_coming U0CY", "handoff_going U0ANN", "handoff_channel #payments")
	first := w.number()
	w.forget()
	if got := next(); got.After(begin.Add(2 * time.Hour)) {
		t.Errorf("the next check is at %s, want the override's end, %s, or before", got, begin.Add(2*time.Hour))
	}
	if err := w.CheckSchedule(t.Context(), id, begin.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	wantNotices(t, w, "handoff_coming U0ANN", "handoff_going U0CY", "handoff_channel #payments")
	if w.number() == first {
		t.Error("the second hand-off has the number of the first")
	}
}

// A check that is already queued is not queued again, however often the schedule is checked.
func TestOneHandoffCheckIsQueued(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 5 {
		if err := w.CheckSchedule(t.Context(), w.schedule("primary").ID(), start); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.count(`SELECT count(*) FROM river_job WHERE kind = 'look' AND scheduled_at > $1`, start); n != 1 {
		t.Errorf("%d looks are planned, want 1", n)
	}
}

func TestReminderIsSentOnceAtThePersonsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.schedule("primary").ID()
	at := func(d time.Duration) {
		t.Helper()
		if err := w.CheckSchedule(t.Context(), id, monday.Add(d)); err != nil {
			t.Fatal(err)
		}
	}
	at(-25 * time.Hour)
	wantNotices(t, w)
	at(-24 * time.Hour)
	at(-24*time.Hour + time.Minute)
	wantNotices(t, w, "reminder U0BO")
	at(-40 * time.Minute) // too late for the reminder of an hour before
	wantNotices(t, w, "reminder U0BO")
	w.forget()

	if err := w.SetReminders(t.Context(), oncall.ByTimer(), ann, []time.Duration{48 * time.Hour}, monday); err != nil {
		t.Fatal(err)
	}
	tuesday := monday.AddDate(0, 0, 7).Sub(monday)
	at(tuesday - 48*time.Hour)
	at(tuesday - 24*time.Hour)
	if got := w.notices(); !slices.Contains(got, "reminder U0ANN") || strings.Count(strings.Join(got, "\n"), "reminder") != 1 {
		t.Errorf("told %q, want one reminder for Ann", got)
	}
}

// An edit is announced to everybody concerned but its author, and only as far as it concerns the future.
func TestEditNotifiesPeopleWhoseShiftsMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.look(w.System, start)
	id := w.schedule("primary").ID()
	stored := must[schedule.Definition](t)(w.Schedule(t.Context(), oncall.ByTimer(), id))
	r := slices.Clone(stored.Versions[0].Rotations)
	r[0].Turns = [][]oncall.UserID{{ann}, {cy}}
	if _, err := w.EditSchedule(t.Context(), oncall.ByTimer(), id, schedule.Version{Rotations: r, CreatedBy: cy}, stored.Latest(), start); err != nil {
		t.Fatal(err)
	}
	wantNotices(t, w)
	if err := w.SettleSchedule(t.Context(), id, start.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	wantNotices(t, w, "shift_moved U0BO")
	facts := w.strings(`SELECT facts::text FROM notices`)[0]
	if !strings.Contains(facts, `"gained": false`) || !strings.Contains(facts, monday.Format(time.RFC3339)) {
		t.Errorf("got the facts %s, want nothing gained, at %s", facts, monday.Format(time.RFC3339))
	}
}

// An incident that nobody holds passes to the people who come on call next.
func TestUnheldIncidentIsAssigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.look(w.System, start)
	in := w.open()
	dir := must[*store.Directory](t)(w.Directory(t.Context()))
	for range 3 { // run out of steps
		_, err := w.RunIncidentTimer(t.Context(), in.ID, w.incident(in.ID).Seq, start.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := w.incident(in.ID); !got.Exhausted || dir.Policies[got.PolicyID].Name != "default" {
		t.Fatalf("exhausted %v, want true; policy %q, want default", got.Exhausted, dir.Policies[got.PolicyID].Name)
	}
	before := w.count(`SELECT count(*) FROM pages WHERE user_id = $1`, bo)
	stores := []*store.System{w.System, w.another()}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() { w.look(stores[i%2], monday) })
	}
	all.Wait()
	if n := w.count(`SELECT count(*) FROM pages WHERE user_id = $1`, bo); n != before+1 {
		t.Errorf("Bo has %d pages more, want 1", n-before)
	}
	if n := w.count(`SELECT count(*) FROM incident_events WHERE kind = 'adopted'`); n != 1 {
		t.Errorf("%d adoptions, want 1", n)
	}
}

// scan reads the single value that a query returns.
func scan[T any](w *world, sql string, args ...any) (v T, err error) {
	err = w.Pool().QueryRow(w.t.Context(), sql, args...).Scan(&v)
	return v, err
}

// This measures how long it takes to look up who is on call with a warm directory. Everything else
// waits for that.
func BenchmarkWhoIsOnCall(b *testing.B) {
	w := newWorld(b)
	stop := w.run(w.System)
	defer stop()
	id := w.schedule("primary").ID()
	w.until("the directory is kept", func() bool {
		one, _ := w.Directory(b.Context())
		two, _ := w.Directory(b.Context())
		return one == two
	})
	for b.Loop() {
		dir, err := w.Directory(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		c, _ := dir.Schedule(id)
		if len(c.At(start, "")) != 1 {
			b.Fatal(fmt.Errorf("nobody is on call"))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "store_who_us")
}

// This measures how long it takes until an instance sees an edit made by another.
func BenchmarkAnEditIsHeardOf(b *testing.B) {
	w := newWorld(b)
	other := w.another()
	stop := w.run(w.System)
	defer stop()
	id := w.schedule("primary").ID()
	on := func() oncall.UserID {
		dir := must[*store.Directory](b)(w.Directory(b.Context()))
		c, _ := dir.Schedule(id)
		return c.At(start, "")[0]
	}
	var waited time.Duration
	who := []oncall.UserID{cy, di}
	for i := 0; b.Loop(); i++ {
		next := who[i%2]
		must[schedule.Override](b)(other.AddOverride(b.Context(), oncall.ByTimer(), id, schedule.Override{
			Kind: schedule.OverrideCover, Start: start, End: start.Add(time.Hour), Users: []oncall.UserID{next},
		}, start))
		committed := time.Now()
		for on() != next {
			time.Sleep(50 * time.Microsecond)
		}
		waited += time.Since(committed)
	}
	b.ReportMetric(float64(waited.Microseconds())/float64(b.N)/1000, "heard_ms")
}
