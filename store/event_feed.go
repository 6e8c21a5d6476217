package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

const loadFeed = `SELECT id, incident_id, at, kind, actor, detail FROM incident_events WHERE id > $1 ORDER BY id LIMIT $2`

const (
	// feedStep is how many events are looked at at once.
	feedStep = 500
	// settled is how long numbers of events that are missing may belong to a transaction that still goes on. Later ones
	// wait meanwhile, or who reads them would never see those.
	settled = 10 * time.Second
)

// A FeedFilter narrows down which events of all incidents are read.
type FeedFilter struct {
	After int64 // what comes behind this one; negative: nothing yet, but where the end is
	Team  oncall.TeamID
	Kinds []oncall.EventKind // none: all
	Limit int
}

// A FeedEvent is an event with the incident as it is now.
type FeedEvent struct {
	oncall.Event
	Incident oncall.Incident
}

// EventsAfter returns events of incidents that somebody may see, in the order of their numbers, and
// the number after which to continue. There may be more even if none is returned, as long as that
// number grows.
func (s *Store) EventsAfter(ctx context.Context, by oncall.Actor, filter FeedFilter, now time.Time) (out []FeedEvent, next int64, err error) {
	const end = `SELECT coalesce(max(id), 0) FROM incident_events`
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, 0, err
	}
	if err := g.may(access.See, access.Object{}); err != nil {
		return nil, 0, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if filter.After < 0 {
			return tx.QueryRow(ctx, end).Scan(&next)
		}
		rows, _ := tx.Query(ctx, loadFeed, filter.After, feedStep)
		events, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Event])
		if err != nil {
			return err
		}
		events = withoutDoubt(events, filter.After, now)
		seen, err := g.seenOf(ctx, tx, events)
		if err != nil {
			return err
		}
		next = filter.After
		for _, e := range events {
			if len(out) == filter.Limit {
				break
			}
			next = e.ID
			in, known := seen[e.IncidentID]
			if known && (filter.Team == 0 || in.TeamID == filter.Team) && (len(filter.Kinds) == 0 || slices.Contains(filter.Kinds, e.Kind)) {
				out = append(out, FeedEvent{e, in})
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("load events: %w", err)
	}
	return out, next, nil
}

// withoutDoubt leaves the events before which none can come any more.
func withoutDoubt(events []oncall.Event, after int64, now time.Time) []oncall.Event {
	for i, e := range events {
		if e.ID != after+1 && now.Sub(e.At) < settled {
			return events[:i]
		}
		after = e.ID
	}
	return events
}

// seenOf loads the incidents of events that the actor may see.
func (g gate) seenOf(ctx context.Context, q querier, events []oncall.Event) (map[oncall.IncidentID]oncall.Incident, error) {
	const visible = `
		SELECT i.id
		FROM incidents i
		WHERE i.id = ANY ($1) AND i.id > 0
		  AND (NOT i.team_id = ANY ($2) OR $3 <> '' AND EXISTS (SELECT FROM pages p WHERE p.incident_id = i.id AND p.user_id = $3))`
	var ids []oncall.IncidentID
	for _, e := range events {
		ids = append(ids, e.IncidentID)
	}
	slices.Sort(ids)
	rows, _ := q.Query(ctx, visible, nonNil(slices.Compact(ids)), nonNil(g.dir.hidden(g.by)), g.by.User)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	found, err := incidents(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[oncall.IncidentID]oncall.Incident, len(found))
	for _, in := range found {
		out[in.ID] = in
	}
	return out, nil
}
