package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// StatementLimit bounds a statement, or the wait for a connection, if its caller has set no deadline. If the
// network swallows every packet, TCP would take a quarter of an hour to give up, and what the caller holds,
// such as the turn to load the directory, would keep everybody else waiting.
const StatementLimit = 15 * time.Second

// deadlines traces nothing: pgx has no other hook that may change the context of every statement,
// those of the queue among them.
type deadlines struct{}

var (
	_ pgx.QueryTracer       = deadlines{}
	_ pgx.BatchTracer       = deadlines{}
	_ pgx.CopyFromTracer    = deadlines{}
	_ pgxpool.AcquireTracer = deadlines{}
)

// A boundedContext belongs to one statement, even if the caller's has a deadline: it ends with the statement,
// and the caller's must not.
type boundedContext struct {
	context.Context
	cancel context.CancelFunc // nil: the deadline is the caller's
}

func bound(ctx context.Context) context.Context {
	if _, has := ctx.Deadline(); has {
		return boundedContext{Context: ctx}
	}
	ctx, cancel := context.WithTimeout(ctx, StatementLimit)
	return boundedContext{Context: ctx, cancel: cancel}
}

func release(ctx context.Context) {
	if b, ok := ctx.(boundedContext); ok && b.cancel != nil {
		b.cancel()
	}
}

func (deadlines) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return bound(ctx)
}

func (deadlines) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	release(ctx)
}

func (deadlines) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return bound(ctx)
}

func (deadlines) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (deadlines) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchEndData) {
	release(ctx)
}

func (deadlines) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	return bound(ctx)
}

func (deadlines) TraceCopyFromEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromEndData) {
	release(ctx)
}

func (deadlines) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	return bound(ctx)
}

func (deadlines) TraceAcquireEnd(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireEndData) {
	release(ctx)
}
