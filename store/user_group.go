package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// ScheduledGroups holds the Slack user groups that follow schedules, and the people last announced for these schedules.
type ScheduledGroups struct {
	Groups  []oncall.UserGroup
	Present []oncall.RoleHolders
	people  map[oncall.UserID]oncall.User
}

// Usable reports whether a person is known and can be paged.
func (g ScheduledGroups) Usable(u oncall.UserID) bool {
	p, known := g.people[u]
	return known && p.Unpageable() == ""
}

// ScheduledGroups loads the user groups and the announced people from the database, because this instance's directory may be
// out of date. It leaves out a group that follows a new schedule without a check so far: nothing announced doesn't mean
// that nobody is on call.
func (s *System) ScheduledGroups(ctx context.Context) (ScheduledGroups, error) {
	const groups = `
		SELECT id, handle, slack_id, schedules, roles, when_empty, fallback, trouble
		FROM user_groups
		WHERE removed_at IS NULL AND NOT EXISTS (
			SELECT
			FROM schedules s
			WHERE s.id = ANY (user_groups.schedules) AND s.removed_at IS NULL
			  AND NOT EXISTS (SELECT FROM handoffs h WHERE h.schedule_id = s.id)
		)
		ORDER BY handle`
	const present = `
		SELECT h.schedule_id AS schedule, h.role, h.users
		FROM handoffs h
		JOIN schedules s ON s.id = h.schedule_id AND s.removed_at IS NULL
		ORDER BY h.schedule_id, h.role`
	var f ScheduledGroups
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, groups)
		var err error
		if f.Groups, err = pgx.CollectRows(rows, pgx.RowToStructByName[oncall.UserGroup]); err != nil || len(f.Groups) == 0 {
			return err
		}
		rows, _ = tx.Query(ctx, present)
		if f.Present, err = pgx.CollectRows(rows, pgx.RowToStructByName[oncall.RoleHolders]); err != nil {
			return err
		}
		f.people, err = users(ctx, tx)
		return err
	})
	if err != nil {
		return ScheduledGroups{}, fmt.Errorf("load user groups: %w", err)
	}
	return f, nil
}

// GroupSeen stores the Slack id of a user group.
func (s *System) GroupSeen(ctx context.Context, id oncall.UserGroupID, slackID string) error {
	if _, err := s.pool.Exec(ctx, `UPDATE user_groups SET slack_id = $2 WHERE id = $1 AND slack_id = ''`, id, slackID); err != nil {
		return fmt.Errorf("keep the id of user group %d: %w", id, translate(err))
	}
	return nil
}

// GroupTrouble stores the problem with a user group; empty means none. When the problem changes, it tells the admins of
// the team of the group's first schedule.
func (s *System) GroupTrouble(ctx context.Context, id oncall.UserGroupID, trouble oncall.Sentence, now time.Time) error {
	// An earlier release stored people as mentions; the same problem isn't announced again.
	const save = `
		UPDATE user_groups SET trouble = $2
		WHERE id = $1 AND removed_at IS NULL AND translate(trouble, '@<>', '') <> translate($2, '@<>', '')
		RETURNING handle, coalesce((SELECT team_id FROM schedules WHERE id = schedules[1]), 0)`
	text := trouble.String()
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		var handle string
		var team oncall.TeamID
		rows, _ := tx.Query(ctx, save, id, text)
		tag, err := pgx.ForEachRow(rows, []any{&handle, &team}, func() error { return nil })
		if err != nil || tag.RowsAffected() == 0 || text == "" {
			return err
		}
		name, err := transaction(ctx, tx)
		if err != nil {
			return err
		}
		var notices []oncall.Notice
		for _, to := range dir.Watchers(team) {
			notices = append(notices, oncall.Notice{
				Key: fmt.Sprintf("group/%d/%s/%s", id, name, to), To: to, Kind: oncall.NoticeGroup,
				Detail: oncall.Saying(trouble),
			})
		}
		return s.saveNotices(ctx, tx, now, notices)
	})
	if err != nil {
		return fmt.Errorf("keep the trouble with user group %d: %w", id, err)
	}
	return nil
}

// GroupsNamed reports whether any policy pages a Slack user group, or a user group manages a team.
func (s *System) GroupsNamed(ctx context.Context) (bool, error) {
	dir, err := s.directory(ctx)
	return err == nil && len(dir.groupsNamed(true)) > 0, err
}

// groupsNamed returns the Slack user groups that policies page and, if asked for, those that manage teams.
func (d *Directory) groupsNamed(managers bool) []string {
	var names []string
	for _, p := range d.Policies {
		names = append(names, p.Groups()...)
	}
	for _, t := range d.Teams {
		if managers && t.ManagedBy != "" {
			names = append(names, t.ManagedBy)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// A mirrored group is the stored copy of a Slack user group.
type mirrored struct {
	id    string
	users []oncall.UserID
}

// SaveGroupMembers stores the members of the Slack user groups that the set-up names. A group that is missing or disabled in
// Slack is deleted here, and the step that names it then reports the problem.
func (s *System) SaveGroupMembers(ctx context.Context, seen []oncall.SlackGroup, now time.Time) error {
	const load = `SELECT handle, users, slack_id FROM slack_groups ORDER BY handle FOR UPDATE`
	const forget = `DELETE FROM slack_groups WHERE NOT handle = ANY ($1)`
	const upsert = `
		INSERT INTO slack_groups (handle, users, slack_id, seen_at)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (handle) DO UPDATE SET users = $2, slack_id = $3, seen_at = $4`
	const same = `UPDATE slack_groups SET seen_at = $1 WHERE seen_at IS NULL OR seen_at < $2`
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	names := dir.groupsNamed(true)
	changed := false
	err = s.transact(ctx, func(tx pgx.Tx) error {
		changed = false
		was, is := map[string]mirrored{}, map[string]mirrored{}
		rows, _ := tx.Query(ctx, load)
		var handle string
		var m mirrored
		if _, err := pgx.ForEachRow(rows, []any{&handle, &m.users, &m.id}, func() error {
			was[handle], m = m, mirrored{}
			return nil
		}); err != nil {
			return err
		}
		for _, name := range names {
			if i := setup.IndexGroup(name, was[name].id, seen); i >= 0 && !seen[i].Disabled {
				is[name] = mirrored{seen[i].ID, seen[i].Users}
			}
		}
		if maps.EqualFunc(was, is, func(a, b mirrored) bool { return a.id == b.id && slices.Equal(a.users, b.users) }) {
			_, err := tx.Exec(ctx, same, now, now.Add(-time.Hour))
			return err
		}
		changed = true
		if _, err := tx.Exec(ctx, forget, nonNil(sortedKeys(is))); err != nil {
			return err
		}
		for _, name := range sortedKeys(is) {
			if _, err := tx.Exec(ctx, upsert, name, nonNil(is[name].users), is[name].id, now); err != nil {
				return err
			}
		}
		if err := record(ctx, tx, oncall.ByTimer(), now, dir.managersBecame(was, is)...); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("mirror Slack user groups: %w", err)
	}
	if changed {
		s.cache.drop()
	}
	return nil
}

// managersBecame returns audit entries for the teams whose managers changed with the members of a user group.
func (d *Directory) managersBecame(was, is map[string]mirrored) (entries []audit.Entry) {
	for _, t := range d.Teams {
		if before, after := was[t.ManagedBy].users, is[t.ManagedBy].users; t.ManagedBy != "" && !slices.Equal(before, after) {
			entries = append(entries, audit.ManagedByGroup(t, before, after))
		}
	}
	return entries
}

// unreadManagersKept is how long the members of a user group that can't be read any more keep managing teams.
const unreadManagersKept = 24 * time.Hour

// GroupsUnread ends people's permissions from user groups that could not be read for long, because people may have left
// the groups. Paging keeps using the last known members, because somebody has to be paged.
func (s *System) GroupsUnread(ctx context.Context, now time.Time) error {
	const begin = `UPDATE slack_groups SET seen_at = $1 WHERE seen_at IS NULL`
	const stale = `SELECT handle, users FROM slack_groups WHERE seen_at < $1 AND users <> '{}' AND NOT handle = ANY ($2) FOR UPDATE`
	const end = `UPDATE slack_groups SET users = '{}' WHERE handle = ANY ($1)`
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	var ended int
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, begin, now); err != nil {
			return err
		}
		before := map[string]mirrored{}
		var handle string
		var m mirrored
		rows, _ := tx.Query(ctx, stale, now.Add(-unreadManagersKept), nonNil(dir.groupsNamed(false)))
		_, err := pgx.ForEachRow(rows, []any{&handle, &m.users}, func() error {
			before[handle], m = m, mirrored{}
			return nil
		})
		if ended = len(before); err != nil || ended == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, end, sortedKeys(before)); err != nil {
			return err
		}
		if err := record(ctx, tx, oncall.ByTimer(), now, dir.managersBecame(before, nil)...); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("end what user groups allow: %w", err)
	}
	if ended > 0 {
		s.cache.drop()
		s.log.Warn().Int("groups", ended).Msg("user groups could not be read for a day; their members manage nothing until they are")
	}
	return nil
}

// loadSlackGroups loads the stored members of Slack user groups.
func (d *Directory) loadSlackGroups(ctx context.Context, tx pgx.Tx) error {
	d.groups = map[string][]oncall.UserID{}
	rows, _ := tx.Query(ctx, `SELECT handle, users FROM slack_groups`)
	var handle string
	var users []oncall.UserID
	_, err := pgx.ForEachRow(rows, []any{&handle, &users}, func() error {
		d.groups[handle], users = users, nil
		return nil
	})
	return err
}

// Topic returns a team's channel and our segment of its topic, which names the people announced in the team's schedules.
// Both are empty if the team doesn't want the topic set.
func (s *System) Topic(ctx context.Context, id oncall.TeamID) (channel, segment string, err error) {
	const load = `
		SELECT t.channel, s.name,
		       ARRAY (
		           SELECT DISTINCT u.name
		           FROM handoffs h
		           JOIN users u ON u.id = ANY (h.users)
		           WHERE h.schedule_id = s.id AND h.role <> $2
		           ORDER BY u.name
		       ) AS names
		FROM teams t
		JOIN schedules s ON s.team_id = t.id AND s.removed_at IS NULL
		WHERE t.id = $1 AND t.topic AND t.removed_at IS NULL
		ORDER BY s.name`
	rows, _ := s.pool.Query(ctx, load, id, schedule.RoleShadow)
	var lines []string
	var schedule string
	var names []string
	_, err = pgx.ForEachRow(rows, []any{&channel, &schedule, &names}, func() error {
		lines = append(lines, oncall.TopicLine(schedule, names))
		return nil
	})
	if err != nil {
		return "", "", fmt.Errorf("load the topic of team %d: %w", id, translate(err))
	}
	dir, err := s.directory(ctx)
	if err != nil {
		return "", "", err
	}
	if len(lines) == 0 || dir.Veiled(id, channel) {
		return "", "", nil
	}
	return channel, oncall.TopicSegment(lines), nil
}
