package web_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/watchbill/watchbill/web"
)

// A provider is an OpenID Connect provider on loopback, with one client.
type provider struct {
	t      testing.TB
	server *httptest.Server
	key    *rsa.PrivateKey
	other  *rsa.PrivateKey
	away   atomic.Bool

	registered string // the address to which it sends people back

	mu     sync.Mutex
	grants map[string]*grant // by code
}

// A grant is the provider's response to a code.
type grant struct {
	state, challenge         string
	claims                   map[string]any
	forged, unsigned, denied bool
}

func newProvider(t testing.TB) *provider {
	t.Helper()
	p := &provider{t: t, grants: map[string]*grant{}}
	var err error
	for _, k := range []**rsa.PrivateKey{&p.key, &p.other} {
		if *k, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.json(w, map[string]any{
			"issuer": p.server.URL, "authorization_endpoint": p.server.URL + "/authorize", "token_endpoint": p.server.URL + "/token",
			"jwks_uri": p.server.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.json(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": base64.RawURLEncoding.EncodeToString(p.key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case q.Get("redirect_uri") != p.registered:
			w.WriteHeader(http.StatusBadRequest)
		case q.Get("client_id") != "watchbill" || q.Get("code_challenge_method") != "S256":
			http.Redirect(w, r, p.registered+"?error=unauthorized_client&state="+url.QueryEscape(q.Get("state")), http.StatusFound)
		default:
			http.Redirect(w, r, "/login", http.StatusFound)
		}
	})
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.server.Close)
	return p
}

func (p *provider) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// use makes the pages use this provider.
func (p *provider) use(w *world) {
	w.config.Provider = web.NewProvider(web.ProviderConfig{
		Issuer: p.server.URL, ClientID: "watchbill", ClientSecret: "hush", Address: w.config.Address, Clock: w.clock,
		Transport: p.server.Client().Transport,
	})
}

// token returns an id_token for a code, once.
func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	g := p.grants[r.PostFormValue("code")]
	delete(p.grants, r.PostFormValue("code"))
	p.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	if id == "" {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if g == nil || id != "watchbill" || secret != "hush" || base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge {
		w.WriteHeader(http.StatusBadRequest)
		p.json(w, map[string]string{"error": "invalid_grant"})
		return
	}
	answer := map[string]any{"access_token": "at", "token_type": "Bearer"}
	if g.claims != nil {
		answer["id_token"] = p.sign(g)
	}
	p.json(w, answer)
}

func (p *provider) sign(g *grant) string {
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			p.t.Error(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	if g.unsigned {
		return part(map[string]string{"alg": "none", "typ": "JWT"}) + "." + part(g.claims) + "."
	}
	text := part(map[string]string{"alg": "RS256", "typ": "JWT", "kid": "1"}) + "." + part(g.claims)
	key := p.key
	if g.forged {
		key = p.other
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		p.t.Error(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// goTo begins to sign in as Ann, and returns the address to which the provider redirects.
func (p *provider) goTo(b *browser, to string, change func(*grant)) string {
	b.Helper()
	r := b.do(http.MethodGet, "/sign-in/provider?to="+url.QueryEscape(to), nil)
	if r.code == http.StatusServiceUnavailable {
		return ""
	}
	at, err := url.Parse(r.to())
	b.must(err)
	q := at.Query()
	for name, want := range map[string]string{
		"client_id": "watchbill", "response_type": "code", "redirect_uri": b.address + "/sign-in/return", "code_challenge_method": "S256", "scope": "openid email profile",
	} {
		if q.Get(name) != want {
			b.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	g := &grant{state: q.Get("state"), challenge: q.Get("code_challenge"), claims: map[string]any{
		"iss": p.server.URL, "aud": "watchbill", "sub": "1", "iat": b.clock().Unix(), "exp": b.clock().Unix() + 300, "nonce": q.Get("nonce"),
		"email": "ann@example.com", "email_verified": true,
	}}
	g.claims = maps.Clone(g.claims)
	if change != nil {
		change(g)
	}
	code := rand.Text()
	p.mu.Lock()
	p.grants[code] = g
	p.mu.Unlock()
	back := url.Values{"state": {g.state}, "code": {code}}
	if g.denied {
		back = url.Values{"state": {g.state}, "error": {"access_denied"}}
	}
	return "/sign-in/return?" + back.Encode()
}

// signIn signs in as Ann, or tries to.
func (p *provider) signIn(b *browser, to string, change func(*grant)) reply {
	b.Helper()
	back := p.goTo(b, to, change)
	if back == "" {
		return reply{code: http.StatusServiceUnavailable}
	}
	return b.do(http.MethodGet, back, nil)
}
