package store

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Schedule returns everything that is stored about a schedule, including all its versions.
func (s *Store) Schedule(ctx context.Context, by oncall.Actor, id oncall.ScheduleID) (schedule.Definition, error) {
	if err := s.allowed(ctx, by, func(g gate) error { return g.onSchedule(access.See, id) }); err != nil {
		return schedule.Definition{}, err
	}
	var out schedule.Definition
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		out, err = definition(ctx, tx, id, scope{history: true})
		return err
	})
	if err != nil {
		return schedule.Definition{}, wrap(err, "load schedule %d", id)
	}
	return out, nil
}

// CreateSchedule stores a schedule with a team, a name and a time zone, and returns it with its id. EditSchedule adds
// rotations.
func (s *Store) CreateSchedule(ctx context.Context, by oncall.Actor, definition schedule.Definition, now time.Time) (schedule.Definition, error) {
	const insert = `INSERT INTO schedules (team_id, name, time_zone, created_at) VALUES ($1, $2, $3, $4) RETURNING id`
	if err := s.allowed(ctx, by, func(g gate) error { return g.may(access.EditSchedule, access.Object{Team: definition.TeamID}) }); err != nil {
		return schedule.Definition{}, err
	}
	if _, err := schedule.LoadZone(definition.TimeZone); err != nil {
		return schedule.Definition{}, oncall.Refuse("%q is not a time zone such as \"Europe/Berlin\".", definition.TimeZone)
	}
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, insert, definition.TeamID, definition.Name, definition.TimeZone, now).Scan(&definition.ID); err != nil {
			return err
		}
		if err := s.editing(ctx, tx, scheduleEdit{at: now}, definition.ID, 0); err != nil {
			return err // EditSchedule follows and queues the rest
		}
		tasks := []oncall.Task{{Args: oncall.CheckSchedule{Schedule: definition.ID}}}
		if err := s.enqueue(ctx, tx, now, tasks); err != nil {
			return err
		}
		if err := record(ctx, tx, by, now, audit.Made(definition, now)); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if broken, ok := errors.AsType[*pgconn.PgError](err); ok && broken.ConstraintName == "schedules_name" {
		return schedule.Definition{}, oncall.Refuse("There is a schedule %q already.", definition.Name)
	}
	if err != nil {
		return schedule.Definition{}, wrap(err, "create schedule %q", definition.Name)
	}
	s.cache.drop()
	return definition, nil
}

// EditSchedule adds a version to a schedule, and returns the new schedule without its past. Seen is the latest version
// that the author knew. The error is a Refusal if schedule.Definition refuses the edit.
func (s *Store) EditSchedule(ctx context.Context, by oncall.Actor, id oncall.ScheduleID, v schedule.Version, seen int64, now time.Time) (schedule.Definition, error) {
	v.CreatedBy = cmp.Or(by.User, v.CreatedBy)
	return s.editSchedule(ctx, by, audit.Changed, id, seen, now, scope{since: now}, func(schedule.Definition) (schedule.Version, error) { return v, nil })
}

// editSchedule adds the version that a function makes from the current schedule.
func (s *Store) editSchedule(
	ctx context.Context, by oncall.Actor, act audit.Operation, id oncall.ScheduleID, seen int64, now time.Time, of scope,
	version func(was schedule.Definition) (schedule.Version, error),
) (schedule.Definition, error) {
	var edited schedule.Definition
	g, err := s.gate(ctx, by)
	if err == nil {
		err = g.onSchedule(access.EditSchedule, id)
	}
	if err != nil {
		return schedule.Definition{}, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if err := lockSchedules(ctx, tx, id); err != nil {
			return err
		}
		was, err := definition(ctx, tx, id, of)
		if err != nil {
			return err
		}
		v, err := version(was)
		if err != nil {
			return err
		}
		if err := g.newInSchedule(was, inRotations(v.Rotations), now); err != nil {
			return err
		}
		if edited, err = was.Edit(v, seen, now); err != nil {
			return err
		}
		err = s.editSchedules(ctx, tx, scheduleEdit{at: now, by: v.CreatedBy, goes: true}, []oncall.ScheduleID{id}, func() error {
			for i, v := range edited.Versions {
				if v.ID != 0 {
					continue
				}
				if edited.Versions[i].ID, err = addVersion(ctx, tx, id, v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := record(ctx, tx, by, now, audit.Edited(was, edited, act, now)); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return schedule.Definition{}, wrap(err, "edit schedule %d", id)
	}
	s.cache.drop()
	return edited, nil
}

// addVersion stores a version of a schedule. Versions are never changed.
func addVersion(ctx context.Context, tx pgx.Tx, schedule oncall.ScheduleID, v schedule.Version) (id int64, err error) {
	const insert = `
		INSERT INTO schedule_versions (schedule_id, effective_from, rotations, note, created_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6)
		RETURNING id`
	err = tx.QueryRow(ctx, insert, schedule, v.EffectiveFrom, nonNil(v.Rotations), v.Note, v.CreatedBy, v.CreatedAt).Scan(&id)
	return id, err
}

// RestoreVersion adds a new version with the rotations of an earlier one. The history stays unchanged.
func (s *Store) RestoreVersion(
	ctx context.Context, by oncall.Actor, id oncall.ScheduleID, version, seen int64, now time.Time,
) (schedule.Definition, error) {
	return s.editSchedule(ctx, by, audit.Restored, id, seen, now, scope{since: now, history: true}, func(was schedule.Definition) (schedule.Version, error) {
		return was.Restored(version, by.User)
	})
}

// RemoveSchedule removes a schedule. It refuses to while a policy pages the schedule, because the policy's step would
// page nobody.
func (s *Store) RemoveSchedule(ctx context.Context, by oncall.Actor, id oncall.ScheduleID, now time.Time) error {
	const paging = `
		SELECT name
		FROM policies
		WHERE removed_at IS NULL AND EXISTS (
			SELECT FROM jsonb_array_elements(steps) AS step, jsonb_array_elements(step -> 'targets') AS target
			WHERE (target ->> 'schedule')::bigint = $1
		)
		ORDER BY name`
	const remove = `UPDATE schedules SET removed_at = $2 WHERE id = $1`
	if err := s.allowed(ctx, by, func(g gate) error { return g.onSchedule(access.EditSchedule, id) }); err != nil {
		return err
	}
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if err := lockSchedules(ctx, tx, id); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, paging, id)
		policies, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		if len(policies) > 0 {
			return oncall.Refuse("Policy %q pages this schedule, so it can't be removed.", policies[0])
		}
		before, err := definition(ctx, tx, id, scope{since: now})
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, remove, id, now); err != nil {
			return err
		}
		if err := record(ctx, tx, by, now, audit.Gone(before, now)); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return wrap(err, "remove schedule %d", id)
	}
	s.cache.drop()
	return nil
}
