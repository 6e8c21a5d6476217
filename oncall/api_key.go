package oncall

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// An APIKeyID identifies an API key.
type APIKeyID int64

// A Scope is what an API key may be used for.
type Scope string

// The scopes.
const (
	ScopeRead  Scope = "read"  // read the set-up and the incidents
	ScopePage  Scope = "page"  // page people by hand, and nothing else
	ScopeAct   Scope = "act"   // read, and what responders do: acknowledge, resolve, overrides, maintenance
	ScopeEdit  Scope = "edit"  // read, and what managers do: schedules, policies, integrations, teams
	ScopeAdmin Scope = "admin" // everything, including the audit log
)

// Scopes lists all scopes, in the order of the docs.
func Scopes() []Scope { return []Scope{ScopeRead, ScopePage, ScopeAct, ScopeEdit, ScopeAdmin} }

// An APIKey describes a key for the REST API, without the key itself. It belongs to a person, to a team, or, if
// both are empty, to the installation.
type APIKey struct {
	ID        APIKeyID
	Name      string
	TeamID    TeamID // 0: none
	Owner     UserID // "": none
	Scopes    []Scope
	Hint      string     // its last four characters
	ExpiresAt *time.Time // nil: never
	Issuer    string     // of the tokens of the Service that it stands for; "": it was made by hand
}

// Allows reports whether the key has a scope, or one that includes it.
func (k APIKey) Allows(s Scope) bool {
	return slices.ContainsFunc(k.Scopes, func(has Scope) bool {
		return has == s || has == ScopeAdmin || s == ScopeRead && (has == ScopeAct || has == ScopeEdit)
	})
}

// Expired reports whether the key has expired at an instant.
func (k APIKey) Expired(at time.Time) bool { return k.ExpiresAt != nil && !at.Before(*k.ExpiresAt) }

var keyNames = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} ._@/-]{0,63}$`)

// maxKeyLife is the longest lifetime of a key that expires.
const maxKeyLife = 5 * 366 * 24 * time.Hour

// Check refuses a new key that makes no sense.
func (k APIKey) Check(now time.Time) error {
	switch {
	case !keyNames.MatchString(k.Name):
		return Refuse("An API key needs a name of at most 64 letters, digits, blanks and . _ @ / -, so that people know whose it is.")
	case k.TeamID != 0 && k.Owner != "":
		return Refuse("An API key is a team's or a person's, not both.")
	case len(k.Scopes) == 0:
		return Refuse("Say what the key is for: one or several of %s.", scopeNames())
	case k.ExpiresAt != nil && !k.ExpiresAt.After(now):
		return Refuse("The key would end before it begins.")
	case k.ExpiresAt != nil && k.ExpiresAt.Sub(now) > maxKeyLife:
		return Refuse("A key that expires does so within five years; leave it out for one that doesn't.")
	}
	for _, s := range k.Scopes {
		if !slices.Contains(Scopes(), s) {
			return Refuse("%q is no scope; there are %s.", string(s), scopeNames())
		}
	}
	return nil
}

func scopeNames() string {
	var names []string
	for _, s := range Scopes() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}
