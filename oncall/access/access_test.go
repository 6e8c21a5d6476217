package access

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
)

var update = flag.Bool("update", false, "rewrite the table in docs/access.md")

const (
	open    oncall.TeamID = iota + 1 // any full member acts
	closed                           // acts: team
	private                          // and private
)

// facts have somebody of each role towards all three teams.
func facts() Model {
	gone := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m := Model{
		Users: map[oncall.UserID]oncall.User{
			"admin": {Standing: oncall.FullMember, Owner: true}, "manager": {Standing: oncall.FullMember},
			"responder": {Standing: oncall.FullMember}, "named guest": {Standing: oncall.GuestMember, InTeam: true},
			"member": {Standing: oncall.FullMember}, "guest": {Standing: oncall.GuestMember}, "unknown": {},
			"stranger": {Standing: oncall.Stranger}, "leaver": {Standing: oncall.FullMember, DeactivatedAt: &gone},
		},
		Teams: map[oncall.TeamID]Team{},
	}
	for id, t := range map[oncall.TeamID]oncall.Team{
		open: {Name: "open"}, closed: {Name: "closed", Acts: oncall.TeamActs}, private: {Name: "secret", Private: true},
	} {
		t.ID = id
		m.Teams[id] = Team{
			Team: t, Managers: []oncall.UserID{"manager"},
			Members: []oncall.UserID{"manager", "responder", "named guest", "leaver", "stranger"},
		}
	}
	return m
}

func (m Model) can(who oncall.UserID, do Permission, on Object) bool {
	return m.May(oncall.ByUser(who), do, on) == nil
}

// The table of the docs is what the model says.
func TestPermissionTableMatchesDocs(t *testing.T) {
	t.Parallel()
	const file = "../../docs/access.md"
	const begin, end = "<!-- table -->\n", "<!-- end of table -->\n"
	m := facts()
	var table strings.Builder
	table.WriteString("| | admin | manager | responder | member | guest | of another organisation, or deactivated |\n|---|---|---|---|---|---|---|\n")
	for _, do := range Permissions() {
		fmt.Fprintf(&table, "| %s |", said[do])
		for _, who := range []oncall.UserID{"admin", "manager", "responder", "member", "guest", "stranger"} {
			table.WriteString(" " + m.inWords(who, do) + " |")
		}
		table.WriteString("\n")
	}
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(doc), begin)
	was, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table; want its two marks", file)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+table.String()+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(was, table.String()); diff != "" {
		t.Errorf("the table is not what the model says (-doc +model); run the test with -update:\n%s", diff)
	}
}

// said is how the docs call the acts.
var said = map[Permission]string{
	See:          "see a team's incidents, schedules and policies",
	Acknowledge:  "acknowledge",
	Respond:      "do anything else with an incident",
	Page:         "page the team, its schedules or people by hand",
	Override:     "put people on call (override), ask for cover for others",
	EditSchedule: "edit schedules, write shifts by hand",
	Subscribe:    "subscribe to a schedule's calendar",
	OwnThings:    "one's own contact methods, shifts, swaps, time off, calendars",
	AddPhone:     "add a phone number of one's own",
	Maintain:     "begin and end maintenance windows",
	Integrations: "rotate keys of integrations, mute and unmute them",
	OthersThings: "end calendars, contact methods and links of others",
	ReadAudit:    "read who has changed what of a team's, and of how its people are reached",
	APIKeys:      "make, rotate and revoke API keys of a team",
	ReportPeople: "read in a team's report how often each person was disturbed and how long on call",
}

// inWords says in which teams somebody may.
func (m Model) inWords(who oncall.UserID, do Permission) string {
	may := [3]bool{m.can(who, do, Object{Team: open}), m.can(who, do, Object{Team: closed}), m.can(who, do, Object{Team: private})}
	switch may {
	case [3]bool{true, true, true}:
		if do == AddPhone && !m.inAnyTeam(who) && !m.admin(who) {
			return "-"
		}
		return "yes"
	case [3]bool{true, false, true}:
		return "unless `acts: team`"
	case [3]bool{true, true, false}:
		return "unless private"
	case [3]bool{true, false, false}:
		return "unless `acts: team` or private"
	case [3]bool{}:
		return "-"
	}
	return fmt.Sprint(may)
}

// People who were paged or asked may act like the team's members, unless they may do nothing at all.
func TestPagedPersonMayAct(t *testing.T) {
	t.Parallel()
	m := facts()
	for who, want := range map[oncall.UserID]bool{
		"member": true, "guest": true, "unknown": true, "stranger": false, "leaver": false, "nobody we know": true, "": false,
	} {
		for _, team := range []oncall.TeamID{open, closed, private} {
			for _, do := range []Permission{See, Acknowledge, Respond} {
				if got := m.can(who, do, Object{Team: team, Involved: []oncall.UserID{who}}); got != want {
					t.Errorf("%q was paged by team %d; may they %s: %v, want %v", who, team, do, got, want)
				}
			}
		}
	}
}

func TestRolesAllowWhatTheTableSays(t *testing.T) {
	t.Parallel()
	m := facts()
	for who, want := range map[oncall.UserID]Role{
		"admin": Admin, "manager": Manager, "responder": Responder, "named guest": Responder, "member": Member,
		"guest": Guest, "unknown": Guest, "nobody we know": Guest, "stranger": Outsider, "leaver": Outsider,
	} {
		if got := m.Role(who, closed); got != want {
			t.Errorf("%s is a %s, want %s", who, got, want)
		}
	}
	// Without named managers every member is one; with a user group of theirs that is empty, nobody is.
	of := m.Teams[open]
	of.Managers = nil
	m.Teams[open] = of
	if got := m.Role("responder", open); got != Manager {
		t.Errorf("in a team without managers a member is a %s, want manager", got)
	}
	of.ManagedBy = "leads"
	m.Teams[open] = of
	if got := m.Role("responder", open); got != Responder {
		t.Errorf("where the group of managers is empty a member is a %s, want responder", got)
	}
	// Admins who are named take the owners' place.
	m.Admins = []oncall.UserID{"member"}
	if owner, named := m.Role("admin", open), m.Role("member", private); owner != Member || named != Admin {
		t.Errorf("the owner is a %s and who is named a %s, want member and admin", owner, named)
	}
}

func TestRolesThatCanBeOnCall(t *testing.T) {
	t.Parallel()
	m := facts()
	for who, want := range map[oncall.UserID]string{
		"member": "", "named guest": "", "admin": "",
		"guest":    "guest is a guest whom no team names, and can't be paged.",
		"stranger": "stranger is of another organisation and can't be paged.",
		"leaver":   "leaver is deactivated in Slack and can't be paged.",
		"unknown":  "Slack has not said yet who unknown is, so unknown can't be paged. Please try again in a minute.",
	} {
		got := ""
		if err := m.MayBeOnCall(who); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", who, got, want)
		}
	}
}

func TestRefusalsSayWhoCould(t *testing.T) {
	t.Parallel()
	m := facts()
	for _, c := range []struct {
		who  oncall.UserID
		do   Permission
		on   Object
		want string
	}{
		{"member", Respond, Object{Team: closed}, `Only members of the team "closed" can do this, and nothing was changed: manager, responder, named guest.`},
		{"responder", EditSchedule, Object{Team: open}, `Only managers of the team "open" can do this, and nothing was changed: manager.`},
		{"member", See, Object{Team: private}, "This is of a private team. Only its members can see it, and nothing was changed."},
		{"member", Integrations, Object{Team: private}, "This is of a private team. Only its members can see it, and nothing was changed."},
		{"member", EditSchedule, Object{Team: private}, "This is of a private team. Only its members can see it, and nothing was changed."},
		{"responder", EditSchedule, Object{Team: private}, `Only managers of the team "secret" can do this, and nothing was changed: manager.`},
		{"guest", See, Object{Team: open}, "Guests of the workspace can do this only in teams that name them, and nothing was changed."},
		{"stranger", OwnThings, Object{}, "Only people of the workspace that runs Watchbill can do this, and nothing was changed."},
		{"leaver", Acknowledge, Object{Team: open}, "leaver is deactivated in Slack, and nothing was changed."},
		{"member", OthersThings, Object{}, "Only admins of Watchbill can do this, and nothing was changed: admin."},
		{"responder", Integrations, Object{Team: open}, `Only managers of the team "open" can do this, and nothing was changed: manager.`},
		{"responder", ReadAudit, Object{Team: closed}, `Only managers of the team "closed" can do this, and nothing was changed: manager.`},
		{"member", ReadAudit, Object{}, "Only managers of teams and admins of Watchbill can do this, and nothing was changed."},
		{"guest", AddPhone, Object{}, "Only members of a team can add a phone number, and nothing was changed. Ask whoever sets up Watchbill to put you into a team."},
		{"member", Override, Object{Team: open, Maker: "manager"}, `Only manager and members of the team "open" can do this, and nothing was changed: manager, responder, named guest.`},
	} {
		err := m.May(oncall.ByUser(c.who), c.do, c.on)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s, %s: %v, want %s", c.who, c.do, err, c.want)
		}
	}
	if err := m.May(oncall.ByUser("member"), Override, Object{Team: open, Maker: "member"}); err != nil {
		t.Errorf("who has made it may not take it back: %v", err)
	}
	if err := m.May(oncall.ByTimer(), EditSchedule, Object{Team: private}); err != nil {
		t.Errorf("Watchbill itself: %v", err)
	}
	if err := m.May(oncall.Actor{}, See, Object{Team: open}); err == nil {
		t.Error("an actor who is nobody may see a team")
	}
}

// Managers read what is of their teams and of the people in them, and nothing that is private of others.
func TestAuditLogReadPermissions(t *testing.T) {
	t.Parallel()
	m := facts()
	team := m.Teams[private]
	team.Managers = []oncall.UserID{"named guest"}
	m.Teams[private] = team
	for who, want := range map[oncall.UserID]Reading{
		"admin":       {All: true},
		"manager":     {Teams: []oncall.TeamID{open, closed}, People: []oncall.UserID{"leaver", "manager", "named guest", "responder", "stranger"}},
		"named guest": {Teams: []oncall.TeamID{private}, People: []oncall.UserID{"leaver", "manager", "named guest", "responder", "stranger"}},
		"responder":   {}, "member": {Hidden: []oncall.TeamID{private}}, "leaver": {Hidden: []oncall.TeamID{open, closed, private}},
	} {
		got := m.Reads(oncall.ByUser(who))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", who, diff)
		}
	}
	if got := m.Reads(oncall.ByCommandLine("ann@example")); !got.All {
		t.Error("the command line does not read everything")
	}
}

func TestEveryActHasWords(t *testing.T) {
	t.Parallel()
	for _, do := range Permissions() {
		if words[do] == "" {
			t.Errorf("%s has no words", do)
		}
	}
}
