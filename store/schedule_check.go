package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// checkScheduleWithin is the longest time between two checks of a schedule.
const checkScheduleWithin = 7 * 24 * time.Hour

// CheckSchedule compares the people on call in a schedule with the people last announced, announces changes, sends due
// reminders, and queues the next check. If several instances check a schedule at once, only the first finds work.
func (s *System) CheckSchedule(ctx context.Context, id oncall.ScheduleID, now time.Time) error {
	const lock = `SELECT look_at FROM schedules WHERE id = $1 AND removed_at IS NULL FOR UPDATE`
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		var planned *time.Time
		if err := tx.QueryRow(ctx, lock, id).Scan(&planned); err != nil {
			return err
		}
		found, err := definition(ctx, tx, id, scope{since: now.Add(-keepPastShifts)})
		if err != nil {
			return err
		}
		compiled, err := schedule.Compile(found)
		if err != nil {
			return err
		}
		l := scheduleCheck{Store: s.Store, tx: tx, dir: dir, now: now, schedule: compiled, overrides: found.Overrides}
		if err := l.compare(ctx); err != nil {
			return err
		}
		reminder, err := l.remind(ctx)
		if err != nil {
			return err
		}
		return l.plan(ctx, planned, reminder)
	})
	if err != nil {
		return fmt.Errorf("look at schedule %d: %w", id, err)
	}
	return nil
}

// A scheduleCheck is the state of one CheckSchedule.
type scheduleCheck struct {
	*Store
	tx       pgx.Tx
	dir      *Directory
	now      time.Time
	schedule *schedule.Schedule

	overrides []schedule.Override
}

// compare announces the hand-offs of every role. The first person on call in a new schedule is stored but not announced,
// because nobody hands off to them.
func (check scheduleCheck) compare(ctx context.Context) error {
	stored, err := handoffs(ctx, check.tx, check.schedule.ID())
	if err != nil {
		return err
	}
	duties := check.schedule.Who(check.now)
	for _, h := range stored { // a role that no longer exists
		if !slices.ContainsFunc(duties, func(d schedule.Duty) bool { return d.Role == h.Role }) {
			duties = append(duties, schedule.Duty{Role: h.Role})
		}
	}
	changed := false
	for _, d := range duties {
		before, after := oncall.Handoff{Schedule: check.schedule.ID(), Role: d.Role}, oncall.Handoff{}
		turned := false
		if i := slices.IndexFunc(stored, func(h oncall.Handoff) bool { return h.Role == d.Role }); i >= 0 {
			before = stored[i]
			after, turned = before.Next(d.Users, check.now)
		} else {
			after = before
			after.Users, after.At = d.Users, check.now
			changed = true
			if err := saveHandoff(ctx, check.tx, after); err != nil {
				return err
			}
		}
		if turned {
			changed = true
			if err := check.announce(ctx, before, after, d); err != nil {
				return err
			}
		}
	}
	if !changed {
		return nil
	}
	return check.enqueue(ctx, check.tx, check.now, check.reflections())
}

// reflections returns the tasks that update Slack user groups and channel topics.
func (check scheduleCheck) reflections() []oncall.Task {
	var tasks []oncall.Task
	if slices.ContainsFunc(check.dir.UserGroups, func(g oncall.UserGroup) bool { return slices.Contains(g.Schedules, check.schedule.ID()) }) {
		tasks = append(tasks, oncall.Task{Args: oncall.SyncGroups{}})
	}
	if check.dir.teams[check.schedule.TeamID()].Topic {
		tasks = append(tasks, oncall.Task{Args: oncall.SetTopic{Team: check.schedule.TeamID()}})
	}
	return tasks
}

// announce saves a hand-off, notifies the people concerned, and pages the new people for incidents that nobody has
// acknowledged.
func (check scheduleCheck) announce(ctx context.Context, before, h oncall.Handoff, d schedule.Duty) error {
	if err := check.tx.QueryRow(ctx, `SELECT nextval('handoff_numbers')`).Scan(&h.Number); err != nil {
		return fmt.Errorf("number a hand-off: %w", err)
	}
	h = h.TakenOver(check.overrides)
	if err := saveHandoff(ctx, check.tx, h); err != nil {
		return err
	}
	if before.Number != 0 {
		err := check.renotice(ctx, check.tx, check.now, oncall.HandoffNotices, before.Number, func(f *oncall.NoticeDetail) {
			if f.State != oncall.HandoffTaken {
				f.State, f.StateAt = oncall.HandoffOver, check.now
			}
		})
		if err != nil {
			return err
		}
	}
	if h.Role != schedule.RoleShadow {
		if err := check.adopt(ctx, h.Incoming); err != nil {
			return err
		}
	}
	b, err := briefing(ctx, check.tx, check.dir, check.schedule, d)
	if err != nil {
		return err
	}
	b.Told = h.KnownBy(check.overrides)
	notices, tasks := h.Announce(b)
	if err := check.notify(ctx, notices); err != nil {
		return err
	}
	return check.enqueue(ctx, check.tx, check.now, tasks)
}

// adopt pages the people who have come on call for the incidents that nobody has acknowledged.
func (check scheduleCheck) adopt(ctx context.Context, users []oncall.UserID) error {
	const orphans = `
		SELECT id
		FROM incidents
		WHERE status = 'triggered' AND (exhausted OR unassigned)
		  AND (policy_id = ANY ($1) OR home_policy = ANY ($1))
		ORDER BY id`
	var policies []oncall.PolicyID
	for id, p := range check.dir.Policies {
		if p.Pages(check.schedule.ID()) {
			policies = append(policies, id)
		}
	}
	rows, _ := check.tx.Query(ctx, orphans, policies)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
	if err != nil {
		return fmt.Errorf("list incidents that nobody has: %w", err)
	}
	found, err := lockIncidents(ctx, check.tx, ids)
	if err != nil {
		return fmt.Errorf("lock incidents that nobody has: %w", err)
	}
	var changes []oncall.Change
	for _, in := range found {
		if c, adopted := in.PageNewlyOnCall(users, check.schedule.Name(), check.dir.Facts(), check.now); adopted {
			changes = append(changes, c)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return check.save(ctx, check.tx, check.now, changes)
}

// remind sends the reminders that are due, and returns when the next one is.
func (check scheduleCheck) remind(ctx context.Context) (time.Time, error) {
	chosen, err := chosenReminders(ctx, check.tx)
	if err != nil {
		return time.Time{}, err
	}
	due, next := oncall.Reminders(check.schedule, check.now, func(u oncall.UserID) []time.Duration {
		if own, set := chosen[u]; set {
			return own
		}
		return oncall.RemindBefore
	})
	return next, check.notify(ctx, due)
}

// notify sends notices, which show times in their readers' zones.
func (check scheduleCheck) notify(ctx context.Context, notices []oncall.Notice) error {
	if err := inZones(ctx, check.tx, notices); err != nil {
		return err
	}
	return check.saveNotices(ctx, check.tx, check.now, notices)
}

// plan queues the next check, unless an earlier one is queued.
func (check scheduleCheck) plan(ctx context.Context, planned *time.Time, next time.Time) error {
	horizon := check.now.Add(checkScheduleWithin)
	if next.IsZero() || next.After(horizon) {
		next = horizon
	}
	for _, role := range check.schedule.Roles() {
		if t, ok := check.schedule.NextChange(check.now, next, role); ok && t.Before(next) {
			next = t
		}
	}
	if planned != nil && planned.After(check.now) && !next.Before(*planned) {
		return nil
	}
	const save = `UPDATE schedules SET look_at = $2 WHERE id = $1`
	if _, err := check.tx.Exec(ctx, save, check.schedule.ID(), next); err != nil {
		return fmt.Errorf("plan the next look: %w", err)
	}
	return check.enqueue(ctx, check.tx, check.now, []oncall.Task{{Args: oncall.CheckSchedule{Schedule: check.schedule.ID()}, At: next}})
}

// DueScheduleChecks lists the schedules whose check is overdue or whose announced people are out of date. It finds them
// even if their job was lost.
func (s *System) DueScheduleChecks(ctx context.Context, now time.Time) ([]oncall.ScheduleID, error) {
	const load = `
		SELECT s.id, s.look_at, coalesce(h.role, '') AS role, coalesce(h.users, '{}') AS users
		FROM schedules s
		LEFT JOIN handoffs h ON h.schedule_id = s.id
		WHERE s.removed_at IS NULL`
	type row struct {
		ID     oncall.ScheduleID
		LookAt *time.Time
		Role   string
		Users  []oncall.UserID
	}
	dir, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	rows, _ := s.pool.Query(ctx, load)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return nil, fmt.Errorf("list hand-offs: %w", translate(err))
	}
	var due []oncall.ScheduleID
	roles := map[oncall.ScheduleID]int{}
	for _, r := range found {
		c, usable := dir.Schedule(r.ID)
		if !usable || slices.Contains(due, r.ID) {
			continue
		}
		if r.LookAt == nil || !r.LookAt.After(now) || !slices.Equal(r.Users, c.At(now, r.Role)) {
			due = append(due, r.ID)
		}
		roles[r.ID]++
	}
	for id, n := range roles { // a new role
		if c, usable := dir.Schedule(id); usable && n < len(c.Roles()) && !slices.Contains(due, id) {
			due = append(due, id)
		}
	}
	return due, nil
}

// checkAllSchedules queues a check of every schedule and of coverage, after a change that may affect any of them.
func (s *Store) checkAllSchedules(ctx context.Context, tx pgx.Tx, now time.Time) error {
	rows, _ := tx.Query(ctx, `SELECT id FROM schedules WHERE removed_at IS NULL ORDER BY id`)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.ScheduleID])
	if err != nil {
		return fmt.Errorf("list schedules: %w", err)
	}
	tasks := []oncall.Task{{Args: oncall.CheckCoverage{}}}
	for _, id := range ids {
		tasks = append(tasks, oncall.Task{Args: oncall.CheckSchedule{Schedule: id}})
	}
	return s.enqueue(ctx, tx, now, tasks)
}
