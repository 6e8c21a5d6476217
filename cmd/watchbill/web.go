package main

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/watchbill/watchbill/web"
)

// webFlags set whether there are pages for browsers, and how people sign in.
type webFlags struct {
	Web              bool   `env:"WATCHBILL_WEB" help:"Serve the pages for browsers; without it there are none."`
	Status           string `name:"status-page" env:"WATCHBILL_STATUS_PAGE" placeholder:"WHO" help:"Who sees the status page: public or internal; without it there is none."`
	OIDCIssuer       string `name:"oidc-issuer" env:"WATCHBILL_OIDC_ISSUER" placeholder:"URL" help:"OpenID Connect provider with which people sign in to the pages, such as https://slack.com; without it they get a link from /oncall web."`
	OIDCClientID     string `name:"oidc-client-id" env:"WATCHBILL_OIDC_CLIENT_ID" placeholder:"ID" help:"What the provider calls Watchbill."`
	OIDCClientSecret string `name:"oidc-client-secret" env:"WATCHBILL_OIDC_CLIENT_SECRET" placeholder:"SECRET" help:"The secret that it has given to Watchbill."`
}

func (f webFlags) problems(publicURL string) (wrong []string) {
	switch {
	case f.Status != web.StatusOff && f.Status != web.StatusPublic && f.Status != web.StatusInternal:
		wrong = append(wrong, "WATCHBILL_STATUS_PAGE is public or internal")
	case f.Status != web.StatusOff && !f.Web:
		wrong = append(wrong, "WATCHBILL_STATUS_PAGE is one of the pages, which WATCHBILL_WEB=true switches on")
	}
	if f.OIDCIssuer == "" {
		if f.OIDCClientID != "" || f.OIDCClientSecret != "" {
			wrong = append(wrong, "WATCHBILL_OIDC_ISSUER is not set: the address of the provider that WATCHBILL_OIDC_CLIENT_ID belongs to")
		}
		return wrong
	}
	issuer, err := url.Parse(f.OIDCIssuer)
	if err != nil || issuer.Host == "" || issuer.Scheme != "https" && issuer.Scheme != "http" || issuer.RawQuery != "" || issuer.Fragment != "" {
		wrong = append(wrong, "WATCHBILL_OIDC_ISSUER must be an address such as https://slack.com or https://login.example.com/realms/main")
	}
	if f.OIDCClientID == "" {
		wrong = append(wrong, "WATCHBILL_OIDC_CLIENT_ID is not set: what the provider calls Watchbill")
	}
	switch {
	case publicURL == "":
		wrong = append(wrong, "WATCHBILL_PUBLIC_URL is not set: the provider must know where to send people back to")
	case f.OIDCIssuer == web.SlackIssuer && !strings.HasPrefix(publicURL, "https://"):
		wrong = append(wrong, "WATCHBILL_PUBLIC_URL must begin with https:// for Sign in with Slack; over http use another provider, or only the links of /oncall web")
	}
	if !f.Web {
		wrong = append(wrong, "WATCHBILL_OIDC_ISSUER is for the pages, which WATCHBILL_WEB=true switches on")
	}
	return wrong
}

func (f webFlags) settings() webSettings {
	return webSettings{on: f.Web, status: f.Status, issuer: f.OIDCIssuer, clientID: f.OIDCClientID, clientSecret: f.OIDCClientSecret}
}

// webSettings are the settings of the pages.
type webSettings struct {
	on                             bool
	demo                           string // the cookie that holds the local Slack's current person
	status                         string
	issuer, clientID, clientSecret string
}

// pages returns the handler of the pages; nil if they are off.
func (a *app) pages(s settings, clock func() time.Time) http.Handler {
	if !s.web.on {
		return nil
	}
	address, _ := s.address()
	c := web.Config{Store: a.store.Store, Clock: clock, Log: a.log, Address: address, Demo: s.web.demo, Status: s.web.status, Retention: s.terms.Incidents, LookUpUser: a.bot.AddUserByEmail}
	c.Provider = s.web.provider(address, clock)
	return web.New(c)
}

// provider is that with which people sign in; nil: there is none.
func (s webSettings) provider(address string, clock func() time.Time) *web.Provider {
	if s.issuer == "" {
		return nil
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	return web.NewProvider(web.ProviderConfig{
		Issuer: s.issuer, ClientID: s.clientID, ClientSecret: s.clientSecret, Address: strings.TrimSuffix(address, "/"), Clock: clock, Transport: transport,
	})
}
