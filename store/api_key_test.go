package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// apiKey makes a key as the command line does, and returns its holder.
func (w *world) apiKey(k oncall.APIKey) (key string, by oncall.Actor) {
	w.t.Helper()
	key, made, err := w.CreateAPIKey(w.t.Context(), oncall.ByCommandLine("root@test"), k, start)
	if err != nil {
		w.t.Fatal(err)
	}
	return key, oncall.ByKey(made)
}

// A key works until it is revoked or expires. After a rotation the old one works for another day.
func TestAPIKeyExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	root := oncall.ByCommandLine("root@test")
	key, by := w.apiKey(oncall.APIKey{Name: "deploy", Scopes: []oncall.Scope{oncall.ScopeRead}, ExpiresAt: new(start.Add(72 * time.Hour))})
	good := func(key string, at time.Time, want bool) {
		t.Helper()
		k, err := w.APIKeyBy(t.Context(), key, at)
		switch {
		case want && (err != nil || oncall.ByKey(k) != by):
			t.Errorf("at %s the key is %+v, %v; want it good, as the same key", at, k, err)
		case !want && !errors.Is(err, oncall.ErrNotFound):
			t.Errorf("at %s it is good, or %v", at, err)
		}
	}
	good(key, start, true)
	good(key[:len(key)-1], start, false)
	good("wb_", start, false)
	good("", start, false)
	good(key, start.Add(72*time.Hour), false)
	second, was, err := w.RotateAPIKey(t.Context(), root, "deploy", false, start.Add(time.Hour))
	if err != nil || !strings.HasSuffix(key, was.OldHint) || !strings.HasSuffix(second, was.Hint) {
		t.Fatalf("%+v, %v; want key to end with %q and second to end with %q", was, err, was.OldHint, was.Hint)
	}
	good(key, start.Add(24*time.Hour), true)
	good(second, start.Add(24*time.Hour), true)
	good(key, start.Add(25*time.Hour), false)
	third, _, err := w.RotateAPIKey(t.Context(), root, "deploy", true, start.Add(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for _, ended := range []string{key, second} {
		good(ended, start.Add(2*time.Hour), false)
	}
	good(third, start.Add(2*time.Hour), true)
	if err := w.SaveAPIKeyUses(t.Context(), start); err != nil {
		t.Fatal(err)
	}
	if list := must[[]store.APIKeyState](t)(w.APIKeys(t.Context(), root)); len(list) != 1 || list[0].Uses == 0 || list[0].UsedAt == nil {
		t.Errorf("its uses: %+v; want one key that has been used", list)
	}
	if err := w.RevokeAPIKey(t.Context(), root, "deploy", start.Add(3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	good(third, start.Add(3*time.Hour), false)
	if n := w.count(`SELECT count(*) FROM api_keys WHERE hash::text LIKE '%' || $1 || '%'`, third); n != 0 {
		t.Errorf("the key is stored: got %v, want 0", n)
	}
	w.apiKey(oncall.APIKey{Name: "deploy", Scopes: []oncall.Scope{oncall.ScopePage}}) // the name is free again
}

// A key made on one instance works on the others at once: they look up a key that they do not know.
func TestAnotherInstanceLearnsOfAPIKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.another()
	must[*store.Directory](t)(other.Directory(t.Context()))
	key, _ := w.apiKey(oncall.APIKey{Name: "deploy", Scopes: []oncall.Scope{oncall.ScopeRead}})
	if _, err := other.APIKeyBy(t.Context(), key, start); err != nil {
		t.Errorf("a new key: %v", err)
	}
}

// People manage the keys of their own teams, and a key can't make keys.
func TestAPIKeyPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withPrivateTeam()
	w.exec(`UPDATE users SET owner = true WHERE id = $1`, di)
	w.exec(`UPDATE team_members SET role = 'admin' WHERE user_id = $1`, ann)
	payments, secret := oncall.TeamID(w.idOf("teams", "payments")), oncall.TeamID(w.idOf("teams", "secret"))
	w.exec(`NOTIFY watchbill_config`)
	of := map[string]oncall.APIKey{
		"payments'": {TeamID: payments}, "secret's": {TeamID: secret}, "Ann's": {Owner: ann}, "Bo's": {Owner: bo}, "the installation's": {},
	}
	may := map[oncall.UserID]string{
		ann: "Ann's, payments'", bo: "Bo's", di: "Ann's, Bo's, payments', secret's, the installation's", eve: "secret's",
	}
	for who, want := range may {
		var got []string
		for whose, k := range of {
			k.Name, k.Scopes = string(who)+" "+strings.NewReplacer("'", "").Replace(whose), []oncall.Scope{oncall.ScopeRead}
			_, _, err := w.CreateAPIKey(t.Context(), oncall.ByUser(who), k, start)
			if err == nil {
				got = append(got, whose)
			} else if _, refused := errors.AsType[oncall.Refusal](err); !refused {
				t.Errorf("%s: %v, want a refusal", who, err)
			}
		}
		slices.Sort(got)
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s makes %s, want %s", who, text, want)
		}
	}
	if list := must[[]store.APIKeyState](t)(w.APIKeys(t.Context(), oncall.ByUser(bo))); len(list) != 2 { // Di has made one for him
		t.Errorf("Bo sees %+v, want 2 entries", list)
	}
	if err := w.RevokeAPIKey(t.Context(), oncall.ByUser(ann), "U0EVE secrets", start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("Ann revokes a private team's key: %v, want the error %v", err, oncall.ErrNotFound)
	}
	_, admin := w.apiKey(oncall.APIKey{Name: "all", Scopes: []oncall.Scope{oncall.ScopeAdmin}})
	_, _, err := w.CreateAPIKey(t.Context(), admin, oncall.APIKey{Name: "more", Scopes: []oncall.Scope{oncall.ScopeRead}}, start)
	isRefused(t, err, "API keys are managed by people, not with an API key; nothing was changed.")
}

// The audit log names the key that was used, and its owner.
func TestAuditLogNamesTheKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	team := oncall.TeamID(w.idOf("teams", "payments"))
	_, teams := w.apiKey(oncall.APIKey{Name: "deploy", TeamID: team, Scopes: []oncall.Scope{oncall.ScopeEdit}})
	_, anns := w.apiKey(oncall.APIKey{Name: "laptop", Owner: ann, Scopes: []oncall.Scope{oncall.ScopeEdit}})
	for _, by := range []oncall.Actor{teams, anns} {
		if err := w.MuteIntegration(t.Context(), by, "grafana", nil, start); err != nil {
			t.Fatal(err)
		}
	}
	entries, _, err := w.History(t.Context(), oncall.ByCommandLine("root"), store.AuditFilter{Kind: audit.Integration, Limit: 2})
	if err != nil || len(entries) != 2 {
		t.Fatalf("%+v, %v, want 2 entries", entries, err)
	}
	for i, want := range []string{"U0ANN muted the integration \"grafana\" with the API key laptop", "the API key deploy muted the integration \"grafana\" "} {
		e := entries[i]
		if got := e.By.String() + " " + e.Sentence().Shown(func(u oncall.UserID) string { return string(u) }) + " " + e.Way(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	// A person's key has no more rights than the person, and none after they have left.
	w.exec(`UPDATE users SET deactivated_at = $2 WHERE id = $1`, ann, start)
	if _, err = w.UnmuteIntegration(t.Context(), anns, "grafana", start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("the key of somebody who has left: %v, want the error %v", err, oncall.ErrNotFound)
	}
	// A refusal of a key names it.
	_, err = w.AddShift(t.Context(), oncall.ByKey(oncall.APIKey{ID: teams.Key, Name: "deploy", Owner: bo}), 1, shiftOf(cy), start)
	isRefused(t, err, `The API key "deploy" is not valid any more, and nothing was changed.`)
}

func shiftOf(who oncall.UserID) schedule.ManualShift {
	return schedule.ManualShift{Start: start.Add(time.Hour), End: start.Add(2 * time.Hour), Users: []oncall.UserID{who}}
}
