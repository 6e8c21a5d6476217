package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// do has somebody act, and fails the test if that is refused.
func (w *world) do(id oncall.IncidentID, who oncall.UserID, a oncall.Act, at time.Time) oncall.Incident {
	w.t.Helper()
	in, err := w.Act(context.Background(), id, oncall.ByUser(who), a, at)
	if err != nil {
		w.t.Fatalf("%s: %v", a.Do, err)
	}
	if d := cmp.Diff(w.incident(id), in, cmpopts.EquateEmpty()); d != "" {
		w.t.Errorf("what is returned is not what is stored: %s", d)
	}
	return in
}

// grow changes the setup.
func (w *world) grow(change func(*setup.Setup)) {
	w.t.Helper()
	s := payments()
	change(&s)
	if _, err := w.Apply(w.t.Context(), s, store.ApplyOptions{Write: true}, w.clock()); err != nil {
		w.t.Fatal(err)
	}
}

func TestActsAreStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	at := start.Add(time.Minute)
	w.do(1, ann, oncall.Act{Do: oncall.ActAsk, User: cy}, at)
	if got := w.strings(`SELECT user_id FROM pages ORDER BY id`); !cmp.Equal(got, []string{"U0ANN", "U0CY"}) {
		t.Errorf("paged: %q, want %q", got, []string{"U0ANN", "U0CY"})
	}
	until := at.Add(time.Hour)
	in := w.do(1, bo, oncall.Act{Do: oncall.ActSnooze, Until: until}, at)
	if in.Status != oncall.Snoozed || !in.SnoozedUntil.Equal(until) || in.SnoozedBy.User != bo {
		t.Errorf("the incident is %s until %v by %v, want %s until %v by %v", in.Status, in.SnoozedUntil, in.SnoozedBy.User, oncall.Snoozed, until, bo)
	}
	if len(in.Responders) != 1 {
		t.Errorf("the responders are %+v, want one still", in.Responders)
	}
	// The helper's page is due although the incident is snoozed; the policy's page is not.
	if order := must[oncall.PageOrder](t)(w.BeginPage(t.Context(), oncall.SendPage{Page: 1}, 1, at)); order.Send {
		t.Errorf("a page of the policy is sent: %+v, want it not sent", order)
	}
	if order := must[oncall.PageOrder](t)(w.BeginPage(t.Context(), oncall.SendPage{Page: 2}, 2, at)); !order.Send {
		t.Errorf("the helper's page is not sent: %+v, want it sent", order)
	}
	// A snooze's lost timer is found again, like any other.
	w.forgetJobs()
	if n := must[int](t)(w.RequeueOverdue(t.Context(), until.Add(time.Minute))); n != 1 {
		t.Errorf("%d timers were queued again, want 1", n)
	}
	if due := must[bool](t)(w.RunIncidentTimer(t.Context(), 1, in.Seq, until)); !due {
		t.Error("the timer at the end of the snooze is not due")
	}
	if in = w.incident(1); in.Status != oncall.Triggered || in.NextAt == nil {
		t.Errorf("after the snooze: status %v, want %v; next at %v, want a time", in.Status, oncall.Triggered, in.NextAt)
	}
	w.forgetJobs("draw")
	before := w.lastJob()
	_, err := w.Act(t.Context(), 1, oncall.ByUser(bo), oncall.Act{Do: oncall.ActUnack}, until)
	refused(t, err, "Incident #1 is not acknowledged.")
	if got := w.drawJobs(before); len(got) != 1 {
		t.Errorf("the message that was behind is drawn %d times, want 1", len(got))
	}
	for _, a := range []oncall.Act{{Do: oncall.ActAck}, {Do: oncall.ActLink, Other: 1}} {
		if _, err := w.Act(t.Context(), 99, oncall.ByUser(bo), a, until); !errors.Is(err, oncall.ErrNotFound) {
			t.Errorf("%s of an incident that is not there: %v, want the error %v", a.Do, err, oncall.ErrNotFound)
		}
	}
}

func TestStillOnQuestionFollowsIncident(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.grow(func(s *setup.Setup) { s.Policies[0].AckTimeout = "30m" })
	w.open()
	in := w.do(1, bo, oncall.Act{Do: oncall.ActAck}, start)
	at := start.Add(30 * time.Minute)
	must[bool](t)(w.RunIncidentTimer(t.Context(), 1, in.Seq, at))
	state := `SELECT recipient || ' ' || kind || ' ' || coalesce(facts ->> 'state', '') || ' ' || version FROM notices WHERE kind = 'still_on' ORDER BY id`
	if got := w.strings(state); !cmp.Equal(got, []string{"U0BO still_on  1"}) {
		t.Errorf("asked: %q, want %q", got, []string{"U0BO still_on  1"})
	}
	w.do(1, bo, oncall.Act{Do: oncall.ActStillOn}, at.Add(time.Minute))
	if got := w.strings(state); !cmp.Equal(got, []string{"U0BO still_on still_on 2"}) {
		t.Errorf("answered: %q, want %q", got, []string{"U0BO still_on still_on 2"})
	}
	in = w.incident(1)
	must[bool](t)(w.RunIncidentTimer(t.Context(), 1, in.Seq, *in.NextAt))
	in = w.incident(1)
	must[bool](t)(w.RunIncidentTimer(t.Context(), 1, in.Seq, *in.NextAt))
	if got := w.strings(`SELECT user_id FROM pages WHERE incident_id = 1 AND call_seq = $1 ORDER BY id`, w.incident(1).Seq); !cmp.Equal(got, []string{"U0ANN", "U0BO"}) {
		t.Errorf("paged again: %q, want %q", got, []string{"U0ANN", "U0BO"})
	}
	if n := w.count(`SELECT count(*) FROM notices WHERE kind = 'still_on' AND facts ->> 'state' = 'paging'`); n != 1 {
		t.Errorf("%d questions say \"paging\", want 1: %q", n, w.strings(state))
	}
	if n := w.count(`SELECT count(*) FROM notices WHERE kind = 'still_on' AND facts ->> 'state' = 'still_on'`); n != 1 {
		t.Errorf("%d questions say \"still_on\", want 1, as an earlier one isn't changed: %q", n, w.strings(state))
	}
}

// If two people must acknowledge, both are asked, and each may withdraw their own acknowledgement.
func TestBothOwnersAreAskedAndOneTakesItBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.grow(func(s *setup.Setup) { s.Policies[0].AckTimeout, s.Policies[0].Acks = "30m", 2 })
	w.open()
	w.do(1, cy, oncall.Act{Do: oncall.ActAck}, start)
	in := w.do(1, bo, oncall.Act{Do: oncall.ActAck}, start)
	at := start.Add(30 * time.Minute)
	must[bool](t)(w.RunIncidentTimer(t.Context(), 1, in.Seq, at))
	state := `SELECT recipient || ' ' || coalesce(facts ->> 'state', '') FROM notices WHERE kind = 'still_on' ORDER BY recipient`
	if got := w.strings(state); !cmp.Equal(got, []string{"U0BO ", "U0CY "}) {
		t.Errorf("asked: %q, want %q", got, []string{"U0BO ", "U0CY "})
	}
	w.do(1, cy, oncall.Act{Do: oncall.ActStillOn}, at.Add(time.Minute))
	if got := w.strings(state); !cmp.Equal(got, []string{"U0BO still_on", "U0CY still_on"}) {
		t.Errorf("answered: %q, want %q", got, []string{"U0BO still_on", "U0CY still_on"})
	}
	in = w.do(1, cy, oncall.Act{Do: oncall.ActUnack}, at.Add(2*time.Minute))
	if in.Status != oncall.Triggered || !cmp.Equal(in.Acks, []oncall.UserID{bo}) {
		t.Errorf("Cy has taken theirs back: %s, %v; want %s and %v", in.Status, in.Acks, oncall.Triggered, []oncall.UserID{bo})
	}
	if got := w.strings(`SELECT user_id FROM pages WHERE incident_id = $1 AND call_seq = $2`, in.ID, in.Seq); !cmp.Equal(got, []string{"U0ANN"}) {
		t.Errorf("paged again: %q, want %q", got, []string{"U0ANN"})
	}
	in = w.do(1, bo, oncall.Act{Do: oncall.ActUnack}, at.Add(3*time.Minute))
	if seq := in.Seq; in.Status != oncall.Triggered || len(in.Acks) != 0 || seq != w.incident(1).Seq {
		t.Errorf("Bo has taken theirs back: status %v, want %v; acks %v, want none; seq %d of %d stored",
			in.Status, oncall.Triggered, in.Acks, seq, w.incident(1).Seq)
	}
}

// Merging keeps the responders; those who have not answered are paged for the other incident.
func TestMergingBringsTheResponders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.run(w.System)
	w.accept(trigger("disk"), trigger("cpu"))
	w.fold()
	stop()
	w.do(1, ann, oncall.Act{Do: oncall.ActAsk, User: cy}, start)
	w.do(1, ann, oncall.Act{Do: oncall.ActAsk, User: bo}, start)
	w.do(1, bo, oncall.Act{Do: oncall.ActAccept}, start)
	pages := w.count(`SELECT count(*) FROM pages`)
	w.do(1, ann, oncall.Act{Do: oncall.ActMerge, Other: 2}, start.Add(time.Minute))
	got := map[oncall.UserID]oncall.ResponderState{}
	for _, r := range w.incident(2).Responders {
		got[r.User] = r.State
	}
	if want := (map[oncall.UserID]oncall.ResponderState{bo: oncall.ResponderAccepted, cy: oncall.ResponderAsked}); !cmp.Equal(got, want) {
		t.Errorf("responders: %v, want %v", got, want)
	}
	if got := w.strings(`SELECT user_id FROM pages WHERE incident_id = 2 AND asked_version > 0 ORDER BY user_id`); !cmp.Equal(got, []string{"U0CY"}) {
		t.Errorf("asked to help with #2: %q, want %q", got, []string{"U0CY"})
	}
	if n := w.count(`SELECT count(*) FROM pages`); n != pages+1 {
		t.Errorf("%d pages were added, want 1", n-pages)
	}
	if in := w.do(2, cy, oncall.Act{Do: oncall.ActAccept}, start.Add(2*time.Minute)); len(in.Responders) != 2 {
		t.Errorf("Cy accepts: %+v, want 2 entries", in.Responders)
	}
}

// Two integrations report one outage. Once merged, the incident stays open until both have cleared,
// and both find it.
func TestMergedIncidentsOfTwoMonitors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const other = "fedcba9876543210fedcba9876543210"
	w.grow(func(s *setup.Setup) {
		s.Integrations = append(s.Integrations, setup.Integration{
			Name: "uptime", Team: "payments", Format: "generic", Policy: "default", Key: other,
		})
	})
	stop := w.run(w.System)
	uptime := must[oncall.Integration](t)(w.IntegrationByKey(t.Context(), other, start))
	both := func(signals ...oncall.Signal) {
		t.Helper()
		w.accept(signals...)
		if err := w.Accept(t.Context(), uptime.ID, signals, w.clock()); err != nil {
			t.Fatal(err)
		}
		w.fold()
	}
	both(trigger("disk"))
	w.do(1, ann, oncall.Act{Do: oncall.ActMerge, Other: 2}, start)
	if in := w.incident(1); in.Status != oncall.Resolved || in.MergedInto != 2 {
		t.Errorf("merged: status %v, want %v; merged into %v, want 2", in.Status, oncall.Resolved, in.MergedInto)
	}
	p := must[oncall.Picture](t)(w.Picture(t.Context(), oncall.ByTimer(), 2, start))
	if p.AlertCount != 2 || p.Firing != 2 || p.Incident.SignalCount != 2 {
		t.Errorf("picture: %d alerts, %d firing, %d signals; want 2, 2 and 2", p.AlertCount, p.Firing, p.Incident.SignalCount)
	}
	both(trigger("disk"))
	w.accept(resolve("disk"))
	w.fold()
	if in := w.incident(2); in.Status != oncall.Triggered || in.SignalCount != 4 {
		t.Errorf("one has cleared: status %v, want %v; signal count %v, want 4", in.Status, oncall.Triggered, in.SignalCount)
	}
	w.accept(trigger("disk")) // a new alert of the group
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 2 {
		t.Errorf("%d incidents, want 2", n)
	}
	stop() // what follows is one batch, so the first fold must tell the second
	more := trigger("disk 2")
	more.GroupKey = "disk"
	w.accept(resolve("disk"), more)
	if err := w.Accept(t.Context(), uptime.ID, []oncall.Signal{resolve("disk")}, w.clock()); err != nil {
		t.Fatal(err)
	}
	w.run(w.System)
	w.fold()
	if in := w.incident(2); in.Status != oncall.Triggered {
		t.Errorf("one has come as the others cleared: status %v, want %v", in.Status, oncall.Triggered)
	}
	w.accept(resolve("disk 2"))
	w.fold()
	if in := w.incident(2); in.Status != oncall.Resolved || in.ResolvedBy.Name == "" {
		t.Errorf("both have cleared: status %v, want %v; resolved by %v, want an integration", in.Status, oncall.Resolved, in.ResolvedBy)
	}
	for _, c := range []struct {
		id, other oncall.IncidentID
		want      string
	}{
		{2, 99, "There is no incident #99."},
		{2, 2, "An incident can't be merged into itself."},
		{1, 2, "Incident #1 was merged into #2."},
		{2, 1, "Incident #2 is already resolved by grafana."},
	} {
		_, err := w.Act(t.Context(), c.id, oncall.ByUser(ann), oncall.Act{Do: oncall.ActMerge, Other: c.other}, start)
		refused(t, err, c.want)
	}
	w.do(1, ann, oncall.Act{Do: oncall.ActLink, Other: 2}, start)
	if a, b := w.incident(1), w.incident(2); !cmp.Equal(a.Links, []oncall.IncidentID{2}) || !cmp.Equal(b.Links, []oncall.IncidentID{1}) {
		t.Errorf("links: %v, %v; want %v and %v", a.Links, b.Links, []oncall.IncidentID{2}, []oncall.IncidentID{1})
	}
}

// Incidents are merged into each other concurrently while their alerts clear. There is no deadlock and
// no loop, and every incident ends.
func TestMergingWhileAlertsClear(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.another()
	w.run(w.System)
	const n = 12
	var triggers, clears []oncall.Signal
	for i := range n {
		triggers, clears = append(triggers, trigger(fmt.Sprint(i))), append(clears, resolve(fmt.Sprint(i)))
	}
	w.accept(triggers...)
	w.fold()
	var wg sync.WaitGroup
	for i := range oncall.IncidentID(n) {
		for j, s := range []*store.System{w.System, other} {
			into := (i+oncall.IncidentID(j)*5+1)%n + 1
			wg.Go(func() {
				_, err := s.Act(context.Background(), i+1, oncall.ByUser(ann), oncall.Act{Do: oncall.ActMerge, Other: into}, start)
				if _, refused := errors.AsType[oncall.Refusal](err); err != nil && !refused {
					t.Error(err)
				}
			})
		}
		wg.Go(func() { w.accept(clears[i]) })
	}
	wg.Wait()
	w.fold()
	if got := w.strings(`SELECT id || ' ' || status FROM incidents WHERE status <> 'resolved'`); len(got) != 0 {
		t.Errorf("still open: %q, want none", got)
	}
	if n := w.count(`SELECT count(*) FROM alerts WHERE firing`); n != 0 {
		t.Errorf("%d alerts fire, want 0", n)
	}
}

// Somebody acknowledges, the timer fires and pages begin, all at once on two instances. There is one
// owner, no page begins after the acknowledgement, and every change counts once.
func TestAcknowledgeEscalateAndPageAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stores := []*store.System{w.System, w.another()}
	stop := w.run(w.System)
	const rounds = 40
	var signals []oncall.Signal
	for i := range rounds {
		signals = append(signals, trigger(fmt.Sprint(i)))
	}
	w.accept(signals...)
	w.fold()
	stop()
	at := start.Add(5 * time.Minute)
	for id := oncall.IncidentID(1); id <= rounds; id++ {
		before := w.incident(id)
		var mu sync.Mutex
		var owners []oncall.UserID
		var late []oncall.PageID
		acked, steps := false, 0
		var wg sync.WaitGroup
		for i, who := range []oncall.UserID{ann, bo} {
			wg.Go(func() {
				_, err := stores[i].Act(context.Background(), id, oncall.ByUser(who), oncall.Act{Do: oncall.ActAck}, at)
				_, refused := errors.AsType[oncall.Refusal](err)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					owners, acked = append(owners, who), true
				case !refused:
					t.Error(err)
				}
			})
			wg.Go(func() {
				due, err := stores[1-i].RunIncidentTimer(context.Background(), id, before.Seq, at)
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
		for i, page := range w.pagesOf(id) {
			wg.Go(func() {
				mu.Lock()
				known := acked // before the attempt begins
				mu.Unlock()
				order, err := stores[i%2].BeginPage(context.Background(), oncall.SendPage{Page: page}, int64(page), at)
				if err != nil {
					t.Error(err)
				}
				if known && order.Send {
					mu.Lock()
					defer mu.Unlock()
					late = append(late, page)
				}
			})
		}
		wg.Wait()
		in := w.incident(id)
		if len(owners) != 1 || in.Status != oncall.Acknowledged || in.AckedBy.User != owners[0] {
			t.Errorf("incident %d: %s by %v, acknowledged by %v; want it %s by its only owner", id, in.Status, in.AckedBy, owners, oncall.Acknowledged)
		}
		if got, want := in.Version, before.Version+int64(1+steps); got != want || steps > 1 {
			t.Errorf("incident %d: version %d, want %d", id, got, want)
		}
		if len(late) > 0 {
			t.Errorf("incident %d: pages %v began after it was acknowledged, want none", id, late)
		}
		for _, page := range w.pagesOf(id) {
			if order := must[oncall.PageOrder](t)(w.BeginPage(t.Context(), oncall.SendPage{Page: page}, 1000+int64(page), at)); order.Send && order.Attempt == 1 {
				t.Errorf("incident %d: page %d begins now, want it begun or ended before", id, page)
			}
		}
	}
}

func (w *world) pagesOf(id oncall.IncidentID) []oncall.PageID {
	w.t.Helper()
	var out []oncall.PageID
	rows, err := w.Pool().Query(context.Background(), `SELECT id FROM pages WHERE incident_id = $1 ORDER BY id`, id)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var page oncall.PageID
		if err := rows.Scan(&page); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, page)
	}
	return out
}
