package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// AskForCover stores a cover request, and asks the first people. It refuses requests that make no sense.
func (s *Store) AskForCover(
	ctx context.Context, by oncall.Actor, stint schedule.Stint, note string, everyone bool, now time.Time,
) (cover oncall.Cover, err error) {
	if err := s.allowed(ctx, by, func(g gate) error { return g.cover(stint) }); err != nil {
		return oncall.Cover{}, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		facts, err := lockShiftFacts(ctx, tx, stint.Schedule)
		if err != nil {
			return err
		}
		cover, err = s.saveRequest(ctx, tx, by, stint, coverWish{by: by.User, note: note, everyone: everyone}, facts, now)
		return err
	})
	if err != nil {
		return oncall.Cover{}, wrap(err, "ask for cover")
	}
	return cover, nil
}

// A coverWish is a request for cover.
type coverWish struct {
	by       oncall.UserID
	note     string
	everyone bool // asks the whole team
}

// saveRequest stores a cover request, and asks the first people.
func (s *Store) saveRequest(
	ctx context.Context, tx pgx.Tx, by oncall.Actor, stint schedule.Stint, wish coverWish, facts oncall.ShiftFacts, now time.Time,
) (oncall.Cover, error) {
	const insert = `
		INSERT INTO covers (state, stint, note, everyone, created_by, created_at, asked, takes)
		VALUES ($1, $2, $3, $4, $5, $6, '[]', '[]')
		RETURNING id`
	const twice = `
		SELECT id FROM covers
		WHERE state = 'open' AND stint->>'user' = $1 AND stint->'schedule' = to_jsonb($2::bigint) AND stint->>'role' = $3
		  AND (stint->>'start')::timestamptz < $5 AND (stint->>'end')::timestamptz > $4`
	rows, _ := tx.Query(ctx, twice, stint.User, stint.Schedule, stint.Role, stint.Start, stint.End)
	open, err := pgx.CollectRows(rows, pgx.RowTo[oncall.CoverID])
	if err != nil {
		return oncall.Cover{}, err
	}
	if len(open) > 0 {
		return oncall.Cover{}, oncall.Refuse("Somebody is being looked for already: request %d is open for that shift.", open[0])
	}
	away, err := absent(ctx, tx, stint)
	if err != nil {
		return oncall.Cover{}, err
	}
	change, err := oncall.AskForCover(stint, wish.by, wish.note, wish.everyone, facts, away, now)
	if err != nil {
		return oncall.Cover{}, err
	}
	cover := &change.Cover
	if err := tx.QueryRow(ctx, insert, cover.State, cover.Stint, cover.Note, cover.Everyone, cover.CreatedBy, now).Scan(&cover.ID); err != nil {
		return oncall.Cover{}, err
	}
	if err := s.saveCover(ctx, tx, &change, now); err != nil {
		return oncall.Cover{}, err
	}
	if err := recordDuty(ctx, tx, by, now, stint.Schedule, func(of audit.Where) audit.Entry { return of.Cover(*cover) }); err != nil {
		return oncall.Cover{}, err
	}
	return *cover, s.saveNotices(ctx, tx, now, append(cover.RequestNotices(by, facts), cover.AskNotices(change.Asked, facts)...))
}

// UpdateCover carries out a person's act on a cover request, and saves the request, its schedule and the notices. If it
// returns a Refusal, the request may have changed nevertheless.
func (s *Store) UpdateCover(ctx context.Context, by oncall.Actor, id oncall.CoverID, a oncall.CoverAct, now time.Time) (oncall.Cover, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return oncall.Cover{}, err
	}
	var change oncall.CoverChange
	err = s.transact(ctx, func(tx pgx.Tx) error {
		cover, err := lockCover(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := g.onAgreement(parties(cover), cover.Stint.Schedule); err != nil {
			return err
		}
		facts, err := lockShiftFacts(ctx, tx, cover.Stint.Schedule)
		if err != nil {
			return err
		}
		if change, err = cover.Do(a, by.User, facts, now); err != nil {
			return err
		}
		if err := s.saveCover(ctx, tx, &change, now); err != nil {
			return err
		}
		if err := recordCover(ctx, tx, by, now, cover, change, a); err != nil {
			return err
		}
		return s.notifyCover(ctx, tx, cover, change, by.User, facts, now)
	})
	if err != nil {
		return oncall.Cover{}, wrap(err, "update cover request %d", id)
	}
	if len(change.Add) > 0 {
		s.cache.drop()
	}
	return change.Cover, change.Refusal
}

// recordCover writes an act on a cover request to the audit log.
func recordCover(ctx context.Context, tx pgx.Tx, by oncall.Actor, now time.Time, before oncall.Cover, change oncall.CoverChange, a oncall.CoverAct) error {
	of, err := where(ctx, tx, before.Stint.Schedule)
	if err != nil {
		return err
	}
	if e, done := of.CoverDone(before, change.Cover, a.Do); done && change.Refusal == nil {
		return record(ctx, tx, by, now, e)
	}
	return nil
}

// RunCoverTimer asks the next people, reminds the asker, or ends the request. A stale timer does nothing.
func (s *System) RunCoverTimer(ctx context.Context, id oncall.CoverID, now time.Time) error {
	err := s.transact(ctx, func(tx pgx.Tx) error {
		cover, err := lockCover(ctx, tx, id)
		if err != nil || !cover.Due(now) {
			return err
		}
		facts, err := lockShiftFacts(ctx, tx, cover.Stint.Schedule)
		if err != nil {
			return err
		}
		away, err := absent(ctx, tx, cover.Stint)
		if err != nil {
			return err
		}
		change := cover.RunTimer(facts, away, now)
		if err := s.saveCover(ctx, tx, &change, now); err != nil {
			return err
		}
		return s.notifyCover(ctx, tx, cover, change, "", facts, now)
	})
	if err != nil {
		return wrap(err, "run the timer of cover request %d", id)
	}
	return nil
}

// saveCover saves a changed request with its overrides, and sets its timer.
func (s *Store) saveCover(ctx context.Context, tx pgx.Tx, change *oncall.CoverChange, now time.Time) error {
	const save = `UPDATE covers SET state = $2, ended_at = $3, next_at = $4, asked = $5, takes = $6 WHERE id = $1`
	cover := &change.Cover
	if err := s.takeCover(ctx, tx, change, now); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, save, cover.ID, cover.State, cover.EndedAt, cover.NextAt, nonNil(cover.Asked), nonNil(cover.Takes)); err != nil {
		return err
	}
	if cover.NextAt == nil {
		return nil
	}
	return s.enqueue(ctx, tx, now, []oncall.Task{{Args: oncall.CoverTimer{Cover: cover.ID}, At: *cover.NextAt}})
}

// takeCover adds the overrides for the parts of the shift that were just taken.
func (s *Store) takeCover(ctx context.Context, tx pgx.Tx, change *oncall.CoverChange, now time.Time) error {
	if len(change.Add) == 0 {
		return nil
	}
	cover := &change.Cover
	e := scheduleEdit{at: now, aware: []oncall.UserID{cover.Stint.User}}
	for _, t := range cover.Takes {
		e.aware = append(e.aware, t.User)
	}
	return s.editSchedules(ctx, tx, e, []oncall.ScheduleID{cover.Stint.Schedule}, func() error {
		for i, o := range change.Add {
			o, err := addOverride(ctx, tx, o, now)
			if err != nil {
				return err
			}
			cover.Takes[len(cover.Takes)-len(change.Add)+i].Override = o.ID
		}
		return nil
	})
}

// notifyCover updates the notices of a request, and sends new ones.
func (s *Store) notifyCover(ctx context.Context, tx pgx.Tx, before oncall.Cover, change oncall.CoverChange, by oncall.UserID,
	facts oncall.ShiftFacts, now time.Time,
) error {
	cover := change.Cover
	if cover.Differs(before) {
		err := s.renotice(ctx, tx, now, oncall.CoverNotices, int64(cover.ID), func(f *oncall.NoticeDetail) { cover.Show(f, by, now) })
		if err != nil {
			return err
		}
	}
	channels, err := channelsOf(ctx, tx, cover.Stint.Schedule)
	if err != nil {
		return err
	}
	return s.saveNotices(ctx, tx, now, append(cover.AskNotices(change.Asked, facts), change.ChangeNotices(by, channels, facts, now)...))
}

// lockCover loads a cover request that nobody else can change until the transaction ends.
func lockCover(ctx context.Context, tx pgx.Tx, id oncall.CoverID) (oncall.Cover, error) {
	const load = `
		SELECT id, state, stint, note, everyone, created_by, created_at, ended_at, next_at, asked, takes
		FROM covers
		WHERE id = $1
		FOR UPDATE`
	rows, _ := tx.Query(ctx, load, id)
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[oncall.Cover])
}

// Cover returns one cover request.
func (s *Store) Cover(ctx context.Context, by oncall.Actor, id oncall.CoverID) (cover oncall.Cover, err error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return oncall.Cover{}, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if cover, err = lockCover(ctx, tx, id); err != nil {
			return err
		}
		if slices.Contains(parties(cover), by.User) {
			return g.may(access.OwnThings, access.Object{})
		}
		return g.onSchedule(access.See, cover.Stint.Schedule)
	})
	if err != nil {
		return oncall.Cover{}, wrap(err, "load cover request %d", id)
	}
	return cover, nil
}

// parties returns the people of a cover request: whose shift it is, who made it, and who was asked.
func parties(c oncall.Cover) []oncall.UserID {
	people := []oncall.UserID{c.Stint.User, c.CreatedBy}
	for _, a := range c.Asked {
		people = append(people, a.User)
	}
	return people
}

// absent lists the people who have time off during a stint.
func absent(ctx context.Context, tx pgx.Tx, stint schedule.Stint) ([]oncall.UserID, error) {
	const load = `SELECT DISTINCT user_id FROM time_off WHERE start_at < $2 AND end_at > $1 AND cancelled_at IS NULL`
	rows, _ := tx.Query(ctx, load, stint.Start, stint.End)
	return pgx.CollectRows(rows, pgx.RowTo[oncall.UserID])
}
