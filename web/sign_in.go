package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A signInForm is the page for people who are not signed in.
type signInForm struct {
	Provider string // what it is called; "": there is none
	Start    string // where the sign-in begins
	Said     any    // what went wrong
	Name     string // the person whom a link signs in
	Secret   string
}

// signInPage shows how to sign in.
func (s *server) signInPage(w http.ResponseWriter, r *http.Request) {
	to := ownPath(r.URL.Query().Get("to"))
	if s.Demo != "" {
		http.Redirect(w, r, s.base+to, http.StatusSeeOther)
		return
	}
	s.writeSignIn(w, r, http.StatusOK, to, nil)
}

// writeSignIn renders that page, with an error if there was one.
func (s *server) writeSignIn(w http.ResponseWriter, r *http.Request, code int, to string, problem any) {
	f := signInForm{Said: problem}
	if to != "/" { // for those who continue with a link from Slack
		s.setPrivateCookie(w, wantedName, queryEscape(to), attemptLives)
	}
	if s.Provider != nil {
		f.Provider, f.Start = s.Provider.Name, s.base+"/sign-in/provider?to="+queryEscape(to)
	}
	s.write(w, r, reader{base: s.base, now: s.Clock()}, page{name: "sign_in", title: "Sign in", data: f, code: code})
}

// linkPage asks for confirmation before a link is used up, because link previews must not use it.
func (s *server) linkPage(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pageTimeout)
	defer cancel()
	secret := r.PathValue("secret")
	user, err := s.Store.SignInLinkUser(ctx, secret, s.Clock())
	if err != nil {
		s.signInFailed(w, r, err)
		return
	}
	dir, err := s.Store.DirectoryFor(ctx, oncall.ByWeb(user))
	if err != nil {
		s.signInFailed(w, r, err)
		return
	}
	s.write(w, r, reader{base: s.base, now: s.Clock()}, page{
		name: "sign_in", title: "Sign in", data: signInForm{Name: dir.Name(user), Secret: secret},
	})
}

// useLink signs in the person a link is for.
func (s *server) useLink(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pageTimeout)
	defer cancel()
	session, user, err := s.Store.SignInByLink(ctx, r.PathValue("secret"), s.Clock())
	if err != nil {
		s.signInFailed(w, r, err)
		return
	}
	s.Log.Info().Str("user", string(user)).Msg("signed in by a link")
	s.setCookie(w, session)
	http.Redirect(w, r, s.base+s.returnPath(w, r), http.StatusSeeOther)
}

// returnPath returns the page a person asked for before signing in.
func (s *server) returnPath(w http.ResponseWriter, r *http.Request) string {
	kept, err := r.Cookie(s.cookieName(wantedName))
	if err != nil {
		return "/"
	}
	s.setPrivateCookie(w, wantedName, "", -time.Second)
	to, err := url.QueryUnescape(kept.Value)
	if err != nil {
		return "/"
	}
	return ownPath(to)
}

// signInFailed explains why a person is not signed in.
func (s *server) signInFailed(w http.ResponseWriter, r *http.Request, err error) {
	nobody := reader{base: s.base, now: s.Clock()}
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		s.writeSignIn(w, r, http.StatusForbidden, "/", nobody.Said(refusal))
		return
	}
	s.fail(w, r, nobody, err)
}

// signOut ends this browser's session, or all of the person's.
func (v *visit) signOut() (page, error) {
	if err := v.Store.SignOut(v.ctx, v.by, v.session, v.r.PostFormValue("everywhere") != "", v.now); err != nil {
		return page{}, err
	}
	v.clearCookie(v.w)
	return page{to: "/sign-in"}, nil
}

// demoUser returns the visitor's person in the demo: the one they chose, here or in the local
// Slack, or else whoever is on call.
func (s *server) demoUser(ctx context.Context, r *http.Request) (oncall.UserID, error) {
	dir, err := s.Store.DirectoryFor(ctx, oncall.Actor{Via: oncall.ViaTimer})
	if err != nil {
		return "", err
	}
	known := demoUsers(dir)
	if chosen, err := r.Cookie(s.Demo); err == nil {
		if i := slices.IndexFunc(known, func(u oncall.User) bool { return string(u.ID) == chosen.Value }); i >= 0 {
			return known[i].ID, nil
		}
	}
	for _, sched := range dir.Schedules {
		for _, role := range sched.Roles() {
			if on := sched.At(s.Clock(), role); len(on) > 0 {
				return on[0], nil
			}
		}
	}
	if len(known) == 0 {
		return "", errNobody
	}
	return known[0].ID, nil
}

// errNobody is the demo's message while nothing is set up.
var errNobody = oncall.Refuse("There is nobody yet who could look at the pages.")

// demoUsers returns the people in teams, sorted by name.
func demoUsers(dir *store.Directory) []oncall.User {
	var out []oncall.User
	for _, id := range dir.PeopleNamed() {
		if u := dir.Users[id]; u.ID != "" && u.DeactivatedAt == nil {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b oncall.User) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return slices.CompactFunc(out, func(a, b oncall.User) bool { return a.ID == b.ID })
}

// chooseDemo makes the visitor another person.
func (s *server) chooseDemo(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // the demo has no secrets
		Name: s.Demo, Value: url.QueryEscape(r.PostFormValue("user")), Path: "/", SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, s.base+ownPath(r.PostFormValue("to")), http.StatusSeeOther)
}
