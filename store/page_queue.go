package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/watchbill/watchbill/oncall"
)

// A newPage is a new page, and how to queue it.
type newPage struct {
	oncall.Page
	firstCheck time.Time
	about      oncall.Incident
	ahead      int // how many of the team's incidents precede its own

	batch  oncall.PageBatchID // 0: a job of its own
	behind bool               // another page of the batch has the job
}

// waitsIn returns the batch in which the page waits; 0: it has a job.
func (p newPage) waitsIn() oncall.PageBatchID {
	if p.behind {
		return p.batch
	}
	return 0
}

// newPages creates the pages of the calls in the changes, one page for each notification rule of the people called.
func newPages(ctx context.Context, q querier, changes []oncall.Change, ahead map[oncall.IncidentID]int, now time.Time) ([]newPage, error) {
	var users []oncall.UserID
	for _, c := range changes {
		for _, call := range c.Calls {
			if call.UserID != "" && !slices.Contains(users, call.UserID) {
				users = append(users, call.UserID)
			}
		}
	}
	reach := map[oncall.UserID]oncall.ContactSettings{}
	if len(users) > 0 {
		var err error
		if reach, err = contactSettings(ctx, q, users); err != nil {
			return nil, fmt.Errorf("load how people are reached: %w", err)
		}
	}
	var out []newPage
	for _, c := range changes {
		for _, call := range c.Calls {
			all := oncall.PagesOfCall(call, reach[call.UserID], c.Incident.Severity == oncall.Low, now)
			for i, look := range oncall.FirstChecks(all) {
				out = append(out, newPage{Page: all[i], firstCheck: look, about: c.Incident, ahead: ahead[c.Incident.ID]})
			}
		}
	}
	return out, nil
}

// queuePages inserts the pages whose key is new. Pages of one call are inserted in the order of their
// times. It calls saved with the id and key of each inserted page. A reason that names no person is
// stored as plain text.
func queuePages(b *pgx.Batch, pages []newPage, saved func(oncall.PageID, string)) {
	const insert = `
		INSERT INTO pages (incident_id, user_id, method, reason, why, key, contact, recipient, due_at, call_seq, asked_version,
		                   convoy, state, attempt, detail)
		SELECT incident_id, user_id, method, CASE WHEN jsonb_array_length(reason) > 1 OR reason ->> 0 LIKE '%<%' THEN reason END,
		       coalesce(reason ->> 0, ''), key, contact, recipient, due_at, call_seq, asked_version, convoy, $12, 0, ''
		FROM unnest($1::bigint[], $2::text[], $3::text[], $4::jsonb[], $5::text[], $6::bigint[], $7::text[], $8::timestamptz[],
		            $9::bigint[], $10::bigint[], $11::bigint[])
		     WITH ORDINALITY AS p (incident_id, user_id, method, reason, key, contact, recipient, due_at, call_seq, asked_version, convoy, position)
		ORDER BY position
		ON CONFLICT (key) DO NOTHING
		RETURNING id, key`
	if len(pages) == 0 {
		return
	}
	b.Queue(insert,
		column(pages, func(p newPage) oncall.IncidentID { return p.IncidentID }),
		column(pages, func(p newPage) oncall.UserID { return p.UserID }),
		column(pages, func(p newPage) oncall.Method { return p.Method }),
		pgtype.FlatArray[oncall.Sentence](column(pages, func(p newPage) oncall.Sentence { return p.Why })),
		column(pages, func(p newPage) string { return p.Key }),
		column(pages, func(p newPage) oncall.ContactID { return p.Contact }),
		column(pages, func(p newPage) string { return p.To }),
		column(pages, func(p newPage) time.Time { return p.At }),
		column(pages, func(p newPage) int64 { return p.CallSeq }),
		column(pages, func(p newPage) int64 { return p.AskedVersion }),
		column(pages, newPage.waitsIn),
		oncall.PageWaiting,
	).Query(func(rows pgx.Rows) error {
		var page oncall.PageID
		var key string
		_, err := pgx.ForEachRow(rows, []any{&page, &key}, func() error {
			saved(page, key)
			return nil
		})
		return err
	})
}

// numberBatches groups pages of one decision into batches. The worst page of each batch gets a job; the others wait
// behind it.
func numberBatches(ctx context.Context, tx pgx.Tx, pages []newPage, now time.Time) error {
	const number = `SELECT nextval('convoys') FROM generate_series(1, $1::int)`
	members := map[oncall.PageBatchKey][]*newPage{}
	for i := range pages {
		p := &pages[i]
		if key, ok := p.BatchKey(p.about, now); ok {
			members[key] = append(members[key], p)
		}
	}
	var several [][]*newPage
	for _, m := range members {
		if len(m) > 1 {
			several = append(several, m)
		}
	}
	if len(several) == 0 {
		return nil
	}
	rows, _ := tx.Query(ctx, number, len(several))
	ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.PageBatchID])
	if err != nil {
		return err
	}
	for i, m := range several {
		lead := m[0]
		for _, p := range m {
			p.batch, p.behind = ids[i], true
			if p.about.Severity.Worse(lead.about.Severity) {
				lead = p
			}
		}
		lead.behind = false
	}
	return nil
}

// pageTasks returns the tasks for the saved pages, except for pages that wait behind another. If a
// team has hundreds of incidents, the later ones yield to other teams. A batch's job gets the priority
// of its first page.
func pageTasks(ctx context.Context, tx pgx.Tx, pages []newPage, saved map[string]oncall.PageID, now time.Time) ([]oncall.Task, error) {
	led, first := map[oncall.PageBatchID]bool{}, map[oncall.PageBatchID]int{}
	fresh := make([]newPage, 0, len(saved))
	for _, p := range pages {
		if p.ID = saved[p.Key]; p.ID == 0 {
			continue // its key already existed
		}
		delete(saved, p.Key)
		fresh = append(fresh, p)
		if p.batch == 0 {
			continue
		}
		led[p.batch] = led[p.batch] || !p.behind
		if n, known := first[p.batch]; !known || p.ahead < n {
			first[p.batch] = p.ahead
		}
	}
	var tasks []oncall.Task
	var left []oncall.PageID
	for _, p := range fresh {
		if p.behind {
			if led[p.batch] {
				continue
			}
			led[p.batch], left = true, append(left, p.ID)
		}
		t := p.Task(p.batch)
		t.Severity, t.Ahead = p.about.Severity, p.ahead
		if p.batch != 0 {
			t.Ahead = first[p.batch]
		}
		if p.firstCheck.After(now) {
			t.At = p.firstCheck
		}
		tasks = append(tasks, t)
	}
	return tasks, leaveBatch(ctx, tx, left)
}
