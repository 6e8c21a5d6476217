package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// Decisions about pages are made under locks, which are always taken in this order to avoid deadlocks:
//
//  1. the incidents that the message covers, by id; only if they will change
//  2. the recipient: the row of reaches, so that messages to one recipient go one after the other
//  3. the pages of the message, by id
//  4. the address, if a code is chosen for it
//  5. the pages that join the message, by id
//
// Each statement of a batch sees everything that was committed before the statement began. So a read that follows a
// lock sees the changes of the lock's previous holder.

// codeReusedAfter is how long after its last use a code is not reused for another message. People answer late, and their
// answer must act on the message that they read.
const codeReusedAfter = 6 * time.Hour

// A recipient is a person with one contact method. User is empty if the page isn't to a person.
type recipient struct {
	User    oncall.UserID
	Method  oncall.Method
	Contact oncall.ContactID
}

// messageOf returns the recipient and the incidents of a page's message. It runs before any lock is taken.
func messageOf(ctx context.Context, tx pgx.Tx, id oncall.PageID) (to recipient, about []oncall.IncidentID, err error) {
	const load = `
		SELECT id = $1, user_id, method, contact, incident_id
		FROM pages
		WHERE id = $1 OR bundle = $1 AND bundle <> 0`
	var found, lead bool
	var row recipient
	var in oncall.IncidentID
	rows, _ := tx.Query(ctx, load, id)
	_, err = pgx.ForEachRow(rows, []any{&lead, &row.User, &row.Method, &row.Contact, &in}, func() error {
		if lead {
			found, to = true, row
		}
		about = append(about, in)
		return nil
	})
	if err == nil && !found {
		err = pgx.ErrNoRows
	}
	return to, about, err
}

// queueLastPage locks the recipient and reads what the latest page told them.
func queueLastPage(b *pgx.Batch, to recipient, last *oncall.LastPage) {
	const create = `
		INSERT INTO reaches (user_id, method, contact, page, severity, integrations)
		VALUES ($1, $2, $3, 0, 'low', '{}')
		ON CONFLICT (user_id, method, contact) DO NOTHING`
	const lock = `
		SELECT page, coalesce(sent_at, '0001-01-01T00:00:00Z'), severity, integrations
		FROM reaches
		WHERE user_id = $1 AND method = $2 AND contact = $3
		FOR UPDATE`
	if to.User == "" {
		return
	}
	b.Queue(create, to.User, to.Method, to.Contact)
	b.Queue(lock, to.User, to.Method, to.Contact).QueryRow(func(row pgx.Row) error {
		return row.Scan(&last.Page, &last.At, &last.Severity, &last.Integrations)
	})
}

// queuePageLocks locks pages, and reads them with the facts that their messages show. LIMIT keeps the planner from
// reading whole timelines for a single page.
func queuePageLocks(b *pgx.Batch, ids []oncall.PageID, each func(oncall.PageStatus)) {
	const lock = `
		SELECT id, incident_id, user_id, method, coalesce(reason, jsonb_build_array(why)) AS why, key, contact,
		       recipient AS "to", call_seq, asked_version, redial_key, coalesce(due_at, '0001-01-01T00:00:00Z') AS at,
		       state, attempt, attempted_at, ended_at, detail, sender_job, doubt_at, held_until AS deferred_until, redials, code, bundle, ref, receipt, track_at,
		       blocked.is IS NOT NULL AS blocked,
		       EXISTS (SELECT FROM river_job j WHERE j.id = p.sender_job AND j.state = 'running') AS sending
		FROM pages p
		LEFT JOIN LATERAL (
			SELECT true AS is
			FROM incident_events e
			WHERE e.incident_id = p.incident_id AND e.kind = $2 AND (e.detail ->> 'page')::bigint = p.id
			LIMIT 1
		) blocked ON true
		WHERE id = ANY ($1) OR bundle = ANY ($1) AND bundle <> 0
		ORDER BY id
		FOR UPDATE OF p`
	queueRows(b, lock, each, ids, oncall.EventPageBlocked)
}

// queueMessage locks a page and the other pages of its message.
func queueMessage(b *pgx.Batch, id oncall.PageID, f *oncall.PageFacts) {
	queuePageLocks(b, []oncall.PageID{id}, func(p oncall.PageStatus) {
		if p.ID == id {
			f.Lead = p
		} else {
			f.Members = append(f.Members, p)
		}
	})
}

// queueSameCall reads all pages of the calls that a message belongs to. OFFSET 0 keeps the planner
// from scanning all pages to find those about one incident.
func queueSameCall(b *pgx.Batch, id oncall.PageID, f *oncall.PageFacts) {
	const load = `
		SELECT p.id, p.incident_id, p.user_id, p.method, coalesce(p.reason, jsonb_build_array(p.why)) AS why, p.key,
		       p.contact, p.recipient AS "to", p.call_seq, p.asked_version, p.redial_key,
		       coalesce(p.due_at, '0001-01-01T00:00:00Z') AS at, p.state, p.redials, p.held_until AS deferred_until, coalesce(last.state, '') AS last_state
		FROM (
			SELECT DISTINCT incident_id, call_seq, asked_version, user_id, recipient
			FROM pages
			WHERE id = $1 OR bundle = $1 AND bundle <> 0
		) c
		CROSS JOIN LATERAL (
			SELECT o.id, o.incident_id, o.user_id, o.method, o.reason, o.why, o.key, o.contact, o.recipient, o.call_seq,
			       o.asked_version, o.redial_key, o.due_at, o.state, o.redials, o.held_until
			FROM pages o
			WHERE o.incident_id = c.incident_id AND o.call_seq = c.call_seq AND o.asked_version = c.asked_version
			  AND o.user_id = c.user_id AND o.recipient = c.recipient
			OFFSET 0
		) p
		LEFT JOIN reaches r ON r.user_id = p.user_id AND r.method = p.method AND r.contact = p.contact
		LEFT JOIN pages last ON last.id = r.page
		ORDER BY p.id`
	queueRows(b, load, func(p oncall.CallPage) { f.SameCall = append(f.SameCall, p) }, id)
}

// queueContact reads the current state of a contact method.
func queueContact(b *pgx.Batch, id oncall.ContactID, f *oncall.PageFacts) {
	const load = `SELECT address, removed_at IS NOT NULL AS removed, disabled_at, disabled_why, named_sender FROM contacts WHERE id = $1`
	if id != 0 {
		queueRows(b, load, func(c oncall.PageContact) { f.Contact = &c }, id)
	}
}

// loadPage loads the facts for BeginPage, under the locks of the recipient and the pages.
func loadPage(ctx context.Context, tx pgx.Tx, id oncall.PageID, job int64, now time.Time) (oncall.PageFacts, recipient, error) {
	f := oncall.PageFacts{Job: job, Incidents: map[oncall.IncidentID]oncall.Incident{}}
	to, about, err := messageOf(ctx, tx, id)
	if err != nil {
		return f, to, err
	}
	b := &pgx.Batch{}
	queueLastPage(b, to, &f.Last)
	queueMessage(b, id, &f)
	queueIncidents(b, about, f.Incidents)
	queueSameCall(b, id, &f)
	queueContact(b, to.Contact, &f)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return f, to, err
	}
	if err := loadMissing(ctx, tx, f.Members, f.Incidents); err != nil {
		return f, to, err
	}
	needs := f.Needs(now)
	if needs.PhoneCalls {
		b := &pgx.Batch{}
		queuePhoneCalls(b, to.Contact, now, &f)
		queueRestTold(b, to.Contact, &f)
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return f, to, err
		}
	}
	if needs.Waiting || needs.Codes {
		err = loadToSend(ctx, tx, to, &f, needs, now)
	}
	return f, to, err
}

// queuePhoneCalls reads the latest calls to a phone number, no matter whose it is.
func queuePhoneCalls(b *pgx.Batch, id oncall.ContactID, now time.Time, f *oncall.PageFacts) {
	const load = `
		SELECT p.id AS page, 1 + p.redials AS times, p.attempted_at AS at, array_agg(DISTINCT i.severity) AS severities,
		       p.receipt = $3 OR bool_or(EXISTS (
		           SELECT
		           FROM incident_events e
		           WHERE e.incident_id = i.id AND e.at >= p.attempted_at AND e.kind IN ('acknowledged', 'ack_counted') AND e.actor ->> 'user' = p.user_id
		       )) AS heard
		FROM contacts own
		JOIN contacts c ON c.method = own.method AND c.address = own.address
		JOIN pages p ON p.contact = c.id AND p.contact <> 0 AND p.bundle = 0 AND p.attempted_at > $2 AND p.ref <> ''
		CROSS JOIN LATERAL (
			SELECT p.incident_id
			UNION
			SELECT m.incident_id FROM pages m WHERE m.bundle = p.id AND m.bundle <> 0
		) about
		JOIN incidents i ON i.id = about.incident_id
		WHERE own.id = $1
		GROUP BY p.id
		ORDER BY p.id`
	queueRows(b, load, func(c oncall.PhoneCall) { f.PhoneCalls = append(f.PhoneCalls, c) }, id, now.Add(-oncall.CallsWithin), oncall.ReceiptAnswered)
}

// queueRestTold reads when a person last heard that a phone isn't called.
func queueRestTold(b *pgx.Batch, id oncall.ContactID, f *oncall.PageFacts) {
	const load = `
		SELECT coalesce(max(created_at), '0001-01-01T00:00:00Z')
		FROM notices
		WHERE kind = $1 AND about = $2 AND about <> 0`
	b.Queue(load, oncall.NoticePhoneRests, id).QueryRow(func(row pgx.Row) error { return row.Scan(&f.RestTold) })
}

// loadToSend loads the facts that only a page that is sent now needs: the pages that join it, and the codes in use.
func loadToSend(ctx context.Context, tx pgx.Tx, to recipient, f *oncall.PageFacts, needs oncall.PageNeeds, now time.Time) error {
	const waiting = `
		SELECT id
		FROM pages
		WHERE user_id = $1 AND method = $2 AND contact = $3 AND state = 'waiting' AND bundle = 0 AND id <> $4
		  AND attempt = 0 AND doubt_at IS NULL AND sender_job IS NULL AND (due_at IS NULL OR due_at <= $5)
		ORDER BY id
		LIMIT $6`
	// People may share an address, so the lock of the recipient isn't enough.
	const lock = `SELECT pg_advisory_xact_lock($1, hashtext(method || ' ' || address)) FROM contacts WHERE id = $2`
	const used = `
		WITH used AS (
			SELECT p.id, p.code, p.contact = $1 AS own
			FROM contacts own
			JOIN contacts c ON c.method = own.method AND c.address = own.address AND c.removed_at IS NULL
			JOIN pages p ON p.contact = c.id AND p.code <> 0
			WHERE own.id = $1 AND (p.attempted_at > $2 OR EXISTS (
				SELECT
				FROM pages m
				JOIN incidents i ON i.id = m.incident_id AND i.status <> 'resolved'
				WHERE m.id = p.id OR m.bundle = p.id AND m.bundle <> 0
			))
		)
		SELECT u.code, u.own, array_agg(DISTINCT i.id) AS incidents,
		       coalesce(array_agg(DISTINCT i.id) FILTER (WHERE i.status <> 'resolved'), '{}') AS open
		FROM used u
		CROSS JOIN LATERAL (
			SELECT incident_id FROM pages WHERE id = u.id
			UNION
			SELECT incident_id FROM pages WHERE bundle = u.id AND bundle <> 0
		) m
		JOIN incidents i ON i.id = m.incident_id
		GROUP BY u.id, u.code, u.own
		ORDER BY u.id`
	var waits []oncall.PageID
	b := &pgx.Batch{}
	if needs.Waiting {
		b.Queue(waiting, to.User, to.Method, to.Contact, f.Lead.ID, now, oncall.BundleLimit).Query(func(rows pgx.Rows) (err error) {
			waits, err = pgx.CollectRows(rows, pgx.RowTo[oncall.PageID])
			return err
		})
	}
	if needs.Codes {
		b.Queue(lock, codeLock, to.Contact)
		queueRows(b, used, func(c oncall.CodeInUse) { f.Codes = append(f.Codes, c) }, to.Contact, now.Add(-codeReusedAfter))
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil || len(waits) == 0 {
		return err
	}
	b = &pgx.Batch{}
	queuePageLocks(b, waits, func(p oncall.PageStatus) { f.Waiting = append(f.Waiting, p) })
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	return loadMissing(ctx, tx, f.Waiting, f.Incidents)
}

// loadMissing loads the incidents of pages that are not in known.
func loadMissing(ctx context.Context, q querier, pages []oncall.PageStatus, known map[oncall.IncidentID]oncall.Incident) error {
	var ids []oncall.IncidentID
	for _, p := range pages {
		if _, ok := known[p.IncidentID]; !ok && !slices.Contains(ids, p.IncidentID) {
			ids = append(ids, p.IncidentID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := incidents(ctx, q, ids)
	for _, in := range found {
		known[in.ID] = in
	}
	return err
}
