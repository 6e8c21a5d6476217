package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A FeedEvent is a line of an incident's timeline.
type FeedEvent struct {
	Event
	Incident EventIncident `json:"incident"`
}

// An EventIncident is an event's incident, as it is when the event is read.
type EventIncident struct {
	ID       int64  `json:"id"`
	Title    string `json:"title"`
	State    string `json:"state" enum:"triggered,acknowledged,snoozed,resolved"`
	Severity string `json:"severity" enum:"critical,high,medium,low"`
	Team     Ref    `json:"team"`
}

// An EventQuery selects events.
type EventQuery struct {
	Fields
	After string   `query:"after" maxLength:"20" doc:"Those behind this event: the next of the answer before. Without it there are none yet, and next says where the end is; 0 is the beginning of all that is kept."`
	Wait  int      `query:"wait" minimum:"0" maximum:"30" doc:"So many seconds at most until there is one."`
	Limit int      `query:"limit" default:"50" minimum:"1" maximum:"200" doc:"At most so many."`
	Team  string   `query:"team" doc:"Of one team only: its name or id."`
	Kind  []string `query:"kind" doc:"Of these kinds only." example:"[\"opened\",\"acknowledged\",\"resolved\"]"`
}

// A FeedList is a batch of events, and the position after it.
type FeedList struct {
	Items []FeedEvent `json:"items"`
	Next  string      `json:"next" doc:"The after of the next request."`
}

const (
	maxWaiting    = 200 // waiting requests per instance
	maxWaitingKey = 10  // per key
	feedPause     = time.Second
	streamLife    = 10 * time.Minute // after which the client has to reconnect, perhaps to another instance
	streamSilence = 15 * time.Second // after which a comment keeps proxies from disconnecting
)

// A waiters counts waiting requests.
type waiters struct {
	mu  sync.Mutex
	all int
	of  map[oncall.APIKeyID]int
}

// join reports whether another request may wait; if so, it has to leave again.
func (w *waiters) join(key oncall.APIKeyID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all >= maxWaiting || w.of[key] >= maxWaitingKey {
		return false
	}
	if w.of == nil {
		w.of = map[oncall.APIKeyID]int{}
	}
	w.all, w.of[key] = w.all+1, w.of[key]+1
	return true
}

func (w *waiters) leave(key oncall.APIKeyID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all, w.of[key] = w.all-1, w.of[key]-1; w.of[key] == 0 {
		delete(w.of, key)
	}
}

const tooManyWait = "Too many requests wait for events, or too many of this key."

func (s *server) eventRoutes() {
	handle(s, operation{
		method: http.MethodGet, path: "/events", id: "list-events", tag: "incidents", summary: "Wait for what happens to incidents, in order", scope: oncall.ScopeRead,
		about: "A waiting list: ask with after, do what is to be done, ask with next. Each event comes at least once, ten seconds late at most. With " +
			"`Accept: text/event-stream` they are sent as server-sent events as they come, and `Last-Event-ID` goes on where the connection broke.",
	}, func(ctx context.Context, c caller, in *EventQuery) (*ObjectResponse[FeedList], error) {
		filter, err := s.readFeed(ctx, c, *in)
		if err != nil {
			return nil, err
		}
		if in.Wait > 0 {
			if !s.waiting.join(c.key.ID) {
				return nil, unavailable(tooManyWait)
			}
			defer s.waiting.leave(c.key.ID)
		}
		for left := time.Duration(in.Wait) * time.Second; ; left -= s.feedPause() {
			out, err := s.readEvents(ctx, c, &filter)
			if err != nil {
				return nil, err
			}
			if len(out) > 0 || left <= 0 || in.After == "" || !s.pause(ctx) {
				return &ObjectResponse[FeedList]{FeedList{out, strconv.FormatInt(filter.After, 10)}}, nil
			}
			c.now = s.Clock()
		}
	})
}

// feedPause returns the interval between two checks for events.
func (s *server) feedPause() time.Duration {
	if s.Pause > 0 {
		return s.Pause
	}
	return feedPause
}

// pause waits, and reports false if the client has gone.
func (s *server) pause(ctx context.Context) bool {
	t := time.NewTimer(s.feedPause())
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (s *server) readFeed(ctx context.Context, c caller, in EventQuery) (filter store.FeedFilter, err error) {
	v, err := s.viewFor(ctx, c)
	if err != nil {
		return filter, err
	}
	team, _, err := filterValue(in.Team, v.team, "team")
	if err != nil {
		return filter, err
	}
	filter = store.FeedFilter{After: -1, Team: team.ID, Limit: in.Limit}
	if in.After != "" {
		if filter.After, err = strconv.ParseInt(in.After, 10, 64); err != nil || filter.After < 0 {
			return filter, invalid("after is the next of an answer before, or 0.")
		}
	}
	for _, kind := range in.Kind {
		filter.Kinds = append(filter.Kinds, oncall.EventKind(kind))
	}
	return filter, nil
}

// readEvents reads the available events and advances the position.
func (s *server) readEvents(ctx context.Context, c caller, f *store.FeedFilter) ([]FeedEvent, error) {
	for {
		found, next, err := s.Store.EventsAfter(ctx, c.by, *f, c.now)
		if err != nil {
			return nil, err
		}
		begins, moved := f.After < 0, next != f.After
		f.After = next
		if len(found) == 0 && moved && !begins {
			continue // all of them belonged to others
		}
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		return mapSlice(found, v.feedEvent), nil
	}
}

func (v view) feedEvent(e store.FeedEvent) FeedEvent {
	in := e.Incident
	return FeedEvent{v.event(e.Event), EventIncident{int64(in.ID), in.Title, string(in.Status), string(in.Severity), v.teamRef(in.TeamID)}}
}

// streams routes requests for server-sent events past the operations, which respond immediately.
func (s *server) streams(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == Base+"/events" && strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			r.Pattern = "GET " + Base + "/events"
			s.stream(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// stream sends events as they arrive, while the key is valid.
func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, sentence string) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": sentence})
	}
	c, filter, ok := s.beginStream(w, r, refuse)
	if !ok {
		return
	}
	if !s.waiting.join(c.key.ID) {
		w.Header().Set("Retry-After", "10")
		refuse(http.StatusTooManyRequests, tooManyWait)
		return
	}
	defer s.waiting.leave(c.key.ID)
	out := http.NewResponseController(w)
	_ = out.SetWriteDeadline(time.Time{}) // the server's own deadline is for responses that end
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	_, _ = fmt.Fprint(w, "retry: 2000\n\n")
	silent := time.Duration(0)
	for age := time.Duration(0); age < streamLife; age += s.feedPause() {
		c.now = s.Clock()
		found, err := s.readEvents(r.Context(), c, &filter)
		if err != nil {
			return // the client reconnects and gets the reason
		}
		for _, e := range found {
			data, _ := json.Marshal(e) // plain fields always marshal
			if _, err := fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Kind, data); err != nil {
				return
			}
		}
		if silent += s.feedPause(); len(found) > 0 {
			silent = 0
		} else if silent >= streamSilence {
			silent = 0
			_, _ = fmt.Fprint(w, ": still here\n\n")
		}
		if err := out.Flush(); err != nil || !s.pause(r.Context()) {
			return
		}
	}
}

// beginStream parses a request for a stream with the operation's parameters.
func (s *server) beginStream(w http.ResponseWriter, r *http.Request, refuse func(int, string)) (c caller, filter store.FeedFilter, ok bool) {
	key := bearer(r.Header.Get("Authorization"), "Bearer")
	c, no, err := s.identify(r.Context(), key, r.RemoteAddr, oncall.ScopeRead, w.Header().Set)
	if no != nil {
		if no.wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(max(1, seconds(no.wait))))
		}
		refuse(no.status, no.why)
		return c, filter, false
	}
	q := r.URL.Query()
	in := EventQuery{After: q.Get("after"), Limit: 200, Team: q.Get("team")}
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		in.After = last
	}
	if kinds := q.Get("kind"); kinds != "" {
		in.Kind = strings.Split(kinds, ",")
	}
	if err == nil {
		filter, err = s.readFeed(r.Context(), c, in)
	}
	if err != nil {
		status, sentence := statusAndSentence(s.problem(err))
		refuse(status, sentence)
		return c, filter, false
	}
	return c, filter, true
}
