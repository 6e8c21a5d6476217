package access

import (
	"slices"

	"github.com/watchbill/watchbill/oncall"
)

// A Role is what somebody is towards a team. Each includes those before it.
type Role int

// The roles.
const (
	Outsider Role = iota
	Guest
	Member
	Responder
	Manager
	Admin
)

// String names the role as the docs do.
func (r Role) String() string {
	return [...]string{"outsider", "guest", "member", "responder", "manager", "admin"}[r]
}

// A Team is what access depends on of a team.
type Team struct {
	oncall.Team
	Members  []oncall.UserID
	Managers []oncall.UserID // those named, or in the group that is named
	OnCall   []oncall.UserID // whom its schedules put on call, members or not
}

// managers returns the people who may change everything of the team.
func (t Team) managers() []oncall.UserID {
	if len(t.Managers) > 0 || t.ManagedBy != "" {
		return t.Managers
	}
	return t.Members
}

// ManagersOf returns the managers of a team, as far as they are still there.
func (m Model) ManagersOf(team oncall.TeamID) []oncall.UserID {
	return slices.DeleteFunc(slices.Clone(m.Teams[team].managers()), m.outside)
}

// A Model holds the facts: who there is, and what they are to each team.
type Model struct {
	Users  map[oncall.UserID]oncall.User
	Teams  map[oncall.TeamID]Team
	Admins []oncall.UserID // of the installation; none: the workspace's owners
	Keys   map[oncall.APIKeyID]oncall.APIKey
}

// outside reports whether somebody may do nothing at all.
func (m Model) outside(id oncall.UserID) bool {
	u := m.Users[id]
	return id == "" || u.DeactivatedAt != nil || u.Standing == oncall.Stranger
}

// admin reports whether somebody is an admin of the installation.
func (m Model) admin(id oncall.UserID) bool {
	if len(m.Admins) > 0 {
		return slices.Contains(m.Admins, id)
	}
	return m.Users[id].Owner
}

// AdminIDs returns the admins of the installation, as far as Watchbill knows them.
func (m Model) AdminIDs() []oncall.UserID {
	var ids []oncall.UserID
	for id := range m.Users {
		if !m.outside(id) && m.admin(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Role returns what somebody is towards a team; 0 is no team.
func (m Model) Role(id oncall.UserID, team oncall.TeamID) Role {
	t := m.Teams[team]
	switch {
	case m.outside(id):
		return Outsider
	case m.admin(id):
		return Admin
	case slices.Contains(t.managers(), id):
		return Manager
	case slices.Contains(t.Members, id):
		return Responder
	case m.Users[id].Standing == oncall.FullMember:
		return Member
	}
	return Guest
}

// onCall reports whether somebody is on the schedules of a team, who can be.
func (m Model) onCall(id oncall.UserID, team oncall.TeamID) bool {
	return slices.Contains(m.Teams[team].OnCall, id) && m.Users[id].Unpageable() == ""
}

// inAnyTeam reports whether any team names somebody.
func (m Model) inAnyTeam(id oncall.UserID) bool {
	for _, t := range m.Teams {
		if slices.Contains(t.Members, id) || slices.Contains(t.Managers, id) || m.onCall(id, t.ID) {
			return true
		}
	}
	return false
}
