package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
)

// A TimeOffImport counts the changes of an import of time off.
type TimeOffImport struct{ Added, Kept, Cancelled int }

// AddTimeOff stores a person's time off and returns it with its id. If earlier time off already covers the period, that
// one is returned. The error is oncall.ErrNotFound if the person does not exist.
func (s *Store) AddTimeOff(ctx context.Context, by oncall.Actor, away oncall.TimeOff, now time.Time) (oncall.TimeOff, error) {
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(away.UserID, access.OwnThings) }); err != nil {
		return oncall.TimeOff{}, err
	}
	if !away.Start.Before(away.End) {
		return oncall.TimeOff{}, oncall.Refuse("Time off must end after it begins.")
	}
	const said = `
		SELECT id, user_id, start_at AS "start", end_at AS "end", note, source, uid, created_at
		FROM time_off
		WHERE user_id = $1 AND source = '' AND start_at <= $2 AND end_at >= $3 AND cancelled_at IS NULL
		ORDER BY id
		LIMIT 1`
	const rules = `SELECT EXISTS (SELECT FROM teams WHERE time_off <> '' AND removed_at IS NULL)`
	away.CreatedAt = now
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, lockUser, away.UserID).Scan(nil); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, said, away.UserID, away.Start, away.End)
		before, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.TimeOff])
		if len(before) > 0 {
			away = before[0]
		}
		if err != nil || len(before) > 0 {
			return err
		}
		if away.ID, err = insertTimeOff(ctx, tx, away); err != nil {
			return err
		}
		if err := record(ctx, tx, by, now, audit.TimeOff(away)); err != nil {
			return err
		}
		if err := knowTimeOff(ctx, tx, by, away.UserID, now); err != nil {
			return err
		}
		var ruled bool // or else nothing follows from it
		if err := tx.QueryRow(ctx, rules).Scan(&ruled); err != nil || !ruled {
			return err
		}
		return s.enqueue(ctx, tx, now, []oncall.Task{{Args: oncall.CheckCoverage{}}})
	})
	if err != nil {
		return oncall.TimeOff{}, fmt.Errorf("add time off of %s: %w", away.UserID, err)
	}
	return away, nil
}

func insertTimeOff(ctx context.Context, tx pgx.Tx, t oncall.TimeOff) (id oncall.TimeOffID, err error) {
	const insert = `
		INSERT INTO time_off (user_id, start_at, end_at, note, source, uid, created_at)
		SELECT id, $2::timestamptz, $3::timestamptz, $4::text, $5::text, $6::text, $7::timestamptz FROM users WHERE id = $1
		RETURNING id`
	err = tx.QueryRow(ctx, insert, t.UserID, t.Start, t.End, t.Note, t.Source, t.UID, t.CreatedAt).Scan(&id)
	return id, err
}

// insertAll inserts time off from a calendar.
func insertAll(ctx context.Context, tx pgx.Tx, spans []oncall.TimeOff, user oncall.UserID, source string, now time.Time) error {
	for _, t := range spans {
		t.UserID, t.Source, t.CreatedAt = user, source, now
		if _, err := insertTimeOff(ctx, tx, t); err != nil {
			return err
		}
	}
	return nil
}

// lockUser keeps other transactions from changing a person's time off.
const lockUser = `SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE`

// ImportTimeOff replaces a person's time off from one calendar. Time off that is no longer in the calendar is cancelled,
// unless it is over; time off that is still there stays unchanged. Of the spans, only Start, End, Note and UID are used.
func (s *System) ImportTimeOff(ctx context.Context, by oncall.Actor, user oncall.UserID, source string, spans []oncall.TimeOff, now time.Time) (TimeOffImport, error) {
	const load = `
		SELECT id, user_id, start_at AS "start", end_at AS "end", note, source, uid, created_at
		FROM time_off
		WHERE user_id = $1 AND source = $2 AND cancelled_at IS NULL`
	const cancel = `UPDATE time_off SET cancelled_at = $2 WHERE id = ANY($1)`
	if source == "" {
		return TimeOffImport{}, oncall.Refuse("An import needs a name for the calendar.")
	}
	type same struct {
		start, end int64
		uid, note  string
	}
	keyOf := func(t oncall.TimeOff) same { return same{t.Start.UnixMicro(), t.End.UnixMicro(), t.UID, t.Note} }
	var done TimeOffImport
	err := s.transact(ctx, func(tx pgx.Tx) error {
		done = TimeOffImport{}
		if err := tx.QueryRow(ctx, lockUser, user).Scan(nil); err != nil { // one import at a time
			return err
		}
		rows, _ := tx.Query(ctx, load, user, source)
		stored, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.TimeOff])
		if err != nil {
			return err
		}
		wanted := map[same]bool{}
		for _, t := range spans {
			wanted[keyOf(t)] = true
		}
		var gone []oncall.TimeOffID
		for _, t := range stored {
			if wanted[keyOf(t)] {
				done.Kept++
				delete(wanted, keyOf(t))
			} else if t.End.After(now) {
				gone = append(gone, t.ID)
			}
		}
		done.Cancelled = len(gone)
		if _, err := tx.Exec(ctx, cancel, gone, now); err != nil {
			return err
		}
		fresh := slices.DeleteFunc(slices.Clone(spans), func(t oncall.TimeOff) bool {
			known := !wanted[keyOf(t)] || !t.Start.Before(t.End)
			delete(wanted, keyOf(t)) // a duplicate is cancelled
			return known
		})
		if done.Added, err = len(fresh), insertAll(ctx, tx, fresh, user, source, now); err != nil {
			return err
		}
		if done.Added+done.Cancelled > 0 {
			if err := record(ctx, tx, by, now, audit.Imported(user, source, done.Added, done.Cancelled)); err != nil {
				return err
			}
		}
		return s.enqueue(ctx, tx, now, []oncall.Task{{Args: oncall.CheckCoverage{}}})
	})
	if err != nil {
		return TimeOffImport{}, fmt.Errorf("import time off of %s: %w", user, err)
	}
	return done, nil
}

// CancelTimeOff cancels time off and returns it. The error is oncall.ErrNotFound if it was cancelled before.
func (s *Store) CancelTimeOff(ctx context.Context, by oncall.Actor, id oncall.TimeOffID, now time.Time) (oncall.TimeOff, error) {
	const cancel = `
		UPDATE time_off SET cancelled_at = $2
		WHERE id = $1 AND cancelled_at IS NULL
		RETURNING id, user_id, start_at AS "start", end_at AS "end", note, source, uid, created_at`
	var away oncall.TimeOff
	g, err := s.gate(ctx, by)
	if err != nil {
		return away, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, cancel, id, now)
		if away, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[oncall.TimeOff]); err != nil {
			return err
		}
		if err := g.forPerson(away.UserID, access.OwnThings); err != nil {
			return err
		}
		return record(ctx, tx, by, now, audit.NoTimeOff(away))
	})
	if err != nil {
		return oncall.TimeOff{}, fmt.Errorf("cancel time off %d: %w", id, err)
	}
	return away, nil
}

// TimeOff returns the time off that overlaps a period, sorted by start.
func (s *Store) TimeOff(ctx context.Context, by oncall.Actor, from, to time.Time) ([]oncall.TimeOff, error) {
	const load = `
		SELECT id, user_id, start_at AS "start", end_at AS "end", note, source, uid, created_at
		FROM time_off
		WHERE end_at > $1 AND start_at < $2 AND cancelled_at IS NULL
		ORDER BY start_at, id`
	if err := s.allowed(ctx, by, func(g gate) error { return g.may(access.OwnThings, access.Object{}) }); err != nil {
		return nil, err
	}
	rows, _ := s.pool.Query(ctx, load, from, to)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.TimeOff])
	if err != nil {
		return nil, fmt.Errorf("load time off: %w", translate(err))
	}
	return all, nil
}
