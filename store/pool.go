package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A pool is a pgxpool.Pool that retries when the server has no connection left, because one is usually free again
// within a second.
type pool struct{ *pgxpool.Pool }

// fullPause is the first pause between attempts on a full server. It doubles up to fullPauseMax.
const (
	fullPause    = 10 * time.Millisecond
	fullPauseMax = 200 * time.Millisecond
)

// serverFull reports whether the server has no connection left. If so, the statement was not sent.
func serverFull(err error) bool {
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return connecting && ok && answer.Code == "53300"
}

// retryWhileFull retries while the server is full, until ctx ends or for StatementLimit.
func retryWhileFull(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, StatementLimit)
	defer cancel()
	for wait := fullPause; ; wait = min(2*wait, fullPauseMax) {
		err := try()
		if !serverFull(err) {
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

// Exec is pgxpool.Pool.Exec with retries.
func (p pool) Exec(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	err = retryWhileFull(ctx, func() error {
		tag, err = p.Pool.Exec(ctx, sql, args...)
		return err
	})
	return tag, err
}

// Query is pgxpool.Pool.Query with retries.
func (p pool) Query(ctx context.Context, sql string, args ...any) (rows pgx.Rows, err error) {
	err = retryWhileFull(ctx, func() error {
		rows, err = p.Pool.Query(ctx, sql, args...)
		return err
	})
	return rows, err
}

// QueryRow is pgxpool.Pool.QueryRow with retries.
func (p pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, _ := p.Query(ctx, sql, args...) // the rows carry the error
	return oneRow{rows}
}

// Begin is pgxpool.Pool.Begin with retries.
func (p pool) Begin(ctx context.Context) (tx pgx.Tx, err error) {
	err = retryWhileFull(ctx, func() error {
		tx, err = p.Pool.Begin(ctx)
		return err
	})
	return tx, err
}

// oneRow is the first row of a query.
type oneRow struct{ rows pgx.Rows }

// Scan implements pgx.Row.
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
