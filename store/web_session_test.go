package store_test

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A copy of the database lets nobody sign in, one person's sessions are limited, and ended ones are removed.
func TestSessionsInTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	var first, last string
	for i := range oncall.MostSignIns + 1 {
		at := start.Add(time.Duration(i) * time.Minute)
		link, err := w.MakeSignInLink(ctx, oncall.ByUser(ann), at)
		if err != nil {
			t.Fatal(err)
		}
		session, who, err := w.SignInByLink(ctx, link, at)
		if err != nil || who != ann {
			t.Fatalf("%s, %v, want %s", who, err, ann)
		}
		if last = session; i == 0 {
			first = session
		}
		for _, secret := range []string{link, session} {
			var n int
			if err := w.Pool().QueryRow(ctx, `SELECT count(*) FROM (SELECT s::text AS t FROM web_sessions s UNION ALL SELECT l::text FROM web_links l) x WHERE strpos(t, $1) > 0`, secret).Scan(&n); err != nil || n > 0 {
				t.Errorf("a secret stands in the database: %d, %v, want 0", n, err)
			}
		}
	}
	now := start.Add(time.Hour)
	if _, err := w.SessionBy(ctx, first, now); err == nil || err.Error() != oncall.ErrSignedOut.Error() {
		t.Errorf("the oldest of too many: got %v, want %v", err, oncall.ErrSignedOut)
	}
	if s, err := w.SessionBy(ctx, last, now); err != nil || s.User != ann || s.How != oncall.SignedInByLink {
		t.Errorf("%+v, %v; want User %v and How %v", s, err, ann, oncall.SignedInByLink)
	}
	if _, _, err := w.SignInByMail(ctx, "BO@example.com ", now); err != nil {
		t.Error(err)
	}
	w.exec(`UPDATE users SET email = 'bo@example.com' WHERE id = 'U0CY'`)
	for _, mail := range []string{"bo@example.com", "eve@example.com", ""} {
		if _, who, err := w.SignInByMail(ctx, mail, now); err == nil {
			t.Errorf("%q signs in %s, want an error", mail, who)
		}
	}
	if _, by := w.apiKey(oncall.APIKey{Name: "own", Owner: ann, Scopes: []oncall.Scope{oncall.ScopeAdmin}}); by.User == ann {
		if _, err := w.MakeSignInLink(ctx, by, now); err == nil {
			t.Error("an API key makes a link with which one signs in as its owner")
		}
	}
	if err := w.Housekeeping(ctx, start.Add(oncall.SessionLives+48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := w.Pool().QueryRow(ctx, `SELECT count(*) FROM web_sessions`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d sessions are left, %v, want 0", left, err)
	}
}
