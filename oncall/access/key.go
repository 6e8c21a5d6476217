package access

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// scopes are what an API key has to have for an act.
var scopes = map[Permission]oncall.Scope{
	See: oncall.ScopeRead, Subscribe: oncall.ScopeRead,
	Page:        oncall.ScopePage,
	Acknowledge: oncall.ScopeAct, Respond: oncall.ScopeAct, Override: oncall.ScopeAct, Maintain: oncall.ScopeAct,
	OwnThings: oncall.ScopeAct, AddPhone: oncall.ScopeAct,
	EditSchedule: oncall.ScopeEdit, Integrations: oncall.ScopeEdit,
	OthersThings: oncall.ScopeAdmin, ReadAudit: oncall.ScopeAdmin, APIKeys: oncall.ScopeAdmin,
	ReportPeople: oncall.ScopeAdmin,
}

// scopeOf returns the scope that an act requires: the widest, if the act is not listed.
func scopeOf(act Permission) oncall.Scope {
	if s, known := scopes[act]; known {
		return s
	}
	return oncall.ScopeAdmin
}

// mayKey says whether an API key is good for an act. A person's own key may also do no more than the person, which
// is asked for afterwards; a team's does nothing outside its team, but see what every full member sees.
func (m Model) mayKey(by oncall.Actor, act Permission, on Object) error {
	key, known := m.Keys[by.Key]
	need := scopeOf(act)
	switch {
	case !known || key.Owner != by.User:
		return oncall.Refuse("The API key %q is not valid any more, and nothing was changed.", by.Name)
	case !key.Allows(need):
		return oncall.Refuse("This takes an API key with the scope %q, and nothing was changed; %q has %s.", string(need), key.Name, scopeList(key.Scopes))
	case key.Owner != "":
		return nil
	case act == OwnThings || act == AddPhone:
		return oncall.Refuse("This is a person's own, so it takes an API key of theirs, and nothing was changed; %q is nobody's own.", key.Name)
	}
	private := m.Teams[on.Team].Private
	switch {
	case key.TeamID != 0 && on.Team == key.TeamID:
		return nil
	case act == See && on.Team == 0:
		return nil
	case private && (key.TeamID != 0 || !key.Allows(oncall.ScopeAdmin) && act != Page):
		return m.refuse(Responder, Object{Team: on.Team})
	case key.TeamID != 0 && act != See && act != Subscribe:
		return oncall.Refuse("The API key %q is of the team %q and does nothing outside it; nothing was changed.", key.Name, m.Teams[key.TeamID].Name)
	}
	return nil
}

// scopeList names the scopes of a key.
func scopeList(scopes []oncall.Scope) string {
	var text strings.Builder
	for i, s := range scopes {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString(`"` + string(s) + `"`)
	}
	return text.String()
}
