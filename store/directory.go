package store

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/route"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Directory is a snapshot of everything that is set up: teams, people, schedules, policies, integrations. It never
// changes; later changes are in the next Directory.
type Directory struct {
	Teams           []oncall.Team // by name
	Users           map[oncall.UserID]oncall.User
	Members         map[oncall.TeamID][]oncall.UserID
	Schedules       []*schedule.Schedule                     // by name
	Policies        map[oncall.PolicyID]oncall.Policy        // including removed ones, which open incidents may still follow
	Integrations    []oncall.Integration                     // by name
	UserGroups      []oncall.UserGroup                       // by handle
	Maintenance     []oncall.Maintenance                     // windows that CheckMaintenance has not ended
	ContactSettings map[oncall.UserID]oncall.ContactSettings // of people who have set up more than Slack
	Hides           bool                                     // parts that the reader may not see are left out

	groups      map[string][]oncall.UserID     // Slack user groups, by handle
	channels    map[string]oncall.NamedChannel // by their name in the set-up
	named       map[string]oncall.UserID       // people, by their address in the set-up
	rosterTeams map[oncall.TeamID]oncall.RosterTeam

	every []oncall.Team // all teams, including those hidden from the reader

	// Including removed ones, to which incidents may refer.
	teams        map[oncall.TeamID]oncall.Team
	integrations map[oncall.IntegrationID]oncall.Integration

	schedules map[oncall.ScheduleID]*schedule.Schedule
	since     time.Time // parts of schedules that ended before are left out
	keys      map[keyHash]oncall.Integration
	rotated   map[keyHash]rotatedKey // replaced keys of integrations
	apiKeys   map[oncall.APIKeyID]oncall.APIKey
	apiHashes map[keyHash]apiHash // hashes of apiKeys
	admins    map[oncall.TeamID][]oncall.UserID
	access    access.Model
	onCall    map[oncall.TeamID][]oncall.UserID // everybody in the team's schedules
	overrides map[oncall.OverrideID]schedule.Override
	lists     map[oncall.RouteOwner]*route.List // lists of routes that aren't empty
	routers   map[oncall.IntegrationID]*route.Router
}

type keyHash [sha256.Size]byte

// hasKey reports whether an integration or a program has a key, or had it until a moment ago.
func (d *Directory) hasKey(hash keyHash) bool {
	if d == nil {
		return false
	}
	_, current := d.keys[hash]
	_, rotated := d.rotated[hash]
	_, program := d.apiHashes[hash]
	return current || rotated || program
}

// Team returns a team, even if it was removed.
func (d *Directory) Team(id oncall.TeamID) (oncall.Team, bool) {
	t, ok := d.teams[id]
	return t, ok
}

// Managers returns the managers of a team; if none are named, all members.
func (d *Directory) Managers(id oncall.TeamID) []oncall.UserID {
	if named := d.access.Teams[id].Managers; len(named) > 0 {
		return named
	}
	return d.Members[id]
}

// TeamZone returns a team's time zone; "" if the team is unknown.
func (d *Directory) TeamZone(id oncall.TeamID) string { return d.rosterTeams[id].TimeZone }

// Schedule returns a schedule.
func (d *Directory) Schedule(id oncall.ScheduleID) (*schedule.Schedule, bool) {
	c, ok := d.schedules[id]
	return c, ok
}

// IntegrationName returns the name of an integration, even if it was removed; "" for 0.
func (d *Directory) IntegrationName(id oncall.IntegrationID) string { return d.integrations[id].Name }

// IntegrationOfKey finds the integration that has a key, or had it until it was rotated a moment ago.
func (d *Directory) IntegrationOfKey(key string) (oncall.IntegrationID, bool) {
	hash := sha256.Sum256([]byte(key))
	if in, known := d.keys[hash]; known {
		return in.ID, true
	}
	was, known := d.rotated[hash]
	return was.integration, known
}

// Override returns an override, to explain why somebody is on call.
func (d *Directory) Override(id oncall.OverrideID) (schedule.Override, bool) {
	o, ok := d.overrides[id]
	return o, ok
}

// Overrides returns the overrides of a schedule, by start.
func (d *Directory) Overrides(of oncall.ScheduleID) []schedule.Override {
	var out []schedule.Override
	for _, o := range d.overrides {
		if o.ScheduleID == of {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b schedule.Override) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Roster returns the facts by which the targets of a policy are resolved to people.
func (d *Directory) Roster() oncall.Roster {
	return oncall.Roster{
		ShiftFacts: oncall.ShiftFacts{Schedules: d.schedules, Users: d.Users, Members: d.Members},
		Contacts:   d.ContactSettings, Teams: d.rosterTeams, Groups: d.groups,
	}
}

// Facts returns what decisions about incidents depend on.
func (d *Directory) Facts() oncall.Facts {
	return oncall.Facts{Policies: d.Policies, Roster: d.Roster(), Silencing: d.silencing()}
}

// silencing reports whether any integration silences its alerts at their source.
func (d *Directory) silencing() bool {
	return slices.ContainsFunc(d.Integrations, func(in oncall.Integration) bool { return in.Silencing != nil })
}
