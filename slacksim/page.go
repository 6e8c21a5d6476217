package slacksim

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// PersonCookie is the cookie in which the page stores the current person, for other pages on the same
// machine.
const PersonCookie = "slacksim_person"

//go:embed page
var pageFiles embed.FS

// routes returns the handler of all addresses.
func (s *Sim) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/{method}", s.serveAPI)
	mux.HandleFunc("POST /api/{method}", s.serveAPI)
	mux.HandleFunc("GET /link/{$}", s.serveLink)
	mux.HandleFunc("POST /response/{team}/{key}", s.serveResponse)
	mux.HandleFunc("POST /upload/{id}", s.serveUpload)
	mux.HandleFunc("GET /files/{id}/{name}", s.serveFile)
	mux.HandleFunc("GET /events", s.serveEvents)
	mux.HandleFunc("GET /sim/state", s.serveState)
	mux.HandleFunc("POST /sim/{action}", s.serveAction)
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(fmt.Sprintf("slacksim: embedded page: %v", err))
	}
	static := http.FileServerFS(files)
	mux.HandleFunc("GET /archives/{channel}/{ts}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/?channel="+url.QueryEscape(r.PathValue("channel"))+"&message="+
			url.QueryEscape(r.PathValue("ts")), http.StatusFound)
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src 'self' http: https: data:; style-src 'self'; "+
			"frame-ancestors 'self'; base-uri 'none'; form-action 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		static.ServeHTTP(w, r)
	})
	return onlyLocal(mux)
}

// onlyLocal serves only requests that name this machine, so that no foreign site can reach the simulator by
// pointing its own name at the loopback address.
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

// serveEvents notifies the page of changes; the page then fetches the state.
func (s *Sim) serveEvents(w http.ResponseWriter, r *http.Request) {
	flusher, ok := w.(http.Flusher)
	if !ok {
		http.Error(w, "streaming is not supported", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	for {
		s.mu.Lock()
		changed, revision := s.changed, s.revision
		s.mu.Unlock()
		if _, err := fmt.Fprintf(w, "data: %d\n\n", revision); err != nil {
			return
		}
		flusher.Flush()
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		case <-s.done:
			return
		}
		if !s.sleep(30 * time.Millisecond) { // changes come in bunches
			return
		}
	}
}

// pageState is everything that the page shows to one person.
type pageState struct {
	Revision  int                 `json:"revision"`
	Title     string              `json:"title"`
	Notice    string              `json:"notice,omitempty"`
	Bot       string              `json:"bot"`
	Commands  []Command           `json:"commands"`
	Shortcuts []Shortcut          `json:"shortcuts"`
	Users     []*User             `json:"users"`
	Groups    []Group             `json:"groups"`
	Channels  []pageChannel       `json:"channels"`
	Channel   string              `json:"channel"`
	Messages  []Message           `json:"messages"`
	Files     map[string]pageFile `json:"files"`
	Bookmarks []Bookmark          `json:"bookmarks"`
	Views     []View              `json:"views"`
	Home      *View               `json:"home"`
	Calls     []Call              `json:"calls"`
	Envelopes []Envelope          `json:"envelopes"`
	Faults    []Fault             `json:"faults"`
	Sockets   int                 `json:"sockets"`
	Now       int64               `json:"now"`
	SaveError string              `json:"save_error,omitempty"`
}

type pageChannel struct {
	Channel
	Unread   int  `json:"unread"`
	Mention  bool `json:"mention"`
	IsMember bool `json:"is_member"`
}

type pageFile struct {
	Title string `json:"title"`
	URL   string `json:"url"`
	Image bool   `json:"image"`
	Alt   string `json:"alt"`
}

const panelRows = 150

func (s *Sim) serveState(w http.ResponseWriter, r *http.Request) {
	sockets, faults := s.Sockets(), s.Faults()
	s.mu.Lock()
	state := s.state(r.URL.Query().Get("user"), r.URL.Query().Get("channel"))
	s.mu.Unlock()
	state.Sockets, state.Faults = sockets, faults
	writeJSON(w, http.StatusOK, state)
}

// state returns what one person sees. The lock is held.
func (s *Sim) state(userID, channel string) *pageState {
	p := &pageState{
		Revision: s.revision, Title: s.opt.PageTitle, Notice: s.opt.PageNotice, Bot: BotUserID,
		Commands: append([]Command{}, s.opt.Manifest.Features.Commands...), Shortcuts: append([]Shortcut{}, s.opt.Manifest.Features.Shortcuts...),
		Users: slices.Clone(s.users), Groups: []Group{},
		Channels: []pageChannel{}, Messages: []Message{}, Bookmarks: []Bookmark{}, Views: []View{},
		Files: map[string]pageFile{}, Now: s.opt.Now().Unix(),
		Calls: last(s.calls, panelRows), Envelopes: []Envelope{},
	}
	if s.saveErr != nil {
		p.SaveError = s.saveErr.Error()
	}
	for _, g := range s.groups {
		p.Groups = append(p.Groups, *g)
	}
	for _, e := range last(s.envelopes, panelRows) {
		p.Envelopes = append(p.Envelopes, *e)
	}
	u := s.findUser(userID)
	if u == nil {
		return p
	}
	for _, c := range s.channels {
		if c.User != "" && c.User != u.ID || c.Private && !c.has(u.ID) {
			continue
		}
		p.Channels = append(p.Channels, s.pageChannel(c, u))
	}
	for _, v := range s.stacks[u.ID] {
		p.Views = append(p.Views, v.public())
	}
	if home := s.homes[u.ID]; home != nil {
		shown := home.public()
		p.Home = &shown
	}
	if c := s.findChannel(channel); c != nil && slices.ContainsFunc(p.Channels, func(x pageChannel) bool { return x.ID == c.ID }) {
		s.fillChannel(p, c, u)
	}
	return p
}

func last[T any](list []T, n int) []T {
	return append([]T{}, list[max(0, len(list)-n):]...)
}

// fillChannel adds messages, those for this person only, files and bookmarks of the open channel.
func (s *Sim) fillChannel(p *pageState, c *Channel, u *User) {
	p.Channel = c.ID
	list := slices.Clone(s.history[c.ID])
	for _, m := range s.ephemerals[u.ID] {
		if m.Channel == c.ID {
			list = append(list, m)
		}
	}
	slices.SortStableFunc(list, func(x, y *Message) int { return strings.Compare(x.TS, y.TS) })
	p.Messages = copies(list)
	for _, m := range list {
		for _, id := range m.Files {
			if f := s.file(id); f != nil {
				p.Files[id] = pageFile{
					Title: f.Title, URL: "/files/" + f.ID + "/" + url.PathEscape(f.Name),
					Image: strings.HasPrefix(f.Type, "image/"), Alt: f.AltText,
				}
			}
		}
	}
	for _, b := range s.bookmarks {
		if b.Channel == c.ID {
			p.Bookmarks = append(p.Bookmarks, *b)
		}
	}
}

// pageChannel counts the messages that the person hasn't read.
func (s *Sim) pageChannel(c *Channel, u *User) pageChannel {
	out := pageChannel{Channel: *c, IsMember: c.has(u.ID)}
	out.Members = slices.Clone(c.Members)
	read := s.read[u.ID][c.ID]
	for _, m := range s.history[c.ID] {
		if m.TS <= read || m.User == u.ID || m.ThreadTS != "" && !m.Broadcast || m.Hidden {
			continue
		}
		out.Unread++
		if strings.Contains(m.Text, "<@"+u.ID+">") || strings.Contains(string(m.Blocks), "@"+u.ID) {
			out.Mention = true
		}
	}
	return out
}

// serveAction performs an action of the page: a person's, or a switch of the fault panel.
func (s *Sim) serveAction(w http.ResponseWriter, r *http.Request) {
	if !sameOrigin(r) || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		http.Error(w, "only this page may do that", http.StatusForbidden)
		return
	}
	var in pageAction
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		writeJSON(w, http.StatusBadRequest, obj{"error": "read action: " + err.Error()})
		return
	}
	out, err := s.do(r.Context(), r.PathValue("action"), in)
	switch {
	case errors.Is(err, errNoAction):
		writeJSON(w, http.StatusNotFound, obj{"error": err.Error()})
	case err != nil:
		writeJSON(w, http.StatusUnprocessableEntity, obj{"error": err.Error()})
	default:
		writeJSON(w, http.StatusOK, out)
	}
}
