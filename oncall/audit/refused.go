package audit

import (
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// Refusal records that a person was refused an act, and how often between two instants.
func Refusal(by oncall.Actor, act string, team oncall.TeamID, name string, times int, first, last time.Time) Entry {
	entry := Entry{Kind: Team, Name: name, Teams: []oncall.TeamID{team}, Act: Refused}
	if team == 0 { // no team: for the managers of the person's teams
		entry.Kind, entry.Name, entry.Teams, entry.About = Person, "", nil, by.User
		if by.User == "" && by.Key != 0 {
			entry.Kind, entry.Name = APIKey, by.Name
		}
	}
	count := oncall.Say("once, %s UTC", day(first))
	if times > 1 {
		count = oncall.Say("%d times, %s", times, span(first, last))
	}
	entry.Changes = []Change{{What: act, After: count}}
	return entry
}
