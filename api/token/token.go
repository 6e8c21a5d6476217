// Package token checks JSON Web Tokens from one issuer, which services may send instead of an API key. It finds out
// who the service is and its scopes; permissions are then the same as with an API key.
package token

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
)

// Config is what a Checker needs.
type Config struct {
	Issuer     string // its own name, a URL; its keys are discovered from it
	Audience   string // required in every token
	ScopeClaim string // the claim with the scopes
	TeamClaim  string // the claim with the team; empty: tokens are for the whole installation
	Transport  http.RoundTripper
	Log        zerolog.Logger
}

// A Checker checks tokens.
type Checker struct {
	Config
	keys keys
}

// New returns a Checker. It calls the issuer only when the first token arrives, so that Watchbill starts without it.
func New(c Config) *Checker {
	return &Checker{Config: c, keys: keys{
		issuer: c.Issuer, client: &http.Client{Transport: c.Transport, Timeout: requestTimeout},
		log: c.Log.Sample(&zerolog.BurstSampler{Burst: 1, Period: time.Minute}),
	}}
}

// skew is how much two clocks may differ.
const skew = time.Minute

// algorithms are the accepted ones: asymmetric only, so no shared secrets and no "none".
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// The errors that callers see.
var (
	errNoToken   = oncall.Refuse("This is neither an API key nor a token that Watchbill can read; a token is a JWT signed with RS256, ES256 or the like.")
	errIssuer    = oncall.Refuse("This token is of another issuer.")
	errSignature = oncall.Refuse("This token is not signed with a key of its issuer.")
	errAudience  = oncall.Refuse("This token is not for Watchbill: its audience is another.")
	errExpired   = oncall.Refuse("This token has expired.")
	errEarly     = oncall.Refuse("This token is not valid yet.")
)

// claims are the claims of a token. Names are case-sensitive.
type claims map[string]any

func readClaims(text []byte) (c claims, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&c); err != nil {
		return nil, errNoToken
	}
	return c, nil
}

func (c claims) text(name string) string {
	text, _ := c[name].(string)
	return text
}

// instant reads a claim as an instant; known is false if it isn't one.
func (c claims) instant(name string) (at time.Time, there, known bool) {
	v, there := c[name]
	n, _ := v.(json.Number)
	f, err := n.Float64()
	return time.Unix(int64(f), 0), there, err == nil && f > 0 && f < 1e11
}

// Check returns the service that a token belongs to. A bad token is a Refusal; any other error means that the issuer
// could not be reached.
func (c *Checker) Check(ctx context.Context, text string, now time.Time) (oncall.Service, error) {
	signed, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil || len(signed.Signatures) != 1 || !isAccessToken(signed.Signatures[0].Protected) {
		return oncall.Service{}, errNoToken
	}
	unchecked, err := readClaims(signed.UnsafePayloadWithoutVerification())
	if err != nil {
		return oncall.Service{}, err
	}
	if unchecked.text("iss") != c.Issuer { // don't fetch keys for another issuer's token
		return oncall.Service{}, errIssuer
	}
	payload, err := c.keys.verify(ctx, signed, now)
	if err != nil {
		return oncall.Service{}, err
	}
	verified, err := readClaims(payload)
	if err != nil {
		return oncall.Service{}, err
	}
	if err := verified.valid(c.Issuer, c.Audience, now); err != nil {
		return oncall.Service{}, err
	}
	return c.service(verified)
}

// isAccessToken reports whether a header's type is that of an access token.
func isAccessToken(h jose.Header) bool {
	kind, _ := h.ExtraHeaders[jose.HeaderType].(string)
	switch strings.TrimPrefix(strings.ToLower(kind), "application/") {
	case "", "jwt", "at+jwt":
		return true
	}
	return false
}

func (c claims) valid(issuer, audience string, now time.Time) error {
	switch expires, _, known := c.instant("exp"); {
	case c.text("iss") != issuer:
		return errIssuer
	case !slices.Contains(c.texts("aud"), audience):
		return errAudience
	case !known || !now.Before(expires.Add(skew)):
		return errExpired
	}
	for _, name := range []string{"nbf", "iat"} {
		if begins, there, known := c.instant(name); there && (!known || now.Add(skew).Before(begins)) {
			return errEarly
		}
	}
	return nil
}

// service reads the subject, scopes and team.
func (c *Checker) service(from claims) (oncall.Service, error) {
	var scopes []oncall.Scope
	for _, word := range from.texts(c.ScopeClaim) {
		for one := range strings.FieldsFuncSeq(word, func(r rune) bool { return r == ' ' || r == ',' }) {
			for _, prefix := range []string{"watchbill:", "watchbill.", "watchbill/"} {
				one = strings.TrimPrefix(one, prefix)
			}
			scopes = append(scopes, oncall.Scope(one))
		}
	}
	team := ""
	if c.TeamClaim != "" {
		teams := from.texts(c.TeamClaim)
		if len(teams) != 1 || teams[0] == "" {
			return oncall.Service{}, oncall.Refuse("This token has to name one team in its claim %q.", c.TeamClaim)
		}
		team = teams[0]
	}
	return oncall.NewService(c.Issuer, from.text("sub"), team, scopes)
}

// texts reads a claim that is a string or a list of strings. A name with dots leads into nested claims, such as
// realm_access.roles.
func (c claims) texts(name string) []string {
	v, known := c[name]
	if !known {
		outer, inner, deeper := strings.Cut(name, ".")
		if within, ok := c[outer].(map[string]any); deeper && ok {
			return claims(within).texts(inner)
		}
		return nil
	}
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, one := range v {
			if text, ok := one.(string); ok {
				out = append(out, text)
			}
		}
		return out
	}
	return nil
}

// CheckIssuer fetches the issuer's keys, to test the settings.
func (c *Checker) CheckIssuer(ctx context.Context) error {
	found, err := c.keys.fetch(ctx)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%s has no key with which it could sign tokens", c.Issuer)
	}
	return err
}
