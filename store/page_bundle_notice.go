package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// Bundle returns the direct message that pages somebody about several incidents, before it is sent.
// Its key is the key of its lead page.
func (s *Store) Bundle(ctx context.Context, key string) (oncall.Notice, error) {
	const find = `SELECT id, user_id FROM pages WHERE key = $1`
	lead := oncall.Page{Key: key}
	var about []oncall.Incident
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, find, key).Scan(&lead.ID, &lead.UserID); err != nil {
			return err
		}
		ids, err := messageIncidents(ctx, tx, lead.ID)
		if err != nil {
			return err
		}
		about, err = incidents(ctx, tx, ids)
		return err
	})
	if err != nil {
		return oncall.Notice{}, fmt.Errorf("load the bundle of page %s: %w", key, err)
	}
	oncall.WorstFirst(about)
	return oncall.BundleNotice(key, lead.ID, lead.UserID, about), nil
}

// bundlesLive is how long the direct message of a bundle is kept up to date with its incidents.
const bundlesLive = 24 * time.Hour

// FollowBundles updates the direct messages of bundles to the state of their incidents. It is called every few
// seconds, so that many changes cause one redraw. Once all incidents of a bundle are resolved, its message no longer
// changes, because an incident that reopens pages anew.
func (s *System) FollowBundles(ctx context.Context, now time.Time) error {
	err := s.transact(ctx, func(tx pgx.Tx) error { return s.followBundles(ctx, tx, 0, now) })
	if err != nil {
		return fmt.Errorf("follow bundles: %w", err)
	}
	return nil
}

// followBundles updates the bundle of a lead page, or all recent bundles if lead is 0.
func (s *Store) followBundles(ctx context.Context, tx pgx.Tx, lead oncall.PageID, now time.Time) error {
	// PostgreSQL checks the conditions on n.facts again if another instance got there first.
	const follow = `
		UPDATE notices n
		SET version = n.version + 1,
		    facts = n.facts || jsonb_build_object(
		        'settled', c.settled, 'over', c.over, 'state', CASE WHEN c.settled = c.n THEN $3 ELSE '' END, 'state_at', $4::timestamptz)
		FROM (
			SELECT b.id, count(*) AS n, count(*) FILTER (WHERE i.status <> 'triggered') AS settled,
			       count(*) FILTER (WHERE i.status = 'resolved') AS over
			FROM notices b
			CROSS JOIN jsonb_array_elements_text(b.facts -> 'incidents') AS listed (id)
			JOIN incidents i ON i.id = listed.id::bigint
			WHERE b.kind = $1 AND b.created_at > $2 AND (b.about = $5 OR $5 = 0)
			  AND coalesce((b.facts ->> 'over')::int, 0) < jsonb_array_length(b.facts -> 'incidents')
			GROUP BY b.id
		) c
		WHERE n.id = c.id
		  AND (coalesce((n.facts ->> 'settled')::int, 0) <> c.settled OR coalesce((n.facts ->> 'over')::int, 0) <> c.over)
		RETURNING n.id`
	rows, _ := tx.Query(ctx, follow, oncall.NoticeBundle, now.Add(-bundlesLive), oncall.BundleAcked, now, lead)
	changed, err := pgx.CollectRows(rows, pgx.RowTo[oncall.NoticeID])
	if err != nil {
		return fmt.Errorf("compare bundles with their incidents: %w", err)
	}
	waiting, err := waitingBundles(ctx, tx, changed)
	if err != nil {
		return err
	}
	var tasks []oncall.Task
	for _, id := range changed {
		if !slices.Contains(waiting, id) {
			tasks = append(tasks, oncall.Task{Args: oncall.DrawNotice{Notice: id, Bundle: true, Asked: lead != 0}})
		}
	}
	return s.enqueue(ctx, tx, now, tasks)
}

// waitingBundles returns the bundles that already have a waiting job, and locks the jobs until we commit.
func waitingBundles(ctx context.Context, tx pgx.Tx, ids []oncall.NoticeID) ([]oncall.NoticeID, error) {
	const load = `
		SELECT (args ->> 'notice')::bigint
		FROM river_job
		WHERE kind = 'tell' AND queue = $1 AND state IN ('available', 'scheduled', 'retryable')
		  AND (args ->> 'notice')::bigint = ANY ($2)
		ORDER BY id
		FOR UPDATE`
	if len(ids) == 0 {
		return nil, nil
	}
	rows, _ := tx.Query(ctx, load, QueueDraw, ids)
	waiting, err := pgx.CollectRows(rows, pgx.RowTo[oncall.NoticeID])
	if err != nil {
		return nil, fmt.Errorf("look for the jobs of bundles: %w", err)
	}
	return waiting, nil
}
