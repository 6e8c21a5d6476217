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

// Ready says why signals can't be stored now, although the database may answer: it may be read-only or
// full, or somebody may hold a lock on the inbox. It is asked every few seconds for years, so it writes
// nothing: inserting no row takes the same lock and needs the same rights as inserting one. Only where
// the last signal could not be stored, and until one can be again, does it write and take that back, and commit.
func (s *System) Ready(ctx context.Context) error {
	const nothing = `
		INSERT INTO inbox (integration_id, received_at, signal)
		SELECT 0, 'epoch', '{}' WHERE false`
	_, err := s.door.Exec(ctx, nothing)
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

// tryToStore stores a signal so large that it needs space of its own, and takes it back: a row leaves
// room in the table that a small one would find on a full disk, too.
func (s *System) tryToStore(ctx context.Context) error {
	const write = `INSERT INTO inbox (integration_id, received_at, signal) VALUES (0, 'epoch', $1)`
	var large strings.Builder
	for large.Len() < triedSize {
		large.WriteString(rand.Text()) // which can't be compressed
	}
	err := pgx.BeginFunc(ctx, s.door, func(tx pgx.Tx) error {
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

// tryToCommit commits something that leaves no trace: a commit waits for the replica where replication is
// synchronous, and for ever while that is away; what is taken back doesn't.
func (s *System) tryToCommit(ctx context.Context) error {
	const commit = `SELECT pg_logical_emit_message(true, 'watchbill', '')`
	_, err := s.door.Exec(ctx, commit)
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok && answer.Code == "42501" {
		return nil // somebody has taken from us what everybody may
	}
	return err
}

// triedSize is some pages of a table.
const triedSize = 64 << 10

// errTried rolls back what was only tried.
var errTried = errors.New("that was only tried")
