package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// agedBatch is how many alerts are closed by age at once.
const agedBatch = 500

// AgeAlerts closes old alerts without a key, because no signal will ever clear them. It adds an entry
// for each to the inbox, behind the waiting signals, and returns how many it added. An alert whose
// entry is already waiting is not added again.
func (s *System) AgeAlerts(ctx context.Context, now time.Time) (n int, err error) {
	const find = `
		SELECT a.integration_id, a.dedup_key
		FROM alerts a
		LEFT JOIN incidents i ON i.id = a.incident_id
		WHERE a.firing AND a.keyless AND a.last_at <= $1
		  AND (i.id IS NULL OR i.status = 'resolved' OR (i.acked_at IS NULL OR i.acked_at <= $1)
		       AND (i.snoozed_until IS NULL OR i.snoozed_until <= $1) AND (i.woken_at IS NULL OR i.woken_at <= $1))
		  AND NOT EXISTS (
			SELECT FROM inbox w
			WHERE w.integration_id = a.integration_id AND w.signal ->> 'dedup_key' = a.dedup_key
		  )
		ORDER BY a.last_at
		LIMIT $2`
	const insert = `
		INSERT INTO inbox (integration_id, received_at, signal)
		SELECT integration_id, $2, signal::json
		FROM unnest($1::bigint[], $3::text[]) WITH ORDINALITY AS a (integration_id, signal, position)
		ORDER BY position`
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, find, now.Add(-oncall.ClosesByAge), agedBatch)
		alerts, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[oncall.Alert])
		if err != nil || len(alerts) == 0 {
			return err
		}
		integrations, signals := make([]oncall.IntegrationID, len(alerts)), make([]string, len(alerts))
		for i, a := range alerts {
			signal, err := json.Marshal(oncall.ClosedByAge(a))
			if err != nil {
				return err
			}
			integrations[i], signals[i] = a.IntegrationID, string(signal)
		}
		if _, err := tx.Exec(ctx, insert, integrations, now, signals); err != nil {
			return err
		}
		n = len(alerts)
		_, err = tx.Exec(ctx, `SELECT pg_notify('watchbill_inbox', '')`)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("close alerts by age: %w", translate(err))
	}
	return n, nil
}
