package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
)

// rest reads the facts that the rules use for all pages but one.
func (w *world) rest(lead oncall.PageID) map[oncall.PageID]oncall.PageStatus {
	w.t.Helper()
	out := map[oncall.PageID]oncall.PageStatus{}
	rows, err := w.Pool().Query(w.t.Context(), `
		SELECT id, user_id, method, contact, state, bundle, attempt, doubt_at, sender_job, held_until,
		       coalesce(due_at, '0001-01-01T00:00:00Z')
		FROM pages WHERE id <> $1`, lead)
	w.check(err)
	for rows.Next() {
		var p oncall.PageStatus
		w.check(rows.Scan(&p.ID, &p.UserID, &p.Method, &p.Contact, &p.State, &p.Bundle, &p.Attempt, &p.DoubtAt, &p.SenderJob, &p.DeferredUntil, &p.At))
		out[p.ID] = p
	}
	w.check(rows.Err())
	return out
}

// scatter gives every page but the lead a random state.
func (w *world) scatter(r *rand.Rand, lead oncall.PageID) {
	w.t.Helper()
	pick := func(odds int, value string) string {
		if r.IntN(odds) == 0 {
			return value
		}
		return "NULL"
	}
	for id := range w.rest(lead) {
		at := fmt.Sprintf("'%s'::timestamptz", start.Add(time.Duration(r.IntN(5)-2)*time.Second).Format(time.RFC3339))
		w.exec(fmt.Sprintf(`UPDATE pages SET user_id = '%s', method = '%s', contact = %d, state = '%s', bundle = %d, attempt = %d,
			doubt_at = %s, sender_job = %s, held_until = %s, due_at = %s WHERE id = $1`,
			[]string{"U0ANN", "U0ANN", "U0ANN", "U0BO"}[r.IntN(4)], []string{"slack", "slack", "slack", "sms"}[r.IntN(4)], r.IntN(5)/4,
			[]string{"waiting", "waiting", "waiting", "waiting", "delivered", "failed", "skipped"}[r.IntN(7)],
			[]int{0, 0, 0, 2}[r.IntN(4)], []int{0, 0, 0, 1}[r.IntN(4)], pick(5, at), pick(5, "7"), pick(2, at), pick(2, at)), id)
	}
}

// SQL and the rules agree on which pages join a message, and which are released when nobody was told.
func TestSQLAgreesWithTheRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var names []string
	for i := range 9 {
		names = append(names, fmt.Sprint("alert", i))
	}
	w.storm(names...)
	const lead = oncall.PageID(1)
	joined, released := 0, 0
	for seed := range uint64(200) {
		w.exec(`UPDATE pages SET state = 'waiting', bundle = 0, attempt = 0, doubt_at = NULL, sender_job = NULL, held_until = NULL, due_at = NULL WHERE id = $1`, lead)
		w.exec(`DELETE FROM reaches`)
		w.scatter(rand.New(rand.NewPCG(8, seed)), lead)
		first := oncall.PageStatus{Page: oncall.Page{ID: lead, Call: oncall.Call{UserID: ann, Method: oncall.MethodSlack}}}
		want, got := map[oncall.PageID]bool{}, map[oncall.PageID]bool{}
		others := w.rest(lead)
		for id, p := range others {
			// A message that was not sent brings along all of its pages.
			if p.Joins(first, start) || p.State == oncall.PageWaiting && p.Bundle != 0 && others[p.Bundle].Joins(first, start) {
				want[id] = true
				joined++
			}
		}
		w.begin(lead, start)
		for id, p := range w.rest(lead) {
			if p.Bundle == lead {
				got[id] = true
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: goes along (-the rules +SQL):\n%s", seed, diff)
		}

		before := w.rest(lead)
		w.check(w.RecordPage(t.Context(), lead, oncall.PageRefused{Why: "it is full"}, start))
		want, got = map[oncall.PageID]bool{}, map[oncall.PageID]bool{}
		after := w.rest(lead)
		for id, p := range before {
			if p.UserID == ann && p.Method == oncall.MethodSlack && p.Contact == 0 && p.Deferred(start) {
				want[id] = true
				released++
			}
			if p.DeferredUntil != nil && after[id].DeferredUntil == nil {
				got[id] = true
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: is let go (-the rules +SQL):\n%s", seed, diff)
		}
	}
	if joined < 50 || released < 20 {
		t.Errorf("%d pages have gone along and %d were let go: too few to mean something; want joined at least 50 and released at least 20", joined, released)
	}
}
