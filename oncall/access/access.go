package access

import (
	"slices"

	"github.com/watchbill/watchbill/oncall"
)

// A Permission allows actions that not everybody may take.
type Permission string

// The acts.
const (
	See          Permission = "see"         // a team's incidents, schedules and policies
	Acknowledge  Permission = "acknowledge" // and take back one's own acknowledgement, or answer a request to help
	Respond      Permission = "respond"     // all else that is done with an incident
	Page         Permission = "page"        // open an incident by hand; add to it and end it afterwards
	Override     Permission = "override"    // put people on call in a schedule, oneself too; ask for cover for others
	EditSchedule Permission = "edit"        // change, restore, make and remove schedules; make and delete shifts
	Subscribe    Permission = "subscribe"   // to a schedule's calendar
	OwnThings    Permission = "own"         // one's own contact methods, rules, time off, shifts, swaps, calendars
	AddPhone     Permission = "phone"       // as one's own: it costs the installation money
	Maintain     Permission = "maintenance" // begin and end maintenance windows
	Integrations Permission = "keys"        // rotate the key of an integration, mute and unmute it
	OthersThings Permission = "others"      // end somebody's calendars, links and contact methods
	ReadAudit    Permission = "audit"       // read who has changed what
	APIKeys      Permission = "apikeys"     // make, rotate and revoke API keys of a team; those of no team take an admin
	ReportPeople Permission = "report"      // read in a team's reports how often each of its people was disturbed, and how long on call
)

// Permissions are all of them, in the order of the docs.
func Permissions() []Permission {
	return []Permission{See, Acknowledge, Respond, Page, Override, EditSchedule, Subscribe, OwnThings, AddPhone, Maintain, Integrations, OthersThings, ReadAudit, APIKeys, ReportPeople}
}

// needs are the roles that acts take: in a team where the whole workspace acts, in one where only the
// team does, and in a private one.
var needs = map[Permission][3]Role{
	See:          {Member, Member, Responder},
	Acknowledge:  {Member, Responder, Responder},
	Respond:      {Member, Responder, Responder},
	Page:         {Member, Responder, Member}, // who pages a private team sees only whether somebody has it
	Override:     {Responder, Responder, Responder},
	EditSchedule: {Manager, Manager, Manager},
	Subscribe:    {Member, Member, Responder},
	OwnThings:    {Guest, Guest, Guest},
	AddPhone:     {Guest, Guest, Guest}, // see May
	Maintain:     {Responder, Responder, Responder},
	Integrations: {Manager, Manager, Manager},
	OthersThings: {Admin, Admin, Admin},
	ReadAudit:    {Manager, Manager, Manager},
	APIKeys:      {Manager, Manager, Manager},
	ReportPeople: {Manager, Manager, Manager},
}

// An Object is what an act is about.
type Object struct {
	Team     oncall.TeamID
	Involved []oncall.UserID // who was paged for the incident, or asked to help
	Maker    oncall.UserID   // who made it, and may take it back
}

// May returns nil, or a Refusal that says who could.
func (m Model) May(by oncall.Actor, act Permission, on Object) error {
	switch {
	case by.Operates():
		return nil
	case by.Key != 0:
		if err := m.mayKey(by, act, on); err != nil || by.User == "" {
			return err
		}
	case by.User == "":
		return oncall.Refuse("Watchbill can't tell who this is, and nothing was changed.")
	}
	if m.outside(by.User) {
		return m.refuseOutsider(by.User)
	}
	role := m.Role(by.User, on.Team)
	if slices.Contains(on.Involved, by.User) || act != Override && m.onCall(by.User, on.Team) {
		role = max(role, Responder)
	}
	if on.Maker == by.User && role >= Guest && act != EditSchedule {
		return nil
	}
	if act == AddPhone && !m.admin(by.User) && !m.inAnyTeam(by.User) {
		return oncall.Refuse("Only members of a team can add a phone number, and nothing was changed. Ask whoever sets up Watchbill to put you into a team.")
	}
	if need := m.need(act, on.Team); role < need {
		if m.Teams[on.Team].Private && role < Responder {
			need = min(need, Responder) // who manages it is not theirs to know
		}
		return m.refuse(need, on)
	}
	return nil
}

// need returns the role that an act requires in a team.
func (m Model) need(act Permission, team oncall.TeamID) Role {
	roles, known := needs[act]
	if !known {
		return Admin
	}
	switch t := m.Teams[team]; {
	case t.Private:
		return roles[2]
	case t.Acts == oncall.TeamActs:
		return roles[1]
	default:
		return roles[0]
	}
}

// MayBeOnCall refuses people who can't be paged, be on call or be asked to help.
func (m Model) MayBeOnCall(id oncall.UserID) error {
	u := m.Users[id]
	u.ID = id
	if err := u.RefusePage(); err != nil {
		return err
	}
	if u.Standing == oncall.UnknownStanding && !m.inAnyTeam(id) && !m.admin(id) {
		return oncall.Refuse("Slack has not said yet who %s is, so %[1]s can't be paged. Please try again in a minute.", id)
	}
	return nil
}

// words are the acts as the audit log tells of those that were refused.
var words = map[Permission]string{
	See: "see what is the team's", Acknowledge: "acknowledge", Respond: "do something with an incident",
	Page: "page a team", Override: "put somebody on call", EditSchedule: "edit a schedule", Subscribe: "subscribe to a schedule",
	OwnThings: "change their own things", AddPhone: "add a phone number", Maintain: "begin or end maintenance", Integrations: "manage an integration",
	OthersThings: "end or change what is another's", ReadAudit: "read who has changed what",
	APIKeys:      "manage API keys",
	ReportPeople: "read of single people in a report",
}

// Words returns the permission in the words of the audit log.
func (p Permission) Words() string {
	if p == "" {
		return "several other things"
	}
	if said, known := words[p]; known {
		return said
	}
	return string(p)
}
