package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// bundleLimit is how many pages share a message at most: what becomes of them is written in one
// transaction of a second or two.
const bundleLimit = 1000

// lockReach makes pages to one recipient go one after the other, and returns what that was told
// last, by another page: one that was not sent doesn't wait for itself. A page that is for no person
// goes alone.
func lockReach(ctx context.Context, tx pgx.Tx, id oncall.PageID) (oncall.Told, error) {
	const of = `SELECT user_id, method, contact FROM pages WHERE id = $1`
	const lock = `
		SELECT CASE WHEN sent_at IS NULL OR page = $4 THEN '0001-01-01T00:00:00Z' ELSE sent_at END, severity, integrations
		FROM reaches
		WHERE user_id = $1 AND method = $2 AND contact = $3
		FOR UPDATE`
	const create = `
		INSERT INTO reaches (user_id, method, contact, page, severity, integrations)
		VALUES ($1, $2, $3, 0, 'low', '{}')
		ON CONFLICT (user_id, method, contact) DO NOTHING`
	var p oncall.Page
	var told oncall.Told
	if err := tx.QueryRow(ctx, of, id).Scan(&p.UserID, &p.Method, &p.Contact); err != nil || p.UserID == "" {
		return told, err
	}
	for range 2 {
		err := tx.QueryRow(ctx, lock, p.UserID, p.Method, p.Contact, id).Scan(&told.At, &told.Severity, &told.Integrations)
		if !errors.Is(err, pgx.ErrNoRows) {
			return told, err
		}
		if _, err := tx.Exec(ctx, create, p.UserID, p.Method, p.Contact); err != nil {
			return told, err
		}
	}
	return told, pgx.ErrNoRows
}

// tell notes that the recipient of a page is told of something. The caller holds its lock.
func tell(ctx context.Context, tx pgx.Tx, p oncall.Page, t oncall.Told) error {
	const save = `
		UPDATE reaches
		SET sent_at = $4, page = $5, severity = $6, integrations = $7
		WHERE user_id = $1 AND method = $2 AND contact = $3`
	_, err := tx.Exec(ctx, save, p.UserID, p.Method, p.Contact, t.At, p.ID, t.Severity, t.Integrations)
	return err
}

// untell notes that the page was not sent after all, if it was the last; what was held because of
// it is returned, and is to be looked at again. The caller holds the lock of its recipient.
func untell(ctx context.Context, tx pgx.Tx, p oncall.Page, now time.Time) ([]oncall.PageID, error) {
	const forget = `
		UPDATE reaches
		SET sent_at = NULL
		WHERE user_id = $1 AND method = $2 AND contact = $3 AND page = $4 AND sent_at IS NOT NULL`
	const release = `
		UPDATE pages
		SET held_until = NULL
		WHERE user_id = $1 AND method = $2 AND contact = $3 AND state = 'waiting' AND bundle = 0 AND held_until > $4
		RETURNING id`
	tag, err := tx.Exec(ctx, forget, p.UserID, p.Method, p.Contact, p.ID)
	if err != nil || tag.RowsAffected() == 0 {
		return nil, err
	}
	rows, _ := tx.Query(ctx, release, p.UserID, p.Method, p.Contact, now)
	return pgx.CollectRows(rows, pgx.RowTo[oncall.PageID])
}

// gather takes along what waits for the same recipient and is due: all of it becomes one message. A
// bundle that was not sent comes with all that is in it.
func (b *begin) gather(ctx context.Context) error {
	const waiting = `
		SELECT id, incident_id, user_id, method, why, key, contact, recipient AS "to",
		       coalesce(due_at, '0001-01-01T00:00:00Z') AS at, state, attempt, sender_job, doubt_at, redials,
		       code, bundle, receipt
		FROM pages
		WHERE user_id = $1 AND method = $2 AND contact = $3 AND state = 'waiting' AND bundle = 0 AND id <> $4
		  AND attempt = 0 AND doubt_at IS NULL AND sender_job IS NULL AND (due_at IS NULL OR due_at <= $5)
		ORDER BY id
		LIMIT $6
		FOR UPDATE`
	const within = `
		SELECT id, incident_id, user_id, method, why, key, contact, recipient AS "to",
		       coalesce(due_at, '0001-01-01T00:00:00Z') AS at, state, attempt, sender_job, doubt_at, redials,
		       code, bundle, receipt
		FROM pages
		WHERE bundle = ANY ($1) AND state = 'waiting'
		ORDER BY id
		FOR UPDATE`
	const take = `UPDATE pages SET bundle = $1 WHERE id = ANY ($2)`
	p := b.row
	rows, _ := b.tx.Query(ctx, waiting, p.UserID, p.Method, p.Contact, p.ID, b.now, max(0, bundleLimit-len(b.members)))
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[pageRow])
	if err != nil || len(found) == 0 {
		return err
	}
	due, err := dueOf(ctx, b.tx, found)
	if err != nil {
		return err
	}
	var taken []oncall.PageID
	for _, m := range found {
		if _, is := due[m.ID]; is {
			taken = append(taken, m.ID)
			b.members = append(b.members, m)
		}
	}
	rows, _ = b.tx.Query(ctx, within, taken)
	more, err := pgx.CollectRows(rows, pgx.RowToStructByName[pageRow])
	if err != nil {
		return err
	}
	for _, m := range more {
		taken = append(taken, m.ID)
		b.members = append(b.members, m)
	}
	_, err = b.tx.Exec(ctx, take, p.ID, taken)
	return err
}

// dueOf returns the incidents of those pages that are still worth sending.
func dueOf(ctx context.Context, q querier, pages []pageRow) (map[oncall.PageID]oncall.Incident, error) {
	var ids []oncall.IncidentID
	for _, p := range pages {
		ids = append(ids, p.IncidentID)
	}
	found, err := incidents(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	byID := map[oncall.IncidentID]oncall.Incident{}
	for _, in := range found {
		byID[in.ID] = in
	}
	due := map[oncall.PageID]oncall.Incident{}
	for _, p := range pages {
		if in := byID[p.IncidentID]; p.Due(in) {
			due[p.ID] = in
		}
	}
	return due, nil
}

// listed collects what the message tells of. Members that nobody needs any more are left out.
func (b *begin) listed(ctx context.Context) error {
	const skip = `UPDATE pages SET state = 'skipped', ended_at = $2 WHERE id = ANY ($1) AND state = 'waiting'`
	asks := b.row.Asks()
	defer func() { b.asker(asks) }()
	if len(b.members) == 0 {
		return nil
	}
	due, err := dueOf(ctx, b.tx, b.members)
	if err != nil {
		return err
	}
	var over []oncall.PageID
	for _, m := range b.members {
		in, is := due[m.ID]
		if !is {
			over = append(over, m.ID)
			continue
		}
		asks = asks && m.Asks()
		if !slices.ContainsFunc(b.order.Incidents, func(o oncall.Incident) bool { return o.ID == in.ID }) {
			b.order.Incidents = append(b.order.Incidents, in)
		}
	}
	oncall.WorstFirst(b.order.Incidents)
	if len(over) > 0 {
		_, err = b.tx.Exec(ctx, skip, over, b.now)
	}
	return err
}

// asker notes who asks for help, if the message is for nothing else.
func (b *begin) asker(asks bool) {
	for _, r := range b.order.Incident.Responders {
		if asks && r.User == b.row.UserID {
			b.order.AskedBy = r.By.String()
		}
	}
}

// codeRests is how long a number is not given to another message after it was sent last: people
// answer late, and what they close then must be what they have read of.
const codeRests = 6 * time.Hour

// code is the smallest number that means no other message of the same address, about something open
// or sent lately. A second page about one incident keeps the number of the first.
func (b *begin) code(ctx context.Context) (int, error) {
	// People may share an address, and each has a lock of their own.
	const lock = `SELECT pg_advisory_xact_lock($1, hashtext(method || ' ' || address)) FROM contacts WHERE id = $2`
	const used = `
		SELECT p.code, p.contact = $1 AND p.incident_id = $2 AND p.bundle = 0
		       AND NOT EXISTS (SELECT FROM pages m WHERE m.bundle = p.id AND m.bundle <> 0)
		FROM contacts own
		JOIN contacts c ON c.method = own.method AND c.address = own.address AND c.removed_at IS NULL
		JOIN pages p ON p.contact = c.id AND p.code <> 0
		WHERE own.id = $1 AND (p.attempted_at > $3 OR EXISTS (
			SELECT
			FROM pages m
			JOIN incidents i ON i.id = m.incident_id AND i.status <> 'resolved'
			WHERE m.id = p.id OR m.bundle = p.id AND m.bundle <> 0
		))
		ORDER BY p.id`
	if _, err := b.tx.Exec(ctx, lock, codeLock, b.row.Contact); err != nil {
		return 0, err
	}
	taken := map[int]bool{}
	same := 0
	rows, _ := b.tx.Query(ctx, used, b.row.Contact, b.row.IncidentID, b.now.Add(-codeRests))
	var code int
	var ours bool
	_, err := pgx.ForEachRow(rows, []any{&code, &ours}, func() error {
		taken[code] = true
		if ours {
			same = code
		}
		return nil
	})
	if err != nil || same != 0 && len(b.order.Incidents) == 1 {
		return same, err
	}
	code = 1
	for taken[code] {
		code++
	}
	return code, nil
}
