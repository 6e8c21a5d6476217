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

// A Directory is a picture of everything that Apply and people set up. It never changes: what is
// set up later is in the next one.
type Directory struct {
	Teams        []oncall.Team // by name
	Users        map[oncall.UserID]oncall.User
	Members      map[oncall.TeamID][]oncall.UserID
	Schedules    []*schedule.Schedule              // by name
	Policies     map[oncall.PolicyID]oncall.Policy // also those removed, which open incidents still follow
	Integrations []oncall.Integration              // by name
	UserGroups   []oncall.UserGroup                // by handle
	Maintenance  []oncall.Maintenance              // that is not over, or was not when it was looked at last
	Reach        map[oncall.UserID]oncall.Reach    // of those who have set up anything beside Slack
	Hides        bool                              // something is left out that its reader may not see

	groups      map[string][]oncall.UserID     // Slack user groups, by handle
	channels    map[string]oncall.NamedChannel // by what the set-up calls them
	named       map[string]oncall.UserID       // by the address that the set-up had for a person
	rosterTeams map[oncall.TeamID]oncall.RosterTeam

	every []oncall.Team // also those of which its reader may see nothing

	// With those removed, to which incidents refer.
	teams        map[oncall.TeamID]oncall.Team
	integrations map[oncall.IntegrationID]oncall.Integration

	schedules map[oncall.ScheduleID]*schedule.Schedule
	since     time.Time // what of schedules was over by then is left out
	keys      map[keyHash]oncall.Integration
	rotated   map[keyHash]rotatedKey // replaced by one of those
	apiKeys   map[oncall.APIKeyID]oncall.APIKey
	apiHashes map[keyHash]apiHash // of those keys
	admins    map[oncall.TeamID][]oncall.UserID
	access    access.Model
	onCall    map[oncall.TeamID][]oncall.UserID // whom the team's schedules put on call
	overrides map[oncall.OverrideID]schedule.Override
	lists     map[oncall.RouteOwner]*route.List // of routes, that have any
	routers   map[oncall.IntegrationID]*route.Router
}

type keyHash [sha256.Size]byte

// Team returns a team, also one that has been removed.
func (d *Directory) Team(id oncall.TeamID) (oncall.Team, bool) {
	t, ok := d.teams[id]
	return t, ok
}

// Managers returns who manages a team: everybody in it, where nobody is named.
func (d *Directory) Managers(id oncall.TeamID) []oncall.UserID {
	if named := d.access.Teams[id].Managers; len(named) > 0 {
		return named
	}
	return d.Members[id]
}

// TeamZone is the zone in which a team's days begin; "" if it is not known.
func (d *Directory) TeamZone(id oncall.TeamID) string { return d.rosterTeams[id].TimeZone }

// Schedule returns a schedule.
func (d *Directory) Schedule(id oncall.ScheduleID) (*schedule.Schedule, bool) {
	c, ok := d.schedules[id]
	return c, ok
}

// IntegrationName is what an integration is called, even one that was removed; "" for 0.
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

// Overrides returns the overrides of a schedule, by their beginning.
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

// Roster returns the facts from which the targets of a policy become people.
func (d *Directory) Roster() oncall.Roster {
	return oncall.Roster{
		Staff: oncall.Staff{Schedules: d.schedules, Users: d.Users, Members: d.Members},
		Reach: d.Reach, Teams: d.rosterTeams, Groups: d.groups,
	}
}

// Facts are what decisions about incidents depend on.
func (d *Directory) Facts() oncall.Facts {
	return oncall.Facts{Policies: d.Policies, Roster: d.Roster(), Silencing: d.silencing()}
}

// silencing reports whether any integration's alerts are silenced where they come from.
func (d *Directory) silencing() bool {
	return slices.ContainsFunc(d.Integrations, func(in oncall.Integration) bool { return in.Silencing != nil })
}
