package audit

import (
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

func ofAPIKey(k oncall.APIKey, act Operation, changes ...Change) Entry {
	e := Entry{Kind: APIKey, Name: k.Name, About: k.Owner, Act: act, Changes: changes}
	if k.TeamID != 0 {
		e.Teams = []oncall.TeamID{k.TeamID}
	}
	return e
}

// MadeAPIKey records a new API key by its last four characters.
func MadeAPIKey(key oncall.APIKey, team string) Entry {
	var scopes []string
	for _, s := range key.Scopes {
		scopes = append(scopes, string(s))
	}
	changes := []Change{{What: "key", After: oncall.Say("…%s", key.Hint)}, {What: "scopes", After: oncall.Say("%s", strings.Join(scopes, ", "))}}
	if team != "" {
		changes = append(changes, Change{What: "team", After: oncall.Say("%s", team)})
	}
	if key.ExpiresAt != nil {
		changes = append(changes, Change{What: "expires", After: oncall.Say("%s UTC", day(*key.ExpiresAt))})
	}
	return ofAPIKey(key, Added, changes...)
}

// RotatedAPIKey records an API key's replacement, both by their last four characters.
func RotatedAPIKey(k oncall.APIKey, after string, until time.Time) Entry {
	return ofAPIKey(k, KeyRotated, Change{
		What: "key", Before: oncall.Say("…%s, good until %s UTC", k.Hint, day(until)), After: oncall.Say("…%s", after),
	})
}

// RevokedAPIKey records the revocation of an API key.
func RevokedAPIKey(k oncall.APIKey) Entry { return ofAPIKey(k, Removed) }
