package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// sharedSessions explains why a pooler that shares sessions is refused: their locks and LISTENs would be lost.
const sharedSessions = "DATABASE_URL leads through a pooler that shares sessions between clients, such as PgBouncer with " +
	"pool_mode=transaction, where locks and notifications get lost: connect to PostgreSQL itself, or set pool_mode=session"

// CheckSessions refuses a pooler in transaction mode, behind which instances would not know of each other and nobody
// would fold the inbox. It detects one by this: without such a pooler, two connected clients never share a session.
func (s *System) CheckSessions(ctx context.Context) error {
	const ask = `SELECT pg_backend_pid()`
	var seen [2][]int32
	err := s.onTwoConns(ctx, func(n int, conn *pgx.Conn) error {
		var pid int32
		// Such a pooler may also lose prepared statements.
		err := conn.QueryRow(ctx, ask, pgx.QueryExecModeSimpleProtocol).Scan(&pid)
		seen[n] = append(seen[n], pid)
		return err
	})
	if err != nil {
		return fmt.Errorf("look at the database's sessions: %w", translate(err))
	}
	if sessionsShared(seen[0], seen[1]) {
		return errors.New(sharedSessions)
	}
	return nil
}

// onTwoConns calls ask on two connections in turn.
func (s *System) onTwoConns(ctx context.Context, ask func(n int, conn *pgx.Conn) error) error {
	first, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer first.Release()
	second, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer second.Release()
	for range 4 {
		for n, conn := range []*pgx.Conn{first.Conn(), second.Conn()} {
			if err := ask(n, conn); err != nil {
				return err
			}
		}
	}
	return nil
}

// sessionsShared reports whether one of two clients has had several sessions, or both have had the same one.
func sessionsShared(a, b []int32) bool {
	for _, seen := range [][]int32{a, b} {
		if slices.ContainsFunc(seen, func(pid int32) bool { return pid != seen[0] }) {
			return true
		}
	}
	return len(a) > 0 && len(b) > 0 && a[0] == b[0]
}
