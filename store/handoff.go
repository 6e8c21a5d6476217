package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// briefed is how many open incidents the message about a hand-off lists.
const briefed = 10

// ConfirmHandoff handles the button "I have it".
func (s *Store) ConfirmHandoff(ctx context.Context, by oncall.Actor, number int64, now time.Time) error {
	g, err := s.gate(ctx, by)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		h, err := lockHandoff(ctx, tx, number)
		if errors.Is(err, pgx.ErrNoRows) {
			return oncall.Refuse("That hand-off is over: there was another one since.")
		}
		if err != nil {
			return err
		}
		if err := g.onAgreement(slices.Concat(h.Users, h.Incoming, h.Outgoing), h.Schedule); err != nil {
			return err
		}
		if h, err = h.Confirm(by.User); err != nil {
			return err
		}
		if err := saveHandoff(ctx, tx, h); err != nil {
			return err
		}
		if err := recordDuty(ctx, tx, by, now, h.Schedule, func(of audit.Where) audit.Entry { return of.Handoff(h) }); err != nil {
			return err
		}
		return s.renotice(ctx, tx, now, oncall.HandoffNotices, number, func(f *oncall.NoticeDetail) {
			f.State, f.StateAt, f.By = oncall.HandoffTaken, now, by.User
		})
	})
	if err != nil {
		return wrap(err, "take hand-off %d", number)
	}
	return nil
}

// confirmHandoffs confirms the hand-offs of people who have acted on an incident: acting proves that they took over.
func (s *Store) confirmHandoffs(ctx context.Context, tx pgx.Tx, by []oncall.UserID, now time.Time) error {
	const load = `
		SELECT schedule_id AS schedule, role, number, users, incoming, outgoing, at, acked_by
		FROM handoffs
		WHERE acked_by = '' AND number > 0 AND incoming && $1
		ORDER BY number
		FOR UPDATE`
	if len(by) == 0 {
		return nil
	}
	rows, _ := tx.Query(ctx, load, by)
	open, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Handoff])
	if err != nil {
		return fmt.Errorf("load open hand-offs: %w", err)
	}
	for _, h := range open {
		took, who := h.ConfirmedBy(by)
		if who == "" {
			continue
		}
		if err := saveHandoff(ctx, tx, took); err != nil {
			return err
		}
		err := s.renotice(ctx, tx, now, oncall.HandoffNotices, h.Number, func(f *oncall.NoticeDetail) {
			f.State, f.StateAt, f.By = oncall.HandoffTaken, now, who
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ChaseHandoff tells the previous person on call and the team's admins that nobody has confirmed a hand-off.
func (s *System) ChaseHandoff(ctx context.Context, number int64, now time.Time) error {
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		h, err := lockHandoff(ctx, tx, number)
		if err != nil {
			return err
		}
		c, usable := dir.Schedule(h.Schedule)
		if !usable {
			return oncall.ErrNotFound
		}
		b, err := briefing(ctx, tx, dir, c, schedule.Duty{})
		if err != nil {
			return err
		}
		notices := h.UnconfirmedNotices(b)
		if len(notices) == 0 {
			return nil
		}
		err = s.renotice(ctx, tx, now, oncall.HandoffNotices, number, func(f *oncall.NoticeDetail) {
			f.State, f.StateAt = oncall.HandoffUnanswered, now
		})
		if err != nil {
			return err
		}
		return s.saveNotices(ctx, tx, now, notices)
	})
	if err != nil {
		return fmt.Errorf("chase hand-off %d: %w", number, err)
	}
	return nil
}

// briefing gathers the content of the message about a hand-off.
func briefing(ctx context.Context, tx pgx.Tx, dir *Directory, compiled *schedule.Schedule, d schedule.Duty) (oncall.Briefing, error) {
	const open = `SELECT id FROM incidents WHERE status <> 'resolved' AND team_id = $1 ORDER BY id LIMIT $2`
	rows, _ := tx.Query(ctx, open, compiled.TeamID(), briefed)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
	if err != nil {
		return oncall.Briefing{}, fmt.Errorf("list the team's open incidents: %w", err)
	}
	b := oncall.Briefing{
		ScheduleName: compiled.Name(), TeamChannel: dir.teams[compiled.TeamID()].Channel, Duty: d, Watchers: dir.Watchers(compiled.TeamID()),
	}
	if dir.Veiled(compiled.TeamID(), b.TeamChannel) {
		b.TeamChannel = "" // a public channel would reveal a private team's incidents
	}
	if b.Incidents, err = incidents(ctx, tx, ids); err != nil {
		return oncall.Briefing{}, fmt.Errorf("load the team's open incidents: %w", err)
	}
	return b, nil
}

// Watchers returns the recipients of warnings about a team: its managers, or else its channel.
func (d *Directory) Watchers(id oncall.TeamID) []string {
	var to []string
	for _, u := range d.access.Teams[id].Managers {
		if d.Users[u].Unpageable() == "" {
			to = append(to, string(u))
		}
	}
	channel := d.teams[id].Channel
	if len(to) == 0 && d.Veiled(id, channel) { // the channel is public and the team private
		for _, u := range d.Members[id] {
			if d.Users[u].Unpageable() == "" {
				to = append(to, string(u))
			}
		}
	}
	if len(to) == 0 {
		to = append(to, channel)
	}
	return to
}

// channelWatchers returns the people to warn of a problem with a team's channel.
func (d *Directory) channelWatchers(t oncall.Team) []oncall.UserID {
	for _, some := range [][]oncall.UserID{d.access.Teams[t.ID].Managers, t.Fallback, d.Members[t.ID]} {
		some = slices.DeleteFunc(slices.Clone(some), func(u oncall.UserID) bool { return d.Users[u].Unpageable() != "" })
		if len(some) > 0 {
			return some
		}
	}
	return nil
}

const (
	allHandoffs = `
		SELECT schedule_id AS schedule, role, number, users, incoming, outgoing, at, acked_by
		FROM handoffs
		WHERE schedule_id = $1
		ORDER BY role`
	oneHandoff = `
		SELECT schedule_id AS schedule, role, number, users, incoming, outgoing, at, acked_by
		FROM handoffs
		WHERE number = $1
		FOR UPDATE`
)

func handoffs(ctx context.Context, tx pgx.Tx, id oncall.ScheduleID) ([]oncall.Handoff, error) {
	rows, _ := tx.Query(ctx, allHandoffs, id)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Handoff])
	if err != nil {
		return nil, fmt.Errorf("load hand-offs: %w", err)
	}
	return found, nil
}

// lockHandoff loads and locks a hand-off, if it is still the latest of its schedule.
func lockHandoff(ctx context.Context, tx pgx.Tx, number int64) (oncall.Handoff, error) {
	rows, _ := tx.Query(ctx, oneHandoff, number)
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[oncall.Handoff])
}

func saveHandoff(ctx context.Context, tx pgx.Tx, h oncall.Handoff) error {
	const upsert = `
		INSERT INTO handoffs (schedule_id, role, number, users, incoming, outgoing, at, acked_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (schedule_id, role) DO UPDATE SET
			number = $3, users = $4, incoming = $5, outgoing = $6, at = $7, acked_by = $8`
	_, err := tx.Exec(ctx, upsert, h.Schedule, h.Role, h.Number, nonNil(h.Users), nonNil(h.Incoming), nonNil(h.Outgoing), h.At, h.AckedBy)
	if err != nil {
		return fmt.Errorf("save hand-off: %w", err)
	}
	return nil
}
