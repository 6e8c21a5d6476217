package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/web"
)

// A link signs its person in once, within five minutes, and leads to the requested page; a preview
// doesn't use it up.
func TestSignInLinkWorksOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	if r := b.get("/incidents?state=all", http.StatusSeeOther); r.to() != "/sign-in?to=%2Fincidents%3Fstate%3Dall" {
		t.Errorf("it leads to %q, want %q", r.to(), "/sign-in?to=%2Fincidents%3Fstate%3Dall")
	}
	wantTexts(t, b.get("/sign-in?to=%2Fincidents%3Fstate%3Dall", http.StatusOK), []string{"/oncall web"})
	link := w.link(ann)
	for range 2 {
		wantTexts(t, b.get(link, http.StatusOK), []string{"Sign in as ann"})
	}
	r := b.do(http.MethodPost, link, url.Values{})
	if r.code != http.StatusSeeOther || r.to() != "/incidents?state=all" {
		t.Errorf("it leads to %q with %d, want 303 and \"/incidents?state=all\"", r.to(), r.code)
	}
	cookie := r.header.Values("Set-Cookie")[0]
	for _, part := range []string{"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("the cookie has no %s: got %s, want it with %v", part, cookie, part)
		}
	}
	if strings.Contains(cookie, "Secure") { // it would be lost by http
		t.Errorf("by http: got cookie %s, want it without Secure", cookie)
	}
	wantTexts(t, b.get("/", http.StatusOK), []string{"ann", "On call now"})

	other := w.browser()
	for _, again := range []string{link, "/sign-in/link/NONSENSE"} {
		wantTexts(t, other.get(again, http.StatusForbidden), []string{"used already"})
		if r := other.do(http.MethodPost, again, url.Values{}); r.code != http.StatusForbidden {
			t.Errorf("%s: got %d, want 403", again, r.code)
		}
	}
	replaced := w.link(bo)
	late := w.link(bo)
	if r := other.do(http.MethodPost, replaced, url.Values{}); r.code != http.StatusForbidden {
		t.Errorf("a link that another has replaced: got %d, want 403", r.code)
	}
	w.advance(oncall.SignInLinkLive)
	if r := other.do(http.MethodPost, late, url.Values{}); r.code != http.StatusForbidden {
		t.Errorf("a link that is too old: got %d, want 403", r.code)
	}
	if r := other.do(http.MethodPost, "/", url.Values{}, "Origin: "); r.code != http.StatusMethodNotAllowed && r.code != http.StatusNotFound {
		t.Errorf("a monitor without the path of its key is answered %d", r.code)
	}
}

// A session ends when its person signs out, is deactivated, revokes their links, or doesn't visit
// for a week.
func TestSessionEndsBySignOutAndAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out := func(b *browser, why string) {
		t.Helper()
		if r := b.do(http.MethodGet, "/", nil); r.code != http.StatusSeeOther || !strings.HasPrefix(r.to(), "/sign-in") {
			t.Errorf("%s: got %d, want 303 beginning with \"/sign-in\"", why, r.code)
		}
	}
	one, two, three := w.as(ann), w.as(ann), w.as(ann)
	kept := *one.client // with a copied cookie
	u, _ := url.Parse(w.address)
	stolen := w.browser()
	stolen.client.Jar.SetCookies(u, kept.Jar.Cookies(u))
	stolen.get("/", http.StatusOK)
	if r := one.do(http.MethodPost, "/sign-out", url.Values{}); r.to() != "/sign-in" {
		t.Errorf("signing out leads to %q, want \"/sign-in\"", r.to())
	}
	out(one, "signed out")
	out(stolen, "signed out, with the cookie of before")
	two.get("/", http.StatusOK)
	two.do(http.MethodPost, "/sign-out", url.Values{"everywhere": {"1"}})
	out(three, "signed out everywhere")

	gone := w.as(bo)
	_, err := w.pool.Exec(t.Context(), `UPDATE users SET deactivated_at = $1 WHERE id = 'U0BO'`, w.clock())
	w.must(err)
	out(gone, "deactivated")
	ended := w.as(di)
	w.advance(time.Second)
	w.must(w.store.EndLinks(t.Context(), oncall.ByTimer(), di, w.clock()))
	out(ended, "links ended")
	idle := w.as(ann)
	w.advance(oncall.SessionIdle - time.Minute)
	idle.get("/", http.StatusOK)
	w.advance(oncall.SessionIdle - time.Minute)
	idle.get("/", http.StatusOK)
	w.advance(oncall.SessionIdle + time.Minute)
	out(idle, "a week without a look")
}

// Signing in never redirects to another site.
func TestSignInRedirectsOnlyToOurPages(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	w := newWorld(t, p.use)
	for to, want := range map[string]string{
		"/incidents/7": "/incidents/7", "/reports?team=a b": "/reports?team=a b", "https://evil.example/": "/", "//evil.example": "/", `/\evil.example`: "/",
		"javascript:alert(1)": "/", "/sign-out": "/", "/../..//evil.example": "/evil.example", "/x\r\nSet-Cookie: a=b": "/", "": "/", "evil": "/",
	} {
		b := w.browser()
		if r := p.signIn(b, to, nil); r.code != http.StatusSeeOther || r.to() != want {
			t.Errorf("%q leads to %q with %d, want %q", to, r.to(), r.code, want)
		}
	}
}

// Over https, cookies are for this host and https only, and browsers are told to use https.
func TestCookiesAreSecure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.config.Address = "https://watchbill.example.com" })
	b := w.browser()
	r := b.do(http.MethodPost, w.link(ann), url.Values{}, "Origin: https://watchbill.example.com") // as behind a proxy that changes the Host
	if cookie := r.header.Get("Set-Cookie"); r.code != http.StatusSeeOther || !strings.HasPrefix(cookie, "__Host-watchbill_session=") || !strings.Contains(cookie, "Secure") {
		t.Errorf("got %d: %s, want 303 beginning with \"__Host-watchbill_session=\" and with \"Secure\"", r.code, cookie)
	}
	if r.header.Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security")
	}
}

// If a proxy serves the pages below a path, links and cookies include it.
func TestPagesWorkBelowAPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.config.Address += "/watchbill" })
	b := w.browser()
	r := b.do(http.MethodPost, w.link(ann), url.Values{})
	if r.to() != "/watchbill/" || !strings.Contains(r.header.Get("Set-Cookie"), "Path=/watchbill/") {
		t.Errorf("got %q and cookie %q, want both below /watchbill/", r.to(), r.header.Get("Set-Cookie"))
	}
	if r := b.get("/sign-in", http.StatusOK); !strings.Contains(r.text, `href="/watchbill/static/app-`) {
		t.Errorf("the page lacks the path /watchbill/static:\n%s", r.text)
	}
}

// The person named by the provider is signed in; if anything in its response is wrong, nobody is.
func TestSignInWithAProvider(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	w := newWorld(t, p.use)
	b := w.browser()
	wantTexts(t, b.get("/sign-in", http.StatusOK), []string{"Sign in with 127.0.0.1"})
	p.signIn(b, "/incidents", nil)
	wantTexts(t, b.get("/", http.StatusOK), []string{"ann"})

	w.must(w.store.SaveWorkspace(t.Context(), store.Workspace{Team: "T0OURS", URL: "https://ours.slack.com/"}))
	for name, c := range map[string]struct {
		change func(*grant)
		code   int
		says   string
	}{
		"another state":       {func(g *grant) { g.state = "other" }, http.StatusForbidden, "another browser"},
		"no state":            {func(g *grant) { g.state = "" }, http.StatusForbidden, "another browser"},
		"another nonce":       {func(g *grant) { g.claims["nonce"] = "other" }, http.StatusForbidden, "not valid"},
		"no nonce":            {func(g *grant) { delete(g.claims, "nonce") }, http.StatusForbidden, "not valid"},
		"expired":             {func(g *grant) { g.claims["exp"] = start.Add(-time.Hour).Unix() }, http.StatusForbidden, "not valid"},
		"another audience":    {func(g *grant) { g.claims["aud"] = "somebody" }, http.StatusForbidden, "not valid"},
		"another issuer":      {func(g *grant) { g.claims["iss"] = "https://evil.example" }, http.StatusForbidden, "not valid"},
		"another key":         {func(g *grant) { g.forged = true }, http.StatusForbidden, "not valid"},
		"not signed":          {func(g *grant) { g.unsigned = true }, http.StatusForbidden, "not valid"},
		"no id_token":         {func(g *grant) { g.claims = nil }, http.StatusForbidden, "not valid"},
		"another PKCE":        {func(g *grant) { g.challenge = "other" }, http.StatusForbidden, "not valid"},
		"mail unverified":     {func(g *grant) { g.claims["email_verified"] = false }, http.StatusForbidden, "not verified"},
		"mail not said so":    {func(g *grant) { delete(g.claims, "email_verified") }, http.StatusForbidden, "not verified"},
		"no mail":             {func(g *grant) { delete(g.claims, "email") }, http.StatusForbidden, "not verified"},
		"an unknown mail":     {func(g *grant) { g.claims["email"] = "eve@example.com" }, http.StatusForbidden, "Nobody in Slack"},
		"another workspace":   {func(g *grant) { g.claims["https://slack.com/team_id"] = "T0THEIRS" }, http.StatusForbidden, "another Slack workspace"},
		"access denied":       {func(g *grant) { g.denied = true }, http.StatusForbidden, "has not signed you in"},
		"our workspace":       {func(g *grant) { g.claims["https://slack.com/team_id"] = "T0OURS" }, http.StatusSeeOther, ""},
		"mail in other cases": {func(g *grant) { g.claims["email"] = "ANN@Example.com" }, http.StatusSeeOther, ""},
	} {
		b := w.browser()
		r := p.signIn(b, "/", c.change)
		if r.code != c.code || !strings.Contains(r.text, c.says) {
			t.Errorf("%s: %d, want %d and %q: %s", name, r.code, c.code, c.says, words(r.text))
		}
		want := http.StatusSeeOther // to the sign-in
		if c.code == http.StatusSeeOther {
			want = http.StatusOK
		}
		if r := b.do(http.MethodGet, "/", nil); r.code != want {
			t.Errorf("%s: then / is %d, want %d", name, r.code, want)
		}
	}

	// The same response again, in the browser that began, and in another one that didn't.
	b = w.browser()
	back := p.goTo(b, "/", nil)
	if r := w.browser().do(http.MethodGet, back, nil); r.code != http.StatusForbidden {
		t.Errorf("in another browser: got %d, want 403", r.code)
	}
	u, _ := url.Parse(w.address)
	before := b.client.Jar.Cookies(u)
	if r := b.do(http.MethodGet, back, nil); r.code != http.StatusSeeOther {
		t.Errorf("the first time: got %d, want 303", r.code)
	}
	if r := b.do(http.MethodGet, back, nil); r.code != http.StatusForbidden {
		t.Errorf("once more: got %d, want 403", r.code)
	}
	thief := w.browser()
	thief.client.Jar.SetCookies(u, before)
	if r := thief.do(http.MethodGet, back, nil); r.code != http.StatusForbidden {
		t.Errorf("once more, with the cookie: got %d, want 403", r.code)
	}
	p.away.Store(true)
	if r := p.signIn(w.browser(), "/", nil); r.code != http.StatusServiceUnavailable {
		t.Errorf("the provider is away: got %d, want 503", r.code)
	}
}

// Slack's provider has its name, and isn't contacted before somebody signs in.
func TestSlackProviderIsContactedLate(t *testing.T) {
	t.Parallel()
	if name := web.NewProvider(web.ProviderConfig{Issuer: web.SlackIssuer}).Name; name != "Slack" {
		t.Errorf("it is called %q, want \"Slack\"", name)
	}
}

// Whoever is in the Slack workspace signs in, also before Watchbill has met them; guests, strangers and others do not get
// further than they otherwise would.
func TestNewcomersOfTheWorkspaceSignIn(t *testing.T) {
	t.Parallel()
	var p *provider
	asked := map[string]int{}
	w := newWorld(t, func(w *world) {
		p = newProvider(t)
		p.use(w)
		w.config.LookUpUser = func(ctx context.Context, mail string) error {
			asked[mail]++
			switch mail {
			case "eve@example.com":
				return w.store.SaveUser(ctx, oncall.User{ID: "U0EVE", Name: "Eve", Email: mail, TimeZone: "UTC", Standing: oncall.FullMember}, w.clock())
			case "sam@other.example":
				return w.store.SaveUser(ctx, oncall.User{ID: "U0SAM", Name: "Sam", Email: mail, TimeZone: "UTC", Standing: oncall.Stranger}, w.clock())
			case "robot@example.com":
				return oncall.Refuse("U0ROBOT is a bot and can't be on call.")
			case "slow@example.com":
				return errors.New("slack is away")
			}
			return oncall.ErrNotFound
		}
	})
	for _, c := range []struct {
		mail string
		code int
		want string
	}{
		{"eve@example.com", http.StatusSeeOther, ""},
		{"Eve@example.com", http.StatusSeeOther, ""},
		{"sam@other.example", http.StatusForbidden, "Nobody in Slack whom Watchbill knows"},
		{"robot@example.com", http.StatusForbidden, "is a bot"},
		{"slow@example.com", http.StatusForbidden, "Slack can&#39;t be asked right now"},
		{"nobody@example.com", http.StatusForbidden, "has to be the one of your Slack profile"},
		{"ann@example.com", http.StatusSeeOther, ""},
	} {
		r := p.signIn(w.browser(), "/", func(g *grant) { g.claims["email"] = c.mail })
		if r.code != c.code || !strings.Contains(r.text, c.want) {
			t.Errorf("%s: %d %s, want %d with %q", c.mail, r.code, r.text, c.code, c.want)
		}
	}
	if asked["eve@example.com"] != 1 || asked["ann@example.com"] != 0 {
		t.Errorf("Slack was asked %v, want eve@example.com 1 and ann@example.com 0", asked)
	}
}
