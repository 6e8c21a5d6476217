package web

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// policy allows what the pages contain: our own styles, icon and script, and forms sent to
// ourselves.
const policy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// headers sets the headers of every response. Pages are private, so they must not be cached.
func (s *server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // with no-referrer browsers hide the origin of our own forms, too
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// refuseCrossSite refuses a form that another site submitted in a person's name.
func (s *server) refuseCrossSite(w http.ResponseWriter, r *http.Request) {
	s.outages.Warn().Str("origin", r.Header.Get("Origin")).Str("host", r.Host).Msg("a form of another site was refused")
	s.write(w, r, reader{base: s.base, now: s.Clock()}, page{
		name: "said", title: "Nothing was done", code: http.StatusForbidden,
		data: "This form came from another address than Watchbill's own. If you pressed a button on a page of Watchbill, " +
			"its address differs from WATCHBILL_PUBLIC_URL, or a proxy changes the Host of requests: open the pages at that address.",
	})
}

// The names of the cookies. Browsers accept a name beginning with __Host- only over https, from
// this host alone.
const (
	sessionName = "watchbill_session"
	signInName  = "watchbill_sign_in"
	wantedName  = "watchbill_wanted" // the page a person asked for before signing in
)

func (s *server) cookieName(name string) string {
	if s.secure && s.base == "" {
		return "__Host-" + name
	}
	return name
}

// cookie returns the secret in the browser's cookie, or "".
func (s *server) cookie(r *http.Request) string {
	c, err := r.Cookie(s.cookieName(sessionName))
	if err != nil || len(c.Value) > 100 {
		return ""
	}
	return c.Value
}

func (s *server) setCookie(w http.ResponseWriter, secret string) {
	s.setPrivateCookie(w, sessionName, secret, oncall.SessionLives)
}

func (s *server) clearCookie(w http.ResponseWriter) {
	s.setPrivateCookie(w, sessionName, "", -time.Second)
}

// setPrivateCookie sets a cookie that only we read. It is sent when a person follows a link from Slack, but not
// with requests by other sites. Over plain http, as inside a company, it can't be Secure.
func (s *server) setPrivateCookie(w http.ResponseWriter, name, value string, lives time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure wherever that works
		Name: s.cookieName(name), Value: value, Path: s.base + "/", MaxAge: int(lives / time.Second),
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
}

// ownPath returns the requested path if it is ours, never another host's.
func ownPath(asked string) string {
	u, err := url.Parse(asked)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || !strings.HasPrefix(u.Path, "/") ||
		strings.ContainsAny(asked, "\\\r\n\t") || strings.HasPrefix(path.Clean(u.Path), "/sign-") {
		return "/"
	}
	clean := url.URL{Path: path.Clean(u.Path), RawQuery: u.RawQuery}
	return clean.RequestURI()
}
