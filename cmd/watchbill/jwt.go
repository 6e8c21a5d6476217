package main

import (
	"net/http"
	"net/url"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/api/token"
)

// jwtFlags say whose tokens services may show in place of an API key.
type jwtFlags struct {
	JWTIssuer     string `name:"jwt-issuer" env:"WATCHBILL_JWT_ISSUER" placeholder:"URL" help:"OpenID Connect issuer whose tokens services may show to the REST API in place of a key, such as https://login.example.com/realms/main."`
	JWTAudience   string `name:"jwt-audience" env:"WATCHBILL_JWT_AUDIENCE" placeholder:"NAME" help:"The audience that these tokens must have, such as watchbill."`
	JWTScopeClaim string `name:"jwt-scope-claim" env:"WATCHBILL_JWT_SCOPE_CLAIM" placeholder:"NAME" help:"The claim with what a token is for, such as scope, roles or realm_access.roles: read, page, act, edit or admin, also as watchbill:read."`
	JWTTeamClaim  string `name:"jwt-team-claim" env:"WATCHBILL_JWT_TEAM_CLAIM" placeholder:"NAME" help:"The claim that names the team outside of which a token does nothing; without it tokens are the installation's."`
}

func (f jwtFlags) problems() (wrong []string) {
	if f.JWTIssuer == "" {
		if f.JWTAudience != "" || f.JWTScopeClaim != "" || f.JWTTeamClaim != "" {
			wrong = append(wrong, "WATCHBILL_JWT_ISSUER is not set: the address of the issuer whose tokens the other WATCHBILL_JWT settings are about")
		}
		return wrong
	}
	u, err := url.Parse(f.JWTIssuer)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" {
		wrong = append(wrong, "WATCHBILL_JWT_ISSUER must be an address such as https://login.example.com/realms/main, exactly as the issuer writes it in its tokens")
	}
	if f.JWTAudience == "" {
		wrong = append(wrong, "WATCHBILL_JWT_AUDIENCE is not set: the audience of tokens for Watchbill; without one every token of the issuer would be good here")
	}
	if f.JWTScopeClaim == "" {
		wrong = append(wrong, "WATCHBILL_JWT_SCOPE_CLAIM is not set: the claim with what a token is for, such as scope")
	}
	return wrong
}

// checker checks the tokens; nil: there is no issuer.
func (f jwtFlags) checker(log zerolog.Logger) *token.Checker {
	if f.JWTIssuer == "" {
		return nil
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	return token.New(token.Config{
		Issuer: f.JWTIssuer, Audience: f.JWTAudience, ScopeClaim: f.JWTScopeClaim, TeamClaim: f.JWTTeamClaim, Transport: transport, Log: log,
	})
}

func (f jwtFlags) tokens(log zerolog.Logger) rest.Tokens {
	if c := f.checker(log); c != nil {
		return c
	}
	return nil
}
