package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// spooled returns a request as the spool replays it.
func (w *world) spooled(seq int64, doubt store.Doubt, keys ...string) store.SpooledRequest {
	w.t.Helper()
	r := store.SpooledRequest{Seq: seq, Integration: w.integration, At: start.Add(time.Duration(seq) * time.Second), Doubt: doubt}
	for _, key := range keys {
		text, err := json.Marshal(trigger(key))
		if err != nil {
			w.t.Fatal(err)
		}
		r.Signals = append(r.Signals, text)
	}
	return r
}

func TestEachEntryOfASpoolIsTakenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const spool = "one"
	batch := []store.SpooledRequest{w.spooled(1, store.Doubt{}, "a", "b"), w.spooled(2, store.Doubt{}, "c")}
	replay := func(id string, batch ...store.SpooledRequest) {
		t.Helper()
		if err := w.Replay(t.Context(), id, batch, start.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	replay(spool, batch...)
	if n := w.count(`SELECT count(*) FROM inbox WHERE replayed`); n != 3 {
		t.Fatalf("%d signals in the inbox, want 3", n)
	}
	w.run(w.System)
	w.fold() // an instance that was killed before it could clear its spool replays it long after the inbox was folded
	replay(spool, append(batch, w.spooled(3, store.Doubt{}, "d"))...)
	w.fold()
	replay(spool, batch...)
	replay("another", w.spooled(1, store.Doubt{}, "e"))
	w.fold()
	for key, want := range map[string]int{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1} {
		if n := w.count(`SELECT coalesce(sum(count), 0)::int FROM alerts WHERE dedup_key = $1`, key); n != want {
			t.Errorf("%s was taken %d times, want %d", key, n, want)
		}
	}
	if n := w.count(`SELECT count(*) FROM incidents WHERE opened_at = $1`, start.Add(3*time.Second)); n != 1 {
		t.Errorf("%d incidents began when their signal came, want 1", n)
	}
}

// Replaying a commit's signals finds out whether a commit that got no response took effect.
func TestPossiblyStoredSignalsReplayOnce(t *testing.T) {
	t.Parallel()
	for _, lost := range []string{"request", "answer"} {
		t.Run(lost, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p, address := storetest.NewProxy(t, w.url)
			s, err := store.Open(t.Context(), address, store.Options{MaxConns: 4, Log: zerolog.Nop()})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			s.Resume()
			accept := func(k string) error {
				return s.Accept(t.Context(), w.integration, []oncall.Signal{trigger(k)}, start)
			}
			if err := accept("before"); err != nil {
				t.Fatal(err)
			}
			if lost == "request" {
				p.Set(storetest.ProxySilent)
			} else {
				p.DieAfter(1, `"dedup_key":"a"`)
			}
			var unknown store.NotStored
			if err := accept("a"); !errors.As(err, &unknown) || unknown.Doubt == (store.Doubt{}) || !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("without an answer: %v; want it in doubt, with the error %v", err, store.ErrUnavailable)
			}
			var sure store.NotStored
			if err := accept("b"); !errors.As(err, &sure) || sure.Doubt != (store.Doubt{}) {
				t.Errorf("nothing is stored while something is in doubt: %v; want an error that leaves no doubt", err)
			}
			batch := []store.SpooledRequest{w.spooled(1, unknown.Doubt, "a"), w.spooled(2, store.Doubt{}, "b")}
			for range 2 {
				if err := w.Replay(t.Context(), "one", batch, start); err != nil {
					t.Fatal(err)
				}
			}
			p.DieAfter(-1, "")
			p.Set(storetest.ProxyUp)
			s.Resume()
			w.until("signals are accepted again", func() bool { s.Resume(); return accept("after") == nil })
			for _, key := range []string{"before", "a", "b", "after"} {
				if n := w.count(`SELECT count(*) FROM inbox WHERE signal ->> 'dedup_key' = $1`, key); n != 1 && (key != "after" || n == 0) {
					t.Errorf("%s is there %d times, want once", key, n)
				}
			}
		})
	}
}

// A commit that arrives late, after its signals were replayed, does nothing, and all its callers get
// an error.
func TestReplayedCommitIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Resume()
	if err := w.Replay(t.Context(), "one", []store.SpooledRequest{w.spooled(1, store.Doubt{Period: w.Period(), Commit: 1}, "a")}, start); err != nil {
		t.Fatal(err)
	}
	var sure store.NotStored
	err := w.Accept(t.Context(), w.integration, []oncall.Signal{trigger("a")}, start)
	if !errors.As(err, &sure) || sure.Doubt != (store.Doubt{}) {
		t.Errorf("got %v; want an error that leaves no doubt", err)
	}
	if n := w.count(`SELECT count(*) FROM inbox`); n != 1 {
		t.Errorf("%d signals in the inbox, want 1", n)
	}
	if !w.Suspended() {
		t.Error("the store takes signals while one is in doubt, so that others may overtake it")
	}
	w.Resume()
	for i := range 3 {
		if err := w.Accept(t.Context(), w.integration, []oncall.Signal{trigger(fmt.Sprint(i))}, start); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	}
}
