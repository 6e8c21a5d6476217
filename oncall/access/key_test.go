package access

import (
	"slices"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/oncall"
)

// Every act has a scope: one that is forgotten would take the widest.
func TestEveryActHasAScope(t *testing.T) {
	t.Parallel()
	for _, act := range Permissions() {
		if _, known := scopes[act]; !known {
			t.Errorf("%s has no scope", act)
		}
	}
}

// What keys may do, of whom and with which scope: towards an open team, one whose members alone act, and a private one.
func TestAPIKeyPermissions(t *testing.T) {
	t.Parallel()
	m := facts()
	m.Keys = map[oncall.APIKeyID]oncall.APIKey{}
	whose := map[string]oncall.APIKey{
		"of the installation": {}, "of the open team": {TeamID: open}, "of the private team": {TeamID: private},
		"of a manager": {Owner: "manager"}, "of a member": {Owner: "member"}, "of an admin": {Owner: "admin"}, "of a leaver": {Owner: "leaver"},
	}
	// For each scope: the acts, and towards which of the teams (open, closed, private).
	want := `
of the installation read: see oc; subscribe oc
of the installation act: see oc; acknowledge oc; respond oc; override oc; subscribe oc; maintenance oc
of the installation edit: see oc; edit oc; subscribe oc; keys oc
of the installation admin: see ocp; acknowledge ocp; respond ocp; override ocp; edit ocp; subscribe ocp; maintenance ocp; keys ocp; others ocp; audit ocp; apikeys ocp; report ocp
of the open team read: see oc; subscribe oc
of the open team act: see oc; acknowledge o; respond o; override o; subscribe oc; maintenance o
of the open team edit: see oc; edit o; subscribe oc; keys o
of the open team admin: see oc; acknowledge o; respond o; override o; edit o; subscribe oc; maintenance o; keys o; others o; audit o; apikeys o; report o
of the private team read: see ocp; subscribe ocp
of the private team act: see ocp; acknowledge p; respond p; override p; subscribe ocp; maintenance p
of the private team edit: see ocp; edit p; subscribe ocp; keys p
of the private team admin: see ocp; acknowledge p; respond p; override p; edit p; subscribe ocp; maintenance p; keys p; others p; audit p; apikeys p; report p
of a manager read: see ocp; subscribe ocp
of a manager act: see ocp; acknowledge ocp; respond ocp; override ocp; subscribe ocp; own ocp; phone ocp; maintenance ocp
of a manager edit: see ocp; edit ocp; subscribe ocp; keys ocp
of a manager admin: see ocp; acknowledge ocp; respond ocp; override ocp; edit ocp; subscribe ocp; own ocp; phone ocp; maintenance ocp; keys ocp; audit ocp; apikeys ocp; report ocp
of a member read: see oc; subscribe oc
of a member act: see oc; acknowledge o; respond o; subscribe oc; own ocp
of a member edit: see oc; subscribe oc
of a member admin: see oc; acknowledge o; respond o; subscribe oc; own ocp
of an admin read: see ocp; subscribe ocp
of an admin act: see ocp; acknowledge ocp; respond ocp; override ocp; subscribe ocp; own ocp; phone ocp; maintenance ocp
of an admin edit: see ocp; edit ocp; subscribe ocp; keys ocp
of an admin admin: see ocp; acknowledge ocp; respond ocp; override ocp; edit ocp; subscribe ocp; own ocp; phone ocp; maintenance ocp; keys ocp; others ocp; audit ocp; apikeys ocp; report ocp`
	var got []string
	id := oncall.APIKeyID(0)
	for name, k := range whose {
		for _, scope := range oncall.Scopes() {
			id++
			k.ID, k.Name, k.Scopes = id, "k", []oncall.Scope{scope}
			m.Keys[id] = k
			var may []string
			for _, act := range Permissions() {
				if act == "page" {
					continue
				}
				in := ""
				for letter, team := range map[string]oncall.TeamID{"o": open, "c": closed, "p": private} {
					if m.May(oncall.ByKey(k), act, Object{Team: team}) == nil {
						in += letter
					}
				}
				if in != "" {
					order := strings.Split(in, "")
					slices.SortFunc(order, func(a, b string) int { return strings.Index("ocp", a) - strings.Index("ocp", b) })
					may = append(may, string(act)+" "+strings.Join(order, ""))
				}
			}
			if len(may) > 0 {
				got = append(got, name+" "+string(scope)+": "+strings.Join(may, "; "))
			}
		}
	}
	lines := strings.Split(strings.TrimSpace(want), "\n")
	for _, line := range got {
		if !slices.Contains(lines, line) {
			t.Errorf("not expected: %s", line)
		}
	}
	for _, line := range lines {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
}

// A team's key does nothing of no team but see, so that it is no way around its bounds.
func TestTeamKeyIsLimitedToItsTeam(t *testing.T) {
	t.Parallel()
	m := facts()
	k := oncall.APIKey{ID: 1, Name: "k", TeamID: open, Scopes: []oncall.Scope{oncall.ScopeAdmin}}
	m.Keys = map[oncall.APIKeyID]oncall.APIKey{1: k}
	for _, act := range Permissions() {
		err := m.May(oncall.ByKey(k), act, Object{})
		if (err == nil) != (act == See || act == Subscribe) {
			t.Errorf("%s of no team: got %v, want it allowed: %t", act, err, act == See || act == Subscribe)
		}
	}
	if got := m.Reads(oncall.ByKey(k)); got.All || !slices.Equal(got.Teams, []oncall.TeamID{open}) || !slices.Equal(got.Hidden, []oncall.TeamID{private}) {
		t.Errorf("it reads of the audit log: %+v; want not all teams, but %v, and %v hidden", got, []oncall.TeamID{open}, []oncall.TeamID{private})
	}
	// Who only has the number of a key that is gone has nothing.
	delete(m.Keys, 1)
	if err := m.May(oncall.ByKey(k), See, Object{Team: open}); err == nil {
		t.Error("a revoked key may see")
	}
}
