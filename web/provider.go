package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/watchbill/watchbill/oncall"
)

// SlackIssuer is Slack as an OpenID Connect provider.
const SlackIssuer = "https://slack.com"

// A Provider is an OpenID Connect provider with which people sign in.
type Provider struct {
	Name     string // as the button says it: "Slack"
	issuer   string
	id       string
	secret   string
	returnTo string
	clock    func() time.Time
	client   *http.Client

	mu     sync.Mutex
	found  *oidc.Provider // cached after the first discovery
	verify *oidc.IDTokenVerifier
}

// ProviderConfig is the settings of a provider.
type ProviderConfig struct {
	Issuer, ClientID, ClientSecret string
	Address                        string // of the pages
	Clock                          func() time.Time
	Transport                      http.RoundTripper
}

// NewProvider makes a provider. Its endpoints are discovered at the first sign-in, so that we can
// start while it is unavailable.
func NewProvider(c ProviderConfig) *Provider {
	name := "your company's account"
	if u, err := url.Parse(c.Issuer); err == nil && u.Host != "" {
		name = u.Host
	}
	if c.Issuer == SlackIssuer {
		name = "Slack"
	}
	return &Provider{
		Name: name, issuer: c.Issuer, id: c.ClientID, secret: c.ClientSecret, returnTo: c.Address + "/sign-in/return",
		clock: c.Clock, client: &http.Client{Transport: c.Transport, Timeout: pageTimeout},
	}
}

// discover returns the provider's endpoints, asking until it has answered once.
func (p *Provider) discover(ctx context.Context) (*oauth2.Config, *oidc.IDTokenVerifier, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		// Keys are fetched later too, when the request is over.
		found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("ask the identity provider for its addresses: %w", err)
		}
		p.found, p.verify = found, found.Verifier(&oidc.Config{ClientID: p.id, Now: p.clock})
	}
	return &oauth2.Config{
		ClientID: p.id, ClientSecret: p.secret, Endpoint: p.found.Endpoint(), RedirectURL: p.returnTo,
		Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}, p.verify, nil
}

// An attempt is a sign-in in progress at the provider, kept in a cookie.
type attempt struct{ state, nonce, verifier, to string }

// attemptLives is how long a sign-in at the provider may take.
const attemptLives = 10 * time.Minute

func (a attempt) String() string {
	return strings.Join([]string{a.state, a.nonce, a.verifier, queryEscape(a.to)}, ".")
}

func readAttempt(text string) (attempt, bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 4 {
		return attempt{}, false
	}
	to, err := url.QueryUnescape(parts[3])
	return attempt{parts[0], parts[1], parts[2], ownPath(to)}, err == nil && parts[0] != "" && parts[1] != "" && parts[2] != ""
}

func queryEscape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), ".", "%2E") }

// toProvider redirects to the provider.
func (s *server) toProvider(w http.ResponseWriter, r *http.Request) {
	if s.Provider == nil {
		s.signInPage(w, r)
		return
	}
	config, _, err := s.Provider.discover(r.Context())
	if err != nil {
		s.providerFailed(w, r, err)
		return
	}
	a := attempt{state: rand.Text(), nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), to: ownPath(r.URL.Query().Get("to"))}
	s.setPrivateCookie(w, signInName, a.String(), attemptLives)
	http.Redirect(w, r, config.AuthCodeURL(a.state, oidc.Nonce(a.nonce), oauth2.S256ChallengeOption(a.verifier)), http.StatusSeeOther)
}

// Messages for a failed sign-in.
var (
	errAttemptOver   = oncall.Refuse("This sign-in took too long, or began in another browser. Please begin again.")
	errNotVerified   = oncall.Refuse("The identity provider has not verified your mail address, so that Watchbill can't tell who you are.")
	errNotInSlack    = oncall.Refuse("Nobody in the Slack workspace has the mail address with which you have signed in. It has to be the one of your Slack profile; an admin of the workspace can invite you, or type `/oncall web` in Slack for a link instead.")
	errSlackSilent   = oncall.Refuse("Watchbill doesn't know you yet, and Slack can't be asked right now. Please try again in a moment, or type `/oncall web` in Slack for a link.")
	errOtherSlack    = oncall.Refuse("You have signed in to another Slack workspace than the one that runs Watchbill.")
	errProviderSays  = oncall.Refuse("The identity provider has not signed you in. Please begin again.")
	errProviderToken = oncall.Refuse("What the identity provider has sent is not valid, so that you are not signed in. Please begin again; if it stays so, the log says why.")
)

// fromProvider completes the sign-in of a person returning from the provider.
func (s *server) fromProvider(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pageTimeout)
	defer cancel()
	session, to, err := s.finishSignIn(ctx, r)
	s.setPrivateCookie(w, signInName, "", -time.Second) // the attempt is used up in any case
	if err != nil {
		s.providerFailed(w, r, err)
		return
	}
	s.setCookie(w, session)
	http.Redirect(w, r, s.base+to, http.StatusSeeOther)
}

func (s *server) finishSignIn(ctx context.Context, r *http.Request) (session, to string, err error) {
	if s.Provider == nil {
		return "", "", errAttemptOver
	}
	kept, err := r.Cookie(s.cookieName(signInName))
	if err != nil {
		return "", "", errAttemptOver
	}
	a, ok := readAttempt(kept.Value)
	q := r.URL.Query()
	if !ok || subtle.ConstantTimeCompare([]byte(a.state), []byte(q.Get("state"))) != 1 {
		return "", "", errAttemptOver
	}
	if q.Get("error") != "" || q.Get("code") == "" {
		s.Log.Warn().Str("error", q.Get("error")).Msg("the identity provider has not signed somebody in")
		return "", "", errProviderSays
	}
	mail, err := s.Provider.mailOf(ctx, s, q.Get("code"), a)
	if err != nil {
		return "", "", err
	}
	session, user, err := s.Store.SignInByMail(ctx, mail, s.Clock())
	if s.LookUpUser != nil && err != nil && err.Error() == oncall.ErrNoSuchMail.Error() { // refusals can't be compared
		session, user, err = s.signInNewcomer(ctx, mail)
	}
	if err == nil {
		s.Log.Info().Str("user", string(user)).Msg("signed in by the identity provider")
	}
	return session, a.to, err
}

// signInNewcomer signs in somebody of whom Slack has not told yet, if they are in our workspace.
func (s *server) signInNewcomer(ctx context.Context, mail string) (session string, user oncall.UserID, err error) {
	switch err := s.LookUpUser(ctx, mail); {
	case errors.Is(err, oncall.ErrNotFound):
		return "", "", errNotInSlack
	case refused(err):
		return "", "", err
	case err != nil:
		s.outages.Warn().Err(err).Msg("somebody who signs in can't be looked up in Slack")
		return "", "", errSlackSilent
	}
	return s.Store.SignInByMail(ctx, mail, s.Clock())
}

// claims are the provider's statements about a person.
type claims struct {
	Email      string `json:"email"`
	Verified   any    `json:"email_verified"` // some providers write a string
	SlackTeam  string `json:"https://slack.com/team_id"`
	Enterprise string `json:"https://slack.com/enterprise_id"`
}

func (c claims) verified() bool { return c.Email != "" && (c.Verified == true || c.Verified == "true") }

// mailOf exchanges a code for the person's verified mail address.
func (p *Provider) mailOf(ctx context.Context, s *server, code string, a attempt) (string, error) {
	config, verifier, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(a.verifier))
	if answer, ok := errors.AsType[*oauth2.RetrieveError](err); ok && answer.Response.StatusCode < http.StatusInternalServerError {
		// The response body may hold tokens, so it is not logged.
		s.Log.Warn().Str("error", answer.ErrorCode).Int("code", answer.Response.StatusCode).Msg("the identity provider takes no code")
		return "", errProviderToken
	} else if ok {
		return "", fmt.Errorf("exchange a code: the identity provider answers %d", answer.Response.StatusCode)
	}
	if err != nil {
		return "", fmt.Errorf("exchange a code: %w", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		s.Log.Warn().Msg("the identity provider has sent no id_token")
		return "", errProviderToken
	}
	id, err := verifier.Verify(ctx, raw)
	if err == nil && subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.nonce)) != 1 {
		err = errors.New("it has another nonce")
	}
	var stated claims
	if err == nil {
		err = id.Claims(&stated)
	}
	if err != nil {
		s.Log.Warn().Err(err).Msg("the identity provider's id_token is refused")
		return "", errProviderToken
	}
	if !stated.verified() {
		return "", errNotVerified
	}
	if stated.SlackTeam != "" {
		here, err := s.Store.Workspace(ctx)
		if err != nil {
			return "", err
		}
		if here.Team != "" && here.Team != stated.SlackTeam && (here.Enterprise == "" || here.Enterprise != stated.Enterprise) {
			return "", errOtherSlack
		}
	}
	return stated.Email, nil
}

// providerFailed explains why the provider did not sign the person in.
func (s *server) providerFailed(w http.ResponseWriter, r *http.Request, err error) {
	if refused(err) {
		s.signInFailed(w, r, err)
		return
	}
	if r.Context().Err() == nil {
		s.outages.Error().Err(err).Msg("nobody can sign in")
	}
	s.writeSignIn(w, r, http.StatusServiceUnavailable, "/", "The identity provider can't be reached, or the database does not answer. Please try again in a moment.")
}
