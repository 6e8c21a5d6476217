package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// An ApplyReport describes the changes that Apply made or would make.
type ApplyReport struct {
	Changes []string            // in order; empty: nothing had to change
	Kept    []string            // things that the document doesn't name and that were left alone
	Slacks  []string            // schedules that differ from the document, in teams that edit schedules in Slack
	Details map[string][]string // by change: who has edited the schedule in Slack, and whose hours move
	Routes  []RouteChange       // changed lists of routes
	After   *Directory          // the directory after the changes; nil: no changes
	Keys    []NewKey            // keys of new integrations, to be shown once; they can't be read later
}

// A NewKey is the key of a new integration.
type NewKey struct {
	Integration, Key string
	Format           oncall.Format
}

// errDryRun rolls back the transaction of a dry run.
var errDryRun = errors.New("dry run")

// ApplyOptions controls what Apply does.
type ApplyOptions struct {
	Write bool // make the changes, instead of only reporting them
	Prune bool // remove things that the document doesn't name, except people

	// Channels holds the channels of the document that were looked up in Slack.
	Channels []oncall.NamedChannel

	By oncall.Actor // who applies the document

	// People holds the people of the document whose standing in the workspace was looked up in Slack.
	People []oncall.User
}

// Apply makes the installation match the document, which must have passed its own Check. The error is a Refusal if a
// change is not possible.
func (s *System) Apply(ctx context.Context, doc setup.Setup, how ApplyOptions, now time.Time) (ApplyReport, error) {
	applying := newApplier(how, now)
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, applyLock); err != nil {
			return err
		}
		applying.tx = tx
		if err := applying.remember(ctx, how); err != nil {
			return err
		}
		if err := s.applyAll(ctx, applying, doc); err != nil {
			return err
		}
		if err := applying.lookBack(ctx, s.Store, how); err != nil {
			return err
		}
		if err := applying.forgetChannels(ctx); err != nil {
			return err
		}
		learned, err := saveChannels(ctx, tx, how.Channels, now)
		if err == nil {
			err = applying.saveStandings(ctx, how.People)
		}
		switch {
		case err != nil:
			return err
		case len(applying.report.Changes) == 0 && applying.staffed:
			return errors.Join(s.checkAllSchedules(ctx, tx, now), announce(ctx, tx))
		case len(applying.report.Changes) == 0 && learned == 0:
			return nil
		case len(applying.report.Changes) == 0:
			return announce(ctx, tx)
		}
		if err := applying.record(ctx, how.By); err != nil {
			return err
		}
		if err := s.queueJobs(ctx, applying, doc); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if errors.Is(err, errDryRun) {
		applying.report.Keys = nil // the real run makes other keys
		return applying.report, nil
	}
	if err != nil {
		return ApplyReport{}, wrap(err, "apply")
	}
	s.cache.drop()
	return applying.report, nil
}

// newApplier makes an empty applier.
func newApplier(how ApplyOptions, now time.Time) *applier {
	return &applier{
		by: how.By, now: now, prune: how.Prune, users: map[string]oncall.UserID{}, teams: map[string]oncall.TeamID{},
		schedules: map[string]oncall.ScheduleID{}, policies: map[string]oncall.PolicyID{},
		slacks: map[oncall.TeamID]bool{},
	}
}

// applyAll applies all parts of the document.
func (s *Store) applyAll(ctx context.Context, a *applier, doc setup.Setup) error {
	for _, part := range []func(context.Context, setup.Setup) error{
		a.applyUsers, a.applyTeams, a.applySchedules, a.applyPolicies, a.applyTeamPolicies, a.applyIntegrations, a.applyHeartbeats, a.applyRoutes, a.applyUserGroups,
		a.applyMaintenance,
	} {
		if err := part(ctx, doc); err != nil {
			return err
		}
	}
	return nil
}

// lookBack loads the state after the changes, for the report. In a dry run it returns errDryRun.
func (a *applier) lookBack(ctx context.Context, s *Store, how ApplyOptions) (err error) {
	if len(a.report.Changes) > 0 {
		a.report.After, err = s.readDirectory(ctx, a.tx, time.Time{})
	}
	if err == nil && !how.Write {
		return errDryRun
	}
	return err
}

// remember loads the state before the changes, for the report and the audit log.
func (a *applier) remember(ctx context.Context, how ApplyOptions) (err error) {
	if how.Write {
		a.before, err = installation(ctx, a.tx, a.now)
	}
	return err
}

// record writes the changes to the audit log.
func (a *applier) record(ctx context.Context, by oncall.Actor) error {
	after, err := installation(ctx, a.tx, a.now)
	if err != nil {
		return err
	}
	return record(ctx, a.tx, by, a.now, append(audit.Setup(a.before, after, a.now), a.entries...)...)
}

// queueJobs queues the jobs that the changes require.
func (s *Store) queueJobs(ctx context.Context, applying *applier, doc setup.Setup) error {
	for _, follow := range applying.edits {
		if err := follow(s); err != nil {
			return err
		}
	}
	if applying.staffed {
		if err := s.checkAllSchedules(ctx, applying.tx, applying.now); err != nil {
			return err
		}
	}
	tasks := []oncall.Task{{Args: oncall.CheckCoverage{}}}
	managed := slices.ContainsFunc(doc.Teams, func(t setup.Team) bool { return t.ManagedBy() != "" })
	if len(doc.UserGroups) > 0 || applying.groups || managed {
		tasks = append(tasks, oncall.Task{Args: oncall.SyncGroups{}})
	}
	for _, team := range doc.Teams {
		if team.Topic {
			tasks = append(tasks, oncall.Task{Args: oncall.SetTopic{Team: applying.teams[team.Name]}})
		}
	}
	return s.enqueue(ctx, applying.tx, applying.now, tasks)
}

// An applier applies a document in one transaction. Its maps give the ids of the names processed so far.
type applier struct {
	tx      pgx.Tx
	now     time.Time
	by      oncall.Actor
	prune   bool
	only    string // the only kind of thing to remove; empty: all kinds
	byHand  bool   // a person's own edit, which applies to schedules edited in Slack as well
	report  ApplyReport
	edits   []func(*Store) error // consequences of edited schedules
	groups  bool                 // a policy names Slack user groups
	staffed bool                 // the people on call may have changed: somebody joined or left a team, or became a guest

	before  setup.Installation // the state before, for the audit log
	entries []audit.Entry      // changes that a comparison with before doesn't show

	known     map[oncall.UserID]setup.KnownUser
	users     map[string]oncall.UserID
	teams     map[string]oncall.TeamID
	schedules map[string]oncall.ScheduleID
	policies  map[string]oncall.PolicyID
	slacks    map[oncall.TeamID]bool // teams that edit their schedules in Slack

	holidays map[string][]schedule.Holiday // of the calendars that have an address
}

func (a *applier) ids() setup.IDs {
	return setup.IDs{Users: a.users, Teams: a.teams, Schedules: a.schedules, Policies: a.policies}
}

func (a *applier) addLine(format string, args ...any) {
	a.report.Changes = append(a.report.Changes, fmt.Sprintf(format, args...))
}

// A difference is a changed property of a thing.
type difference struct {
	what string
	is   bool
}

// changed adds the differences to the report, if there are any.
func (a *applier) changed(kind, name string, all ...difference) bool {
	var what []string
	for _, d := range all {
		if d.is {
			what = append(what, d.what)
		}
	}
	if len(what) > 0 {
		a.addLine("change %s %q: %s", kind, name, strings.Join(what, ", "))
	}
	return len(what) > 0
}

// remove deletes stored things that the document doesn't name, if pruning is on. It runs before anything else of the
// kind, so that a freed name or key can be used again. The statement takes an id and the time.
func remove[R any](ctx context.Context, applying *applier, kind, sql string, stored map[string]R, id func(R) any, names []string) error {
	for _, name := range sortedKeys(stored) {
		if slices.Contains(names, name) {
			continue
		}
		if !applying.prune || applying.only != "" && applying.only != kind {
			applying.report.Kept = append(applying.report.Kept, fmt.Sprintf("%s %q", kind, name))
			continue
		}
		applying.addLine("remove %s %q", kind, name)
		if _, err := applying.tx.Exec(ctx, sql, id(stored[name]), applying.now); err != nil {
			return fmt.Errorf("remove %s %q: %w", kind, name, err)
		}
	}
	return nil
}

// saveStandings stores people's standing in the workspace.
func (a *applier) saveStandings(ctx context.Context, people []oncall.User) error {
	for _, u := range people {
		if u.Standing == oncall.UnknownStanding {
			continue
		}
		tag, err := a.tx.Exec(ctx, updateStanding, u.ID, u.DeactivatedAt, u.Standing, u.Owner)
		if err != nil {
			return err
		}
		a.staffed = a.staffed || tag.RowsAffected() > 0
	}
	return nil
}

// knownUsers loads all people, and whether they are known from Slack or a document.
func knownUsers(ctx context.Context, tx pgx.Tx) ([]setup.KnownUser, error) {
	const load = `
		SELECT id, name, email, time_zone, deactivated_at, standing, owner, false AS in_team, named, slack_at IS NOT NULL AS from_slack
		FROM users
		ORDER BY id`
	rows, _ := tx.Query(ctx, load)
	return pgx.CollectRows(rows, pgx.RowToStructByName[setup.KnownUser])
}

// applyUsers adds people. Once a person's profile was loaded from Slack, the profile counts and not the document.
func (a *applier) applyUsers(ctx context.Context, doc setup.Setup) error {
	const upsert = `
		INSERT INTO users (id, name, email, time_zone)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET name = $2, email = $3, time_zone = $4`
	found, err := knownUsers(ctx, a.tx)
	if err != nil {
		return err
	}
	stored := map[oncall.UserID]setup.KnownUser{}
	a.known = stored
	byEmail := map[string]oncall.UserID{}
	for _, u := range found {
		stored[u.ID] = u
		byEmail[strings.ToLower(u.Email)] = u.ID
	}
	names, named := map[oncall.UserID]string{}, map[oncall.UserID]string{}
	for _, user := range doc.Users {
		id := user.Slack
		if id == "" {
			id = byEmail[strings.ToLower(user.Email)]
		}
		if id == "" {
			return oncall.Refuse("User %q: nobody with the address %s is known; give slack, the Slack user id.", user.Name, user.Email)
		}
		if other, twice := names[id]; twice {
			return oncall.Refuse("Users %q and %q have the same Slack user id, %s.", other, user.Name, id)
		}
		names[id], a.users[user.Name] = user.Name, id
		if user.Email != "" {
			named[id] = strings.ToLower(user.Email)
		}
		zone := user.TimeZone
		if zone == "" {
			zone = "UTC"
		}
		old, known := stored[id]
		switch {
		case !known:
			a.addLine("add user %q", user.Name)
		case old.FromSlack:
			continue
		case !a.changed("user", user.Name, difference{"name", old.Name != user.Called() && old.Name != user.Name},
			difference{"email", old.Email != user.Email}, difference{"time zone", old.TimeZone != zone}):
			continue
		}
		if _, err := a.tx.Exec(ctx, upsert, id, user.Called(), user.Email, zone); err != nil {
			return fmt.Errorf("save user %q: %w", user.Name, err)
		}
	}
	return a.nameUsers(ctx, named)
}

// nameUsers stores the e-mail addresses by which the document names people, because the address in Slack may change.
func (a *applier) nameUsers(ctx context.Context, named map[oncall.UserID]string) error {
	const clear = `UPDATE users SET named = '' WHERE named = ANY ($2) AND NOT id = ANY ($1)`
	const update = `
		UPDATE users SET named = address
		FROM unnest($1::text[], $2::text[]) AS n (id, address)
		WHERE users.id = n.id AND users.named <> address`
	ids := slices.Sorted(maps.Keys(named))
	addresses := make([]string, len(ids))
	for i, id := range ids {
		addresses[i] = named[id]
	}
	if _, err := a.tx.Exec(ctx, clear, nonNil(ids), addresses); err != nil {
		return err
	}
	_, err := a.tx.Exec(ctx, update, nonNil(ids), addresses)
	return err
}
