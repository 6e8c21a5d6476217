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

// more adds integrations, each with its own key.
func (w *world) more(n int) (ids []oncall.IntegrationID) {
	w.t.Helper()
	s := payments()
	s.Integrations[0].Storm = w.stormLimit
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("%032x", 0x9e3779b97f4a7c15+uint64(i)*0x1234567)
		keys[i] = strings.Replace(keys[i], strings.Repeat("0", 16), "5bd1e995c2b2ae35", 1)
		s.Integrations = append(s.Integrations, setup.Integration{
			Name: fmt.Sprint("other", i), Team: "payments", Format: "generic", Policy: "default", Key: keys[i], Storm: "off",
		})
	}
	must[any](w.t)(w.Apply(w.t.Context(), s, store.ApplyOptions{Write: true}, start))
	for _, k := range keys {
		ids = append(ids, must[oncall.Integration](w.t)(w.IntegrationByKey(w.t.Context(), k, start)).ID)
	}
	return ids
}

// before counts one integration's alerts that were stored before the first alert of another.
func (w *world) before(flood, other oncall.IntegrationID) int {
	return w.count(`SELECT count(*) FROM alerts WHERE integration_id = $1 AND id < (SELECT min(id) FROM alerts WHERE integration_id = $2)`, flood, other)
}

func many(n int) (signals []oncall.Signal) {
	for i := range n {
		signals = append(signals, trigger(fmt.Sprint("alert ", i)))
	}
	return signals
}

// A request with thousands of alerts is folded in slices; other integrations get their turn in between.
func TestHugeBodyDoesNotBlockOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	others := w.more(40) // more than can share one batch
	w.accept(many(3000)...)
	for _, id := range others {
		if err := w.Accept(t.Context(), id, []oncall.Signal{trigger("disk"), trigger("cpu")}, w.clock()); err != nil {
			t.Fatal(err)
		}
	}
	w.run(w.System)
	w.fold()
	for _, id := range others {
		if n := w.before(w.integration, id); n > 100 {
			t.Errorf("integration %d came after %d alerts of another one, want at most 100", id, n)
		}
	}
	if n := w.count(`SELECT count(*) FROM alerts`); n != 3080 {
		t.Errorf("%d alerts, want 3,080", n)
	}
}

// During a flood from one integration, signals that waited for another one's locked incident are
// folded as soon as it is unlocked.
func TestFloodDoesNotDelayUnlockedIncidents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.more(1)[0]
	w.run(w.System)
	w.check(w.Accept(t.Context(), other, []oncall.Signal{trigger("disk")}, w.clock()))
	w.fold()
	conn := must[*pgx.Conn](t)(pgx.Connect(t.Context(), w.url))
	defer conn.Close(t.Context())
	tx := must[pgx.Tx](t)(conn.Begin(t.Context()))
	_, err := tx.Exec(t.Context(), `SELECT FROM incidents WHERE id = 1 FOR UPDATE`)
	w.check(err)
	w.check(w.Accept(t.Context(), other, []oncall.Signal{resolve("disk")}, w.clock()))
	w.accept(many(6000)...)
	w.until("the flood is under way", func() bool { return w.count(`SELECT count(*) FROM alerts`) > 1 })
	w.check(tx.Rollback(t.Context()))
	w.until("it is folded", func() bool { return w.count(`SELECT count(*) FROM inbox WHERE integration_id = $1`, other) == 0 })
	if n := w.count(`SELECT count(*) FROM inbox`); n < 500 {
		t.Errorf("it was folded when only %d others waited, want at least 500", n)
	}
	w.advance(time.Second)
	w.fold()
}
