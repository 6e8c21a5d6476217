package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/holiday"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// equal compares two values in their stored form, JSON.
func equal(a, b any) bool {
	left, errA := json.Marshal(a)
	right, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(left) == string(right)
}

// applySchedules adds a version to each schedule whose rotations have changed. A new version applies from now on and
// never to the past, except that the first version of a schedule has no beginning.
func (a *applier) applySchedules(ctx context.Context, doc setup.Setup) error {
	recent, err := recently(ctx, a.tx)
	if err != nil {
		return err
	}
	all, err := schedules(ctx, a.tx, recent)
	if err != nil {
		return err
	}
	if a.holidays, err = holidayCalendars(ctx, a.tx); err != nil {
		return err
	}
	stored := map[string]schedule.Definition{}
	for _, s := range all {
		stored[s.Name] = s
	}
	if err := remove(ctx, a, "schedule", `UPDATE schedules SET removed_at = $2 WHERE id = $1`, stored,
		func(s schedule.Definition) any { return s.ID },
		append(column(doc.Schedules, func(s setup.Schedule) string { return s.Name }), a.slackSchedules(all)...)); err != nil {
		return err
	}
	for _, s := range doc.Schedules {
		if err := a.applySchedule(ctx, s, stored); err != nil {
			return wrap(err, "save schedule %q", s.Name)
		}
	}
	return nil
}

// slackSchedules returns the names of the schedules of teams that edit schedules in Slack.
func (a *applier) slackSchedules(all map[oncall.ScheduleID]schedule.Definition) []string {
	var names []string
	for _, s := range all {
		if a.slacks[s.TeamID] && !a.byHand {
			names = append(names, s.Name)
		}
	}
	return names
}

func (a *applier) applySchedule(ctx context.Context, made setup.Schedule, stored map[string]schedule.Definition) error {
	old, known := stored[made.Name]
	next, added, err := a.nextSchedule(made, old)
	if err != nil {
		return err
	}
	differences := []difference{
		{"team", old.TeamID != next.TeamID},
		{"time zone", old.TimeZone != made.TimeZone},
		{"rotations", len(added) > 0},
		{"apart", old.Apart != next.Apart},
	}
	if known && a.slacks[old.TeamID] && !a.byHand {
		if slices.ContainsFunc(differences, func(d difference) bool { return d.is }) {
			a.report.Slacks = append(a.report.Slacks, fmt.Sprintf("schedule %q", made.Name))
		}
		a.schedules[made.Name] = old.ID
		return nil
	}
	switch {
	case !known:
		a.addLine("add schedule %q", made.Name)
		const insert = `INSERT INTO schedules (team_id, name, time_zone, apart, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id`
		err = a.tx.QueryRow(ctx, insert, next.TeamID, made.Name, made.TimeZone, next.Apart, a.now).Scan(&next.ID)
	case a.changed("schedule", made.Name, differences...):
		const update = `UPDATE schedules SET team_id = $2, time_zone = $3, apart = $4 WHERE id = $1`
		if _, err = a.tx.Exec(ctx, update, old.ID, next.TeamID, made.TimeZone, next.Apart); err == nil {
			err = a.explain(ctx, old, next)
		}
	}
	if err != nil {
		return err
	}
	a.schedules[made.Name] = next.ID
	for _, v := range added {
		if _, err := addVersion(ctx, a.tx, next.ID, v); err != nil {
			return err
		}
	}
	if !known {
		for _, shift := range next.Shifts {
			if _, err := saveShift(ctx, a.tx, next.ID, shift, "", a.now); err != nil {
				return err
			}
		}
	}
	if !known || len(added) > 0 {
		a.edits = append(a.edits, func(s *Store) error {
			return s.queueAfterEdit(ctx, a.tx, scheduleEdit{at: a.now, goes: true}, old, next)
		})
	}
	return nil
}

// nextSchedule returns the changed schedule and its new versions. Manual shifts are taken from the document only for a
// new schedule; later they are edited in Slack.
func (a *applier) nextSchedule(made setup.Schedule, old schedule.Definition) (schedule.Definition, []schedule.Version, error) {
	next := old
	wanted, err := made.Versions(a.users)
	if err != nil {
		return next, nil, oncall.Refuse("Schedule %q: %s.", made.Name, err)
	}
	for _, v := range wanted {
		holiday.Fill(v.Rotations, a.holidays)
	}
	added, err := old.Become(wanted, a.now)
	if err != nil {
		return next, nil, oncall.Refuse("Schedule %q: %s", made.Name, err)
	}
	next.TeamID, next.Name, next.TimeZone = a.teams[made.Team], made.Name, made.TimeZone
	next.Versions = slices.Concat(old.Versions, added)
	if made.Apart != nil {
		next.Apart = *made.Apart
	}
	if old.ID == 0 {
		shifts, err := made.HandMade(a.users)
		if err != nil {
			return next, nil, oncall.Refuse("Schedule %q: %s.", made.Name, err)
		}
		for _, shift := range shifts {
			if err := next.Fits(shift); err != nil {
				return next, nil, oncall.Refuse("Schedule %q: %s", made.Name, err)
			}
			if shift.End.After(a.now) {
				next.Shifts = append(next.Shifts, shift)
			}
		}
	}
	if _, err := schedule.Compile(next); err != nil {
		return next, nil, oncall.Refuse("Schedule %q: %s", made.Name, err)
	}
	for _, v := range added {
		from := a.now
		if v.EffectiveFrom != nil {
			from = *v.EffectiveFrom
		}
		if err := old.CheckNewTurns(v.Rotations, from); err != nil {
			return next, nil, oncall.Refuse("Schedule %q: %s", made.Name, err)
		}
	}
	return next, added, nil
}

type storedIntegration struct {
	oncall.Integration
	KeyHash []byte
	KeyHint string
}

func liveIntegrations(ctx context.Context, tx pgx.Tx) ([]storedIntegration, error) {
	const load = `
		SELECT id, team_id, policy_id, name, kind AS format, muted_at IS NOT NULL AS muted, muted_until, taken_for AS monitors, storm_limit, grouping, mapping, silencing,
		       topics, signed, sign_secret, sign_before, before_ends_at,
		       first_signal_at IS NOT NULL AS heard, key_hash, key_hint
		FROM integrations
		WHERE removed_at IS NULL
		ORDER BY id`
	rows, _ := tx.Query(ctx, load)
	return pgx.CollectRows(rows, pgx.RowToStructByName[storedIntegration])
}

func (a *applier) applyIntegrations(ctx context.Context, doc setup.Setup) error {
	found, err := liveIntegrations(ctx, a.tx)
	if err != nil {
		return err
	}
	stored := map[string]storedIntegration{}
	for _, in := range found {
		stored[in.Name] = in
	}
	if err := remove(ctx, a, "integration", `UPDATE integrations SET removed_at = $2 WHERE id = $1`, stored,
		func(in storedIntegration) any { return in.ID },
		column(doc.Integrations, func(in setup.Integration) string { return in.Name })); err != nil {
		return err
	}
	for _, in := range doc.Integrations {
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

func (a *applier) applyIntegration(ctx context.Context, in setup.Integration, stored map[string]storedIntegration) error {
	const insert = `
		INSERT INTO integrations (team_id, policy_id, name, kind, key_hash, key_hint, created_at, storm_limit, grouping, mapping, silencing, topics)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	const update = `UPDATE integrations SET team_id = $2, policy_id = $3, kind = $4, storm_limit = $5, grouping = $6, mapping = $7, silencing = $8,
		topics = $9, signed = $10 WHERE id = $1`
	in.Format = cmp.Or(in.Format, oncall.AutoFormat)
	old, known := stored[in.Name]
	storm, err := in.StormLimit()
	if err != nil {
		return err
	}
	group, err := in.Grouping()
	if err != nil {
		return err
	}
	silencing, err := in.Silencing()
	if err != nil {
		return err
	}
	team, policy, key := a.teams[in.Team], a.policies[in.Policy], in.Key
	if !known && key == "" {
		key = randomKey()
		a.report.Keys = append(a.report.Keys, NewKey{Integration: in.Name, Key: key, Format: in.Format})
	}
	if was, err := replaced(ctx, a.tx, key); err != nil {
		return err
	} else if was {
		return oncall.Refuse("Integration %q: the key in the file was replaced by another. Take it out of the file.", in.Name)
	}
	hash := sha256.Sum256([]byte(key))
	if in.Signed && old.SignSecret == "" {
		return oncall.Refuse("Integration %q: there is no secret yet with which its monitor could sign. Apply the file without signed: true, "+
			"let `watchbill integration sign` make one, give it to the monitor, and apply it again.", in.Name)
	}
	if !known {
		a.addLine("add integration %q", in.Name)
		_, err := a.tx.Exec(ctx, insert, team, policy, in.Name, in.Format, hash[:], hint(key), a.now, storm, group, in.Mapping, silencing, nonNil(in.Topics))
		return err
	}
	other := key != "" && !slices.Equal(hash[:], old.KeyHash)
	if !a.changed("integration", in.Name, difference{"team", old.TeamID != team}, difference{"policy", old.PolicyID != policy},
		difference{"kind", old.Format != in.Format}, difference{"key", other}, difference{"storm", old.StormLimit != storm},
		difference{"group", !reflect.DeepEqual(old.Grouping, group)},
		difference{"mapping", !equal(old.Mapping, in.Mapping)}, difference{"silence", !equal(old.Silencing, silencing)},
		difference{"topics", !slices.Equal(old.Topics, in.Topics)}, difference{"signed", old.Signed != in.Signed}) {
		return nil
	}
	if other {
		if err := replaceKey(ctx, a.tx, old.ID, key, a.now, a.now); err != nil {
			return err
		}
		a.entries = append(a.entries, audit.RotatedKey(in.Name, team, old.KeyHint, hint(key), a.now))
	}
	_, err = a.tx.Exec(ctx, update, old.ID, team, policy, in.Format, storm, group, in.Mapping, silencing, nonNil(in.Topics), in.Signed)
	return err
}

// hint returns the last characters of a key, to identify the key without revealing it.
func hint(key string) string { return key[max(0, len(key)-4):] }
