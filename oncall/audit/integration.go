package audit

import (
	"time"

	"github.com/watchbill/watchbill/oncall"
)

func ofIntegration(name string, team oncall.TeamID, act Operation, changes ...Change) Entry {
	return Entry{Kind: Integration, Name: name, Teams: []oncall.TeamID{team}, Act: act, Changes: changes}
}

// RotatedKey records an integration's new key, both by their last four characters.
func RotatedKey(name string, team oncall.TeamID, before, after string, until time.Time) Entry {
	return ofIntegration(name, team, KeyRotated, Change{
		What: "key", Before: oncall.Say("…%s, good until %s UTC", before, day(until)), After: oncall.Say("…%s", after),
	})
}

// Signing records a new secret for a monitor's signatures, without showing any of it. before is
// until when the previous one is valid, if there was one.
func Signing(name string, team oncall.TeamID, before *time.Time) Entry {
	c := Change{What: "signing secret", After: oncall.Say("another one")}
	if before != nil {
		c.Before = oncall.Say("good until %s UTC", day(*before))
	}
	return ofIntegration(name, team, SigningSet, c)
}

// MutedIntegration records that an integration is muted, until an instant or until it is unmuted.
func MutedIntegration(name string, team oncall.TeamID, until *time.Time) Entry {
	after := oncall.Say("until it is unmuted")
	if until != nil {
		after = oncall.Say("until %s UTC", day(*until))
	}
	return ofIntegration(name, team, Muted, Change{What: "muted", After: after})
}

// UnmutedIntegration records that an integration pages again.
func UnmutedIntegration(name string, team oncall.TeamID) Entry {
	return ofIntegration(name, team, Unmuted)
}

func ofHeartbeat(integration, name string, team oncall.TeamID, act Operation, changes ...Change) Entry {
	return Entry{Kind: Heartbeat, Name: integration + "/" + name, Teams: []oncall.TeamID{team}, Act: act, Changes: changes}
}

// AddedHeartbeat records a heartbeat created by its first ping.
func AddedHeartbeat(integration string, team oncall.TeamID, h oncall.Heartbeat) Entry {
	return ofHeartbeat(integration, h.Name, team, Added, Change{What: "expected", After: expected(h.HeartbeatSpec)})
}

// expected describes what is expected of a heartbeat.
func expected(s oncall.HeartbeatSpec) oncall.Sentence {
	text := oncall.Say("every %s, %s of grace, %s", s.Every.Duration().String(), s.Grace.Duration().String(), string(s.Severity))
	if s.MaxRuntime > 0 {
		text = oncall.Say("%s, %s a run", text, s.MaxRuntime.Duration().String())
	}
	return text
}

// MutedHeartbeat records that a heartbeat is muted, until an instant or until it is unmuted.
func MutedHeartbeat(integration, name string, team oncall.TeamID, until *time.Time) Entry {
	after := oncall.Say("until it is unmuted")
	if until != nil {
		after = oncall.Say("until %s UTC", day(*until))
	}
	return ofHeartbeat(integration, name, team, Muted, Change{What: "muted", After: after})
}

// UnmutedHeartbeat records that a heartbeat pages again.
func UnmutedHeartbeat(integration, name string, team oncall.TeamID) Entry {
	return ofHeartbeat(integration, name, team, Unmuted)
}
