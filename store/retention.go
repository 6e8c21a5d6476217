package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// RetentionTerms says how long data is kept; 0: for ever.
type RetentionTerms struct {
	Incidents time.Duration // after their end; also notices, swaps, covers and rejected signals of that age
	Audit     time.Duration
}

// Limits of one step, so that nothing waits long for its locks.
const (
	removeLook = 200   // incidents examined
	removeRows = 5_000 // rows deleted, unless a single incident has more
	removeMost = 1_000 // rows deleted from other tables
)

// A Removal is the result of one step.
type Removal struct {
	Incidents int
	Last      oncall.IncidentID // the last incident examined
	More      bool              // there may be more after Last
}

// RemoveIncidents removes, with everything that belongs to them, the next few incidents after a given one that ended
// before an instant. It skips locked incidents. It keeps open incidents, incidents merged into one that is kept, and
// the newest incident, because numbering continues from it.
func (s *System) RemoveIncidents(ctx context.Context, before time.Time, after oncall.IncidentID) (Removal, error) {
	r := Removal{Last: after}
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if mine, err := aloneFor(ctx, tx, retentionLock); err != nil || !mine {
			return err
		}
		ids, err := r.next(ctx, tx, before)
		if err != nil || len(ids) == 0 {
			return err
		}
		const remove = `
			DELETE FROM incidents
			WHERE id IN (
				SELECT id
				FROM incidents
				WHERE id = ANY ($1) AND status = 'resolved' AND resolved_at < $2 AND last_signal_at < $2
				ORDER BY id
				FOR UPDATE SKIP LOCKED
			)`
		tag, err := tx.Exec(ctx, remove, ids, before)
		r.Incidents = int(tag.RowsAffected())
		return err
	})
	if err != nil {
		return Removal{Last: after}, fmt.Errorf("remove old incidents: %w", err)
	}
	return r, nil
}

// next examines the next incidents and returns the ones to remove now. An incident with too many rows first has its
// alerts removed in steps.
func (r *Removal) next(ctx context.Context, tx pgx.Tx, before time.Time) (ids []oncall.IncidentID, err error) {
	const look = `
		SELECT i.id,
		       i.status = 'resolved' AND i.resolved_at < $2 AND i.last_signal_at < $2 AND i.id < (SELECT max(id) FROM incidents)
		       AND NOT EXISTS (
		           SELECT FROM incidents o
		           WHERE o.id = i.merged_into AND i.merged_into <> 0
		             AND (o.status <> 'resolved' OR o.resolved_at >= $2 OR o.last_signal_at >= $2)
		       ) AS over,
		       1 + (SELECT count(*) FROM alerts WHERE incident_id = i.id) + (SELECT count(*) FROM pages WHERE incident_id = i.id)
		       + (SELECT count(*) FROM incident_events WHERE incident_id = i.id) AS rows
		FROM (SELECT id, status, resolved_at, last_signal_at, opened_at, merged_into FROM incidents WHERE id > $1 ORDER BY id LIMIT $3) AS i
		WHERE i.opened_at < $2
		ORDER BY i.id`
	const empty = `DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE incident_id = $1 ORDER BY id LIMIT $2)`
	type candidate struct {
		ID   oncall.IncidentID
		Over bool
		Rows int
	}
	rows, _ := tx.Query(ctx, look, r.Last, before, removeLook)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[candidate])
	if err != nil {
		return nil, err
	}
	r.More = len(found) == removeLook
	room := removeRows
	for _, c := range found {
		switch {
		case !c.Over:
		case c.Rows <= room:
			room -= c.Rows
			ids = append(ids, c.ID)
		case c.Rows > removeRows && len(ids) == 0:
			r.More = true
			tag, err := tx.Exec(ctx, empty, c.ID, removeRows)
			if err == nil && tag.RowsAffected() == 0 { // no alerts left, so it can be removed whole
				ids = append(ids, c.ID)
				r.Last = c.ID
			}
			return ids, err
		default:
			r.More = true
			return ids, nil
		}
		r.Last = c.ID
	}
	return ids, nil
}

// aloneFor takes an advisory lock until the transaction ends, and reports whether it was free.
func aloneFor(ctx context.Context, tx pgx.Tx, lock int64) (mine bool, err error) {
	err = tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1)`, lock).Scan(&mine)
	return mine, err
}

// RemoveHistory removes a limited number of notices, finished swaps and covers, and rejected signals from before an
// instant, and reports whether there may be more.
func (s *System) RemoveHistory(ctx context.Context, before time.Time) (removed int, more bool, err error) {
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if mine, err := aloneFor(ctx, tx, retentionLock); err != nil || !mine {
			return err
		}
		for _, remove := range []string{
			`DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE created_at < $1 ORDER BY created_at LIMIT $2)`,
			`DELETE FROM swaps WHERE id IN (SELECT id FROM swaps WHERE ended_at < $1 ORDER BY id LIMIT $2)`,
			`DELETE FROM covers WHERE id IN (SELECT id FROM covers WHERE ended_at < $1 ORDER BY id LIMIT $2)`,
			`DELETE FROM inbox_rejected WHERE id IN (SELECT id FROM inbox_rejected WHERE rejected_at < $1 ORDER BY id LIMIT $2)`,
			`DELETE FROM outage_pages WHERE key IN (SELECT key FROM outage_pages WHERE outage_at < $1 ORDER BY outage_at LIMIT $2)`,
		} {
			tag, err := tx.Exec(ctx, remove, before, removeMost)
			if err != nil {
				return err
			}
			removed += int(tag.RowsAffected())
			more = more || tag.RowsAffected() == removeMost
		}
		return nil
	})
	if err != nil {
		return 0, false, fmt.Errorf("remove old notices: %w", err)
	}
	return removed, more, nil
}

// RemoveAudit removes a limited number of audit entries from before an instant, and reports whether there may be more.
func (s *System) RemoveAudit(ctx context.Context, before time.Time) (removed int, more bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT remove_audit($1, $2)`, before, removeMost).Scan(&removed)
	if err != nil {
		return 0, false, fmt.Errorf("shorten the audit log: %w", translate(err))
	}
	return removed, removed == removeMost, nil
}

// Oldest holds the time of the oldest data for each of the RetentionTerms; zero: none.
type Oldest struct {
	Incident time.Time // end of the closed incident with the lowest number
	Audit    time.Time
}

// Oldest queries how far back the stored history goes.
func (s *System) Oldest(ctx context.Context) (Oldest, error) {
	const look = `
		SELECT (SELECT resolved_at FROM incidents WHERE status = 'resolved' AND merged_into = 0 AND id > 0 ORDER BY id LIMIT 1),
		       (SELECT at FROM audit_log ORDER BY at LIMIT 1)`
	var incident, audit *time.Time
	var out Oldest
	if err := s.pool.QueryRow(ctx, look).Scan(&incident, &audit); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return out, fmt.Errorf("look how old history is: %w", translate(err))
	}
	if incident != nil {
		out.Incident = *incident
	}
	if audit != nil {
		out.Audit = *audit
	}
	return out, nil
}
