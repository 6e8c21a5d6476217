package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// loadDirectory loads the directory. Parts of schedules that ended before since are left out; zero: recently decides.
func (s *Store) loadDirectory(ctx context.Context, tx pgx.Tx, since time.Time) (*Directory, error) {
	// All queries see the same snapshot, so that none refers to rows that another one missed.
	if _, err := tx.Exec(ctx, `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`); err != nil {
		return nil, err
	}
	return s.readDirectory(ctx, tx, since)
}

// readDirectory is loadDirectory within a transaction that has made changes, which it sees.
func (s *Store) readDirectory(ctx context.Context, tx pgx.Tx, since time.Time) (*Directory, error) {
	dir := &Directory{
		teams: map[oncall.TeamID]oncall.Team{}, integrations: map[oncall.IntegrationID]oncall.Integration{},
		schedules: map[oncall.ScheduleID]*schedule.Schedule{}, keys: map[keyHash]oncall.Integration{},
		overrides: map[oncall.OverrideID]schedule.Override{}, onCall: map[oncall.TeamID][]oncall.UserID{},
	}
	for _, load := range []func(context.Context, pgx.Tx) error{
		dir.loadPeople, dir.loadTeams, dir.loadIntegrations, dir.loadRotatedKeys, dir.loadAPIKeys, dir.loadUserGroups, dir.loadSlackGroups, dir.loadSlackChannels, dir.loadMaintenance,
	} {
		if err := load(ctx, tx); err != nil {
			return nil, err
		}
	}
	if err := dir.loadRoutes(ctx, tx, s); err != nil {
		return nil, err
	}
	of := scope{since: since}
	if since.IsZero() {
		var err error
		if of, err = recently(ctx, tx); err != nil {
			return nil, err
		}
	}
	dir.since = of.since
	all, err := schedules(ctx, tx, of)
	if err != nil {
		return nil, err
	}
	for id, definition := range all {
		compiled, err := schedule.Compile(definition)
		if err != nil {
			// Stored schedules were compiled before, perhaps by another release. If one fails all the same, policies skip
			// the steps that page it, and say so, but everything else keeps working.
			s.log.Error().Err(err).Str("schedule", definition.Name).Msg("schedule can't be used")
			continue
		}
		dir.schedules[id] = compiled
		dir.onCall[definition.TeamID] = append(dir.onCall[definition.TeamID], definition.People()...)
		for _, o := range definition.Overrides {
			dir.overrides[o.ID] = o
		}
		dir.Schedules = append(dir.Schedules, compiled)
	}
	slices.SortFunc(dir.Schedules, func(a, b *schedule.Schedule) int { return cmp.Compare(a.Name(), b.Name()) })
	dir.learnAccess(s.admins)
	dir.gatherTeams()
	return dir, nil
}

// gatherTeams collects what decisions depend on of each team.
func (d *Directory) gatherTeams() {
	zones := map[oncall.TeamID]string{}
	for _, id := range slices.Sorted(maps.Keys(d.schedules)) {
		if c := d.schedules[id]; zones[c.TeamID()] == "" {
			zones[c.TeamID()] = c.TimeZone()
		}
	}
	d.rosterTeams = make(map[oncall.TeamID]oncall.RosterTeam, len(d.teams))
	for id, t := range d.teams {
		d.rosterTeams[id] = t.OnRoster(d.access.Teams[id].Managers, zones[id])
	}
}

// loadPeople loads the people, with their teams, policies and contact methods.
func (d *Directory) loadPeople(ctx context.Context, tx pgx.Tx) (err error) {
	if d.Users, err = users(ctx, tx); err != nil {
		return err
	}
	if d.Members, d.admins, err = members(ctx, tx); err != nil {
		return err
	}
	if d.Policies, err = policies(ctx, tx); err != nil {
		return err
	}
	d.ContactSettings, err = contactSettings(ctx, tx, nil)
	return err
}

// members loads the members of each team, and those of them who are named as managers.
func members(ctx context.Context, q querier) (all, admins map[oncall.TeamID][]oncall.UserID, err error) {
	const load = `SELECT team_id, user_id, role = 'admin' FROM team_members ORDER BY team_id, position`
	all, admins = map[oncall.TeamID][]oncall.UserID{}, map[oncall.TeamID][]oncall.UserID{}
	rows, _ := q.Query(ctx, load)
	var team oncall.TeamID
	var user oncall.UserID
	var admin bool
	_, err = pgx.ForEachRow(rows, []any{&team, &user, &admin}, func() error {
		all[team] = append(all[team], user)
		if admin {
			admins[team] = append(admins[team], user)
		}
		return nil
	})
	return all, admins, err
}

// policies loads all policies, including removed ones.
func policies(ctx context.Context, q querier) (map[oncall.PolicyID]oncall.Policy, error) {
	const load = `
		SELECT id, team_id, name, repeat, steps, acks, ack_timeout, ack_wait, removed_at IS NOT NULL AS removed
		FROM policies`
	rows, _ := q.Query(ctx, load)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Policy])
	out := make(map[oncall.PolicyID]oncall.Policy, len(found))
	for _, p := range found {
		out[p.ID] = p
	}
	return out, err
}

func (d *Directory) loadTeams(ctx context.Context, tx pgx.Tx) error {
	type row struct {
		oncall.Team
		Removed bool
	}
	rows, _ := tx.Query(ctx, `
		SELECT id, name, channel, topic, owner, time_zone, hours, fallback, coalesce(policy_id, 0) AS policy, remind, digest, incident_channel, updates, time_off, private, acts, managed_by, removed_at IS NOT NULL AS removed
		FROM teams
		ORDER BY name, id`)
	teams, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	for _, t := range teams {
		d.teams[t.ID] = t.Team
		if !t.Removed {
			d.Teams, d.every = append(d.Teams, t.Team), append(d.every, t.Team)
		}
	}
	return err
}

func (d *Directory) loadIntegrations(ctx context.Context, tx pgx.Tx) error {
	const load = `
		SELECT id, team_id, policy_id, name, kind AS format, muted_at IS NOT NULL AS muted, muted_until, taken_for AS monitors, storm_limit, grouping, mapping, silencing,
		       topics, signed, sign_secret, sign_before, before_ends_at,
		       first_signal_at IS NOT NULL AS heard, key_hash, removed_at IS NOT NULL AS removed
		FROM integrations
		ORDER BY name, id`
	type row struct {
		oncall.Integration
		KeyHash []byte
		Removed bool
	}
	rows, _ := tx.Query(ctx, load)
	integrations, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	for _, in := range integrations {
		if in.ID == oncall.CanaryIntegration {
			in.Muted = false // it is stored as muted for earlier releases, which know no canary
		}
		d.integrations[in.ID] = in.Integration
		if !in.Removed && len(in.KeyHash) == sha256.Size {
			d.Integrations = append(d.Integrations, in.Integration)
			d.keys[keyHash(in.KeyHash)] = in.Integration
		}
	}
	return err
}

func (d *Directory) loadUserGroups(ctx context.Context, tx pgx.Tx) error {
	const load = `
		SELECT id, handle, slack_id, schedules, roles, when_empty, fallback, trouble
		FROM user_groups
		WHERE removed_at IS NULL
		ORDER BY handle`
	rows, _ := tx.Query(ctx, load)
	var err error
	d.UserGroups, err = pgx.CollectRows(rows, pgx.RowToStructByName[oncall.UserGroup])
	return err
}
