package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Ready returns an error if signals can't be stored now. Even when the database answers, it may be read-only or full,
// or another session may hold a lock on the inbox. Ready runs every few seconds for years, so normally it writes
// nothing: an INSERT of no rows takes the same lock and needs the same rights as a real one. Only after a signal
// could not be stored, and until storing works again, does it insert a row, roll back, and test a commit.
func (s *System) Ready(ctx context.Context) error {
	const nothing = `
		INSERT INTO inbox (integration_id, received_at, signal)
		SELECT 0, 'epoch', '{}' WHERE false`
	_, err := s.intakePool.Exec(ctx, nothing)
	if err == nil && s.arrivals.failed.Load() {
		if err = s.tryToStore(ctx); err == nil {
			s.arrivals.failed.Store(false)
		}
	}
	if err != nil {
		return fmt.Errorf("store a signal: %w", translate(err))
	}
	return nil
}

// tryToStore inserts a signal and rolls back. The signal is large enough to need new pages: a small one might fit into
// free space in the table even when the disk is full.
func (s *System) tryToStore(ctx context.Context) error {
	const write = `INSERT INTO inbox (integration_id, received_at, signal) VALUES (0, 'epoch', $1)`
	var large strings.Builder
	for large.Len() < triedSize {
		large.WriteString(rand.Text()) // random, so it can't be compressed
	}
	err := pgx.BeginFunc(ctx, s.intakePool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, write, map[string]string{"tried": large.String()}); err != nil {
			return err
		}
		return errTried
	})
	if !errors.Is(err, errTried) {
		return err
	}
	return s.tryToCommit(ctx)
}

// tryToCommit commits a transaction that leaves no trace. With synchronous replication a commit waits for the replica,
// possibly for ever, but a rollback doesn't.
func (s *System) tryToCommit(ctx context.Context) error {
	const commit = `SELECT pg_logical_emit_message(true, 'watchbill', '')`
	_, err := s.intakePool.Exec(ctx, commit)
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok && answer.Code == "42501" {
		return nil // the permission that everybody has by default was revoked
	}
	return err
}

// triedSize is several pages of a table.
const triedSize = 64 << 10

// errTried rolls back a trial.
var errTried = errors.New("only a trial")
