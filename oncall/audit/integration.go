package audit

import (
	"time"

	"github.com/watchbill/watchbill/oncall"
)

func ofIntegration(name string, team oncall.TeamID, act Act, changes ...Change) Entry {
	return Entry{Kind: Integration, Name: name, Teams: []oncall.TeamID{team}, Act: act, Changes: changes}
}

// RotatedKey is another key for an integration. Of either only the last four characters are shown.
func RotatedKey(name string, team oncall.TeamID, before, after string, until time.Time) Entry {
	return ofIntegration(name, team, KeyRotated, Change{
		What: "key", Before: oncall.Say("…%s, good until %s UTC", before, day(until)), After: oncall.Say("…%s", after),
	})
}

// MutedIntegration lets an integration page nobody, until an instant or, without one, until it is unmuted.
func MutedIntegration(name string, team oncall.TeamID, until *time.Time) Entry {
	after := oncall.Say("until it is unmuted")
	if until != nil {
		after = oncall.Say("until %s UTC", day(*until))
	}
	return ofIntegration(name, team, Muted, Change{What: "muted", After: after})
}

// UnmutedIntegration lets an integration page again.
func UnmutedIntegration(name string, team oncall.TeamID) Entry {
	return ofIntegration(name, team, Unmuted)
}
