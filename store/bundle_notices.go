package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// Bundle returns the direct message that pages somebody about several incidents, by the key of the
// page that leads it, before it is sent.
func (s *Store) Bundle(ctx context.Context, key string) (oncall.Notice, error) {
	const find = `
		SELECT id, incident_id, user_id, method, why, key, contact, recipient AS "to",
		       coalesce(due_at, '0001-01-01T00:00:00Z') AS at
		FROM pages
		WHERE key = $1`
	rows, _ := s.pool.Query(ctx, find, key)
	lead, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[oncall.Page])
	if err != nil {
		return oncall.Notice{}, fmt.Errorf("find the page of a bundle: %w", translate(err))
	}
	about, err := s.told(ctx, lead.ID)
	if err != nil {
		return oncall.Notice{}, fmt.Errorf("load the bundle of page %d: %w", lead.ID, err)
	}
	return oncall.BundleNotice(key, lead.ID, lead.UserID, about), nil
}

// bundleTold keeps the direct message of a bundle, which has been sent, so that it can be redrawn.
func (s *Store) bundleTold(ctx context.Context, tx pgx.Tx, lead oncall.Page, at Place, now time.Time) error {
	const about = `SELECT DISTINCT incident_id FROM pages WHERE (id = $1 OR bundle = $1 AND bundle <> 0) AND state <> 'skipped'`
	const insert = `
		INSERT INTO notices (key, recipient, kind, about, facts, version, created_at, tried_at, channel, ts, drawn)
		VALUES ($1, $2, $3, $4, $5, 1, $6, $6, $7, $8, 1)
		ON CONFLICT (key) DO UPDATE SET channel = $7, ts = $8`
	rows, _ := tx.Query(ctx, about, lead.ID)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
	if err != nil {
		return err
	}
	found, err := incidents(ctx, tx, ids)
	if err != nil {
		return err
	}
	oncall.WorstFirst(found)
	n := oncall.BundleNotice(lead.Key, lead.ID, lead.UserID, found)
	_, err = tx.Exec(ctx, insert, n.Key, n.To, n.Kind, n.About, n.Facts, now, at.Channel, at.TS)
	return err
}

// bundleActed redraws the direct message of a bundle once nothing in it waits for its person.
func (s *Store) bundleActed(ctx context.Context, lead oncall.PageID, now time.Time) error {
	const open = `
		SELECT count(*)
		FROM pages p
		JOIN incidents i ON i.id = p.incident_id AND i.status = 'triggered'
		WHERE (p.id = $1 OR p.bundle = $1 AND p.bundle <> 0) AND p.state <> 'skipped'`
	return s.transact(ctx, func(tx pgx.Tx) error {
		var left int
		if err := tx.QueryRow(ctx, open, lead).Scan(&left); err != nil || left > 0 {
			return err
		}
		return s.renotice(ctx, tx, now, []oncall.NoticeKind{oncall.NoticeBundle}, int64(lead), func(f *oncall.NoticeFacts) {
			if f.State == "" {
				f.State, f.StateAt = oncall.BundleAcked, now
			}
		})
	})
}
