package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
)

// An AwayCalendarState is a person's calendar as shown to them. Only the host of its address is shown.
type AwayCalendarState struct {
	UserID    oncall.UserID
	Host      string
	Rule      oncall.AwayRule
	Words     []string
	MadeAt    time.Time
	ReadAt    *time.Time // when it was last read; nil: never
	Events    int        // how many counted as time off
	Trouble   string     // why the last reading failed; empty: it didn't
	TroubleAt *time.Time // when it began to fail
}

var refusedAwayCalendar = oncall.Refuse("No calendar can be read: WATCHBILL_SECRET has to be set first, so that its address can be kept (`watchbill secret new` makes one).")

// SetAwayCalendar sets the calendar that is read as a person's time off, and queues the first reading.
func (s *Store) SetAwayCalendar(ctx context.Context, by oncall.Actor, c oncall.AwayCalendar, now time.Time) error {
	const save = `
		INSERT INTO away_calendars (user_id, url, host, rule, words, made_at, next_at)
		VALUES ($1, $2, $3, $4, $5, $6, $6)
		ON CONFLICT (user_id) DO UPDATE SET
			url = $2, host = $3, rule = $4, words = $5, made_at = $6, next_at = $6,
			tag = '', read_at = NULL, events = 0, tries = 0, trouble = '', trouble_at = NULL`
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(c.User, access.OwnThings) }); err != nil {
		return err
	}
	c, err := c.Clean()
	if err != nil {
		return err
	}
	with := s.secret(now)
	if with == nil {
		return refusedAwayCalendar
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, lockUser, c.User).Scan(nil); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, save, c.User, with.Seal(c.URL), c.Host(), c.Rule, nonNil(c.Words), now); err != nil {
			return err
		}
		if err := record(ctx, tx, by, now, audit.AwayCalendar(c)); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, now, []oncall.Task{{Args: oncall.ReadAwayCalendar{User: c.User}}})
	})
	if err != nil {
		return wrap(err, "set the calendar of %s", c.User)
	}
	return nil
}

// AwayCalendar returns a person's calendar. The error is oncall.ErrNotFound if there is none.
func (s *Store) AwayCalendar(ctx context.Context, by oncall.Actor, user oncall.UserID) (AwayCalendarState, error) {
	const load = `SELECT user_id, host, rule, words, made_at, read_at, events, trouble, trouble_at FROM away_calendars WHERE user_id = $1`
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(user, access.OwnThings) }); err != nil {
		return AwayCalendarState{}, err
	}
	rows, _ := s.pool.Query(ctx, load, user)
	state, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[AwayCalendarState])
	if err != nil {
		return AwayCalendarState{}, fmt.Errorf("load the calendar of %s: %w", user, translate(err))
	}
	return state, nil
}

// RemoveAwayCalendar removes a person's calendar, and cancels the future time off that came from it. The error is
// oncall.ErrNotFound if there is none.
func (s *Store) RemoveAwayCalendar(ctx context.Context, by oncall.Actor, user oncall.UserID, now time.Time) error {
	const remove = `DELETE FROM away_calendars WHERE user_id = $1 RETURNING user_id`
	const cancel = `UPDATE time_off SET cancelled_at = $3 WHERE user_id = $1 AND source = $2 AND cancelled_at IS NULL AND end_at > $3`
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(user, access.OwnThings) }); err != nil {
		return err
	}
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, lockUser, user).Scan(nil); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, remove, user).Scan(nil); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, cancel, user, oncall.AwayCalendarSource, now); err != nil {
			return err
		}
		if err := record(ctx, tx, by, now, audit.NoAwayCalendar(user)); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, now, []oncall.Task{{Args: oncall.CheckCoverage{}}})
	})
	if err != nil {
		return wrap(err, "remove the calendar of %s", user)
	}
	return nil
}

// QueueAwayCalendars queues the reading of due calendars.
func (s *System) QueueAwayCalendars(ctx context.Context, now time.Time) error {
	const due = `
		SELECT c.user_id
		FROM away_calendars c
		JOIN users u ON u.id = c.user_id AND u.deactivated_at IS NULL
		WHERE c.next_at <= $1
		ORDER BY c.next_at
		LIMIT 100`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, due, now)
		users, err := pgx.CollectRows(rows, pgx.RowTo[oncall.UserID])
		if err != nil {
			return err
		}
		var tasks []oncall.Task
		for _, u := range users {
			tasks = append(tasks, oncall.Task{Args: oncall.ReadAwayCalendar{User: u}})
		}
		return s.enqueue(ctx, tx, now, tasks)
	})
	if err != nil {
		return fmt.Errorf("queue calendars: %w", err)
	}
	return nil
}

// An AwayReading is a calendar that a job reads.
type AwayReading struct {
	oncall.AwayCalendar
	Tag      string // ETag of the version that was read last
	TimeZone string // the person's
	MadeAt   time.Time
}

var errAwaySealed = errors.New("its address was sealed by another WATCHBILL_SECRET")

// BeginAwayCalendar leases a due calendar to a job for an hour. The error is oncall.ErrNotFound if it isn't due.
func (s *System) BeginAwayCalendar(ctx context.Context, user oncall.UserID, now time.Time) (AwayReading, error) {
	const lease = `
		UPDATE away_calendars c
		SET next_at = $3
		FROM users u
		WHERE c.user_id = $1 AND c.next_at <= $2 AND u.id = c.user_id AND u.deactivated_at IS NULL
		RETURNING c.url, c.rule, c.words, c.tag, u.time_zone, c.made_at`
	r := AwayReading{AwayCalendar: oncall.AwayCalendar{User: user}}
	err := s.transact(ctx, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, lease, user, now, now.Add(oncall.AwayCalendarEvery)).Scan(&r.URL, &r.Rule, &r.Words, &r.Tag, &r.TimeZone, &r.MadeAt)
	})
	if err != nil {
		return r, wrap(err, "begin to read the calendar of %s", user)
	}
	var ok bool
	if r.URL, ok = oncall.Unseal(s.secrets, r.URL); !ok {
		return r, errAwaySealed
	}
	return r, nil
}

// An AwayOutcome is the result of reading a calendar.
type AwayOutcome struct {
	Same    bool // unchanged since the last reading
	Tag     string
	Events  int    // how many count as time off
	Trouble string // why reading failed; empty: it didn't
}

// awayMaxFailures is how often reading may fail before the person is notified, if it has succeeded before.
const awayMaxFailures = 3

// EndAwayCalendar saves the result of reading a calendar. It notifies the person of the first success, and once of each
// lasting failure.
func (s *System) EndAwayCalendar(ctx context.Context, r AwayReading, is AwayOutcome, now time.Time) error {
	const read = `
		UPDATE away_calendars
		SET read_at = $3, tag = $4, events = CASE WHEN $5 THEN events ELSE $6 END, tries = 0, trouble = '', trouble_at = NULL
		WHERE user_id = $1 AND made_at = $2`
	const failed = `
		UPDATE away_calendars
		SET tries = tries + 1, trouble = $3, trouble_at = coalesce(trouble_at, $4)
		WHERE user_id = $1 AND made_at = $2
		RETURNING tries, trouble_at, read_at IS NULL`
	const first = `SELECT read_at IS NULL FROM away_calendars WHERE user_id = $1 AND made_at = $2 FOR UPDATE`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		notice := oncall.Notice{To: string(r.User), Kind: oncall.NoticeAwayCalendar, Detail: oncall.NoticeDetail{Count: is.Events, Note: is.Trouble, Address: r.Host()}}
		var never bool
		if is.Trouble != "" {
			var tries int
			var since time.Time
			if err := tx.QueryRow(ctx, failed, r.User, r.MadeAt, is.Trouble, now).Scan(&tries, &since, &never); err != nil {
				return err
			}
			if !never && tries < awayMaxFailures {
				return nil
			}
			if never {
				notice.Detail.State = oncall.AwayCalendarUnread
			}
			notice.Key = fmt.Sprintf("away_calendar/%s/failed/%d", r.User, since.Unix())
			return s.saveNotices(ctx, tx, now, []oncall.Notice{notice})
		}
		if err := tx.QueryRow(ctx, first, r.User, r.MadeAt).Scan(&never); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, read, r.User, r.MadeAt, now, is.Tag, is.Same, is.Events); err != nil || !never {
			return err
		}
		notice.Key = fmt.Sprintf("away_calendar/%s/read/%d", r.User, r.MadeAt.Unix())
		return s.saveNotices(ctx, tx, now, []oncall.Notice{notice})
	})
	if err != nil {
		return wrap(err, "end the reading of the calendar of %s", r.User)
	}
	return nil
}

// ResealAwayCalendars reseals addresses that were sealed with a secret that is being replaced.
func (s *System) ResealAwayCalendars(ctx context.Context, now time.Time) error {
	const load = `SELECT user_id, url FROM away_calendars ORDER BY user_id FOR UPDATE`
	const save = `UPDATE away_calendars SET url = $2 WHERE user_id = $1`
	with := s.secret(now)
	if with == nil {
		return nil
	}
	type sealed struct {
		UserID oncall.UserID
		URL    string
	}
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, load)
		all, err := pgx.CollectRows(rows, pgx.RowToStructByName[sealed])
		if err != nil {
			return err
		}
		for _, c := range all {
			anew := s.reseal(with, c.URL)
			if anew == c.URL {
				continue
			}
			if _, err := tx.Exec(ctx, save, c.UserID, anew); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("seal calendars anew: %w", err)
	}
	return nil
}
