package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	lockKey   int64 = 0x7761746368 // "watch": any fixed number that nothing else uses
	lockEvery       = 100 * time.Millisecond
	lockLimit       = 2 * time.Minute
)

var errLockTimeout = errors.New("another instance has been migrating for two minutes")

// locker lets one instance migrate at a time. It polls, because a session waiting in
// pg_advisory_lock holds a snapshot that CREATE INDEX CONCURRENTLY waits for: a deadlock.
type locker struct {
	log func(line string)
}

// SessionLock waits until no other instance is migrating.
func (l locker) SessionLock(ctx context.Context, conn *sql.Conn) error {
	ctx, cancel := context.WithTimeoutCause(ctx, lockLimit, errLockTimeout)
	defer cancel()
	// Nothing tells us when the lock is free, so look again from time to time.
	tick := time.NewTicker(lockEvery)
	defer tick.Stop()
	for first := true; ; first = false {
		var got bool
		err := conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, lockKey).Scan(&got)
		if err != nil {
			return fmt.Errorf("take the migration lock: %w", err)
		}
		if got {
			return nil
		}
		if first {
			l.log("another instance is migrating the database; waiting")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("take the migration lock: %w", context.Cause(ctx))
		}
	}
}

// SessionUnlock lets the next instance migrate.
func (l locker) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, lockKey); err != nil {
		return fmt.Errorf("release the migration lock: %w", err)
	}
	return nil
}
