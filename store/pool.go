package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A pool is pgx's, except that it retries when the server has no connection left: one is usually free in a
// moment.
type pool struct{ *pgxpool.Pool }

// fullPause is the first pause between two attempts on a full server; it doubles up to fullPauseMax.
const (
	fullPause    = 10 * time.Millisecond
	fullPauseMax = 200 * time.Millisecond
)

// full reports whether the server has no connection left. Nothing was sent to it then.
func full(err error) bool {
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return connecting && ok && answer.Code == "53300"
}

// untilFree tries again for as long as the server is full, but no longer than ctx or StatementLimit.
func untilFree(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, StatementLimit)
	defer cancel()
	for wait := fullPause; ; wait = min(2*wait, fullPauseMax) {
		err := try()
		if !full(err) {
			return err
		}
		pause := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			pause.Stop()
			return err
		case <-pause.C:
		}
	}
}

// Exec does as pgxpool's.
func (p pool) Exec(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	err = untilFree(ctx, func() error {
		tag, err = p.Pool.Exec(ctx, sql, args...)
		return err
	})
	return tag, err
}

// Query does as pgxpool's.
func (p pool) Query(ctx context.Context, sql string, args ...any) (rows pgx.Rows, err error) {
	err = untilFree(ctx, func() error {
		rows, err = p.Pool.Query(ctx, sql, args...)
		return err
	})
	return rows, err
}

// QueryRow does as pgxpool's.
func (p pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, _ := p.Query(ctx, sql, args...) // its error is also the rows'
	return oneRow{rows}
}

// Begin does as pgxpool's.
func (p pool) Begin(ctx context.Context) (tx pgx.Tx, err error) {
	err = untilFree(ctx, func() error {
		tx, err = p.Pool.Begin(ctx)
		return err
	})
	return tx, err
}

// oneRow is the first of a query's rows.
type oneRow struct{ rows pgx.Rows }

// Scan does as pgx.Row's.
func (r oneRow) Scan(to ...any) error {
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(to...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
