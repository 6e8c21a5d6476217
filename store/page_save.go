package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// savePages adds the decision about pages and their recipient to a batch, and sends the batch. The
// caller holds the locks of both.
func (s *Store) savePages(ctx context.Context, tx pgx.Tx, b *pgx.Batch, to recipient, u oncall.PageUpdate, now time.Time) error {
	const release = `
		UPDATE pages
		SET held_until = NULL
		WHERE user_id = $1 AND method = $2 AND contact = $3 AND state = 'waiting' AND bundle = 0 AND held_until > $4
		RETURNING id, convoy`
	var released []releasedPage
	queuePageUpdates(b, u.Pages)
	if u.Last != nil {
		queueLastUpdate(b, to, *u.Last)
	}
	if u.Release {
		b.Queue(release, to.User, to.Method, to.Contact, now).Query(func(rows pgx.Rows) (err error) {
			released, err = pgx.CollectRows(rows, pgx.RowToStructByPos[releasedPage])
			return err
		})
	}
	if b.Len() > 0 {
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
	}
	first, err := releaseTasks(ctx, tx, released, oncall.Page{Call: oncall.Call{UserID: to.User, Method: to.Method}})
	if err != nil {
		return err
	}
	return s.enqueue(ctx, tx, now, append(u.Tasks, first...))
}

// queuePageUpdates saves pages that have been locked since they were loaded.
func queuePageUpdates(b *pgx.Batch, pages []oncall.PageStatus) {
	const save = `
		UPDATE pages p
		SET state = s.state, attempt = s.attempt, attempted_at = s.attempted_at, ended_at = s.ended_at, detail = s.detail,
		    due_at = nullif(s.due_at, '0001-01-01T00:00:00Z'), sender_job = s.sender_job, doubt_at = s.doubt_at,
		    held_until = s.held_until, redials = s.redials, redial_key = s.redial_key, code = s.code, bundle = s.bundle,
		    ref = s.ref, receipt = s.receipt, track_at = s.track_at
		FROM unnest($1::bigint[], $2::text[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::timestamptz[],
		            $8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::int[], $12::text[], $13::int[], $14::bigint[],
		            $15::text[], $16::text[], $17::timestamptz[])
		     AS s (id, state, attempt, attempted_at, ended_at, detail, due_at, sender_job, doubt_at, held_until, redials,
		           redial_key, code, bundle, ref, receipt, track_at)
		WHERE p.id = s.id`
	if len(pages) == 0 {
		return
	}
	b.Queue(save,
		column(pages, func(p oncall.PageStatus) oncall.PageID { return p.ID }),
		column(pages, func(p oncall.PageStatus) oncall.PageState { return p.State }),
		column(pages, func(p oncall.PageStatus) int { return p.Attempt }),
		column(pages, func(p oncall.PageStatus) *time.Time { return p.AttemptedAt }),
		column(pages, func(p oncall.PageStatus) *time.Time { return p.EndedAt }),
		column(pages, func(p oncall.PageStatus) string { return p.Detail }),
		column(pages, func(p oncall.PageStatus) time.Time { return p.At }),
		column(pages, func(p oncall.PageStatus) *int64 { return p.SenderJob }),
		column(pages, func(p oncall.PageStatus) *time.Time { return p.DoubtAt }),
		column(pages, func(p oncall.PageStatus) *time.Time { return p.DeferredUntil }),
		column(pages, func(p oncall.PageStatus) int { return p.Redials }),
		column(pages, func(p oncall.PageStatus) string { return p.RedialKey }),
		column(pages, func(p oncall.PageStatus) int { return p.Code }),
		column(pages, func(p oncall.PageStatus) oncall.PageID { return p.Bundle }),
		column(pages, func(p oncall.PageStatus) string { return p.Ref }),
		column(pages, func(p oncall.PageStatus) oncall.ReceiptState { return p.Receipt }),
		column(pages, func(p oncall.PageStatus) *time.Time { return p.TrackAt }))
}

// queueLastUpdate saves the facts about the recipient's latest page.
func queueLastUpdate(b *pgx.Batch, to recipient, last oncall.LastPage) {
	const save = `
		UPDATE reaches
		SET sent_at = nullif($4::timestamptz, '0001-01-01T00:00:00Z'), page = $5, severity = $6, integrations = $7
		WHERE user_id = $1 AND method = $2 AND contact = $3`
	b.Queue(save, to.User, to.Method, to.Contact, last.At, last.Page, last.Severity, last.Integrations)
}
