package audit

import (
	"time"

	"github.com/watchbill/watchbill/oncall"
)

func ofIntegration(name string, team oncall.TeamID, act Operation, changes ...Change) Entry {
	return Entry{Kind: Integration, Name: name, Teams: []oncall.TeamID{team}, Act: act, Changes: changes}
}

// RotatedKey is another key for an integration. Of either only the last four characters are shown.
func RotatedKey(name string, team oncall.TeamID, before, after string, until time.Time) Entry {
	return ofIntegration(name, team, KeyRotated, Change{
		What: "key", Before: oncall.Say("…%s, good until %s UTC", before, day(until)), After: oncall.Say("…%s", after),
	})
}

// Signing is another secret with which an integration's monitor signs. Nothing of it is shown; the one before is good
// until then, if there was one.
func Signing(name string, team oncall.TeamID, before *time.Time) Entry {
	c := Change{What: "signing secret", After: oncall.Say("another one")}
	if before != nil {
		c.Before = oncall.Say("good until %s UTC", day(*before))
	}
	return ofIntegration(name, team, SigningSet, c)
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

func ofHeartbeat(integration, name string, team oncall.TeamID, act Operation, changes ...Change) Entry {
	return Entry{Kind: Heartbeat, Name: integration + "/" + name, Teams: []oncall.TeamID{team}, Act: act, Changes: changes}
}

// AddedHeartbeat is a heartbeat that its first ping has created.
func AddedHeartbeat(integration string, team oncall.TeamID, h oncall.Heartbeat) Entry {
	return ofHeartbeat(integration, h.Name, team, Added, Change{What: "expected", After: expected(h.HeartbeatSpec)})
}

// RemovedHeartbeat ends a heartbeat.
func RemovedHeartbeat(integration string, team oncall.TeamID, name string) Entry {
	return ofHeartbeat(integration, name, team, Removed)
}

// expected is what is expected of a heartbeat, in words.
func expected(s oncall.HeartbeatSpec) oncall.Sentence {
	text := oncall.Say("every %s, %s of grace, %s", s.Every.Duration().String(), s.Grace.Duration().String(), string(s.Severity))
	if s.MaxRuntime > 0 {
		text = oncall.Say("%s, %s a run", text, s.MaxRuntime.Duration().String())
	}
	return text
}

// MutedHeartbeat lets a heartbeat page nobody, until an instant or, without one, until it is unmuted.
func MutedHeartbeat(integration, name string, team oncall.TeamID, until *time.Time) Entry {
	after := oncall.Say("until it is unmuted")
	if until != nil {
		after = oncall.Say("until %s UTC", day(*until))
	}
	return ofHeartbeat(integration, name, team, Muted, Change{What: "muted", After: after})
}

// UnmutedHeartbeat lets a heartbeat page again.
func UnmutedHeartbeat(integration, name string, team oncall.TeamID) Entry {
	return ofHeartbeat(integration, name, team, Unmuted)
}
