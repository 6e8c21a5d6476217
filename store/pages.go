package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// What became of an attempt to page somebody, as RecordPage is told it.
const (
	PageDelivered = "delivered" // accepted by the channel
	PageFailed    = "failed"    // given up
	PageRetry     = "retry"     // not delivered, or perhaps; it will be tried again
	PageBlocked   = "blocked"   // it will be tried again, but somebody must act first
)

// A PageOrder is a page with what is needed to send it.
type PageOrder struct {
	Page     oncall.Page
	User     oncall.User
	Incident oncall.Incident
	Attempt  int  // from 1
	Blocked  bool // the timeline says so already
	Send     bool // false: there is nothing to do any more
}

// A PageResult is what became of one attempt.
type PageResult struct {
	Outcome string // PageDelivered, PageFailed or PageRetry
	Detail  string // the provider's reference, or what went wrong
	Place   Place  // the direct message, where it is one
	Drawn   int64  // the version of the incident that it shows
	Unsent  bool   // it surely never left: the attempt doesn't count
}

// BeginPage notes that an attempt begins, before anything is sent. A page that was delivered, or
// that nobody needs any more since the incident has moved on, is not to be sent.
func (s *Store) BeginPage(ctx context.Context, id oncall.PageID, now time.Time) (PageOrder, error) {
	const lock = `
		SELECT id, incident_id, user_id, method, why, key, contact, recipient AS "to",
		       coalesce(due_at, '0001-01-01T00:00:00Z') AS at, state, attempt
		FROM pages
		WHERE id = $1
		FOR UPDATE`
	const person = `
		SELECT id, name, email, time_zone, deactivated_at
		FROM users
		WHERE id = $1`
	const skip = `UPDATE pages SET state = 'skipped', ended_at = $2 WHERE id = $1`
	const attempt = `UPDATE pages SET attempt = attempt + 1, attempted_at = $2 WHERE id = $1`
	type row struct {
		oncall.Page
		State   string
		Attempt int
	}
	var order PageOrder
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, lock, id)
		page, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[row])
		if err != nil {
			return err
		}
		found, err := incidents(ctx, tx, []oncall.IncidentID{page.IncidentID})
		if err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, person, page.UserID)
		people, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.User])
		if err != nil {
			return err
		}
		order = PageOrder{Page: page.Page, User: oncall.User{ID: page.UserID}, Incident: found[0], Attempt: page.Attempt}
		if len(people) > 0 {
			order.User = people[0]
		}
		if page.State != "waiting" {
			return nil
		}
		if !page.Due(order.Incident) {
			_, err = tx.Exec(ctx, skip, id, now)
			return err
		}
		order.Attempt, order.Send = page.Attempt+1, true
		if order.Blocked, err = blocked(ctx, tx, page.Page); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, attempt, id, now)
		return err
	})
	if err != nil {
		return PageOrder{}, fmt.Errorf("begin page %d: %w", id, err)
	}
	return order, nil
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

// RecordPage notes how an attempt ended. Delivery, failure and being blocked become a line of the
// incident's timeline. A direct message becomes a drawing of the incident, and is redrawn at once if the
// incident has changed since.
func (s *Store) RecordPage(ctx context.Context, id oncall.PageID, r PageResult, now time.Time) error {
	const of = `SELECT incident_id FROM pages WHERE id = $1`
	const end = `
		UPDATE pages
		SET state = CASE WHEN $2 IN ('retry', 'blocked') THEN state ELSE $2 END, detail = $3,
		    ended_at = CASE WHEN $2 IN ('retry', 'blocked') THEN NULL ELSE $4::timestamptz END,
		    attempt = attempt - CASE WHEN $5 THEN 1 ELSE 0 END
		WHERE id = $1 AND state = 'waiting'
		RETURNING id, incident_id, user_id, method, why, key, contact, recipient AS "to",
		          coalesce(due_at, '0001-01-01T00:00:00Z') AS at`
	if !slices.Contains([]string{PageDelivered, PageFailed, PageRetry, PageBlocked}, r.Outcome) {
		return fmt.Errorf("record page %d: %q is no outcome", id, r.Outcome)
	}
	var change oncall.Change
	err := s.transact(ctx, func(tx pgx.Tx) error {
		var incident oncall.IncidentID
		if err := tx.QueryRow(ctx, of, id).Scan(&incident); err != nil {
			return err
		}
		found, err := lockIncidents(ctx, tx, []oncall.IncidentID{incident})
		if err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, end, id, r.Outcome, r.Detail, now, r.Unsent)
		ended, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Page])
		if err != nil {
			return err
		}
		change = oncall.Change{Incident: found[0]}
		if len(ended) > 0 {
			if change, err = pageEnded(ctx, tx, change, ended[0], r, now); err != nil {
				return err
			}
		}
		if r.Place != (Place{}) {
			if err := addCopy(ctx, tx, incident, r, id); err != nil {
				return err
			}
			if r.Drawn < change.Incident.Version {
				change.Tasks = []oncall.Task{draw(change.Incident)}
			}
		}
		if len(change.Events) == 0 {
			return s.enqueue(ctx, tx, now, change.Tasks)
		}
		return s.save(ctx, tx, now, []oncall.Change{change})
	})
	if err != nil {
		return fmt.Errorf("record page %d: %w", id, err)
	}
	s.alarm(change)
	return nil
}

// alarm logs that an incident has come to where Watchbill can do no more.
func (s *Store) alarm(c oncall.Change) {
	if slices.ContainsFunc(c.Events, oncall.Event.Mute) {
		s.log.Error().Stringer("incident", c.Incident.ID).Msg("nobody has answered, and nobody could be told")
	}
}

// pageEnded adds the line that tells how the page ended, or what holds it up. Only trouble is shown
// in Slack, so only trouble makes a new version.
func pageEnded(ctx context.Context, q querier, c oncall.Change, p oncall.Page, r PageResult, now time.Time) (oncall.Change, error) {
	e := oncall.Event{
		IncidentID: p.IncidentID, At: now, Kind: oncall.EventPageDelivered, Actor: oncall.ByTimer(),
		Detail: oncall.Detail{Users: []oncall.UserID{p.UserID}, Method: p.Method},
	}
	switch r.Outcome {
	case PageRetry:
		return c, nil
	case PageDelivered:
		was, err := blocked(ctx, q, p)
		if err != nil {
			return c, err
		}
		if was {
			c.Incident.Version++
			c.Tasks = []oncall.Task{draw(c.Incident)}
		}
	case PageFailed, PageBlocked:
		e.Kind, e.Detail.Text, e.Detail.Page = oncall.EventPageFailed, r.Detail, p.ID
		if r.Outcome == PageBlocked {
			e.Kind = oncall.EventPageBlocked
		}
		c.Incident.Version++
		c.Tasks = []oncall.Task{draw(c.Incident)}
	}
	c.Events = []oncall.Event{e}
	if r.Outcome == PageDelivered || !strings.HasPrefix(p.Key, c.Incident.PageKeys()) {
		return c, nil
	}
	others, err := reached(ctx, q, c.Incident, p.ID)
	if err != nil {
		return c, err
	}
	lost := r.Outcome == PageFailed && others.left == 0 || c.Incident.Exhausted && others.hopeful == 0
	if follows, ok := c.Incident.Unreached(now); lost && ok {
		c.Incident, c.Tasks = follows.Incident, follows.Tasks
		c.Events = append(c.Events, follows.Events...)
	}
	return c, nil
}

// A reach counts the pages of an incident's latest step.
type reach struct {
	left    int // that have not failed for good
	hopeful int // of these: that are delivered, or may be without anybody acting first
}

// reached counts the pages of an incident's latest step, but for one.
func reached(ctx context.Context, q querier, in oncall.Incident, except oncall.PageID) (r reach, err error) {
	const load = `
		SELECT count(*) FILTER (WHERE state <> 'failed'),
		       count(*) FILTER (WHERE state = 'delivered' OR state <> 'failed' AND NOT EXISTS (
		           SELECT
		           FROM incident_events e
		           WHERE e.incident_id = p.incident_id AND e.kind = $4 AND (e.detail ->> 'page')::bigint = p.id))
		FROM pages p
		WHERE incident_id = $1 AND starts_with(key, $2) AND id <> $3`
	err = q.QueryRow(ctx, load, in.ID, in.PageKeys(), except, oncall.EventPageBlocked).Scan(&r.left, &r.hopeful)
	return r, err
}

func draw(in oncall.Incident) oncall.Task {
	return oncall.Task{Do: oncall.Draw{Incident: in.ID, Version: in.Version}, Severity: in.Severity}
}

// requeueLock lets one instance at a time look for lost pages, so that none is queued twice.
const requeueLock = 0x776208

// RequeuePages queues the pages of open incidents again that wait although no job of theirs does,
// whatever became of it, and returns how many.
func (s *Store) RequeuePages(ctx context.Context, now time.Time) (int, error) {
	const lock = `SELECT pg_advisory_xact_lock($1)`
	// A statement of its own: it sees what was committed while we waited for the lock.
	const lost = `
		SELECT p.id
		FROM incidents i
		JOIN pages p ON p.incident_id = i.id AND p.state = 'waiting'
		WHERE i.status <> 'resolved' AND NOT EXISTS (
			SELECT
			FROM river_job j
			WHERE j.queue = $1 AND j.state IN ('available', 'pending', 'retryable', 'running', 'scheduled')
			  AND (j.args ->> 'page')::bigint = p.id
		)
		ORDER BY p.id
		LIMIT $2`
	var tasks []oncall.Task
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock, requeueLock); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, lost, QueuePage, upkeepBatch)
		pages, err := pgx.CollectRows(rows, pgx.RowTo[oncall.PageID])
		if err != nil {
			return err
		}
		for _, id := range pages {
			tasks = append(tasks, oncall.Task{Do: oncall.SendPage{Page: id}})
		}
		return s.enqueue(ctx, tx, now, tasks)
	})
	if err != nil {
		return 0, fmt.Errorf("requeue pages: %w", err)
	}
	return len(tasks), nil
}
