package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

const (
	lockNumbers  = `SELECT pg_advisory_xact_lock($1)`
	lastIncident = `SELECT greatest((SELECT max(id) FROM incidents), (SELECT after FROM numbering), 0)` // the canary's are negative
)

// repeatedWithin is how long a person who raises the same title for the same team gets the same incident.
const repeatedWithin = 10 * time.Minute

// A Raised is the result of Raise.
type Raised struct {
	Incident          oncall.Incident
	Again             bool            // an open incident, raised before by this person or another
	NeedsConfirmation oncall.Sentence // if set, nothing was raised, and this is why a confirmation is needed
}

// Raise opens an incident by hand, and pages. The draw job shows the person who raised the incident its progress, in a
// reply to the message at follow or, without one, in a direct message.
func (s *Store) Raise(ctx context.Context, by oncall.Actor, raise oncall.RaiseRequest, follow MessageRef, now time.Time) (out Raised, err error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return Raised{}, err
	}
	if err := g.raise(raise); err != nil {
		return Raised{}, err
	}
	var changes []oncall.Change
	err = s.transact(ctx, func(tx pgx.Tx) (err error) {
		out, changes, err = s.raise(ctx, tx, g, raise, follow, now)
		return err
	})
	if err != nil {
		return Raised{}, wrap(err, "raise an incident")
	}
	s.changed(changes)
	return out, nil
}

// raise checks whether the actor may page a team and, optionally, a person. An actor who may not see a private team
// can't name its schedules.
func (g gate) raise(raise oncall.RaiseRequest) error {
	if err := g.may(access.Page, access.Object{Team: raise.Team}); err != nil {
		return err
	}
	if team := g.teamOf(raise.Schedule); raise.Schedule != 0 {
		if g.dir.teams[team].Private {
			if err := g.may(access.See, access.Object{Team: team}); err != nil {
				return err
			}
		}
		if team != raise.Team {
			return oncall.Refuse("There is no such schedule in the team any more.")
		}
	}
	if raise.User != "" {
		return g.dir.access.MayBeOnCall(raise.User)
	}
	return nil
}

func (s *Store) raise(ctx context.Context, tx pgx.Tx, g gate, raise oncall.RaiseRequest, follow MessageRef, now time.Time) (Raised, []oncall.Change, error) {
	const opened = `SELECT integration_id = 0 AND opened_at = $2 AND title = $3 FROM incidents WHERE id = $1`
	if _, err := tx.Exec(ctx, lockNumbers, numberLock); err != nil {
		return Raised{}, nil, err
	}
	before, err := raisedBefore(ctx, tx, g.by, raise, now)
	if err != nil {
		return Raised{}, nil, err
	}
	if before != 0 {
		out, err := s.raisedAgain(ctx, tx, g, before, raise.Key, follow, now)
		return out, nil, err
	}
	asks, err := askToRaise(ctx, tx, raiser(g.by), raise, now)
	if err != nil || asks != nil {
		return Raised{NeedsConfirmation: asks}, nil, err
	}
	var last oncall.IncidentID
	if err := tx.QueryRow(ctx, lastIncident).Scan(&last); err != nil {
		return Raised{}, nil, err
	}
	f := g.dir.Facts()
	count, err := countRaised(ctx, tx, f, raise.Team)
	if err != nil {
		return Raised{}, nil, err
	}
	change, err := raise.Open(last+1, count, g.by, f, now)
	if err != nil {
		return Raised{}, nil, err
	}
	if err := s.save(ctx, tx, now, []oncall.Change{change}); err != nil {
		return Raised{}, nil, err
	}
	var ours bool
	if err := tx.QueryRow(ctx, opened, change.Incident.ID, now, change.Incident.Title).Scan(&ours); err != nil {
		return Raised{}, nil, err
	}
	if !ours {
		// During an upgrade, instances of the previous release number incidents without our lock.
		return Raised{}, nil, oncall.Refuse("Another incident came up at the same moment, and nobody was paged. Please try again.")
	}
	if err := saveRaiser(ctx, tx, g.by, change.Incident.ID, raise.Key, true, follow, now); err != nil {
		return Raised{}, nil, err
	}
	return Raised{Incident: change.Incident}, []oncall.Change{change}, nil
}

// raisedBefore finds an incident that was already raised for the same reason: a duplicate click, a message that
// somebody has paged about, or the same title again.
func raisedBefore(ctx context.Context, tx pgx.Tx, by oncall.Actor, raise oncall.RaiseRequest, now time.Time) (oncall.IncidentID, error) {
	const find = `
		SELECT i.id
		FROM raised r
		JOIN incidents i ON i.id = r.incident_id
		WHERE i.team_id = $3 AND (r.key = $1 AND $1 <> '' AND (i.status <> 'resolved' OR NOT $6 AND r.user_id = $2 AND r.raised_at > $5)
		      OR r.user_id = $2 AND i.title = $4 AND i.status <> 'resolved' AND r.raised_at > $5)
		ORDER BY i.id DESC
		LIMIT 1`
	var id oncall.IncidentID
	// A program's key names what is wrong, which may be wrong again; a person's is of one click.
	err := tx.QueryRow(ctx, find, raise.Key, raiser(by), raise.Team, raise.Title(), now.Add(-repeatedWithin), by.Key != 0).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// raisedAgain lets a person follow an existing incident. The incident isn't locked, because it doesn't change.
func (s *Store) raisedAgain(ctx context.Context, tx pgx.Tx, g gate, id oncall.IncidentID, key string, follow MessageRef, now time.Time) (Raised, error) {
	found, err := incidents(ctx, tx, []oncall.IncidentID{id})
	if err != nil || len(found) == 0 {
		return Raised{}, errors.Join(err, oncall.ErrNotFound)
	}
	if err := saveRaiser(ctx, tx, g.by, id, key, false, follow, now); err != nil {
		return Raised{}, err
	}
	return Raised{Incident: found[0], Again: true}, s.enqueue(ctx, tx, now, []oncall.Task{found[0].RedrawFor(g.by)})
}

// askToRaise returns why raising needs a confirmation; empty if it doesn't.
func askToRaise(ctx context.Context, tx pgx.Tx, who string, r oncall.RaiseRequest, now time.Time) (oncall.Sentence, error) {
	const count = `
		SELECT count(*) FILTER (WHERE user_id = $1 AND raised_at > $2), count(*)
		FROM raised
		WHERE opened AND raised_at > $3`
	var own, all int
	err := tx.QueryRow(ctx, count, who, now.Add(-oncall.RaisesOfOneWithin), now.Add(-oncall.RaisesOfAllWithin)).Scan(&own, &all)
	return r.NeedsConfirmation(own, all), err
}

// countRaised counts an incident of a team's round-robin policy, and returns the number of earlier ones. It does nothing
// for other policies.
func countRaised(ctx context.Context, tx pgx.Tx, f oncall.Facts, team oncall.TeamID) (count int64, err error) {
	const add = `UPDATE policies SET opened = opened + 1 WHERE id = $1 RETURNING opened - 1`
	policy, known := f.TeamPolicy(team)
	if !known || !f.CountsIncidents(policy) {
		return 0, nil
	}
	err = tx.QueryRow(ctx, add, policy).Scan(&count)
	return count, err
}

// raiser names who raises incidents: a person, or an API key that is nobody's own.
func raiser(by oncall.Actor) string {
	if by.User == "" && by.Key != 0 {
		return "key " + strconv.FormatInt(int64(by.Key), 10)
	}
	return string(by.User)
}

// saveRaiser notes who has raised an incident. A program sees nothing in Slack of what becomes of it.
func saveRaiser(ctx context.Context, tx pgx.Tx, by oncall.Actor, id oncall.IncidentID, key string, opened bool, follow MessageRef, now time.Time) error {
	const save = `
		INSERT INTO raised (incident_id, user_id, key, opened, raised_at, channel, thread, ts, drawn, ended)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '', 0, $8)
		ON CONFLICT (incident_id, user_id) DO NOTHING`
	channel := follow.Channel
	if channel == "" {
		channel = string(by.User)
	}
	_, err := tx.Exec(ctx, save, id, raiser(by), key, opened, now, channel, follow.TS, by.Key != 0)
	return err
}

// RaisedAt returns the incident whose progress a message shows to the person who raised it; 0 if the message is no such
// message.
func (s *Store) RaisedAt(ctx context.Context, by oncall.Actor, at MessageRef) (oncall.IncidentID, error) {
	const find = `SELECT incident_id FROM raised WHERE channel = $1 AND ts = $2 AND ts <> '' AND user_id = $3`
	var id oncall.IncidentID
	err := s.pool.QueryRow(ctx, find, at.Channel, at.TS, by.User).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("find who raised what a message shows: %w", translate(err))
	}
	return id, nil
}
