package rest_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/api/token"
	"github.com/watchbill/watchbill/oncall"
)

// An issuer gives tokens to services, on loopback.
type issuer struct {
	testing.TB
	server *httptest.Server
	away   atomic.Bool
	asked  atomic.Int64 // for its keys
	name   string       // as it calls itself; "": its address

	mu   sync.Mutex
	keys []jose.JSONWebKey // public
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	iss := &issuer{TB: t}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		name := iss.name
		if name == "" {
			name = iss.server.URL
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": name, "jwks_uri": iss.server.URL + "/keys"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		iss.asked.Add(1)
		iss.mu.Lock()
		defer iss.mu.Unlock()
		keys := []any{map[string]string{"kty": "of tomorrow"}, map[string]string{"kty": "oct", "kid": "shared", "k": base64.RawURLEncoding.EncodeToString([]byte(sharedSecret))}}
		for _, k := range iss.keys {
			keys = append(keys, k)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": keys})
	})
	iss.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if iss.away.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(iss.server.Close)
	return iss
}

const sharedSecret = "a secret of at least thirty-two bytes"

// setKeys replaces the keys that the issuer tells of.
func (iss *issuer) setKeys(keys ...jose.JSONWebKey) {
	iss.mu.Lock()
	defer iss.mu.Unlock()
	iss.keys = nil
	for _, k := range keys {
		iss.keys = append(iss.keys, k.Public())
	}
}

func newKey(t testing.TB, id string) jose.JSONWebKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: k, KeyID: id, Algorithm: "RS256", Use: "sig"}
}

// claims returns the claims of a valid token at an instant.
func (iss *issuer) claims(now time.Time) map[string]any {
	return map[string]any{
		"iss": iss.server.URL, "aud": "watchbill", "sub": "ci", "exp": now.Add(5 * time.Minute).Unix(), "nbf": now.Unix(), "iat": now.Unix(), "scope": "openid watchbill:act",
	}
}

// sign makes a token with a key.
func (iss *issuer) sign(key jose.JSONWebKey, alg jose.SignatureAlgorithm, claims map[string]any, headers ...string) string {
	iss.Helper()
	options := new(jose.SignerOptions).WithHeader("kid", key.KeyID)
	for i := 0; i < len(headers); i += 2 {
		options = options.WithHeader(jose.HeaderKey(headers[i]), headers[i+1])
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key.Key}, options)
	if err != nil {
		iss.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		iss.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		iss.Fatal(err)
	}
	out, err := signed.CompactSerialize()
	if err != nil {
		iss.Fatal(err)
	}
	return out
}

// options returns the API's options for accepting the issuer's tokens.
func (iss *issuer) options(change func(*token.Config)) func(*rest.Config) {
	return func(c *rest.Config) {
		t := token.Config{Issuer: iss.server.URL, Audience: "watchbill", ScopeClaim: "scope", Transport: iss.server.Client().Transport, Log: zerolog.Nop()}
		if change != nil {
			change(&t)
		}
		c.Tokens = token.New(t)
	}
}

// withClaims is claims with some of them changed; nil leaves one out.
func withClaims(claims map[string]any, pairs ...any) map[string]any {
	out := maps.Clone(claims)
	for i := 0; i < len(pairs); i += 2 {
		if out[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
			delete(out, pairs[i].(string))
		}
	}
	return out
}

// A service with a token of the issuer does what the token's scopes say, by a name of its own; it is made known once.
func TestTokenStandsForItsService(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	w := newWorld(t, p.options(nil))
	id := w.open(signalKey, "disk full")
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	w.must(err)
	keys := map[jose.SignatureAlgorithm]jose.JSONWebKey{
		jose.RS256: newKey(t, "1"), jose.ES256: {Key: ec, KeyID: "2"}, jose.EdDSA: {Key: ed, KeyID: "3"},
	}
	p.setKeys(keys[jose.RS256], keys[jose.ES256], keys[jose.EdDSA])
	for alg, key := range keys {
		r := w.get(p.sign(key, alg, p.claims(start), "typ", "at+jwt"), "/key", http.StatusOK)
		if !strings.Contains(r.text, `"name":"jwt:ci act"`) || !strings.Contains(r.text, `"scopes":["act"]`) {
			t.Errorf("%s: got %s, want it with %q and with %q", alg, r.text, `"name":"jwt:ci act"`, `"scopes":["act"]`)
		}
	}
	good := p.sign(keys[jose.RS256], jose.RS256, p.claims(start))
	if r := w.ask(good, http.MethodPost, fmt.Sprintf("/api/v1/incidents/%d/acts", id), `{"act": "acknowledge"}`, "Idempotency-Key: 1"); r.code != http.StatusOK || !strings.Contains(r.text, `"name":"jwt:ci act"`) {
		t.Errorf("acknowledge: got %d %s, want 200 with %q", r.code, r.text, `"name":"jwt:ci act"`)
	}
	if r := w.ask(good, http.MethodPost, "/api/v1/incidents", `{"team": "payments", "text": "x"}`); r.code != http.StatusForbidden {
		t.Errorf("page: got %d %s, want 403", r.code, r.text)
	}
	var made int
	w.must(w.pool.QueryRow(t.Context(), `SELECT count(*) FROM api_keys WHERE issuer = $1`, p.server.URL).Scan(&made))
	if made != 1 || p.asked.Load() != 1 {
		t.Errorf("it was made known %d times, the issuer was asked %d times, want 1 and 1", made, p.asked.Load())
	}
	if r := w.get(w.scopeKey(oncall.ScopeAdmin), "/audit", http.StatusOK); !strings.Contains(r.text, "jwt:ci act") || !strings.Contains(r.text, p.server.URL) {
		t.Errorf("audit log: got %s, want the key and its issuer in it", r.text)
	}
	if _, _, err := w.store.RotateAPIKey(t.Context(), oncall.ByCommandLine("root"), "jwt:ci act", false, start); err == nil {
		t.Error("a key that stands for tokens was rotated")
	}
	w.must(w.store.RevokeAPIKey(t.Context(), oncall.ByCommandLine("root"), "jwt:ci act", start))
	if r := w.ask(good, http.MethodGet, "/api/v1/key", ""); r.code != http.StatusUnauthorized || !strings.Contains(r.text, "was revoked") {
		t.Errorf("after it was revoked: got %d %s, want 401 with \"was revoked\"", r.code, r.text)
	}
}

func TestInvalidTokensAreRefused(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	w := newWorld(t, p.options(nil))
	key, otherKey := newKey(t, "1"), newKey(t, "1")
	weak, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that is what is tried
	w.must(err)
	p.setKeys(key, jose.JSONWebKey{Key: weak, KeyID: "weak"})
	public := key.Key.(*rsa.PrivateKey).Public()
	der, err := x509.MarshalPKIXPublicKey(public)
	w.must(err)
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	asJWK, err := key.Public().MarshalJSON()
	w.must(err)
	good := p.claims(start)
	part := func(v any) string {
		text, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	embedded, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: otherKey}, &jose.SignerOptions{EmbedJWK: true})
	w.must(err)
	text, _ := json.Marshal(good)
	own, err := embedded.Sign(text)
	w.must(err)
	ownKey, err := own.CompactSerialize()
	w.must(err)
	rs := func(claims map[string]any, headers ...string) string {
		return p.sign(key, jose.RS256, claims, headers...)
	}
	hs := func(secret []byte) string {
		return p.sign(jose.JSONWebKey{Key: secret, KeyID: "1"}, jose.HS256, good)
	}
	valid := rs(good)
	for name, c := range map[string]struct{ token, want string }{
		"another audience":             {rs(withClaims(good, "aud", "payroll")), "audience"},
		"other audiences":              {rs(withClaims(good, "aud", []string{"payroll", "Watchbill"})), "audience"},
		"no audience":                  {rs(withClaims(good, "aud", nil)), "audience"},
		"expired":                      {rs(withClaims(good, "exp", start.Add(-2*time.Minute).Unix())), "expired"},
		"no end":                       {rs(withClaims(good, "exp", nil)), "expired"},
		"an end that is no time":       {rs(withClaims(good, "exp", -1)), "expired"},
		"an end in text":               {rs(withClaims(good, "exp", "1900000000")), "expired"},
		"an end by another name":       {rs(withClaims(good, "exp", nil, "Exp", 1900000000)), "expired"},
		"not yet":                      {rs(withClaims(good, "nbf", start.Add(5*time.Minute).Unix())), "not valid yet"},
		"made in the future":           {rs(withClaims(good, "iat", start.Add(5*time.Minute).Unix())), "not valid yet"},
		"another issuer":               {rs(withClaims(good, "iss", "https://evil.example")), "another issuer"},
		"another issuer by a slash":    {rs(withClaims(good, "iss", p.server.URL+"/")), "another issuer"},
		"no issuer":                    {rs(withClaims(good, "iss", nil)), "another issuer"},
		"alg none":                     {part(map[string]string{"alg": "none", "typ": "JWT"}) + "." + part(good) + ".", "can read"},
		"alg None":                     {part(map[string]string{"alg": "None"}) + "." + part(good) + ".", "can read"},
		"HS256 with the public key":    {hs(der), "can read"},
		"HS256 with its PEM":           {hs(asPEM), "can read"},
		"HS256 with its JWK":           {hs(asJWK), "can read"},
		"HS256 with a secret":          {p.sign(jose.JSONWebKey{Key: []byte(sharedSecret), KeyID: "shared"}, jose.HS256, good), "can read"},
		"a stranger's key, same id":    {p.sign(otherKey, jose.RS256, good), "not signed"},
		"a key that it brings itself":  {ownKey, "not signed"},
		"a weak key":                   {p.sign(jose.JSONWebKey{Key: weak, KeyID: "weak"}, jose.RS256, good), "not signed"},
		"another algorithm of the key": {p.sign(key, jose.PS256, good), "not signed"},
		"a changed text":               {strings.Join([]string{strings.Split(valid, ".")[0], part(withClaims(good, "scope", "admin")), strings.Split(valid, ".")[2]}, "."), "not signed"},
		"no signature":                 {valid[:strings.LastIndex(valid, ".")+1], "not signed"},
		"a token for logging out":      {rs(good, "typ", "logout+jwt"), "can read"},
		"nobody":                       {rs(withClaims(good, "sub", nil)), "subject"},
		"a subject that hides":         {rs(withClaims(good, "sub", "ci\u202eadmin")), "subject"},
		"a subject of two lines":       {rs(withClaims(good, "sub", "ci\nadmin")), "subject"},
		"a long subject":               {rs(withClaims(good, "sub", strings.Repeat("x", 151))), "subject"},
		"no scopes":                    {rs(withClaims(good, "scope", nil)), "no scope"},
		"other scopes":                 {rs(withClaims(good, "scope", "openid Read readonly watchbill")), "no scope"},
		"scopes that are no text":      {rs(withClaims(good, "scope", 7)), "no scope"},
		"no JSON":                      {"a.b.c", "can read"},
		"nothing":                      {"..", "can read"},
	} {
		w.advance(3 * time.Second) // only so many strangers a minute are answered
		r := w.ask(c.token, http.MethodGet, "/api/v1/key", "")
		if r.code != http.StatusUnauthorized || !strings.Contains(r.text, c.want) || !strings.Contains(r.header.Get("WWW-Authenticate"), `error="invalid_token"`) ||
			r.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s, want 401 with %q; %q", name, r.code, r.text, c.want, r.header.Get("WWW-Authenticate"))
		}
		if strings.Contains(w.log.String(), c.token) && len(c.token) > 10 {
			t.Errorf("%s: the token is in the log", name)
		}
	}
	if n := p.asked.Load(); n > 12 { // within two minutes
		t.Errorf("strangers let the issuer be asked %d times", n)
	}
	w.get(valid, "/key", http.StatusOK)
	var made int
	w.must(w.pool.QueryRow(t.Context(), `SELECT count(*) FROM api_keys`).Scan(&made))
	if made != 1 {
		t.Errorf("there are %d keys, want 1: tokens that are not good make none", made)
	}
}

// What a token may do stands in the configured claims.
func TestTokenScopesComeFromClaims(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	key := newKey(t, "1")
	p.setKeys(key)
	w := newWorld(t, p.options(func(c *token.Config) { c.ScopeClaim, c.TeamClaim = "realm_access.roles", "https://example.com/team" }))
	of := func(roles any, team any) string {
		return p.sign(key, jose.RS256, withClaims(p.claims(start), "realm_access", map[string]any{"roles": roles}, "https://example.com/team", team))
	}
	for _, c := range []struct {
		token string
		code  int
		want  string
	}{
		{of([]string{"offline_access", "edit", "read"}, "payments"), 200, `"scopes":["read","edit"],"team":{"id":`},
		{of([]string{"watchbill/page"}, "Payments"), 200, `"scopes":["page"]`},
		{of("watchbill.read,page", []string{"payments"}), 200, `"scopes":["read","page"]`},
		{of([]string{"read"}, "nobody"), 401, "does not exist"},
		{of([]string{"read"}, []string{"payments", "orders"}), 401, "one team"},
		{of([]string{"read"}, nil), 401, "one team"},
		{of([]string{"read"}, ""), 401, "one team"},
		{of([]any{1, nil}, "payments"), 401, "no scope"},
	} {
		if r := w.ask(c.token, http.MethodGet, "/api/v1/key", ""); r.code != c.code || !strings.Contains(r.text, c.want) {
			t.Errorf("got %d %s, want %d %s", r.code, r.text, c.code, c.want)
		}
	}
	id, other := w.open(signalKey, "disk full"), w.open("fedcba9876543210fedcba9876543210", "merger")
	acts := of([]string{"act"}, "payments")
	for id, code := range map[int64]int{id: 200, other: 404} {
		if r := w.ask(acts, http.MethodPost, fmt.Sprintf("/api/v1/incidents/%d/acts", id), `{"act": "note", "text": "x"}`); r.code != code {
			t.Errorf("#%d: %d %s, want %d", id, r.code, r.text, code)
		}
	}
}

// The issuer's keys change, and it goes away for a while.
func TestTokenKeysAreRotated(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	w := newWorld(t, p.options(nil))
	first, second, again := newKey(t, "1"), newKey(t, "2"), newKey(t, "2")
	p.setKeys(first)
	ask := func(key jose.JSONWebKey, code int, what string) {
		t.Helper()
		r := w.ask(p.sign(key, jose.RS256, p.claims(w.now())), http.MethodGet, "/api/v1/key", "")
		if r.code != code {
			t.Errorf("%s: %d %s, want %d", what, r.code, r.text, code)
		}
		if code == http.StatusServiceUnavailable && (r.header.Get("Retry-After") == "" || r.header.Get("Content-Type") != "application/problem+json") {
			t.Errorf("%s: got header %v, want Retry-After and a problem", what, r.header)
		}
	}
	p.away.Store(true)
	ask(first, 503, "the issuer is away from the beginning")
	p.away.Store(false)
	ask(first, 503, "it was asked just now")
	w.advance(11 * time.Second)
	ask(first, 200, "it is back")
	ask(second, 401, "a key that is not known")
	p.setKeys(first, second)
	ask(second, 401, "it has just been asked")
	w.advance(11 * time.Second)
	ask(second, 200, "a new key")
	ask(first, 200, "the old one beside it")
	p.setKeys(second)
	ask(first, 200, "the old one, withdrawn a moment ago")
	w.advance(61 * time.Minute)
	ask(first, 401, "the old one, withdrawn an hour ago")
	ask(second, 200, "the new one")
	p.setKeys(again)
	w.advance(11 * time.Second)
	ask(again, 200, "another key of the same id")
	ask(second, 401, "the one that had the id before")

	p.away.Store(true)
	w.advance(2 * time.Hour)
	ask(again, 200, "the issuer is away, its key is known")
	w.advance(11 * time.Second)
	ask(first, 503, "the issuer is away, the key is not known")
	w.advance(20 * time.Hour)
	ask(again, 200, "it is away for most of a day")
	w.advance(3 * time.Hour)
	ask(again, 503, "it is away for more than a day")
	p.away.Store(false)
	w.advance(11 * time.Second)
	ask(again, 200, "it is back again")
	before := p.asked.Load()
	for range 20 {
		ask(newKeyOf(first, rand.Text()), 401, "keys of strangers")
	}
	if n := p.asked.Load() - before; n > 1 {
		t.Errorf("strangers let the issuer be asked %d times", n)
	}
	p.name = "https://login.example.com"
	w.advance(2 * time.Hour)
	ask(again, 200, "it calls itself otherwise, its key is known")
	w.advance(25 * time.Hour)
	ask(again, 503, "it calls itself otherwise")
}

func newKeyOf(k jose.JSONWebKey, id string) jose.JSONWebKey {
	k.KeyID = id
	return k
}
