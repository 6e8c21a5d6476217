package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// Act performs a person's action on an incident, whether it came from a button, a command, an answer or the API. A
// Refusal is returned unchanged. The message that the person saw may have been out of date then, so it is drawn
// again.
func (s *Store) Act(ctx context.Context, id oncall.IncidentID, by oncall.Actor, act oncall.Act, now time.Time) (oncall.Incident, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return oncall.Incident{}, err
	}
	if act.Do == oncall.ActLink || act.Do == oncall.ActMerge {
		return s.actOnTwo(ctx, id, g, act, now)
	}
	if act.Do == oncall.ActUnmerge {
		return s.unmerge(ctx, id, g, now)
	}
	if act.Do == oncall.ActSplit {
		return s.splitOff(ctx, id, g, act, now)
	}
	var refusal error
	in, _, err := s.decide(ctx, id, func(tx pgx.Tx, in oncall.Incident) (oncall.Change, bool, error) {
		if err := g.act(ctx, tx, act, in); err != nil {
			return oncall.Change{}, false, err
		}
		c, err := in.Do(act, by, g.dir.Facts(), now)
		if _, refused := errors.AsType[oncall.Refusal](err); refused {
			refusal = err
			return oncall.Change{Incident: in, Tasks: []oncall.Task{in.RedrawFor(by)}}, true, nil
		}
		return c, true, err
	})
	if err != nil {
		return oncall.Incident{}, err
	}
	return in, refusal
}

// actOnTwo links or merges two incidents.
func (s *Store) actOnTwo(ctx context.Context, id oncall.IncidentID, g gate, act oncall.Act, now time.Time) (oncall.Incident, error) {
	by, f := g.by, g.dir.Facts()
	var changes []oncall.Change
	var out oncall.Incident
	var refusal error
	err := s.transact(ctx, func(tx pgx.Tx) error {
		found, err := lockIncidents(ctx, tx, []oncall.IncidentID{id, act.Other})
		if err != nil {
			return err
		}
		byID := map[oncall.IncidentID]oncall.Incident{}
		for _, in := range found {
			byID[in.ID] = in
		}
		in, known := byID[id]
		if !known {
			return oncall.ErrNotFound
		}
		other, known := byID[act.Other]
		if !known {
			return oncall.Refuse("There is no incident %s.", act.Other)
		}
		if err := g.actOnTwo(ctx, tx, in, other); err != nil {
			return err
		}
		var first, second oncall.Change
		if act.Do == oncall.ActLink {
			first, second, refusal = in.LinkWith(other, by, now)
		} else {
			first, second, refusal = in.Merge(other, by, f, now)
		}
		if refusal != nil {
			out = in
			return s.enqueue(ctx, tx, now, []oncall.Task{in.RedrawFor(by)})
		}
		out, changes = first.Incident, []oncall.Change{first, second}
		if act.Do == oncall.ActMerge {
			moved, err := moveAlerts(ctx, tx, id, act.Other)
			if err != nil {
				return err
			}
			for i, e := range first.Events {
				if e.Kind == oncall.EventMergedInto {
					first.Events[i].Detail.Alerts = moved
				}
			}
		}
		return s.save(ctx, tx, now, changes)
	})
	if err != nil {
		return oncall.Incident{}, wrap(err, "link or merge incident %d", id)
	}
	s.changed(changes)
	return out, refusal
}

// moveAlerts gives the firing alerts of one incident to another, so that later signals about them affect the other
// incident, and returns them.
func moveAlerts(ctx context.Context, tx pgx.Tx, from, to oncall.IncidentID) ([]oncall.AlertID, error) {
	const move = `UPDATE alerts SET incident_id = $2 WHERE incident_id = $1 AND firing RETURNING id`
	rows, _ := tx.Query(ctx, move, from, to)
	moved, err := pgx.CollectRows(rows, pgx.RowTo[oncall.AlertID])
	if err != nil {
		return nil, fmt.Errorf("move alerts to incident %d: %w", to, err)
	}
	return moved, nil
}

// unmerge takes back a merge, and gives the incident those of its alerts back that still fire.
func (s *Store) unmerge(ctx context.Context, id oncall.IncidentID, g gate, now time.Time) (oncall.Incident, error) {
	const other = `SELECT merged_into FROM incidents WHERE id = $1`
	const back = `
		UPDATE alerts
		SET incident_id = $1
		WHERE incident_id = $2 AND firing AND id IN (
			SELECT jsonb_array_elements(detail -> 'alerts')::bigint
			FROM (
				SELECT detail
				FROM incident_events
				WHERE incident_id = $1 AND kind = $3
				ORDER BY id DESC
				LIMIT 1
			) merged
		)`
	var changes []oncall.Change
	var out oncall.Incident
	var refusal error
	err := s.transact(ctx, func(tx pgx.Tx) error {
		var into oncall.IncidentID
		if err := tx.QueryRow(ctx, other, id).Scan(&into); err != nil {
			return translate(err)
		}
		found, err := lockIncidents(ctx, tx, []oncall.IncidentID{id, into})
		if err != nil {
			return err
		}
		byID := map[oncall.IncidentID]oncall.Incident{}
		for _, in := range found {
			byID[in.ID] = in
		}
		in, second := byID[id], byID[into]
		if in.MergedInto != into || into == 0 { // somebody else was faster
			second = in
		}
		if err := g.actOnTwo(ctx, tx, in, second); err != nil {
			return err
		}
		from, to, err := in.Unmerge(second, g.by, g.dir.Facts(), now)
		if out, refusal = from.Incident, err; err != nil {
			out = in
			return s.enqueue(ctx, tx, now, []oncall.Task{in.RedrawFor(g.by)})
		}
		if _, err := tx.Exec(ctx, back, id, into, oncall.EventMergedInto); err != nil {
			return fmt.Errorf("give alerts back: %w", err)
		}
		changes = []oncall.Change{from, to}
		return s.save(ctx, tx, now, changes)
	})
	if err != nil {
		return oncall.Incident{}, wrap(err, "undo the merge of incident %d", id)
	}
	s.changed(changes)
	return out, refusal
}
