package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// Waiting returns the swaps and cover requests that wait for an answer of the actor's, those that end first first.
func (s *Store) Waiting(ctx context.Context, by oncall.Actor, now time.Time) (offered []oncall.Swap, wanted []oncall.Cover, err error) {
	const swaps = `
		SELECT id, state, give, take, note, created_at, expires_at, ended_at, overrides
		FROM swaps
		WHERE state = 'open' AND take->>'user' = $1 AND expires_at > $2
		ORDER BY expires_at, id
		LIMIT 10`
	const covers = `
		SELECT id, state, stint, note, everyone, created_by, created_at, ended_at, next_at, asked, takes
		FROM covers
		WHERE state = 'open' AND (stint->>'end')::timestamptz > $2
		  AND EXISTS (SELECT FROM jsonb_array_elements(asked) AS a WHERE a->>'user' = $1 AND NOT coalesce((a->>'declined')::boolean, false))
		ORDER BY (stint->>'start')::timestamptz, id
		LIMIT 10`
	if err := s.allowed(ctx, by, func(g gate) error { return g.may(access.OwnThings, access.Object{}) }); err != nil {
		return nil, nil, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, swaps, by.User, now)
		if offered, err = pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Swap]); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, covers, by.User, now)
		wanted, err = pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Cover])
		return err
	})
	if err != nil {
		return nil, nil, wrap(err, "load what waits for %s", by.User)
	}
	return offered, wanted, nil
}
