package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// FeedID identifies a feed.
type FeedID int64

// A Feed is a calendar at a secret URL: the shifts of one person in all schedules, or those of one schedule.
type Feed struct {
	ID         FeedID
	UserID     oncall.UserID     // empty: a schedule's
	ScheduleID oncall.ScheduleID // 0: a person's
	CreatedBy  oncall.UserID
	CreatedAt  time.Time
}

// MakeFeed makes a feed and returns it with its secret, of which only the hash is stored. A person or schedule that does
// not exist is oncall.ErrNotFound.
func (s *Store) MakeFeed(ctx context.Context, by oncall.Actor, f Feed, now time.Time) (Feed, string, error) {
	const insert = `
		INSERT INTO feeds (secret_hash, user_id, schedule_id, created_by, created_at)
		SELECT $1::bytea, nullif($2::text, ''), nullif($3::bigint, 0), $4::text, $5::timestamptz
		WHERE EXISTS (SELECT FROM users WHERE id = $4)
		  AND ($2 = '' OR EXISTS (SELECT FROM users WHERE id = $2))
		  AND ($3 = 0 OR EXISTS (SELECT FROM schedules WHERE id = $3 AND removed_at IS NULL))
		RETURNING id`
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	secret := setup.KeyFromBytes(random)
	hash := sha256.Sum256([]byte(secret))
	f.CreatedBy, f.CreatedAt = cmp.Or(by.User, f.CreatedBy), now
	if err := s.allowed(ctx, by, func(g gate) error { return g.feed(f) }); err != nil {
		return Feed{}, "", err
	}
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, insert, hash[:], f.UserID, f.ScheduleID, f.CreatedBy, now).Scan(&f.ID); err != nil {
			return err
		}
		return recordFeed(ctx, tx, by, now, f, false)
	})
	if err != nil {
		return Feed{}, "", fmt.Errorf("make a feed for %s: %w", f.CreatedBy, err)
	}
	return f, secret, nil
}

// RevokeFeed ends a feed for all its subscribers. A feed that was revoked before is oncall.ErrNotFound.
func (s *Store) RevokeFeed(ctx context.Context, by oncall.Actor, id FeedID, now time.Time) error {
	const revoke = `UPDATE feeds SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL 
		RETURNING id, coalesce(user_id, '') AS user_id, coalesce(schedule_id, 0) AS schedule_id, created_by, created_at`
	var maker oncall.UserID
	var what string
	g, err := s.gate(ctx, by)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, revoke, id, now)
		f, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Feed])
		if err != nil {
			return err
		}
		if err := g.forPerson(f.CreatedBy, access.OwnThings); err != nil {
			return err
		}
		maker, what = f.CreatedBy, "your own shifts"
		if c, known := g.dir.schedules[f.ScheduleID]; known {
			what = c.Name()
		}
		if err := s.notifyRevoked(ctx, tx, by, maker, "a calendar that you have subscribed to, of "+what+": its address shows nothing any more. `/oncall calendar` makes another", now); err != nil {
			return err
		}
		return recordFeed(ctx, tx, by, now, f, true)
	})
	if err != nil {
		return fmt.Errorf("revoke feed %d: %w", id, err)
	}
	if by.User != maker {
		s.managed(by, "end_calendar").Str("user", string(maker)).Msg("calendar ended")
	}
	return nil
}

// recordFeed writes to the audit log that a feed was made or revoked, without its secret.
func recordFeed(ctx context.Context, tx pgx.Tx, by oncall.Actor, now time.Time, f Feed, ended bool) error {
	if f.ScheduleID == 0 {
		return record(ctx, tx, by, now, audit.Calendar(f.UserID, ended))
	}
	return recordDuty(ctx, tx, by, now, f.ScheduleID, func(of audit.Where) audit.Entry { return of.Calendar(f.CreatedBy, ended) })
}

// FeedsBy returns the feeds that a person has made and not revoked, oldest first.
func (s *Store) FeedsBy(ctx context.Context, by oncall.Actor, creator oncall.UserID) ([]Feed, error) {
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(creator, access.OwnThings) }); err != nil {
		return nil, err
	}
	feeds, err := feedsBy(ctx, s.pool, creator)
	if err != nil {
		return nil, fmt.Errorf("load the feeds of %s: %w", creator, translate(err))
	}
	return feeds, nil
}

func feedsBy(ctx context.Context, q querier, creator oncall.UserID) ([]Feed, error) {
	const load = `
		SELECT id, coalesce(user_id, '') AS user_id, coalesce(schedule_id, 0) AS schedule_id, created_by, created_at
		FROM feeds
		WHERE created_by = $1 AND revoked_at IS NULL
		ORDER BY id`
	rows, _ := q.Query(ctx, load, creator)
	return pgx.CollectRows(rows, pgx.RowToStructByName[Feed])
}

// FeedBySecret returns the feed with a secret. It is oncall.ErrNotFound if there is none, if it was revoked, if its
// schedule was removed, if its maker or person was deactivated, or if its maker has lost the right to it. Any other
// error says nothing about the secret.
func (s *System) FeedBySecret(ctx context.Context, secret string) (Feed, error) {
	const load = `
		SELECT f.id, coalesce(f.user_id, '') AS user_id, coalesce(f.schedule_id, 0) AS schedule_id, f.created_by, f.created_at
		FROM feeds f
		JOIN users maker ON maker.id = f.created_by
		LEFT JOIN users person ON person.id = f.user_id
		LEFT JOIN schedules s ON s.id = f.schedule_id
		WHERE f.secret_hash = $1 AND f.revoked_at IS NULL AND s.removed_at IS NULL
		  AND maker.deactivated_at IS NULL AND person.deactivated_at IS NULL`
	hash := sha256.Sum256([]byte(secret))
	rows, _ := s.pool.Query(ctx, load, hash[:])
	f, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Feed])
	if err != nil {
		return Feed{}, fmt.Errorf("find a feed: %w", translate(err))
	}
	dir, err := s.directory(ctx)
	if err != nil {
		return Feed{}, fmt.Errorf("find a feed: %w", err)
	}
	if !dir.mayRead(f) {
		return Feed{}, fmt.Errorf("find a feed that its maker may not have any more: %w", oncall.ErrNotFound)
	}
	return f, nil
}

// mayRead reports whether the maker of a feed still has the right to it. Somebody of unknown standing counts as a member,
// so that feeds keep working while people are looked up.
func (d *Directory) mayRead(f Feed) bool {
	maker := d.Users[f.CreatedBy]
	if maker.Standing == oncall.UnknownStanding {
		maker.Standing = oncall.FullMember
	}
	m := d.access
	m.Users = map[oncall.UserID]oncall.User{f.CreatedBy: maker}
	if f.ScheduleID == 0 {
		return m.May(oncall.ByUser(f.CreatedBy), access.OwnThings, access.Object{}) == nil
	}
	in, known := d.schedules[f.ScheduleID]
	return !known || m.May(oncall.ByUser(f.CreatedBy), access.Subscribe, access.Object{Team: in.TeamID()}) == nil
}

// The period of a feed, and the margin for finding the real start and end of shifts at its edges.
const (
	feedBack   = 30  // days
	feedAhead  = 180 // days
	feedMargin = 100 // days
)

// FeedShifts is how many shifts a feed shows at most: about 200 days with the shortest possible turns.
const FeedShifts = 5_000

// A Calendar is what a feed shows, from 30 days back to 180 days ahead.
type Calendar struct {
	Shifts   []CalendarShift // by start
	More     bool            // later shifts are left out
	Revision int64           // grows with every change of the schedules
	Changed  time.Time       // when that was
}

// A CalendarShift is a shift of one role of a schedule. Its Key doesn't change if the shift is lengthened or other people
// join or leave it.
type CalendarShift struct {
	schedule.Shift
	Key      string
	Schedule *schedule.Schedule
	Role     string
}

// FeedState returns a feed's revision and when it changed, without the shifts.
func (s *System) FeedState(ctx context.Context, f Feed) (Calendar, error) {
	const load = `
		SELECT (SELECT count(*) FROM schedule_versions WHERE $1::bigint = 0 OR schedule_id = $1)
		     + (SELECT count(*) + count(cancelled_at) FROM overrides WHERE $1::bigint = 0 OR schedule_id = $1),
		       greatest($2::timestamptz, (SELECT max(created_at) FROM schedule_versions WHERE $1::bigint = 0 OR schedule_id = $1),
		                (SELECT max(greatest(created_at, cancelled_at)) FROM overrides WHERE $1::bigint = 0 OR schedule_id = $1))`
	var c Calendar
	err := s.transact(ctx, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, load, f.ScheduleID, f.CreatedAt).Scan(&c.Revision, &c.Changed)
	})
	if err != nil {
		return Calendar{}, fmt.Errorf("look at feed %d: %w", f.ID, err)
	}
	return c, nil
}

// Calendar returns the content of a feed on the day of an instant; it is the same all day.
func (d *Directory) Calendar(ctx context.Context, f Feed, state Calendar, now time.Time) (Calendar, error) {
	c := state
	today := now.UTC().Truncate(24 * time.Hour)
	from, to := today.AddDate(0, 0, -feedBack), today.AddDate(0, 0, feedAhead)
	for _, schedule := range d.Schedules {
		if f.ScheduleID != 0 && schedule.ID() != f.ScheduleID {
			continue
		}
		for _, role := range schedule.Roles() {
			c.Shifts = append(c.Shifts, calendarShifts(ctx, schedule, role, f.UserID, from, to)...)
			if err := ctx.Err(); err != nil {
				return Calendar{}, fmt.Errorf("show feed %d: %w", f.ID, err)
			}
			slices.SortStableFunc(c.Shifts, func(a, b CalendarShift) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Key, b.Key)) })
			if len(c.Shifts) > FeedShifts {
				c.More = true
				c.Shifts = slices.Clip(c.Shifts[:FeedShifts])
			}
		}
	}
	return c, nil
}

// calendarShifts returns the shifts of a role or, if user is set, those of one person. A person's
// consecutive shifts are merged, no matter who else is on call. If there are more than FeedShifts, it
// returns one more than that.
func calendarShifts(
	ctx context.Context, schedule *schedule.Schedule, role string, user oncall.UserID, from, to time.Time,
) []CalendarShift {
	begin := from.AddDate(0, 0, -feedMargin)
	var out []CalendarShift
	for shift := range schedule.Each(begin, to.AddDate(0, 0, feedMargin), role) {
		if ctx.Err() != nil {
			return nil
		}
		n := len(out)
		last := n > 0 && out[n-1].End.Equal(shift.Start) // the shift continues the last one
		if !shift.Start.Before(to) && !last {
			break
		}
		if len(shift.Users) == 0 || user != "" && !slices.Contains(shift.Users, user) {
			continue
		}
		if user != "" {
			shift.Users = []oncall.UserID{user}
			if last {
				out[n-1].End = shift.End
				continue
			}
		}
		if !shift.Start.Before(to) || n > FeedShifts {
			break
		}
		if n > 0 && !out[n-1].End.After(from) { // the earlier ones are before the period, too
			out = out[:0]
		}
		start := shift.Start.Unix()
		if shift.Start.Equal(begin) { // it may have begun earlier
			start = 0
		}
		out = append(out, CalendarShift{
			Shift: shift, Schedule: schedule, Role: role, Key: fmt.Sprintf("%d/%s/%s/%d", schedule.ID(), role, user, start),
		})
	}
	return slices.DeleteFunc(out, func(c CalendarShift) bool { return !c.End.After(from) })
}
