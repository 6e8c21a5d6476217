package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// A releasedPage is a page that is no longer deferred. Batch is 0 if the page has its own job.
type releasedPage struct {
	ID    oncall.PageID
	Batch oncall.PageBatchID `db:"convoy"`
}

// releaseTasks returns the tasks for released pages to the recipient of one page. The first page of
// each batch gets a job of its own.
func releaseTasks(ctx context.Context, tx pgx.Tx, pages []releasedPage, like oncall.Page) ([]oncall.Task, error) {
	slices.SortFunc(pages, func(a, b releasedPage) int { return cmp.Compare(a.ID, b.ID) })
	var tasks []oncall.Task
	var left []oncall.PageID
	seen := map[oncall.PageBatchID]bool{}
	for _, p := range pages {
		if p.Batch != 0 {
			if seen[p.Batch] {
				continue
			}
			seen[p.Batch] = true
			left = append(left, p.ID)
		}
		like.ID = p.ID
		tasks = append(tasks, like.Task(p.Batch))
	}
	return tasks, leaveBatch(ctx, tx, left)
}

// leaveBatch removes pages that have their own jobs from their batch.
func leaveBatch(ctx context.Context, tx pgx.Tx, pages []oncall.PageID) error {
	const leave = `
		UPDATE pages p
		SET convoy = 0
		FROM (SELECT id FROM pages WHERE id = ANY ($1) ORDER BY id FOR UPDATE) own
		WHERE p.id = own.id`
	if len(pages) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, leave, pages)
	return err
}

// deferBatch makes a deferred page and the pages behind it wait in one batch, together with the other deferred
// pages for the recipient. It reports whether a job other than the page's own will send them. The caller holds the
// lock of the recipient.
func (s *Store) deferBatch(ctx context.Context, tx pgx.Tx, to recipient, what oncall.SendPage, o oncall.PageOrder, now time.Time) (other bool, err error) {
	const find = `SELECT convoy FROM reaches WHERE user_id = $1 AND method = $2 AND contact = $3 AND convoy_until = $4`
	const begin = `UPDATE reaches SET convoy = $4, convoy_until = $5 WHERE user_id = $1 AND method = $2 AND contact = $3`
	const wait = `
		UPDATE pages
		SET held_until = $3, convoy = $2
		WHERE (convoy = $1 AND convoy <> 0 OR id = $4) AND state = 'waiting' AND bundle = 0`
	var going oncall.PageBatchID
	err = tx.QueryRow(ctx, find, to.User, to.Method, to.Contact, o.CheckAt).Scan(&going)
	switch {
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return false, err
	case going != 0 && going != what.Batch:
		_, err = tx.Exec(ctx, wait, what.Batch, going, o.CheckAt, what.Page)
		return true, err
	}
	own := what.Batch
	if own == 0 {
		if err := tx.QueryRow(ctx, `SELECT nextval('convoys')`).Scan(&own); err != nil {
			return false, err
		}
		t := o.Page.Task(own)
		t.At, t.Severity = o.CheckAt, o.Incident.Severity
		if err := s.enqueue(ctx, tx, now, []oncall.Task{t}); err != nil {
			return false, err
		}
	} else if _, err := tx.Exec(ctx, wait, own, own, o.CheckAt, nil); err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, begin, to.User, to.Method, to.Contact, own, o.CheckAt)
	return what.Batch == 0, err
}

// moveBatch carries out the decision about the pages behind one page. The caller holds the lock of the recipient.
func (s *Store) moveBatch(ctx context.Context, tx pgx.Tx, to recipient, id oncall.PageBatchID, do oncall.BatchOrder, now time.Time) error {
	const end = `UPDATE reaches SET convoy = 0, convoy_until = NULL WHERE user_id = $1 AND method = $2 AND contact = $3 AND convoy = $4`
	const leave = `
		UPDATE pages p
		SET convoy = 0
		FROM (
			SELECT w.id, i.severity
			FROM pages w
			JOIN incidents i ON i.id = w.incident_id
			WHERE w.convoy = $1 AND w.convoy <> 0 AND w.state = 'waiting' AND w.bundle = 0
			ORDER BY array_position($2::text[], i.severity), w.id
			LIMIT $3
		) w
		WHERE p.id = w.id
		RETURNING p.id, p.user_id, p.method, w.severity`
	if _, err := tx.Exec(ctx, end, to.User, to.Method, to.Contact, id); err != nil {
		return err
	}
	var most *int
	passOn := oncall.PageBatchID(0)
	if do == oncall.BatchNext {
		most, passOn = new(1), id
	}
	rows, _ := tx.Query(ctx, leave, id, oncall.Severities(), most)
	var tasks []oncall.Task
	var p oncall.Page
	var severity oncall.Severity
	if _, err := pgx.ForEachRow(rows, []any{&p.ID, &p.UserID, &p.Method, &severity}, func() error {
		t := p.Task(passOn)
		t.Severity = severity
		tasks = append(tasks, t)
		return nil
	}); err != nil {
		return err
	}
	return s.enqueue(ctx, tx, now, tasks)
}
