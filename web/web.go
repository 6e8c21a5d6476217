// Package web serves the pages for browsers: who is on call, a team's schedules, incidents,
// reports, integrations and the audit log. They are rendered on the server and readable without
// scripts. They show the same as Slack and the REST API, and get it from package store with the
// person as the actor; this package holds no rules.
package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// Config is what the handler needs.
type Config struct {
	Store     *store.Store
	Clock     func() time.Time
	Log       zerolog.Logger
	Address   string        // base address of the pages, without a trailing slash
	Provider  *Provider     // for signing in; nil: only by a link from Slack
	Demo      string        // in the demo: the cookie that says who somebody is; ""
	Status    string        // who sees the status page
	Retention time.Duration // for how long resolved incidents are kept; 0: for ever

	// LookUpUser looks up in Slack who has a mail address, and saves it; nil: only known people sign in.
	LookUpUser func(ctx context.Context, mail string) error
}

// server is the state that all requests share.
type server struct {
	Config
	base    string // path prefix, if a proxy serves the pages below one
	secure  bool   // browsers use https
	outages zerolog.Logger
}

// New returns the handler of all pages.
func New(c Config) http.Handler {
	s := &server{Config: c, outages: c.Log.Sample(&zerolog.BurstSampler{Burst: 3, Period: 10 * time.Second})}
	guard := http.NewCrossOriginProtection()
	if at, err := url.Parse(c.Address); err == nil && at.Host != "" {
		s.base, s.secure = strings.TrimSuffix(at.Path, "/"), at.Scheme == "https"
		// A proxy may have changed the request's Host.
		_ = guard.AddTrustedOrigin(at.Scheme + "://" + at.Host) // always well-formed
	}
	guard.SetDenyHandler(http.HandlerFunc(s.refuseCrossSite))
	return s.headers(guard.Handler(s.routes()))
}

func (s *server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, do := range map[string]func(*visit) (page, error){
		"GET /{$}":                    (*visit).onCall,
		"GET /teams/{team}":           (*visit).team,
		"GET /incidents":              (*visit).incidents,
		"GET /incidents/{id}":         (*visit).incident,
		"POST /incidents/{id}":        (*visit).act,
		"POST /incidents/{id}/status": (*visit).publish,
		"GET /page":                   (*visit).showRaise,
		"POST /page":                  (*visit).raise,
		"GET /reports":                (*visit).reports,
		"GET /reports.csv":            (*visit).reportsCSV,
		"GET /integrations":           (*visit).integrations,
		"GET /integrations/{name}":    (*visit).integration,
		"GET /audit":                  (*visit).audit,
		"POST /sign-out":              (*visit).signOut,
	} {
		mux.HandleFunc(pattern, s.signedIn(do))
	}
	switch s.Status {
	case StatusPublic:
		mux.HandleFunc("GET /status", s.publicStatus)
	case StatusInternal:
		mux.HandleFunc("GET /status", s.signedIn((*visit).status))
	}
	mux.HandleFunc("GET /sign-in", s.signInPage)
	mux.HandleFunc("GET /sign-in/provider", s.toProvider)
	mux.HandleFunc("GET /sign-in/return", s.fromProvider)
	mux.HandleFunc("GET /sign-in/link/{secret}", s.linkPage)
	mux.HandleFunc("POST /sign-in/link/{secret}", s.useLink)
	if s.Demo != "" {
		mux.HandleFunc("POST /sign-in/demo", s.chooseDemo)
	}
	mux.HandleFunc("GET /static/{file}", static)
	// No sign-in here: a monitor with a wrong address must not take that for success.
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, reader{base: s.base, now: s.Clock()}, oncall.ErrNotFound)
	})
	return mux
}

// pageTimeout is how long the database may take while a person waits for a page.
const pageTimeout = 10 * time.Second

// A visit is one request of a person who is signed in.
type visit struct {
	*server
	reader
	w       http.ResponseWriter
	r       *http.Request
	ctx     context.Context
	by      oncall.Actor
	dir     *store.Directory
	session string // its secret
}

// A page is the result of a visit.
type page struct {
	name  string // of its template
	title string
	tab   string // current tab in the navigation
	data  any
	code  int    // 0: 200
	to    string // one of our paths to redirect to instead
	done  bool   // the response is already written
	live  bool   // refreshed while it is open
}

// signedIn requires a session; without one, the person signs in and returns.
func (s *server) signedIn(do func(*visit) (page, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), pageTimeout)
		defer cancel()
		secret := s.cookie(r)
		now := s.Clock()
		session, err := s.sessionOf(ctx, r, secret, now)
		if refused(err) && s.Demo == "" {
			s.askToSignIn(w, r)
			return
		}
		v := &visit{server: s, w: w, r: r, ctx: ctx, by: oncall.ByWeb(session.User), session: secret, reader: reader{now: now, base: s.base}}
		if err == nil {
			v.dir, err = s.Store.DirectoryFor(ctx, v.by)
		}
		if err != nil {
			s.fail(w, r, v.reader, err)
			return
		}
		v.reader = s.newReader(v.dir, session.User, now)
		p, err := do(v)
		if err != nil {
			s.fail(w, r, v.reader, err)
			return
		}
		s.write(w, r, v.reader, p)
	}
}

// sessionOf returns a browser's session. In the demo everybody has one without signing in.
func (s *server) sessionOf(ctx context.Context, r *http.Request, secret string, now time.Time) (oncall.Session, error) {
	switch {
	case s.Demo != "":
		user, err := s.demoUser(ctx, r)
		return oncall.Session{User: user}, err
	case secret == "":
		return oncall.Session{}, oncall.ErrSignedOut
	}
	return s.Store.SessionBy(ctx, secret, now)
}

// askToSignIn redirects to the sign-in, and remembers the requested page.
func (s *server) askToSignIn(w http.ResponseWriter, r *http.Request) {
	s.clearCookie(w)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.writeSignIn(w, r, http.StatusUnauthorized, ownPath(r.URL.Path), "You are not signed in any more, and nothing was changed.")
		return
	}
	http.Redirect(w, r, s.base+"/sign-in?to="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
}
