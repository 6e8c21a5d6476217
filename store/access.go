package store

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Access returns the model by which package access decides who may do what.
func (d *Directory) Access() access.Model { return d.access }

// learnAccess builds the access model. Admins are given by Slack id or e-mail address.
func (d *Directory) learnAccess(admins []string) {
	d.access = access.Model{Users: d.Users, Teams: make(map[oncall.TeamID]access.Team, len(d.teams)), Keys: d.apiKeys}
	for id, t := range d.teams {
		managers := d.admins[id]
		if t.ManagedBy != "" {
			managers = slices.Concat(managers, d.groups[t.ManagedBy])
		}
		d.access.Teams[id] = access.Team{Team: t, Members: d.Members[id], Managers: managers, OnCall: d.onCall[id]}
	}
	for _, name := range admins {
		// Added even if it is an address that nobody has: without any admins, the workspace's owners would be.
		d.access.Admins = append(d.access.Admins, oncall.UserID(name))
		for _, u := range d.Users {
			if u.Email != "" && strings.EqualFold(u.Email, name) && u.Standing != oncall.Stranger && u.DeactivatedAt == nil {
				d.access.Admins = append(d.access.Admins, u.ID)
			}
		}
	}
}

// For returns the part of the directory that somebody may see: everything except private teams that they are not in.
// In a channel, where others read along, it is everything except private teams.
func (d *Directory) For(by oncall.Actor) *Directory {
	hidden := d.hidden(by)
	if len(hidden) == 0 {
		return d
	}
	is := func(team oncall.TeamID) bool { return slices.Contains(hidden, team) }
	seen := *d
	seen.Hides = true
	seen.Teams = slices.DeleteFunc(slices.Clone(d.Teams), func(t oncall.Team) bool { return is(t.ID) })
	seen.Integrations = slices.DeleteFunc(slices.Clone(d.Integrations), func(in oncall.Integration) bool { return is(in.TeamID) })
	seen.Maintenance = slices.DeleteFunc(slices.Clone(d.Maintenance), func(m oncall.Maintenance) bool { return is(m.TeamID) })
	seen.Members = maps.Clone(d.Members)
	maps.DeleteFunc(seen.Members, func(id oncall.TeamID, _ []oncall.UserID) bool { return is(id) })
	seen.Policies = maps.Clone(d.Policies)
	maps.DeleteFunc(seen.Policies, func(_ oncall.PolicyID, p oncall.Policy) bool { return is(p.TeamID) })
	seen.lists, seen.routers = nil, nil // they name policies of other teams
	seen.Schedules, seen.schedules = nil, maps.Clone(d.schedules)
	for _, s := range d.Schedules {
		if is(s.TeamID()) {
			delete(seen.schedules, s.ID())
		} else {
			seen.Schedules = append(seen.Schedules, s)
		}
	}
	return &seen
}

// hidden returns the teams that a person may not see.
func (d *Directory) hidden(by oncall.Actor) []oncall.TeamID {
	var hidden []oncall.TeamID
	if by.Operates() {
		return nil
	}
	full := d.Users[by.User].Standing == oncall.FullMember && by.Key == 0
	for id, t := range d.teams {
		if t.Private && by.Via == oncall.ViaChannel || (t.Private || !full) && d.access.May(by, access.See, access.Object{Team: id}) != nil {
			hidden = append(hidden, id)
		}
	}
	return hidden
}

// DirectoryFor returns the part of the directory that somebody may see.
func (s *Store) DirectoryFor(ctx context.Context, by oncall.Actor) (*Directory, error) {
	dir, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	return dir.For(by), nil
}

// A gate checks the rights of one actor. It holds the directory, so that no check inside a transaction needs a second
// connection.
type gate struct {
	store *Store
	dir   *Directory
	by    oncall.Actor
}

func (s *Store) gate(ctx context.Context, by oncall.Actor) (gate, error) {
	dir, err := s.directory(ctx)
	return gate{store: s, dir: dir, by: by}, err
}

// May returns the Refusal that a method would return, for callers that check before they open a form. The refusal is
// counted and audited all the same.
func (s *Store) May(dir *Directory, by oncall.Actor, do access.Permission, on access.Object) error {
	return gate{store: s, dir: dir, by: by}.may(do, on)
}

// may returns a Refusal if the actor may not do something. Refusals are counted, audited and logged.
func (g gate) may(do access.Permission, on access.Object) error {
	refusal := access.Deny(g.dir.access.May(g.by, do, on), do)
	if refusal != nil {
		g.store.metrics.refused.WithLabelValues(string(do)).Inc()
		g.store.refusals.note(g.by, do, on.Team)
		g.store.log.Info().Stringer("by", g.by).Str("user", string(g.by.User)).Str("via", g.by.Via).Str("act", string(do)).
			Int64("team", int64(on.Team)).Msg("refused: not allowed")
	}
	return refusal
}

// onSchedule checks a right on a schedule.
func (g gate) onSchedule(do access.Permission, id oncall.ScheduleID) error {
	return g.may(do, access.Object{Team: g.teamOf(id)})
}

// teamOf returns the team of a schedule.
func (g gate) teamOf(id oncall.ScheduleID) oncall.TeamID {
	if c, known := g.dir.schedules[id]; known {
		return c.TeamID()
	}
	return 0
}

// forPerson checks a right on a person's own things. For others than that person it takes an admin.
func (g gate) forPerson(user oncall.UserID, do access.Permission) error {
	if g.by.User != user {
		do = access.OthersThings
	}
	return g.may(do, access.Object{})
}

// onIncident checks a right on an incident. Its holders, its responders and the person who was paged for it count as members
// of its team.
func (g gate) onIncident(ctx context.Context, q querier, do access.Permission, in oncall.Incident) error {
	const paged = `SELECT EXISTS (SELECT FROM pages WHERE incident_id = $1 AND user_id = $2)`
	if in.ID.Canary() {
		return oncall.ErrNotFound
	}
	on := accessIncident(in)
	if g.dir.access.May(g.by, do, on) == nil {
		return nil
	}
	var involved bool
	if err := q.QueryRow(ctx, paged, in.ID, g.by.User).Scan(&involved); err != nil {
		return err
	}
	if involved {
		on.Involved = append(on.Involved, g.by.User)
	}
	return g.may(do, on)
}

// act checks whether the actor may carry out an act on an incident, and whether the person that it names can be paged.
// A private team's incident can't be given to another team's policy, but single people can be brought in.
func (g gate) act(ctx context.Context, q querier, act oncall.Act, in oncall.Incident) error {
	if g.raised(in) && raiserMay(act.Do) && g.dir.access.May(g.by, access.Page, access.Object{Team: in.TeamID}) == nil {
		return nil
	}
	if err := g.onIncident(ctx, q, actNeeds(act.Do), in); err != nil {
		return err
	}
	if err := g.mayName(act, in.TeamID); err != nil {
		return err
	}
	if act.Policy != 0 && g.dir.teams[in.TeamID].Private && g.dir.Policies[act.Policy].TeamID != in.TeamID {
		return oncall.Refuse("Incident %s is of a private team, so only an escalation policy of that team can take it.", in.ID)
	}
	if act.Do == oncall.ActUpdate {
		return g.mayUpdate(act, in)
	}
	if act.User == "" {
		return nil
	}
	return g.dir.access.MayBeOnCall(act.User)
}

// mayUpdate refuses an update of a private team's incident where others can read it.
func (g gate) mayUpdate(a oncall.Act, in oncall.Incident) error {
	to := a.Channels
	if len(to) == 0 {
		to = g.dir.teams[in.TeamID].Updates
	}
	for _, channel := range to {
		if g.dir.Veiled(in.TeamID, channel) {
			return oncall.Refuse("Incident %s is of a private team, and everybody may read %s, so no update can go there.", in.ID, channel)
		}
	}
	return nil
}

// mayName checks whether the actor may see the schedule, team and policy that an act names. Everybody who sees the
// incident will read their names.
func (g gate) mayName(a oncall.Act, own oncall.TeamID) error {
	for _, team := range []oncall.TeamID{a.Team, g.teamOf(a.Schedule), g.dir.Policies[a.Policy].TeamID} {
		if team == own || !g.dir.teams[team].Private {
			continue
		}
		if err := g.may(access.See, access.Object{Team: team}); err != nil {
			return err
		}
	}
	return nil
}

// onAgreement checks whether the actor may act on an agreement between people, such as a swap. It only hides agreements about
// schedules that the actor may not see; whether they are one of the people, the agreement's own rules check.
func (g gate) onAgreement(people []oncall.UserID, schedules ...oncall.ScheduleID) error {
	if err := g.may(access.OwnThings, access.Object{}); err != nil || slices.Contains(people, g.by.User) {
		return err
	}
	for _, id := range schedules {
		if !g.dir.teams[g.teamOf(id)].Private {
			continue
		}
		if err := g.onSchedule(access.See, id); err != nil {
			return err
		}
	}
	return nil
}

// actOnTwo checks whether the actor may link or merge two incidents. Private incidents stay in their team.
func (g gate) actOnTwo(ctx context.Context, q querier, first, second oncall.Incident) error {
	for _, in := range []oncall.Incident{first, second} {
		if err := g.onIncident(ctx, q, access.Respond, in); err != nil {
			return err
		}
	}
	if first.TeamID != second.TeamID && (g.dir.teams[first.TeamID].Private || g.dir.teams[second.TeamID].Private) {
		return oncall.Refuse("One of the two is of a private team, so they can't be linked or merged.")
	}
	return nil
}

// override checks whether the actor may make an override, and whether its people can be on call.
func (g gate) override(o schedule.Override) error {
	if err := g.onSchedule(access.Override, o.ScheduleID); err != nil {
		return err
	}
	for _, u := range o.Named() {
		if err := g.dir.access.MayBeOnCall(u); err != nil {
			return err
		}
	}
	return nil
}

// cancelOverride checks whether the actor may end an override, as its maker and the team may.
func (g gate) cancelOverride(o schedule.Override) error {
	return g.may(access.Override, access.Object{Team: g.teamOf(o.ScheduleID), Maker: o.CreatedBy})
}

// cover checks whether the actor may ask others to take a shift: their own, or one of their team's.
func (g gate) cover(stint schedule.Stint) error {
	if stint.User == g.by.User {
		return g.may(access.OwnThings, access.Object{})
	}
	return g.onSchedule(access.Override, stint.Schedule)
}

// feed checks whether the actor may have a calendar feed of a person's shifts, or of a schedule.
func (g gate) feed(f Feed) error {
	if f.UserID != "" {
		return g.forPerson(f.UserID, access.OwnThings)
	}
	return g.onSchedule(access.Subscribe, f.ScheduleID)
}

// seen loads an incident, and checks that the actor may see it.
func (g gate) seen(ctx context.Context, q querier, id oncall.IncidentID) (oncall.Incident, error) {
	found, err := incidents(ctx, q, []oncall.IncidentID{id})
	switch {
	case err != nil:
		return oncall.Incident{}, err
	case len(found) == 0:
		return oncall.Incident{}, oncall.ErrNotFound
	}
	return found[0], g.onIncident(ctx, q, access.See, found[0])
}

// actNeeds returns the permission that an act on an incident requires.
func actNeeds(do oncall.ActKind) access.Permission {
	switch do {
	case oncall.ActAck, oncall.ActUnack, oncall.ActAccept, oncall.ActDecline, oncall.ActStillOn, oncall.ActChannel, oncall.ActUpdate:
		return access.Acknowledge
	default:
		return access.Respond
	}
}

// raised reports whether the actor has opened the incident by hand. A key that may page, and not act, has done with it.
func (g gate) raised(in oncall.Incident) bool {
	switch {
	case !in.Raised() || in.RaisedBy.User != g.by.User:
		return false
	case g.by.Key == 0:
		return true
	}
	own := g.by.User != "" || in.RaisedBy.Key == g.by.Key
	return own && g.dir.access.Keys[g.by.Key].Allows(oncall.ScopeAct)
}

// raiserMay reports whether the person who raised an incident by hand may do this without further rights.
func raiserMay(do oncall.ActKind) bool {
	return do == oncall.ActNote || do == oncall.ActResolve || do == oncall.ActVerdict
}

// PermissionToAdd returns the permission that adding a contact method requires.
func PermissionToAdd(m oncall.Method) access.Permission {
	if m.Info().IsPhone {
		return access.AddPhone
	}
	return access.OwnThings
}

// allowed runs one check of an actor's rights.
func (s *Store) allowed(ctx context.Context, by oncall.Actor, ask func(gate) error) error {
	g, err := s.gate(ctx, by)
	if err != nil {
		return err
	}
	return ask(g)
}

// mayAnswer checks whether somebody may still answer by their links, phones and apps: they may have left.
func mayAnswer(ctx context.Context, q querier, user oncall.UserID) error {
	people, err := users(ctx, q, user)
	if err != nil {
		return err
	}
	return access.Model{Users: people}.May(oncall.ByUser(user), access.OwnThings, access.Object{})
}
