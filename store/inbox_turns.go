package store

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

const (
	// foldBatch is the maximum number of signals folded in one transaction.
	foldBatch = 500
	// foldTurns is the maximum number of integrations that share a batch. If more wait, the others come
	// first in the next batch.
	foldTurns = 50
)

// turns decides which integrations' signals are taken next from the inbox. Integrations with waiting signals get
// equal shares, so a monitor that sends thousands of signals at once delays only its own.
type turns struct {
	last   oncall.IntegrationID           // the integration that had the last turn
	apart  bool                           // the latest batch left out integrations with more than their share
	passed map[oncall.IntegrationID]int64 // the highest inbox id already examined, per integration, while some entries are blocked
}

// take returns the next entries, at most limit, and whether it left out integrations with more than their share.
func (t *turns) take(ctx context.Context, tx pgx.Tx, limit int) (entries []entry, apart bool, err error) {
	// The recursive part jumps from one integration to the next in the index, no matter how many signals
	// each has.
	const take = `
		WITH RECURSIVE waiting AS (
			(SELECT integration_id FROM inbox ORDER BY integration_id LIMIT 1)
			UNION ALL
			SELECT (SELECT i.integration_id FROM inbox i WHERE i.integration_id > w.integration_id ORDER BY i.integration_id LIMIT 1)
			FROM waiting w
			WHERE w.integration_id IS NOT NULL
		), turns AS (
			SELECT w.integration_id, coalesce(p.id, 0) AS passed
			FROM waiting w
			LEFT JOIN unnest($4::bigint[], $5::bigint[]) AS p (integration_id, id) ON p.integration_id = w.integration_id
			WHERE EXISTS (SELECT FROM inbox i WHERE i.integration_id = w.integration_id AND i.id > coalesce(p.id, 0))
			ORDER BY w.integration_id <= $1, w.integration_id
			LIMIT $2
		)
		SELECT e.id, e.integration_id, e.received_at, e.signal, e.replayed
		FROM turns t
		CROSS JOIN LATERAL (
			SELECT id, integration_id, received_at, signal, replayed
			FROM inbox
			WHERE integration_id = t.integration_id AND id > t.passed
			ORDER BY id
			LIMIT (SELECT greatest($3::bigint / greatest(count(*), 1), 1) FROM turns)
		) e
		ORDER BY e.id`
	ids := slices.Collect(maps.Keys(t.passed))
	passed := make([]int64, len(ids))
	for i, id := range ids {
		passed[i] = t.passed[id]
	}
	rows, _ := tx.Query(ctx, take, t.last, min(limit, foldTurns), limit, nonNil(ids), passed)
	entries, err = pgx.CollectRows(rows, pgx.RowToStructByName[entry])
	if few := fewOf(entries, limit); !t.apart && len(few) > 0 {
		return few, true, err
	}
	return entries, false, err
}

// fewOf returns the entries of the integrations below their share, if other integrations reach theirs. Every second
// batch consists of these entries alone, because the rest may take long.
func fewOf(entries []entry, limit int) []entry {
	count := countOf(entries)
	share := shareOf(count, limit)
	few := slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return count[e.IntegrationID] >= share })
	if len(few) == len(entries) {
		return nil
	}
	return few
}

// countOf counts the entries of each integration.
func countOf(entries []entry) map[oncall.IntegrationID]int {
	count := map[oncall.IntegrationID]int{}
	for _, e := range entries {
		count[e.IntegrationID]++
	}
	return count
}

// shareOf returns how many entries each integration can have in a batch.
func shareOf(count map[oncall.IntegrationID]int, limit int) int {
	return max(limit/max(len(count), 1), 1)
}

// examined records that a batch of entries has been examined, and reports whether more may wait. While some entries are
// blocked, the next batch begins after the examined ones.
func (t *turns) examined(entries []entry, limit int, blocked bool) (more bool) {
	count := countOf(entries)
	for _, e := range entries {
		if blocked {
			t.passed[e.IntegrationID] = max(t.passed[e.IntegrationID], e.ID)
		}
	}
	if len(count) == 0 {
		return false
	}
	had := slices.Sorted(maps.Keys(count))
	if i, _ := slices.BinarySearch(had, t.last+1); i > 0 { // the order wrapped around here
		had = had[:i]
	}
	t.last = had[len(had)-1]
	share := shareOf(count, limit)
	for _, n := range count {
		more = more || n == share
	}
	return more || t.apart || len(count) == min(limit, foldTurns)
}
