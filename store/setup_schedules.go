package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// equal compares two values as they are stored.
func equal(a, b any) bool {
	left, errA := json.Marshal(a)
	right, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(left) == string(right)
}

// applySchedules adds a version to a schedule whose rotations have changed: from now on, never for
// the past. The first version is in force since ever.
func (a *applier) applySchedules(ctx context.Context, setup oncall.Setup) error {
	recent, err := recently(ctx, a.tx)
	if err != nil {
		return err
	}
	all, err := schedules(ctx, a.tx, recent)
	if err != nil {
		return err
	}
	stored := map[string]schedule.Definition{}
	for _, s := range all {
		stored[s.Name] = s
	}
	if err := remove(ctx, a, "schedule", `UPDATE schedules SET removed_at = $2 WHERE id = $1`, stored,
		func(s schedule.Definition) any { return s.ID },
		column(setup.Schedules, func(s oncall.SetupSchedule) string { return s.Name })); err != nil {
		return err
	}
	for _, s := range setup.Schedules {
		if err := a.applySchedule(ctx, s, stored); err != nil {
			return wrap(err, "save schedule %q", s.Name)
		}
	}
	return nil
}

func (a *applier) applySchedule(ctx context.Context, s oncall.SetupSchedule, stored map[string]schedule.Definition) error {
	const insert = `INSERT INTO schedules (team_id, name, time_zone, created_at) VALUES ($1, $2, $3, $4) RETURNING id`
	const update = `UPDATE schedules SET team_id = $2, time_zone = $3 WHERE id = $1`
	version, err := s.Version(a.users)
	if err != nil {
		return oncall.Refuse("Schedule %q: %s.", s.Name, err)
	}
	for i, r := range version.Rotations {
		if r.TimeZone == "" {
			// Written out, so that another zone of the schedule never changes the past.
			version.Rotations[i].TimeZone = s.TimeZone
		}
	}
	old, known := stored[s.Name]
	team := a.teams[s.Team]
	fresh := true
	version.CreatedAt = a.now
	if n := len(old.Versions); n > 0 {
		// Whoever has a turn keeps it: a new member must not change hands.
		if version.Rotations, err = schedule.KeepTurns(old.Current(a.now), version.Rotations, s.TimeZone, a.now); err != nil {
			return oncall.Refuse("Schedule %q: %s", s.Name, err)
		}
		fresh = !equal(old.Versions[n-1].Rotations, version.Rotations)
		version.EffectiveFrom = &a.now
	}
	next := old
	next.Name, next.TimeZone = s.Name, s.TimeZone
	next.Versions = append(slices.Clone(old.Versions), version)
	if _, err := schedule.Compile(next); err != nil {
		return oncall.Refuse("Schedule %q: %s", s.Name, err)
	}
	if err := old.CheckNewTurns(version.Rotations, a.now); fresh && err != nil {
		return oncall.Refuse("Schedule %q: %s", s.Name, err)
	}
	id := old.ID
	switch {
	case !known:
		a.say("add schedule %q", s.Name)
		err = a.tx.QueryRow(ctx, insert, team, s.Name, s.TimeZone, a.now).Scan(&id)
	case a.changed("schedule", s.Name, difference{"team", old.TeamID != team},
		difference{"time zone", old.TimeZone != s.TimeZone}, difference{"rotations", fresh}):
		_, err = a.tx.Exec(ctx, update, id, team, s.TimeZone)
	}
	if err != nil {
		return err
	}
	a.schedules[s.Name] = id
	if fresh {
		_, err = addVersion(ctx, a.tx, id, version)
		next.ID = id
		a.edits = append(a.edits, func(s *Store) error { return s.followEdit(ctx, a.tx, scheduleEdit{at: a.now}, old, next) })
	}
	return err
}

type storedIntegration struct {
	oncall.Integration
	KeyHash []byte
}

func (a *applier) applyIntegrations(ctx context.Context, setup oncall.Setup) error {
	const load = `
		SELECT id, team_id, policy_id, name, kind AS format, muted_at IS NOT NULL AS muted, key_hash
		FROM integrations
		WHERE removed_at IS NULL`
	rows, _ := a.tx.Query(ctx, load)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[storedIntegration])
	if err != nil {
		return err
	}
	stored := map[string]storedIntegration{}
	for _, in := range found {
		stored[in.Name] = in
	}
	if err := remove(ctx, a, "integration", `UPDATE integrations SET removed_at = $2 WHERE id = $1`, stored,
		func(in storedIntegration) any { return in.ID },
		column(setup.Integrations, func(in oncall.SetupIntegration) string { return in.Name })); err != nil {
		return err
	}
	for _, in := range setup.Integrations {
		err := a.applyIntegration(ctx, in, stored)
		if broken, ok := errors.AsType[*pgconn.PgError](err); ok && broken.ConstraintName == "integrations_key" {
			return oncall.Refuse("Integration %q: its key belongs to another integration.", in.Name)
		}
		if err != nil {
			return fmt.Errorf("save integration %q: %w", in.Name, err)
		}
	}
	return nil
}

func (a *applier) applyIntegration(ctx context.Context, in oncall.SetupIntegration, stored map[string]storedIntegration) error {
	const insert = `
		INSERT INTO integrations (team_id, policy_id, name, kind, key_hash, key_hint, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`
	const update = `UPDATE integrations SET team_id = $2, policy_id = $3, kind = $4 WHERE id = $1`
	old, known := stored[in.Name]
	team, policy, key := a.teams[in.Team], a.policies[in.Policy], in.Key
	if !known && key == "" {
		key = randomKey()
		a.report.Keys = append(a.report.Keys, NewKey{Integration: in.Name, Key: key})
	}
	if was, err := replaced(ctx, a.tx, key); err != nil {
		return err
	} else if was {
		return oncall.Refuse("Integration %q: the key in the file was replaced by another. Take it out of the file.", in.Name)
	}
	hash := sha256.Sum256([]byte(key))
	if !known {
		a.say("add integration %q", in.Name)
		_, err := a.tx.Exec(ctx, insert, team, policy, in.Name, in.Format, hash[:], hint(key), a.now)
		return err
	}
	other := key != "" && !slices.Equal(hash[:], old.KeyHash)
	if !a.changed("integration", in.Name, difference{"team", old.TeamID != team}, difference{"policy", old.PolicyID != policy},
		difference{"kind", old.Format != in.Format}, difference{"key", other}) {
		return nil
	}
	if other {
		if err := replaceKey(ctx, a.tx, old.ID, key, a.now, a.now); err != nil {
			return err
		}
	}
	_, err := a.tx.Exec(ctx, update, old.ID, team, policy, in.Format)
	return err
}

// hint is as much of a key as may be shown, to tell it from others.
func hint(key string) string { return key[max(0, len(key)-4):] }
