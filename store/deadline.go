package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// StatementLimit bounds a statement, and the wait for a connection, if the caller has set no deadline. If the network
// drops every packet, TCP gives up only after a quarter of an hour, and meanwhile everybody would wait for whatever the
// caller holds, such as the right to load the directory.
const StatementLimit = 15 * time.Second

// deadlines sets a deadline for every statement, including the queue's. It is a tracer because pgx has no other hook that
// can replace the context.
type deadlines struct{}

var (
	_ pgx.QueryTracer       = deadlines{}
	_ pgx.BatchTracer       = deadlines{}
	_ pgx.CopyFromTracer    = deadlines{}
	_ pgxpool.AcquireTracer = deadlines{}
)

// A boundedContext is a statement's own context, even if the caller's has a deadline, so that release can cancel it
// without ending the caller's.
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
