package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// channelsAtOnce is how many incidents one call of QueueChannels queues at most.
const channelsAtOnce = 200

// A ChannelOrder is what to do about an incident's own channel, and what the channel shows.
type ChannelOrder struct {
	oncall.ChannelPlan
	Picture oncall.Picture
	Root    MessageRef // the incident's message; zero: it has none
}

// QueueChannels queues the incidents whose own channel is due for something, such as its end, or another attempt.
func (s *System) QueueChannels(ctx context.Context, now time.Time) error {
	const due = `
		SELECT id
		FROM incidents
		WHERE channel ->> 'look_at' IS NOT NULL AND (channel ->> 'look_at')::timestamptz < $1
		ORDER BY channel ->> 'look_at'
		LIMIT $2`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, due, now, channelsAtOnce)
		ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
		if err != nil {
			return err
		}
		return s.enqueue(ctx, tx, now, column(ids, func(id oncall.IncidentID) oncall.Task {
			return oncall.Task{Args: oncall.KeepChannel{Incident: id}}
		}))
	})
	return wrapAny(err, "look for channels of incidents")
}

// BeginChannel decides what to do about an incident's own channel, and keeps other jobs from doing it too. It reports
// false if there is nothing to do.
func (s *System) BeginChannel(ctx context.Context, id oncall.IncidentID, now time.Time) (order ChannelOrder, due bool, err error) {
	const root = `SELECT channel, ts FROM drawings WHERE incident_id = $1 AND ts <> ''`
	dir, err := s.directory(ctx)
	if err != nil {
		return order, false, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := lockIncidents(ctx, tx, []oncall.IncidentID{id}); err != nil {
			return err
		}
		p, err := picture(ctx, tx, dir, id)
		if err != nil {
			return err
		}
		order.Picture = p
		facts := channelFacts(dir, p, now)
		order.ChannelPlan, due = facts.Plan()
		if !due {
			if idle, changed := facts.Idle(); changed {
				return saveChannel(ctx, tx, id, idle)
			}
			return nil
		}
		if err := tx.QueryRow(ctx, root, id).Scan(&order.Root.Channel, &order.Root.TS); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		return saveChannel(ctx, tx, id, order.Begin(now))
	})
	if err != nil {
		return order, false, fmt.Errorf("begin with the channel of incident %d: %w", id, err)
	}
	return order, due, nil
}

func channelFacts(dir *Directory, p oncall.Picture, now time.Time) oncall.ChannelFacts {
	return oncall.ChannelFacts{Incident: p.Incident, Private: p.Team.Private, Paged: p.Paged, Alerts: p.Alerts, Users: dir.Users, Events: p.Events, Now: now}
}

func saveChannel(ctx context.Context, tx pgx.Tx, id oncall.IncidentID, is oncall.IncidentChannel) error {
	_, err := tx.Exec(ctx, `UPDATE incidents SET channel = $2 WHERE id = $1`, id, is)
	return err
}

// EndChannel stores what became of an incident's own channel, and has it looked at again when that is due. Why says why
// a step failed, and refused that somebody has to put it right.
func (s *System) EndChannel(ctx context.Context, order ChannelOrder, became oncall.IncidentChannel, why string, refused bool, now time.Time) error {
	id := order.Picture.Incident.ID
	_, _, err := s.decide(ctx, id, func(tx pgx.Tx, in oncall.Incident) (oncall.Change, bool, error) {
		became := oncall.ChannelFacts{Incident: in, Now: now}.Kept(became, why, refused)
		change, tells := in.RecordChannel(became, refused, now)
		var tasks []oncall.Task
		if became.LookAt != nil {
			tasks = append(tasks, oncall.Task{Args: oncall.KeepChannel{Incident: id}, At: *became.LookAt})
		}
		if (in.Version != order.Version || order.More) && why == "" { // something has happened meanwhile
			tasks = append(tasks, oncall.Task{Args: oncall.KeepChannel{Incident: id}, At: now})
		}
		if err := s.enqueue(ctx, tx, now, tasks); err != nil || tells {
			return change, tells, err
		}
		return change, false, saveChannel(ctx, tx, id, became)
	})
	return err
}
