package store

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/holiday"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// holidayCalendars loads the holidays of the calendars that have an address.
func holidayCalendars(ctx context.Context, tx pgx.Tx) (map[string][]schedule.Holiday, error) {
	const load = `SELECT url, days FROM holiday_calendars`
	type row struct {
		URL  string
		Days []schedule.Holiday
	}
	rows, _ := tx.Query(ctx, load)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	out := make(map[string][]schedule.Holiday, len(all))
	for _, c := range all {
		out[c.URL] = c.Days
	}
	return out, err
}

// QueueHolidayCalendars queues the reading of the due calendars that schedules name, and forgets those that none names.
func (s *System) QueueHolidayCalendars(ctx context.Context, now time.Time) error {
	const learn = `
		WITH named AS (
			SELECT DISTINCT r->'holidays'->>'calendar' AS url
			FROM schedules s
			JOIN schedule_versions v ON v.schedule_id = s.id
			CROSS JOIN jsonb_array_elements(v.rotations) r
			WHERE s.removed_at IS NULL AND r->'holidays'->>'calendar' LIKE 'http%://%'
		), gone AS (
			DELETE FROM holiday_calendars WHERE url NOT IN (SELECT url FROM named)
		)
		INSERT INTO holiday_calendars (url, next_at)
		SELECT url, $1 FROM named
		ON CONFLICT DO NOTHING`
	const due = `SELECT url FROM holiday_calendars WHERE next_at <= $1 ORDER BY next_at LIMIT 100`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, learn, now); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, due, now)
		addresses, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		var tasks []oncall.Task
		for _, address := range addresses {
			tasks = append(tasks, oncall.Task{Args: oncall.ReadHolidayCalendar{URL: address}})
		}
		return s.enqueue(ctx, tx, now, tasks)
	})
	if err != nil {
		return fmt.Errorf("queue calendars of holidays: %w", err)
	}
	return nil
}

// HolidayCalendarEvery is how often a calendar of holidays is read.
const HolidayCalendarEvery = time.Hour

// BeginHolidayCalendar leases a due calendar to a job for an hour, and returns the tag of the last
// content read. The error is oncall.ErrNotFound if it isn't due.
func (s *System) BeginHolidayCalendar(ctx context.Context, address string, now time.Time) (tag string, err error) {
	const lease = `UPDATE holiday_calendars SET next_at = $3 WHERE url = $1 AND next_at <= $2 RETURNING tag`
	err = s.transact(ctx, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, lease, address, now, now.Add(HolidayCalendarEvery)).Scan(&tag)
	})
	if err != nil {
		return "", wrap(err, "begin to read a calendar of holidays")
	}
	return tag, nil
}

// A HolidayReading is the result of reading a calendar of holidays.
type HolidayReading struct {
	Same    bool // unchanged since the last reading
	Tag     string
	Days    []schedule.Holiday // in order
	Trouble string             // why reading failed; empty: it didn't
}

// EndHolidayCalendar saves the result of reading a holiday calendar. It notifies people whose shifts
// move as a result, and, if the calendar can't be read, the managers of the teams that use it.
func (s *System) EndHolidayCalendar(ctx context.Context, address string, is HolidayReading, now time.Time) error {
	const lock = `SELECT days FROM holiday_calendars WHERE url = $1 FOR UPDATE`
	const read = `
		UPDATE holiday_calendars
		SET read_at = $2, tag = $3, days = $4, tries = 0, trouble = '', trouble_at = NULL
		WHERE url = $1`
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	changed := false
	err = s.transact(ctx, func(tx pgx.Tx) error {
		ids, err := followers(ctx, tx, address)
		if err != nil {
			return err
		}
		if err := lockSchedules(ctx, tx, ids...); err != nil {
			return err
		}
		var before []schedule.Holiday
		if err := tx.QueryRow(ctx, lock, address).Scan(&before); err != nil {
			return err
		}
		if is.Trouble != "" {
			return s.unreadHolidays(ctx, tx, dir, address, ids, is.Trouble, now)
		}
		after := before
		if !is.Same {
			y, m, d := now.UTC().Date()
			after = holiday.Merge(before, is.Days, schedule.Date{Year: y, Month: m, Day: d})
		}
		days, err := json.Marshal(nonNil(after))
		if err != nil {
			return err
		}
		save := func() error {
			_, err := tx.Exec(ctx, read, address, now, is.Tag, days)
			return err
		}
		if slices.Equal(before, after) {
			return save()
		}
		changed = true
		if err := s.editSchedules(ctx, tx, scheduleEdit{at: now}, ids, save); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return wrap(err, "end the reading of a calendar of holidays")
	}
	if changed {
		s.cache.drop()
	}
	return nil
}

// followers returns the schedules that name a calendar.
func followers(ctx context.Context, tx pgx.Tx, address string) ([]oncall.ScheduleID, error) {
	const load = `
		SELECT DISTINCT s.id
		FROM schedules s
		JOIN schedule_versions v ON v.schedule_id = s.id
		CROSS JOIN jsonb_array_elements(v.rotations) r
		WHERE s.removed_at IS NULL AND r->'holidays'->>'calendar' = $1
		ORDER BY s.id`
	rows, _ := tx.Query(ctx, load, address)
	return pgx.CollectRows(rows, pgx.RowTo[oncall.ScheduleID])
}

// holidayMaxFailures is how often reading may fail before managers are told, if it has succeeded before.
const holidayMaxFailures = 3

// unreadHolidays saves that a calendar can't be read, and tells the managers of the teams that name it, once.
func (s *System) unreadHolidays(
	ctx context.Context, tx pgx.Tx, dir *Directory, address string, ids []oncall.ScheduleID, why string, now time.Time,
) error {
	const failed = `
		UPDATE holiday_calendars
		SET tries = tries + 1, trouble = $2, trouble_at = coalesce(trouble_at, $3)
		WHERE url = $1
		RETURNING tries, trouble_at, read_at IS NULL`
	var tries int
	var since time.Time
	var never bool
	if err := tx.QueryRow(ctx, failed, address, why, now).Scan(&tries, &since, &never); err != nil || !never && tries < holidayMaxFailures {
		return err
	}
	host := address
	if u, err := url.Parse(address); err == nil {
		host = u.Host
	}
	var notices []oncall.Notice
	notified := map[oncall.UserID]bool{}
	for _, id := range ids {
		named, known := dir.Schedule(id)
		if !known {
			continue
		}
		for _, u := range dir.Managers(named.TeamID()) {
			if !notified[u] {
				notified[u] = true
				notices = append(notices, oncall.HolidaysUnreadNotice(id, named.Name(), host, why, u, since))
			}
		}
	}
	return s.saveNotices(ctx, tx, now, notices)
}
