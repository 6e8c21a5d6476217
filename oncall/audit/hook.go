package audit

import (
	"time"

	"github.com/watchbill/watchbill/oncall"
)

func ofHook(h oncall.Hook, act Operation, changes ...Change) Entry {
	e := Entry{Kind: Hook, Name: h.Name, Act: act, Changes: changes}
	if h.TeamID != 0 {
		e.Teams = []oncall.TeamID{h.TeamID}
	}
	return e
}

// MadeHook records a new webhook by the host of its address.
func MadeHook(h oncall.Hook, team string) Entry {
	changes := []Change{{What: "host", After: oncall.Say("%s", h.Host())}, {What: "template", After: oncall.Say("%s", string(h.Template))}}
	if team != "" {
		changes = append(changes, Change{What: "team", After: oncall.Say("%s", team)})
	}
	return ofHook(h, Added, changes...)
}

// RotatedHook records a webhook's new secret.
func RotatedHook(h oncall.Hook, until time.Time) Entry {
	return ofHook(h, KeyRotated, Change{What: "the secret before", After: oncall.Say("signs until %s UTC as well", day(until))})
}

// ResumedHook records that a webhook is called again.
func ResumedHook(h oncall.Hook) Entry {
	return ofHook(h, Changed, Change{What: "calls", Before: oncall.Say("stopped"), After: oncall.Say("made again")})
}

// RemovedHook records the removal of a webhook.
func RemovedHook(h oncall.Hook) Entry { return ofHook(h, Removed) }
