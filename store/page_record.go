package store

import (
	"context"
	"fmt"
	"maps"
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

// A PageResult is what became of one attempt.
type PageResult struct {
	Outcome string     // PageDelivered, PageFailed, PageRetry or PageBlocked
	Detail  string     // what went wrong
	Ref     string     // the provider's name for the message
	Place   Place      // the direct message, where it is one
	Drawn   int64      // the version of the incident that it shows
	Unsent  bool       // it surely never left: the attempt doesn't count
	Doubt   *time.Time // with PageRetry: an attempt begun then may have been sent
	Next    bool       // with PageRetry: the person's next contact method doesn't wait any longer
	Track   bool       // with PageDelivered: the provider will tell what becomes of it
	Dead    bool       // with PageFailed: nothing will ever reach this address
}

// trackEvery is how long until a provider is asked again what has become of a message.
const trackEvery = 5 * time.Second

// RecordPage notes how an attempt ended, for all that its message tells of. Delivery, failure and
// being blocked become a line of the incident's timeline; whatever is not delivery brings the
// person's next contact method forward to now. A direct message becomes a drawing of the incident,
// and is redrawn at once if the incident has changed since.
func (s *Store) RecordPage(ctx context.Context, id oncall.PageID, r PageResult, now time.Time) error {
	if !slices.Contains([]string{PageDelivered, PageFailed, PageRetry, PageBlocked}, r.Outcome) {
		return fmt.Errorf("record page %d: %q is no outcome", id, r.Outcome)
	}
	return s.conclude(ctx, id, now, func(e *ending) error {
		const note = `
			UPDATE pages
			SET detail = CASE WHEN $2 = '' THEN $3 ELSE $2 END, sender_job = NULL, doubt_at = $4,
			    attempt = attempt - CASE WHEN $5 THEN 1 ELSE 0 END
			WHERE id = $1`
		if r.Place != (Place{}) { // also of a message that is one too many: its buttons must not lie
			if err := e.shown(ctx, r); err != nil {
				return err
			}
		}
		if e.pages[0].State != "waiting" {
			return nil
		}
		if _, err := e.tx.Exec(ctx, note, id, r.Detail, r.Ref, r.Doubt, r.Unsent); err != nil {
			return err
		}
		switch r.Outcome {
		case PageDelivered:
			return e.delivered(ctx, r)
		case PageFailed:
			return e.failed(ctx, r.Detail, r.Dead)
		case PageBlocked:
			return e.blocked(ctx, r.Detail)
		}
		if r.Next {
			return e.next(ctx)
		}
		return nil
	})
}

// An ending is what became of a message, under way: of the page that leads it and of those that it
// tells of as well.
type ending struct {
	tx      pgx.Tx
	store   *Store
	dir     *Directory
	now     time.Time
	pages   []pageRow // the leading one first
	changes map[oncall.IncidentID]*oncall.Change
	woken   []oncall.PageID
}

// conclude locks what a message is about, lets do decide, and saves what follows.
func (s *Store) conclude(ctx context.Context, id oncall.PageID, now time.Time, do func(e *ending) error) error {
	const of = `SELECT incident_id FROM pages WHERE id = $1 OR bundle = $1 AND bundle <> 0`
	dir, err := s.Directory(ctx)
	if err != nil {
		return err
	}
	e := &ending{store: s, dir: dir, now: now, changes: map[oncall.IncidentID]*oncall.Change{}}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		e.tx = tx
		rows, _ := tx.Query(ctx, of, id)
		about, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
		if err != nil {
			return err
		}
		// First the incidents, then the recipient, then the pages: always in this order.
		found, err := lockIncidents(ctx, tx, about)
		if err != nil {
			return err
		}
		for _, in := range found {
			e.changes[in.ID] = &oncall.Change{Incident: in}
		}
		if _, err := lockReach(ctx, tx, id); err != nil {
			return err
		}
		if e.pages, err = lockPages(ctx, tx, id); err != nil {
			return err
		}
		if err := do(e); err != nil {
			return err
		}
		return e.save(ctx)
	})
	if err != nil {
		return fmt.Errorf("record page %d: %w", id, err)
	}
	for _, c := range e.changes {
		s.alarm(*c)
	}
	return nil
}

func (e *ending) save(ctx context.Context) error {
	var changed []oncall.Change
	var tasks []oncall.Task
	for _, c := range e.changes {
		if len(c.Events) > 0 {
			changed = append(changed, *c)
		} else {
			tasks = append(tasks, c.Tasks...)
		}
	}
	slices.SortFunc(changed, func(a, b oncall.Change) int { return int(a.Incident.ID - b.Incident.ID) })
	if len(changed) > 0 {
		if err := e.store.save(ctx, e.tx, e.now, changed); err != nil {
			return err
		}
	}
	if err := e.store.enqueue(ctx, e.tx, e.now, tasks); err != nil {
		return err
	}
	return e.store.wake(ctx, e.tx, e.woken, e.now)
}

// alarm logs that an incident has come to where Watchbill can do no more.
func (s *Store) alarm(c oncall.Change) {
	if slices.ContainsFunc(c.Events, oncall.Event.Mute) {
		s.log.Error().Stringer("incident", c.Incident.ID).Msg("nobody has answered, and nobody could be told")
	}
}

// open are those pages of the message that wait to hear what became of it.
func (e *ending) open() []pageRow {
	return slices.DeleteFunc(slices.Clone(e.pages), func(p pageRow) bool { return p.State != "waiting" && p.State != "delivered" })
}

func (e *ending) event(p pageRow, kind oncall.EventKind, text string) oncall.Event {
	ev := oncall.Event{
		IncidentID: p.IncidentID, At: e.now, Kind: kind, Actor: oncall.ByTimer(),
		Detail: oncall.Detail{Method: p.Method, Text: text},
	}
	if p.UserID != "" {
		ev.Detail.Users = []oncall.UserID{p.UserID}
	}
	return ev
}

// delivered is for a message that was accepted. Only what ends trouble makes a new version: nothing
// else is shown in Slack.
func (e *ending) delivered(ctx context.Context, r PageResult) error {
	const end = `UPDATE pages SET state = 'delivered', ended_at = $2 WHERE id = ANY ($1)`
	const track = `UPDATE pages SET ref = $2, receipt = $3, track_at = $4 WHERE id = $1`
	const troubled = `
		SELECT (detail ->> 'page')::bigint
		FROM incident_events
		WHERE incident_id = ANY ($1) AND kind = $2 AND (detail ->> 'page')::bigint = ANY ($3)`
	lead, open := e.pages[0], e.open()
	var ids []oncall.PageID
	for _, p := range open {
		ids = append(ids, p.ID)
	}
	rows, _ := e.tx.Query(ctx, troubled, slices.Collect(maps.Keys(e.changes)), oncall.EventPageBlocked, ids)
	blocked, err := pgx.CollectRows(rows, pgx.RowTo[oncall.PageID])
	if err != nil {
		return err
	}
	for _, p := range open {
		c := e.changes[p.IncidentID]
		if slices.Contains(blocked, p.ID) {
			c.Incident.Version++
			follow(c, draw(c.Incident))
		}
		c.Events = append(c.Events, e.event(p, oncall.EventPageDelivered, ""))
	}
	if _, err := e.tx.Exec(ctx, end, ids, e.now); err != nil {
		return err
	}
	var again *time.Time
	receipt := ""
	if at := e.now.Add(trackEvery); r.Track {
		again, receipt = &at, "pending"
	}
	if _, err := e.tx.Exec(ctx, track, lead.ID, r.Ref, receipt, again); err != nil {
		return err
	}
	return nil
}

// shown notes where a direct message is.
func (e *ending) shown(ctx context.Context, r PageResult) error {
	lead := e.pages[0]
	if len(e.pages) > 1 {
		return e.store.bundleTold(ctx, e.tx, lead.Page, r.Place, e.now)
	}
	if err := addCopy(ctx, e.tx, lead.IncidentID, r, lead.ID); err != nil {
		return err
	}
	if c := e.changes[lead.IncidentID]; r.Drawn < c.Incident.Version {
		follow(c, draw(c.Incident))
	}
	return nil
}

// failed is for a message that has not arrived and never will. The people's next contact methods
// go now; where a step can reach nobody any more, the next step does.
func (e *ending) failed(ctx context.Context, why string, dead bool) error {
	const end = `
		UPDATE pages
		SET state = 'failed', detail = $3, ended_at = $2, track_at = NULL
		WHERE id = ANY ($1)`
	lead, open := e.pages[0], e.open()
	var ids []oncall.PageID
	for _, p := range open {
		ids = append(ids, p.ID)
	}
	if _, err := e.tx.Exec(ctx, end, ids, e.now, why); err != nil {
		return err
	}
	if err := e.untell(ctx); err != nil {
		return err
	}
	for _, p := range open {
		if err := e.trouble(ctx, p, oncall.EventPageFailed, why); err != nil {
			return err
		}
	}
	if dead && lead.Contact != 0 {
		return e.store.disable(ctx, e.tx, e.dir, lead.Contact, "its messages are refused: "+why, e.now)
	}
	return nil
}

// blocked is for a message that goes out once somebody has acted.
func (e *ending) blocked(ctx context.Context, why string) error {
	if err := e.untell(ctx); err != nil {
		return err
	}
	for _, p := range e.open() {
		if err := e.trouble(ctx, p, oncall.EventPageBlocked, why); err != nil {
			return err
		}
	}
	c := e.changes[e.pages[0].IncidentID]
	c.Notices = append(c.Notices, oncall.BlockedNotices(e.pages[0].Method, why, e.dir.Watchers(c.Incident.TeamID), e.now)...)
	return nil
}

// untell lets what was held because of the message go.
func (e *ending) untell(ctx context.Context) error {
	woken, err := untell(ctx, e.tx, e.pages[0].Page, e.now)
	e.woken = append(e.woken, woken...)
	return err
}

// trouble adds the line that tells what is wrong with a page, unless nobody needs it any more, and
// brings the next contact method forward.
func (e *ending) trouble(ctx context.Context, p pageRow, kind oncall.EventKind, why string) error {
	c := e.changes[p.IncidentID]
	if !p.Due(c.Incident) {
		return nil
	}
	ev := e.event(p, kind, why)
	ev.Detail.Page = p.ID
	c.Incident.Version++
	follow(c, draw(c.Incident))
	c.Events = append(c.Events, ev)
	if err := e.forward(ctx, p); err != nil {
		return err
	}
	if !strings.HasPrefix(p.Key, c.Incident.PageKeys()) {
		return nil
	}
	others, err := reached(ctx, e.tx, c.Incident, p.ID)
	if err != nil {
		return err
	}
	if follows, ok := c.Incident.Unreached(e.now); others == 0 && ok {
		c.Incident = follows.Incident
		follow(c, follows.Tasks...)
		c.Events = append(c.Events, follows.Events...)
		c.Notices = append(c.Notices, follows.Notices...)
		c.Notices = append(c.Notices, oncall.UnreachedNotices(c.Incident, e.dir.Watchers(c.Incident.TeamID))...)
	}
	return nil
}

// follow adds tasks; of several drawings the last shows all.
func follow(c *oncall.Change, tasks ...oncall.Task) {
	c.Tasks = slices.DeleteFunc(c.Tasks, func(t oncall.Task) bool {
		_, draws := t.Do.(oncall.Draw)
		return draws
	})
	c.Tasks = append(c.Tasks, tasks...)
}

// next brings the next contact methods forward of all whom the message was for.
func (e *ending) next(ctx context.Context) error {
	for _, p := range e.open() {
		if err := e.forward(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// forward lets the page after this one of the same call go now.
func (e *ending) forward(ctx context.Context, p pageRow) error {
	const now = `
		UPDATE pages
		SET due_at = $4
		WHERE id = (SELECT min(id) FROM pages WHERE incident_id = $1 AND starts_with(key, $2) AND id > $3)
		  AND state = 'waiting' AND due_at > $4
		RETURNING id`
	rows, _ := e.tx.Query(ctx, now, p.IncidentID, oncall.CallKey(p.Key), p.ID, e.now)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.PageID])
	e.woken = append(e.woken, ids...)
	return err
}

// reached counts the pages of an incident's latest step, but for one, that are delivered, or may be
// without anybody acting first.
func reached(ctx context.Context, q querier, in oncall.Incident, except oncall.PageID) (n int, err error) {
	const load = `
		SELECT count(*)
		FROM pages p
		WHERE incident_id = $1 AND starts_with(key, $2) AND id <> $3 AND state <> 'failed'
		  AND (state = 'delivered' OR NOT EXISTS (
		      SELECT
		      FROM incident_events e
		      WHERE e.incident_id = p.incident_id AND e.kind = $4 AND (e.detail ->> 'page')::bigint = p.id))`
	err = q.QueryRow(ctx, load, in.ID, in.PageKeys(), except, oncall.EventPageBlocked).Scan(&n)
	return n, err
}

func draw(in oncall.Incident) oncall.Task {
	return oncall.Task{Do: oncall.Draw{Incident: in.ID, Version: in.Version}, Severity: in.Severity}
}
