package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

func liveUserGroups(ctx context.Context, tx pgx.Tx) ([]oncall.UserGroup, error) {
	const load = `
		SELECT id, handle, slack_id, schedules, roles, when_empty, fallback, trouble
		FROM user_groups
		WHERE removed_at IS NULL
		ORDER BY id`
	rows, _ := tx.Query(ctx, load)
	return pgx.CollectRows(rows, pgx.RowToStructByName[oncall.UserGroup])
}

// applyUserGroups sets which Slack user groups follow which schedules.
func (a *applier) applyUserGroups(ctx context.Context, doc setup.Setup) error {
	found, err := liveUserGroups(ctx, a.tx)
	if err != nil {
		return err
	}
	stored := map[string]oncall.UserGroup{}
	for _, g := range found {
		stored[g.Handle] = g
	}
	if err := remove(ctx, a, "user group", `UPDATE user_groups SET removed_at = $2 WHERE id = $1`, stored,
		func(g oncall.UserGroup) any { return g.ID }, column(doc.UserGroups, setup.UserGroup.Name)); err != nil {
		return err
	}
	for _, g := range doc.UserGroups {
		if err := a.applyUserGroup(ctx, g, stored); err != nil {
			return fmt.Errorf("save user group %q: %w", g.Handle, err)
		}
	}
	return nil
}

func (a *applier) applyUserGroup(ctx context.Context, g setup.UserGroup, stored map[string]oncall.UserGroup) error {
	const insert = `
		INSERT INTO user_groups (handle, schedules, roles, when_empty, fallback, created_at, trouble)
		VALUES ($1, $2, $3, $4, $5, $6, '')`
	const update = `UPDATE user_groups SET schedules = $2, roles = $3, when_empty = $4, fallback = $5 WHERE id = $1`
	var schedules []oncall.ScheduleID
	for _, name := range g.Schedules {
		schedules = append(schedules, a.schedules[name])
	}
	rule := g.WhenEmpty
	if rule == "" {
		rule = oncall.WhenEmptyKeep
	}
	fallback := a.users[g.Fallback]
	old, known := stored[g.Name()]
	if !known {
		a.addLine("add user group %q", g.Name())
		_, err := a.tx.Exec(ctx, insert, g.Name(), schedules, nonNil(g.Roles), rule, fallback, a.now)
		return err
	}
	if !a.changed("user group", g.Name(), difference{"schedules", !slices.Equal(old.Schedules, schedules)},
		difference{"roles", !slices.Equal(old.Roles, g.Roles)}, difference{"when empty", old.WhenEmpty != rule},
		difference{"fallback", old.Fallback != fallback}) {
		return nil
	}
	_, err := a.tx.Exec(ctx, update, old.ID, schedules, nonNil(g.Roles), rule, fallback)
	return err
}
