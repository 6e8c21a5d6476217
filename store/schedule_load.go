package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/holiday"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// keepPastShifts is how long past overrides and shifts stay in the directory. It is longer than calendars, swaps and cover
// requests look back. Use DirectoryAt for an earlier time.
const keepPastShifts = 5 * 7 * 24 * time.Hour

// A scope limits what is loaded of schedules. Overrides and shifts pile up over the years, and must not slow down every
// edit.
type scope struct {
	ids     []oncall.ScheduleID // nil: every live schedule
	since   time.Time           // leaves out what ended before; zero: leaves out nothing
	history bool                // all versions, even old ones
}

// recently returns the scope that the directory needs. Without a clock here, the newest row's creation time serves as an
// approximate time.
func recently(ctx context.Context, tx pgx.Tx) (scope, error) {
	const newest = `
		SELECT greatest(
			(SELECT created_at FROM overrides ORDER BY id DESC LIMIT 1),
			(SELECT created_at FROM manual_shifts ORDER BY id DESC LIMIT 1),
			(SELECT created_at FROM schedule_versions ORDER BY id DESC LIMIT 1)
		)`
	var made *time.Time
	if err := tx.QueryRow(ctx, newest).Scan(&made); err != nil || made == nil {
		return scope{}, err
	}
	return scope{since: made.Add(-keepPastShifts)}, nil
}

// schedules loads schedules with their versions, overrides and shifts, and the people who have left.
func schedules(ctx context.Context, tx pgx.Tx, wanted scope) (map[oncall.ScheduleID]schedule.Definition, error) {
	const load = `
		SELECT id, team_id, name, time_zone, apart
		FROM schedules
		WHERE removed_at IS NULL AND ($1::bigint[] IS NULL OR id = ANY ($1))`
	type row struct {
		ID       oncall.ScheduleID
		TeamID   oncall.TeamID
		Name     string
		TimeZone string
		Apart    bool
	}
	inactive := map[oncall.UserID][]schedule.Span{}
	people, err := users(ctx, tx)
	if err != nil {
		return nil, err
	}
	for id, u := range people {
		if since, ok := u.UnpageableSince(); ok {
			inactive[id] = []schedule.Span{{Start: since}}
		}
	}
	rows, _ := tx.Query(ctx, load, wanted.ids)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return nil, err
	}
	ids := make([]oncall.ScheduleID, len(found))
	for i, r := range found {
		ids[i] = r.ID
	}
	versions, err := versions(ctx, tx, ids, wanted)
	if err != nil {
		return nil, err
	}
	overrides, err := overrides(ctx, tx, ids, wanted.since)
	if err != nil {
		return nil, err
	}
	shifts, err := manualShifts(ctx, tx, ids, wanted.since)
	if err != nil {
		return nil, err
	}
	out := make(map[oncall.ScheduleID]schedule.Definition, len(found))
	for _, r := range found {
		out[r.ID] = schedule.Definition{
			ID: r.ID, TeamID: r.TeamID, Name: r.Name, TimeZone: r.TimeZone,
			Versions: versions[r.ID], Overrides: overrides[r.ID], Shifts: shifts[r.ID], Inactive: inactive, Apart: r.Apart,
		}
	}
	return out, nil
}

// versions loads the versions of schedules, oldest first: those in force at or after the scope's start, and always the
// latest one, which shows an edit whether another edit came first.
func versions(
	ctx context.Context, tx pgx.Tx, ids []oncall.ScheduleID, of scope,
) (map[oncall.ScheduleID][]schedule.Version, error) {
	const load = `
		SELECT v.schedule_id, v.id, v.effective_from, v.rotations, v.note, v.created_by, v.created_at
		FROM schedule_versions v
		WHERE v.schedule_id = ANY ($1) AND (
			$2::timestamptz IS NULL OR v.effective_from > $2
			OR v.id = (
				SELECT b.id
				FROM schedule_versions b
				WHERE b.schedule_id = v.schedule_id AND coalesce(b.effective_from, '-infinity') <= $2
				ORDER BY coalesce(b.effective_from, '-infinity') DESC, b.id DESC
				LIMIT 1
			)
			OR v.id = (SELECT max(l.id) FROM schedule_versions l WHERE l.schedule_id = v.schedule_id)
		)
		ORDER BY v.schedule_id, v.id`
	type row struct {
		ScheduleID oncall.ScheduleID
		schedule.Version
	}
	var since *time.Time
	if !of.history && !of.since.IsZero() {
		since = &of.since
	}
	rows, _ := tx.Query(ctx, load, ids, since)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return nil, err
	}
	read, err := holidayCalendars(ctx, tx)
	out := map[oncall.ScheduleID][]schedule.Version{}
	for _, v := range found {
		holiday.Fill(v.Rotations, read)
		out[v.ScheduleID] = append(out[v.ScheduleID], v.Version)
	}
	return out, err
}

// overrides loads the overrides that end after an instant, in the order of their creation.
func overrides(
	ctx context.Context, tx pgx.Tx, ids []oncall.ScheduleID, since time.Time,
) (map[oncall.ScheduleID][]schedule.Override, error) {
	const load = `
		SELECT id, schedule_id, kind, role, start_at AS "start", end_at AS "end", users, from_user AS "from",
		       to_user AS "to", time_zone, windows, shifts, allow_gaps, only_covered, reason, created_by, created_at,
		       cancelled_at
		FROM overrides
		WHERE schedule_id = ANY ($1) AND end_at > $2 AND (cancelled_at IS NULL OR cancelled_at > $2)
		ORDER BY id`
	rows, _ := tx.Query(ctx, load, ids, since)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[schedule.Override])
	out := map[oncall.ScheduleID][]schedule.Override{}
	for _, o := range found {
		out[o.ScheduleID] = append(out[o.ScheduleID], o)
	}
	return out, err
}

// manualShifts loads the manually entered shifts that end after an instant.
func manualShifts(
	ctx context.Context, tx pgx.Tx, ids []oncall.ScheduleID, since time.Time,
) (map[oncall.ScheduleID][]schedule.ManualShift, error) {
	const load = `
		SELECT schedule_id, id, role, start_at AS "start", end_at AS "end", users
		FROM manual_shifts
		WHERE schedule_id = ANY ($1) AND end_at > $2
		ORDER BY id`
	type row struct {
		ScheduleID oncall.ScheduleID
		schedule.ManualShift
	}
	rows, _ := tx.Query(ctx, load, ids, since)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	out := map[oncall.ScheduleID][]schedule.ManualShift{}
	for _, r := range found {
		out[r.ScheduleID] = append(out[r.ScheduleID], r.ManualShift)
	}
	return out, err
}

// definition loads one live schedule.
func definition(ctx context.Context, tx pgx.Tx, id oncall.ScheduleID, of scope) (schedule.Definition, error) {
	of.ids = []oncall.ScheduleID{id}
	all, err := schedules(ctx, tx, of)
	if err != nil {
		return schedule.Definition{}, err
	}
	found, ok := all[id]
	if !ok {
		return schedule.Definition{}, oncall.ErrNotFound
	}
	return found, nil
}
