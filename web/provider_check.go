package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// A Finding is what a check of the provider has found.
type Finding struct {
	OK           bool
	Note         bool // it may be right all the same
	Text, Remedy string
}

// Check looks whether people could sign in: whether the provider answers, calls itself as it is called here, and takes
// our client with the address to which it would send people back. Nobody is signed in.
func (p *Provider) Check(ctx context.Context) []Finding {
	config, _, err := p.discover(ctx)
	if err != nil {
		return []Finding{{
			Text:   fmt.Sprintf("the provider %s can't be used: %v", p.issuer, err),
			Remedy: "WATCHBILL_OIDC_ISSUER has to be the issuer exactly as its /.well-known/openid-configuration says, and reachable from here.",
		}}
	}
	return []Finding{{OK: true, Text: p.issuer + " is there, and calls itself so"}, p.checkClient(ctx, config)}
}

// checkClient begins to sign in, as a browser would, and looks at what the provider answers.
func (p *Provider) checkClient(ctx context.Context, config *oauth2.Config) Finding {
	register := "Register " + p.returnTo + " as a redirect URL of the client " + p.id + " at the provider."
	address := config.AuthCodeURL(rand.Text(), oidc.Nonce(rand.Text()), oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return Finding{Text: "the provider's address for signing in is none", Remedy: "Look at its /.well-known/openid-configuration."}
	}
	once := *p.client
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := once.Do(r)
	if err != nil {
		return Finding{Note: true, Text: "the provider's page for signing in can't be reached from here", Remedy: "People's browsers have to reach it; " + register}
	}
	defer res.Body.Close()
	if back, err := url.Parse(res.Header.Get("Location")); err == nil && strings.HasPrefix(res.Header.Get("Location"), p.returnTo) && back.Query().Get("error") != "" {
		return Finding{Text: "the provider refuses our client: " + back.Query().Get("error"), Remedy: "Look at the client " + p.id + " at the provider; it needs the authorization code flow and the scopes openid, email and profile."}
	}
	switch {
	case res.StatusCode < http.StatusBadRequest:
		return Finding{OK: true, Text: "it takes the client " + p.id + " with the redirect URL " + p.returnTo}
	case res.StatusCode < http.StatusInternalServerError:
		return Finding{Text: fmt.Sprintf("the provider answers %d to the client %s with the redirect URL %s", res.StatusCode, p.id, p.returnTo), Remedy: register}
	}
	return Finding{Note: true, Text: fmt.Sprintf("the provider's page for signing in answers %d", res.StatusCode), Remedy: "Try again later; " + register}
}
