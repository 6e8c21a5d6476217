package oncall

import (
	"slices"
	"strings"
	"unicode"
)

// A Service is a program that shows a token of the configured issuer where others show an API key.
type Service struct {
	Issuer  string  // who vouches for it
	Subject string  // as the issuer names it
	Scopes  []Scope // ordered as in Scopes, each once
	Team    string  // the team outside of which it does nothing; "" where the issuer says of none
}

const maxServiceLength = 150

// NewService refuses a service that people could not tell apart from others.
func NewService(issuer, subject, team string, scopes []Scope) (Service, error) {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	if subject == "" || len(subject) > maxServiceLength || strings.ContainsFunc(subject, hidden) {
		return Service{}, Refuse("This token names its subject by nothing that people can read.")
	}
	s := Service{Issuer: issuer, Subject: subject, Team: team}
	for _, scope := range Scopes() {
		if slices.Contains(scopes, scope) {
			s.Scopes = append(s.Scopes, scope)
		}
	}
	return s, nil
}

// KeyName returns the name of a service's API key. No key made by hand has such a name.
func (s Service) KeyName() string {
	var scopes []string
	for _, one := range s.Scopes {
		scopes = append(scopes, string(one))
	}
	name := "jwt:" + s.Subject + " " + strings.Join(scopes, "+")
	if s.Team != "" {
		name += " in " + s.Team
	}
	return name
}
