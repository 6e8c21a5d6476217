package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// A PageOrder is a page with what is needed to send it.
type PageOrder struct {
	Page      oncall.Page
	User      oncall.User
	Incident  oncall.Incident   // the page's own
	Incidents []oncall.Incident // of the message, worst first: several are a bundle
	Team      string            // name
	Address   string            // of the contact method; empty where that is the person, or Page.To
	Attempt   int               // from 1
	Redial    bool              // nobody has picked up
	Code      int               // what the person types to mean this message; 0: nothing
	Others    []string          // by which methods the same call goes on, if this fails
	Blocked   bool              // the timeline says so already
	AskedBy   string            // who asks the person to help, where that is all of the message; empty: they are on call

	Send  bool       // false: there is nothing to do any more, or not yet
	Again time.Time  // with Send false: when to look again; zero: never
	Gone  string     // why the contact method can't be used any more; empty: it can
	Doubt *time.Time // an attempt begun then may have been sent: look for it before ResumePage
	Since time.Time  // when the first attempt began of which that can be said after this one
}

// A pageRow is a page as it is stored.
type pageRow struct {
	oncall.Page
	State     string
	Attempt   int
	SenderJob *int64
	DoubtAt   *time.Time
	Redials   int
	Code      int
	Bundle    oncall.PageID
	Receipt   string
}

// codeMethods are those by which people answer with a code.
var codeMethods = []string{oncall.MethodSMS, oncall.MethodVoice, oncall.MethodTelegram}

// BeginPage writes down that an attempt begins, before anything is sent. A page that was delivered,
// that nobody needs any more since the incident has moved on, or that another job is sending, is not
// to be sent. One that comes later, or whose recipient was told of something a moment ago, is to be
// looked at again. What waits for the same recipient comes along.
func (s *Store) BeginPage(ctx context.Context, id oncall.PageID, job int64, now time.Time) (PageOrder, error) {
	dir, err := s.Directory(ctx)
	if err != nil {
		return PageOrder{}, err
	}
	var order PageOrder
	err = s.transact(ctx, func(tx pgx.Tx) error {
		told, err := lockReach(ctx, tx, id)
		if err != nil {
			return err
		}
		b := &begin{tx: tx, store: s, told: told, job: job, now: now}
		if err := b.load(ctx, id); err != nil {
			return err
		}
		order = b.order
		if b.row.State != "waiting" || b.row.Bundle != 0 {
			return nil
		}
		err = b.run(ctx)
		order = b.order
		return err
	})
	if err != nil {
		return PageOrder{}, fmt.Errorf("begin page %d: %w", id, err)
	}
	order.Team = dir.teams[order.Incident.TeamID].Name
	if order.Page.Contact != 0 { // it is not read in Slack
		order.Page.Why, order.AskedBy = dir.plain(order.Page.Why), dir.plain(order.AskedBy)
	}
	return order, nil
}

// A begin is one BeginPage under way.
type begin struct {
	tx    pgx.Tx
	store *Store
	told  oncall.Told
	job   int64
	now   time.Time

	row     pageRow
	members []pageRow // of its bundle
	order   PageOrder
}

// load locks the page and reads what belongs to it.
func (b *begin) load(ctx context.Context, id oncall.PageID) error {
	const person = `
		SELECT id, name, email, time_zone, deactivated_at
		FROM users
		WHERE id = $1`
	found, err := lockPages(ctx, b.tx, id)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return pgx.ErrNoRows
	}
	b.row, b.members = found[0], found[1:]
	incident, err := incidents(ctx, b.tx, []oncall.IncidentID{b.row.IncidentID})
	if err != nil {
		return err
	}
	rows, _ := b.tx.Query(ctx, person, b.row.UserID)
	people, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.User])
	if err != nil {
		return err
	}
	b.order = PageOrder{
		Page: b.row.Page, User: oncall.User{ID: b.row.UserID}, Incident: incident[0], Incidents: incident,
		Attempt: b.row.Attempt, Code: b.row.Code, Redial: b.row.Redials > 0,
	}
	if len(people) > 0 {
		b.order.User = people[0]
	}
	return nil
}

// run decides what is to be done with a page that waits.
func (b *begin) run(ctx context.Context) error {
	if !b.row.Due(b.order.Incident) {
		return b.skip(ctx)
	}
	if busy, err := b.busy(ctx); err != nil || busy {
		return err
	}
	if err := b.address(ctx); err != nil || b.order.Gone != "" {
		b.order.Send = err == nil
		return err
	}
	var err error
	if b.order.Again, err = b.early(ctx); err != nil || !b.order.Again.IsZero() {
		return err
	}
	fresh := b.row.Attempt == 0 && b.row.DoubtAt == nil
	if until := b.told.Holds(b.order.Incident, b.row.Method, b.now); fresh && b.row.UserID != "" && !until.IsZero() {
		const hold = `UPDATE pages SET held_until = $2 WHERE id = $1`
		b.order.Again = until
		_, err := b.tx.Exec(ctx, hold, b.row.ID, until)
		return err
	}
	if fresh && b.row.UserID != "" {
		if err := b.gather(ctx); err != nil {
			return err
		}
	}
	return b.attempt(ctx, fresh)
}

// skip ends a page that nobody needs any more. What it would have told of as well goes by itself.
func (b *begin) skip(ctx context.Context) error {
	const skip = `UPDATE pages SET state = 'skipped', ended_at = $2, sender_job = NULL WHERE id = $1`
	const free = `
		UPDATE pages
		SET bundle = 0, held_until = NULL
		WHERE bundle = $1 AND bundle <> 0 AND state = 'waiting'
		RETURNING id`
	if _, err := b.tx.Exec(ctx, skip, b.row.ID, b.now); err != nil {
		return err
	}
	rows, _ := b.tx.Query(ctx, free, b.row.ID)
	freed, err := pgx.CollectRows(rows, pgx.RowTo[oncall.PageID])
	if err != nil {
		return err
	}
	if b.row.DoubtAt == nil && b.row.Redials == 0 {
		woken, err := untell(ctx, b.tx, b.row.Page, b.now)
		if err != nil {
			return err
		}
		freed = append(freed, woken...)
	}
	return b.store.wake(ctx, b.tx, freed, b.now)
}

// busy reports whether another job is sending the page at this moment.
func (b *begin) busy(ctx context.Context) (busy bool, err error) {
	const load = `SELECT EXISTS (SELECT FROM river_job WHERE id = $1 AND state = 'running')`
	if b.row.SenderJob == nil || *b.row.SenderJob == b.job {
		return false, nil
	}
	err = b.tx.QueryRow(ctx, load, *b.row.SenderJob).Scan(&busy)
	return busy, err
}

// address finds where the contact method leads.
func (b *begin) address(ctx context.Context) error {
	const load = `
		SELECT address, CASE WHEN removed_at IS NOT NULL THEN 'it was removed'
		                     WHEN disabled_at IS NOT NULL THEN disabled_why
		                     ELSE '' END
		FROM contacts
		WHERE id = $1`
	if b.row.Contact == 0 {
		return nil
	}
	err := b.tx.QueryRow(ctx, load, b.row.Contact).Scan(&b.order.Address, &b.order.Gone)
	if errors.Is(err, pgx.ErrNoRows) {
		b.order.Gone, err = "it is not there", nil
	}
	return err
}

// early returns when to look again at a page whose time has not come; zero: it goes now. It doesn't
// wait for its time if no page of the same call before it has got through. One that is held back
// has time until the hold is over, unless the message that it is held for has not got through itself.
func (b *begin) early(ctx context.Context) (time.Time, error) {
	const before = `
		SELECT count(*), count(*) FILTER (WHERE p.state IN ('delivered', 'skipped') OR p.redials > 0),
		       max(p.held_until) FILTER (WHERE p.state = 'waiting' AND told.state = 'delivered')
		FROM pages p
		LEFT JOIN reaches r ON r.user_id = p.user_id AND r.method = p.method AND r.contact = p.contact
		LEFT JOIN pages told ON told.id = r.page
		WHERE p.incident_id = $1 AND starts_with(p.key, $2) AND p.id < $3`
	const now = `UPDATE pages SET due_at = $2 WHERE id = $1`
	if !b.row.At.After(b.now) {
		return time.Time{}, nil
	}
	var earlier, through int
	var held *time.Time
	err := b.tx.QueryRow(ctx, before, b.row.IncidentID, oncall.CallKey(b.row.Key), b.row.ID).Scan(&earlier, &through, &held)
	switch {
	case err != nil:
		return time.Time{}, err
	case earlier == 0 || through > 0:
		return b.row.At, nil
	case held != nil && held.Add(oncall.Patience).After(b.now):
		if again := held.Add(oncall.Patience); again.Before(b.row.At) {
			return again, nil
		}
		return b.row.At, nil
	}
	_, err = b.tx.Exec(ctx, now, b.row.ID, b.now)
	return time.Time{}, err
}

// attempt writes the attempt down, or that an earlier one must be looked for.
func (b *begin) attempt(ctx context.Context, fresh bool) error {
	const take = `UPDATE pages SET sender_job = $2, code = $3 WHERE id = $1`
	const others = `
		SELECT DISTINCT method
		FROM pages
		WHERE incident_id = $1 AND starts_with(key, $2) AND id <> $3 AND state = 'waiting'`
	var err error
	if err := b.listed(ctx); err != nil {
		return err
	}
	if b.order.Code == 0 && slices.Contains(codeMethods, b.row.Method) && b.row.Contact != 0 {
		if b.order.Code, err = b.code(ctx); err != nil {
			return err
		}
	}
	if b.order.Blocked, err = blocked(ctx, b.tx, b.row.Page); err != nil {
		return err
	}
	rows, _ := b.tx.Query(ctx, others, b.row.IncidentID, oncall.CallKey(b.row.Key), b.row.ID)
	if b.order.Others, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return err
	}
	if _, err := b.tx.Exec(ctx, take, b.row.ID, b.job, b.order.Code); err != nil {
		return err
	}
	b.order.Send, b.order.Doubt, b.order.Since = true, b.row.DoubtAt, b.now
	if b.order.Doubt != nil {
		b.order.Since = *b.order.Doubt
		return nil
	}
	if fresh && b.row.UserID != "" {
		if err := tell(ctx, b.tx, b.row.Page, b.told.Tell(b.row.Method, b.now, b.order.Incidents...)); err != nil {
			return err
		}
	}
	b.order.Attempt, err = newAttempt(ctx, b.tx, b.row.ID, false, b.now)
	return err
}

// newAttempt counts an attempt; lost says that no earlier one is in doubt any more.
func newAttempt(ctx context.Context, q querier, id oncall.PageID, lost bool, now time.Time) (n int, err error) {
	const attempt = `
		UPDATE pages
		SET attempt = attempt + 1, attempted_at = $2,
		    doubt_at = CASE WHEN $3 THEN $2 ELSE coalesce(doubt_at, $2) END
		WHERE id = $1
		RETURNING attempt`
	err = q.QueryRow(ctx, attempt, id, now, lost).Scan(&n)
	return n, err
}

// ResumePage writes down that a page which is in doubt is sent again. Lost says that what was
// attempted before has surely not been sent.
func (s *Store) ResumePage(ctx context.Context, order PageOrder, lost bool, now time.Time) (PageOrder, error) {
	n, err := newAttempt(ctx, s.pool, order.Page.ID, lost, now)
	if err != nil {
		return PageOrder{}, fmt.Errorf("resume page %d: %w", order.Page.ID, translate(err))
	}
	order.Attempt = n
	if lost {
		order.Doubt, order.Since = nil, now
	}
	return order, nil
}

// lockPages locks a page and those that are told of in its message, which follow it.
func lockPages(ctx context.Context, tx pgx.Tx, id oncall.PageID) ([]pageRow, error) {
	const lock = `
		SELECT id, incident_id, user_id, method, why, key, contact, recipient AS "to",
		       coalesce(due_at, '0001-01-01T00:00:00Z') AS at, state, attempt, sender_job, doubt_at, redials,
		       code, bundle, receipt
		FROM pages
		WHERE id = $1 OR bundle = $1 AND bundle <> 0
		ORDER BY bundle <> 0 AND id <> $1, id
		FOR UPDATE`
	rows, _ := tx.Query(ctx, lock, id)
	return pgx.CollectRows(rows, pgx.RowToStructByName[pageRow])
}

// wake has pages looked at now.
func (s *Store) wake(ctx context.Context, tx pgx.Tx, pages []oncall.PageID, now time.Time) error {
	const load = `SELECT id, user_id, method FROM pages WHERE id = ANY ($1) ORDER BY id`
	if len(pages) == 0 {
		return nil
	}
	rows, _ := tx.Query(ctx, load, pages)
	var tasks []oncall.Task
	var p oncall.Page
	if _, err := pgx.ForEachRow(rows, []any{&p.ID, &p.UserID, &p.Method}, func() error {
		tasks = append(tasks, oncall.Task{Do: oncall.SendPage{Page: p.ID, Lane: p.Lane()}})
		return nil
	}); err != nil {
		return err
	}
	return s.enqueue(ctx, tx, now, tasks)
}

// blocked reports whether the timeline says that the page is blocked.
func blocked(ctx context.Context, q querier, p oncall.Page) (is bool, err error) {
	const load = `
		SELECT EXISTS (
			SELECT
			FROM incident_events
			WHERE incident_id = $1 AND kind = $2 AND (detail ->> 'page')::bigint = $3
		)`
	err = q.QueryRow(ctx, load, p.IncidentID, oncall.EventPageBlocked, p.ID).Scan(&is)
	return is, err
}

// RequeuePages queues the pages of open incidents again that wait although no job of theirs does,
// whatever became of it, and returns how many. Those in a bundle wait for the one that leads it; where
// none leads them any more they go by themselves.
func (s *Store) RequeuePages(ctx context.Context, now time.Time) (int, error) {
	const lock = `SELECT pg_advisory_xact_lock($1)`
	// Statements of their own: they see what was committed while we waited for the lock.
	const free = `
		UPDATE pages p
		SET bundle = 0, held_until = NULL
		WHERE state = 'waiting' AND bundle <> 0 AND NOT EXISTS (
			SELECT
			FROM pages l
			WHERE l.id = p.bundle AND l.state = 'waiting' AND l.bundle = 0
		)`
	const lost = `
		SELECT p.id
		FROM incidents i
		JOIN pages p ON p.incident_id = i.id AND p.state = 'waiting'
		WHERE i.status <> 'resolved' AND p.bundle = 0 AND NOT EXISTS (
			SELECT
			FROM river_job j
			WHERE j.queue = $1 AND j.state IN ('available', 'pending', 'retryable', 'running', 'scheduled')
			  AND (j.args ->> 'page')::bigint = p.id
		)
		ORDER BY p.id
		LIMIT $2`
	n := 0
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock, requeueLock); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, free); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, lost, QueuePage, upkeepBatch)
		pages, err := pgx.CollectRows(rows, pgx.RowTo[oncall.PageID])
		if err != nil {
			return err
		}
		n = len(pages)
		return s.wake(ctx, tx, pages, now)
	})
	if err != nil {
		return 0, fmt.Errorf("requeue pages: %w", err)
	}
	return n, nil
}
