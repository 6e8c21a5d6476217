package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// Limits of a ping.
const (
	maxPing            = 1 << 20 // bytes read from a ping's body, whose end is kept
	maxRun             = 100     // bytes of a run's name
	maxExit            = 255
	findHeartbeatLimit = time.Second
)

// pingRoutes adds the addresses of heartbeats, in healthchecks.io's form and in others.
func (s *server) pingRoutes(mux *http.ServeMux) {
	mux.HandleFunc("/ping/{key}", s.ping)
	mux.HandleFunc("/ping/{key}/{rest...}", s.ping)
	for _, path := range []string{ // the addresses of Grafana OnCall and GoAlert, where a key belongs to a single heartbeat
		"/integrations/v1/{kind}/{key}/heartbeat", "/integrations/v1/{kind}/{key}/heartbeat/{$}", "/api/v2/heartbeat/{key}",
	} {
		mux.HandleFunc(path, s.ping)
	}
}

// ping accepts a ping: /ping/KEY, optionally followed by a heartbeat's name, and then by a status.
func (s *server) ping(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut}, r.Method) {
		w.Header().Set("Allow", "GET, HEAD, POST, PUT")
		writePlain(w, http.StatusMethodNotAllowed, "method not allowed")
		return
	}
	in, p := s.authenticate(w, r, r.PathValue("key"))
	if p != nil {
		refusePing(w, p)
		return
	}
	name, ping, known := parsePing(r)
	if !known {
		writePlain(w, http.StatusNotFound, "not found")
		return
	}
	if run := r.URL.Query().Get("rid"); len(run) <= maxRun {
		ping.Run = run
	}
	defer bodyWithin(w, r, 10*time.Second)()
	body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPing)) // a partial body is enough, because the ping counts anyway
	created, p := s.storePing(r.Context(), in, name, ping, intake.Tail(body))
	switch {
	case p != nil:
		refusePing(w, p)
	case created:
		writePlain(w, http.StatusCreated, "Created")
	default:
		writePlain(w, http.StatusOK, "OK")
	}
}

// parsePing parses the part of an address after the key.
func parsePing(r *http.Request) (name string, ping oncall.Ping, ok bool) {
	ping = oncall.Ping{Kind: oncall.PingSuccess}
	words := strings.Split(strings.Trim(r.PathValue("rest"), "/"), "/")
	if words[0] != "" && oncall.CheckHeartbeatName(words[0]) == nil {
		name, words = words[0], words[1:]
		ping.Create = r.URL.Query().Get("create") == "1"
	}
	if len(words) == 0 || len(words) == 1 && words[0] == "" {
		return name, ping, true
	}
	if len(words) > 1 {
		return "", ping, false
	}
	switch words[0] {
	case "start":
		ping.Kind = oncall.PingStart
	case "fail":
		ping.Kind = oncall.PingFail
	case "log":
		ping.Kind = oncall.PingLog
	default:
		exit, err := strconv.ParseUint(words[0], 10, 16)
		if err != nil || exit > maxExit {
			return "", ping, false
		}
		if ping.Exit = int(exit); exit != 0 {
			ping.Kind = oncall.PingFail
		}
	}
	return name, ping, true
}

// storePing stores a ping, and reports whether its heartbeat must be created. While the known
// heartbeats can't be loaded, every ping is accepted.
func (s *server) storePing(ctx context.Context, in oncall.Integration, name string, ping oncall.Ping, body string) (created bool, p *problem) {
	find, cancel := context.WithTimeout(ctx, findHeartbeatLimit)
	defer cancel()
	found, err := "", error(nil)
	if !s.System.Suspended() {
		found, err = s.System.FindHeartbeat(find, in.ID, name)
	}
	switch {
	case errors.Is(err, oncall.ErrNotFound) && in.Format == intake.WatchdogFormat:
		name, ping.Create = "watchdog", true // each integration has this heartbeat from the start
	case errors.Is(err, oncall.ErrNotFound) && name == "":
		ping.Create = true // whoever holds the key may create the heartbeat that belongs to it
	case errors.Is(err, oncall.ErrNotFound) && !ping.Create:
		return false, newProblem(http.StatusNotFound, "not found")
	case errors.Is(err, oncall.ErrNotFound):
		created = true
	case errors.Is(err, store.ErrAmbiguous):
		return false, newProblem(http.StatusConflict, "ambiguous: the integration has several heartbeats; name one in the address")
	case err == nil && found != "":
		name = found
	}
	if err := s.Receiver.Accept(ctx, in.ID, []oncall.Signal{oncall.NewPing(name, ping, body)}, s.Clock()); err != nil {
		if ctx.Err() == nil {
			s.outages.Error().Err(err).Str("integration", in.Name).Msg("ping not stored")
		}
		return false, unavailable("the ping is not stored; send it again")
	}
	return created, nil
}

// refusePing answers in a few plain words, because pings come from scripts whose logs people read
// rarely and briefly.
func refusePing(w http.ResponseWriter, p *problem) {
	status, detail := p.Status, p.Detail
	if status == http.StatusUnauthorized {
		w.Header().Del("WWW-Authenticate")
		status, detail = http.StatusNotFound, "not found"
	}
	p.writeHead(w)
	writePlain(w, status, detail)
}

func writePlain(w http.ResponseWriter, status int, words string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, words) // an error means that the client is gone
}
