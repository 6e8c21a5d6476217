package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

// An Organisation is one of several that share a server.
type Organisation struct {
	Name     string
	Host     string // of its public address; "" if it has none
	Handler  http.Handler
	Receiver Receiver
	// HasKey reports whether one of its integrations or programs has a key. If fresh is false, it never
	// waits for the database.
	HasKey func(ctx context.Context, key string, fresh bool) (bool, error)
}

// Organisations routes each request to its organisation, by the host in the address or else by the
// key.
type Organisations struct {
	clock   func() time.Time
	own     http.Handler // serves the health of the process
	refuse  http.Handler // answers requests that belong to no organisation
	outages zerolog.Logger
	all     atomic.Pointer[served]
	strikes strikes
	unknown unknownKeys
}

type served struct {
	all    []Organisation
	byHost map[string]Organisation
	absent map[string]bool // hosts of organisations that are not served at the moment
}

// NewOrganisations returns the handler for a process that serves several organisations. The handler
// own serves requests about the process itself.
func NewOrganisations(own http.Handler, proxies Proxies, clock func() time.Time, log zerolog.Logger) *Organisations {
	o := &Organisations{clock: clock, own: own, outages: log.Sample(&zerolog.BurstSampler{Burst: 3, Period: 10 * time.Second})}
	o.refuse = behindProxies(proxies, 0, http.HandlerFunc(o.refuseUnknown))
	o.all.Store(&served{})
	return o
}

// Set replaces the organisations that are served. The argument absent lists the hosts of organisations
// that will be served again.
func (o *Organisations) Set(all []Organisation, absent []string) {
	next := &served{all: all, byHost: map[string]Organisation{}, absent: map[string]bool{}}
	for _, organisation := range all {
		if organisation.Host != "" {
			next.byHost[strings.ToLower(organisation.Host)] = organisation
		}
	}
	for _, host := range absent {
		next.absent[strings.ToLower(host)] = true
	}
	o.all.Store(next)
	o.unknown.forget()
}

// ServeHTTP routes a request to its organisation.
func (o *Organisations) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz", "/readyz", "/metrics":
		o.own.ServeHTTP(w, r)
		return
	}
	now := o.all.Load()
	host := hostOf(r)
	if organisation, ok := now.byHost[host]; ok {
		organisation.Handler.ServeHTTP(w, r)
		return
	}
	if now.absent[host] && host != "" {
		notServed.write(w)
		return
	}
	if r.URL.Path == "/" {
		o.own.ServeHTTP(w, r)
		return
	}
	organisation, err := o.find(r.Context(), keysOf(r))
	if errors.Is(err, oncall.ErrNotFound) && r.Method == http.MethodPost {
		organisation, err = o.findByBody(r)
	}
	switch {
	case err == nil:
		organisation.Handler.ServeHTTP(w, r)
	case errors.Is(err, oncall.ErrNotFound) && len(now.absent) == 0:
		o.refuse.ServeHTTP(w, r)
	default: // the key may belong to an organisation whose database doesn't respond
		if !errors.Is(err, oncall.ErrNotFound) && r.Context().Err() == nil {
			o.outages.Error().Err(err).Msg("could not find out whose key it is")
		}
		notServed.write(w)
	}
}

var notServed = unavailable("The organisation is not served just now; nothing was stored, send it again.")

// refuseUnknown answers a request that belongs to no organisation.
func (o *Organisations) refuseUnknown(w http.ResponseWriter, r *http.Request) {
	wait, out := o.strikes.add(r.RemoteAddr, o.clock())
	refuseKey(w, wait, out, unknownKey).write(w)
}

// hostOf returns the host that a request names, without its port.
func hostOf(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// mostParts limits how many parts of an address are tried as keys.
const mostParts = 8

// keysOf lists the parts of a request's address and headers that may be a key.
func keysOf(r *http.Request) []string {
	var keys []string
	for part := range strings.SplitSeq(strings.Trim(r.URL.Path, "/"), "/") {
		if len(keys) < mostParts && part != "" {
			keys = append(keys, part)
		}
	}
	if key := requestKey(r); key != "" {
		keys = append(keys, key)
	}
	return keys
}

// findByBody finds the organisation by the key in a body, as PagerDuty's clients send it. The handler reads the body again.
func (o *Organisations) findByBody(r *http.Request) (Organisation, error) {
	start, err := io.ReadAll(io.LimitReader(r.Body, keySearchLimit))
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), r.Body), r.Body}
	if err != nil {
		return Organisation{}, err
	}
	key := intake.Key(start)
	if key == "" {
		return Organisation{}, oncall.ErrNotFound
	}
	return o.find(r.Context(), []string{key})
}

// find returns the organisation that one of the keys belongs to. It asks the organisations' databases
// only if none is known to have a key, and not again for a short while.
func (o *Organisations) find(ctx context.Context, keys []string) (Organisation, error) {
	keys = slices.DeleteFunc(keys, func(key string) bool { return len(key) > maxKey || len(key) < shortestKey })
	now := o.all.Load()
	for _, key := range keys {
		for _, organisation := range now.all {
			if known, _ := organisation.HasKey(ctx, key, false); known {
				return organisation, nil
			}
		}
	}
	for _, key := range keys {
		if o.unknown.has(key, o.clock()) {
			continue
		}
		organisation, err := ask(ctx, now.all, key)
		if err == nil {
			return organisation, nil
		}
		if !errors.Is(err, oncall.ErrNotFound) {
			return Organisation{}, err
		}
		o.unknown.add(key, o.clock())
	}
	return Organisation{}, oncall.ErrNotFound
}

// shortestKey is the length of the shortest key. Ours are longer, but imported integrations keep the
// other vendor's key.
const shortestKey = 8

// ask asks the databases of all organisations at once. One that doesn't respond may have the key.
func ask(ctx context.Context, all []Organisation, key string) (Organisation, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	var wait sync.WaitGroup
	found := make([]bool, len(all))
	errs := make([]error, len(all))
	slots := make(chan struct{}, askAtOnce)
	for i, organisation := range all {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			found[i], errs[i] = organisation.HasKey(ctx, key, true)
		})
	}
	wait.Wait()
	if i := slices.Index(found, true); i >= 0 {
		return all[i], nil
	}
	if err := errors.Join(errs...); err != nil {
		return Organisation{}, err
	}
	return Organisation{}, oncall.ErrNotFound
}

const askAtOnce = 8

// Find finds the integration with a key among all organisations, and the receiver of its signals.
func (o *Organisations) Find(ctx context.Context, key string, now time.Time) (oncall.Integration, Receiver, error) {
	organisation, err := o.find(ctx, []string{key})
	if err != nil {
		return oncall.Integration{}, nil, err
	}
	in, err := organisation.Receiver.IntegrationByKey(ctx, key, now)
	return in, organisation.Receiver, err
}

// unknownKeys remembers keys that no organisation has, so that somebody who guesses keys doesn't keep
// all databases busy.
type unknownKeys struct {
	mu    sync.Mutex
	until map[string]time.Time
}

const (
	unknownFor  = 2 * time.Second
	unknownMost = 10_000
)

func (u *unknownKeys) has(key string, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return now.Before(u.until[key])
}

func (u *unknownKeys) add(key string, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.until == nil || len(u.until) >= unknownMost {
		u.until = map[string]time.Time{}
	}
	u.until[key] = now.Add(unknownFor)
}

func (u *unknownKeys) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.until = nil
}
