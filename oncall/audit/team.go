package audit

import "github.com/watchbill/watchbill/oncall"

// RenamedTeam gives a team another name.
func RenamedTeam(team oncall.TeamID, from, to string) Entry {
	return Entry{
		Kind: Team, Name: to, Teams: []oncall.TeamID{team}, Act: Changed,
		Changes: []Change{{What: "name", Before: oncall.Say("%s", from), After: oncall.Say("%s", to)}},
	}
}
