package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

func livePolicies(ctx context.Context, tx pgx.Tx) ([]oncall.Policy, error) {
	const load = `
		SELECT id, team_id, name, repeat, steps, acks, ack_timeout, ack_wait, false AS removed
		FROM policies
		WHERE removed_at IS NULL
		ORDER BY id`
	rows, _ := tx.Query(ctx, load)
	return pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Policy])
}

// applyPolicies processes the policies twice, because a policy may pass incidents on to one that comes later.
func (a *applier) applyPolicies(ctx context.Context, doc setup.Setup) error {
	const insert = `
		INSERT INTO policies (team_id, name, repeat, steps, created_at)
		VALUES ($1, $2, 0, '[]', $3)
		RETURNING id`
	found, err := livePolicies(ctx, a.tx)
	if err != nil {
		return err
	}
	stored := map[string]oncall.Policy{}
	for _, p := range found {
		stored[p.Name] = p
	}
	if err := remove(ctx, a, "policy", `UPDATE policies SET removed_at = $2 WHERE id = $1`, stored,
		func(p oncall.Policy) any { return p.ID },
		column(doc.Policies, func(p setup.Policy) string { return p.Name })); err != nil {
		return err
	}
	for _, p := range doc.Policies {
		id := stored[p.Name].ID
		if id == 0 {
			a.addLine("add policy %q", p.Name)
			if err := a.tx.QueryRow(ctx, insert, a.teams[p.Team], p.Name, a.now).Scan(&id); err != nil {
				return fmt.Errorf("add policy %q: %w", p.Name, err)
			}
		}
		a.policies[p.Name] = id
	}
	for _, p := range doc.Policies {
		if err := a.applyPolicy(ctx, p, stored); err != nil {
			return wrap(err, "save policy %q", p.Name)
		}
	}
	return nil
}

func (a *applier) applyPolicy(ctx context.Context, policy setup.Policy, stored map[string]oncall.Policy) error {
	const update = `
		UPDATE policies SET team_id = $2, repeat = $3, steps = $4, acks = $5, ack_timeout = $6, ack_wait = $7
		WHERE id = $1`
	is, err := policy.Policy()
	if err != nil {
		return oncall.Refuse("Policy %q: %s.", policy.Name, err)
	}
	is.TeamID = a.teams[policy.Team]
	for i, st := range policy.Steps {
		step, err := st.Step(a.ids())
		if err != nil {
			return oncall.Refuse("Policy %q, step %d: %s.", policy.Name, i+1, err)
		}
		is.Steps = append(is.Steps, step)
	}
	a.groups = a.groups || len(is.Groups()) > 0
	old, known := stored[policy.Name]
	if known && !a.changed("policy", policy.Name, difference{"team", old.TeamID != is.TeamID},
		difference{"repeat", old.Repeat != is.Repeat}, difference{"steps", !equal(old.Steps, is.Steps)},
		difference{"acks", old.Acks != is.Acks}, difference{"ack timeout", old.AckTimeout != is.AckTimeout},
		difference{"ack wait", old.AckWait != is.AckWait}) {
		return nil
	}
	_, err = a.tx.Exec(ctx, update, a.policies[policy.Name], is.TeamID, is.Repeat, nonNil(is.Steps), is.Acks, is.AckTimeout, is.AckWait)
	return err
}

// storedTeams loads the teams with their members.
func storedTeams(ctx context.Context, tx pgx.Tx) ([]setup.StaffedTeam, error) {
	const load = `
		SELECT id, name, channel, topic, owner, time_zone, hours, fallback, coalesce(policy_id, 0) AS policy, remind, digest, incident_channel, updates, time_off, private, acts, managed_by,
		       ARRAY (SELECT user_id FROM team_members WHERE team_id = teams.id ORDER BY position) AS members,
		       ARRAY (SELECT user_id FROM team_members WHERE team_id = teams.id AND role = 'admin' ORDER BY position) AS managers
		FROM teams
		WHERE removed_at IS NULL
		ORDER BY id`
	rows, _ := tx.Query(ctx, load)
	return pgx.CollectRows(rows, pgx.RowToStructByName[setup.StaffedTeam])
}

func (a *applier) applyTeams(ctx context.Context, doc setup.Setup) error {
	found, err := storedTeams(ctx, a.tx)
	if err != nil {
		return err
	}
	stored := map[string]setup.StaffedTeam{}
	for _, t := range found {
		stored[t.Name] = t
	}
	if err := remove(ctx, a, "team", `UPDATE teams SET removed_at = $2 WHERE id = $1`, stored,
		func(t setup.StaffedTeam) any { return t.ID }, column(doc.Teams, func(t setup.Team) string { return t.Name })); err != nil {
		return err
	}
	for _, t := range doc.Teams {
		if err := a.applyTeam(ctx, t, stored); err != nil {
			return wrap(err, "save team %q", t.Name)
		}
	}
	return nil
}

func (a *applier) applyTeam(ctx context.Context, team setup.Team, stored map[string]setup.StaffedTeam) error {
	const insert = `INSERT INTO teams (name, channel, topic, created_at) VALUES ($1, $2, $3, $4) RETURNING id`
	const update = `
		UPDATE teams SET channel = $2, topic = $3, time_zone = $4, hours = $5, fallback = $6, remind = $7, owner = $8,
		                 private = $9, acts = $10, managed_by = $11, digest = $12, incident_channel = $13, updates = $14, time_off = $15
		WHERE id = $1`
	remind, err := team.RemindEvery()
	if err != nil {
		return oncall.Refuse("Team %q: %s.", team.Name, err)
	}
	owner := cmp.Or(team.Owner, oncall.OwnerFile)
	members, fallback := a.usersNamed(team.Members), a.usersNamed(team.Fallback)
	named := team.NamedManagers()
	managers := a.usersNamed(slices.DeleteFunc(slices.Clone(team.Members), func(name string) bool { return !slices.Contains(named, name) }))
	old, known := stored[team.Name]
	id, differs := old.ID, !known
	if !known {
		a.addLine("add team %q", team.Name)
		err = a.tx.QueryRow(ctx, insert, team.Name, team.Channel, team.Topic, a.now).Scan(&id)
	} else {
		differs = a.changed("team", team.Name, difference{"channel", old.Channel != team.Channel},
			difference{"topic", old.Topic != team.Topic}, difference{"owner", old.Owner != owner}, difference{"members", !slices.Equal(old.Members, members)},
			difference{"managers", !slices.Equal(old.Managers, managers) || old.ManagedBy != team.ManagedBy()},
			difference{"private", old.Private != team.Private}, difference{"acts", old.Acts != team.ActsOf()},
			difference{"time zone", old.TimeZone != team.TimeZone},
			difference{"hours", !equal(nonNil(old.Hours), nonNil(team.Hours))}, difference{"fallback", !slices.Equal(old.Fallback, fallback)},
			difference{"remind", old.Remind != remind}, difference{"digest", old.Digest != team.Digest},
			difference{"incident channel", old.IncidentChannel != team.IncidentChannel}, difference{"updates", !slices.Equal(old.Updates, team.Updates)},
			difference{"time off", old.TimeOff != team.OnTimeOff()})
	}
	if err == nil && differs {
		_, err = a.tx.Exec(ctx, update, id, team.Channel, team.Topic, team.TimeZone, nonNil(team.Hours), nonNil(fallback), remind, owner,
			team.Private, team.ActsOf(), team.ManagedBy(), team.Digest, team.IncidentChannel, nonNil(team.Updates), team.OnTimeOff())
	}
	if err != nil {
		return err
	}
	a.teams[team.Name] = id
	a.slacks[id] = owner == oncall.OwnerSlack
	if slices.Equal(old.Members, members) && slices.Equal(old.Managers, managers) {
		return nil
	}
	a.staffed = true
	return a.saveMembers(ctx, id, members, managers)
}

// usersNamed returns the ids of people named in the document.
func (a *applier) usersNamed(names []string) []oncall.UserID {
	var ids []oncall.UserID
	for _, name := range names {
		ids = append(ids, a.users[name])
	}
	return ids
}

func (a *applier) saveMembers(ctx context.Context, id oncall.TeamID, members, managers []oncall.UserID) error {
	const remove = `DELETE FROM team_members WHERE team_id = $1`
	const insert = `
		INSERT INTO team_members (team_id, user_id, position, role)
		SELECT $1, user_id, position, CASE WHEN user_id = ANY ($3::text[]) THEN 'admin' ELSE 'responder' END
		FROM unnest($2::text[]) WITH ORDINALITY AS m (user_id, position)
		ON CONFLICT (team_id, user_id) DO NOTHING`
	if _, err := a.tx.Exec(ctx, remove, id); err != nil {
		return err
	}
	_, err := a.tx.Exec(ctx, insert, id, nonNil(members), nonNil(managers))
	return err
}

// applyTeamPolicies stores the default policy of each team.
func (a *applier) applyTeamPolicies(ctx context.Context, doc setup.Setup) error {
	const save = `UPDATE teams SET policy_id = nullif($2::bigint, 0) WHERE id = $1`
	found, err := storedTeams(ctx, a.tx)
	if err != nil {
		return err
	}
	stored := map[string]oncall.PolicyID{}
	for _, t := range found {
		stored[t.Name] = t.Policy
	}
	for _, t := range doc.Teams {
		named := a.policies[t.Policy]
		if stored[t.Name] == named {
			continue
		}
		a.changed("team", t.Name, difference{"policy", true})
		if _, err := a.tx.Exec(ctx, save, a.teams[t.Name], named); err != nil {
			return fmt.Errorf("save the policy of team %q: %w", t.Name, err)
		}
	}
	return nil
}
