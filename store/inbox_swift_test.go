package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// frugal opens the world's database as one of several organisations in a process, and holds a name there.
func (w *world) frugal(name string, budget *store.Budget) (*store.System, *store.Instance) {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), w.url, store.Options{
		MaxConns: 4, Budget: budget, Secrets: storetest.Secrets(), Log: zerolog.New(zerolog.NewTestWriter(w.t)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Close)
	in := must[*store.Instance](w.t)(s.ClaimFrugally(w.t.Context(), name, w.clock))
	w.t.Cleanup(in.Release)
	return s, in
}

// A signal that comes alone is folded by the session that is open anyway.
func TestSessionFoldsWithoutAnotherConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accept(trigger("before"))
	budget := store.NewBudget(20)
	s, _ := w.frugal("a", budget)
	w.fold()
	w.until("the connection that loaded the set-up is closed", func() bool { return budget.Open() == 1 })
	w.accept(trigger("disk"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 2 {
		t.Errorf("%d incidents, want 2", n)
	}
	if n := budget.Open(); n != 1 {
		t.Errorf("%d connections are open, want only the session", n)
	}
	if s.Folding() {
		t.Error("it folds by a connection of its own, want by the session")
	}
}

// The session leaves to Run what is too much for it, and what it can't fold.
func TestSessionLeavesTheRestToRun(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(w *world){
		"a crowd": func(w *world) {
			for i := range 200 {
				w.accept(trigger(fmt.Sprint("disk ", i)))
			}
		},
		"poison": func(w *world) {
			w.exec(`INSERT INTO inbox (integration_id, received_at, signal) VALUES ($1, $2, '{"action": "trigger", "title": 5}')`, w.integration, start)
			w.accept(trigger("disk"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s, _ := w.frugal("a", store.NewBudget(20))
			w.run(s)
			put(w)
			w.fold()
			w.accept(trigger("later"))
			w.fold()
			if n := w.count(`SELECT count(*) FROM incidents WHERE title LIKE 'later%'`); n != 1 {
				t.Errorf("the signal afterwards opened %d incidents, want 1", n)
			}
		})
	}
}

// Two instances fold each signal once, and one goes on when the other is gone.
func TestSessionsTakeTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, _ := w.frugal("a", store.NewBudget(20))
	second, session := w.frugal("b", store.NewBudget(20))
	w.run(first)
	stop := w.run(second)
	for i := range 20 {
		w.accept(trigger(fmt.Sprint("disk ", i)), trigger(fmt.Sprint("disk ", i)))
	}
	w.fold()
	stop()
	session.Release()
	w.accept(trigger("last"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 21 {
		t.Errorf("%d incidents, want 21", n)
	}
	if n := w.count(`SELECT sum(count) FROM alerts`); n != 41 {
		t.Errorf("%d signals were counted, want 41", n)
	}
}

// A session whose turn another instance doesn't give back has that one ended, and folds.
func TestSessionOutlivesOneThatHoldsTheLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	held, err := w.another().Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	if _, err := held.Exec(t.Context(), `SELECT pg_advisory_lock($1)`, foldLock); err != nil {
		t.Fatal(err)
	}
	s, _ := w.frugal("a", store.NewBudget(20))
	w.run(s)
	w.accept(trigger("disk"))
	w.until("the silent session is ended", func() bool {
		w.advance(time.Second)
		return w.count(`SELECT count(*) FROM inbox`) == 0
	})
	if n := w.count(`SELECT count(*) FROM incidents WHERE status = $1`, oncall.Triggered); n != 1 {
		t.Errorf("%d incidents, want 1", n)
	}
}
