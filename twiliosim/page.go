package twiliosim

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
)

//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.ParseFS(pageFiles, "page/*.html"))

func (s *Sim) pageRoutes(mux *http.ServeMux) {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic("twiliosim: embedded page: " + err.Error())
	}
	static := http.FileServerFS(files)
	mux.Handle("GET /phones.js", static)
	mux.Handle("GET /phones.css", static)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { s.servePage(w, "page.html") })
	mux.HandleFunc("GET /phones", func(w http.ResponseWriter, _ *http.Request) { s.servePage(w, "phones.html") })
	mux.HandleFunc("POST /phones", s.serveAction)
}

// onlyLocal answers only requests that name this machine, so that no foreign site can reach the
// simulator by pointing its own name at the loopback address.
func onlyLocal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !localHost(r.Host) {
			http.Error(w, "the simulator is reached by a loopback address only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func localHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sameOrigin refuses requests from other sites' pages. Programs send no Origin.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host
}

// pagePhone is a phone as the page shows it.
type pagePhone struct {
	Phone
	Stopped  bool
	Messages []Message
	Calls    []Call // finished ones
	Call     *Call  // the current one
}

func (s *Sim) servePage(w http.ResponseWriter, name string) {
	s.mu.Lock()
	s.tick()
	phones := []pagePhone{}
	for _, p := range s.phones {
		shown := pagePhone{Phone: *p, Stopped: p.stopped, Messages: s.messagesOf(p.Number)}
		for _, c := range s.callsOf(p.Number) {
			if c.Status == "ringing" || c.Status == "in-progress" {
				shown.Call = &c
			} else {
				shown.Calls = append(shown.Calls, c)
			}
		}
		phones = append(phones, shown)
	}
	page := struct {
		Number string
		Phones []pagePhone
	}{s.opt.Number, phones}
	s.mu.Unlock()
	var b bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&b, name, page); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes()) // an error means that the peer is gone
}

// serveAction performs what a phone's owner clicks.
func (s *Sim) serveAction(w http.ResponseWriter, r *http.Request) {
	if !sameOrigin(r) {
		http.Error(w, "only this page may do that", http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	number := r.FormValue("phone")
	var err error
	switch do := r.FormValue("do"); do {
	case "reply":
		if text := strings.TrimSpace(r.FormValue("text")); text != "" {
			_, err = s.Reply(r.Context(), number, text)
		}
	case "answer":
		_, err = s.Answer(number)
	case "hangup":
		err = s.HangUp(number)
	case "1", "2", "3", "*":
		_, err = s.Press(r.Context(), number, do)
	default:
		http.Error(w, "there is no such key", http.StatusBadRequest)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
