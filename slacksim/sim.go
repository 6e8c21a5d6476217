package slacksim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Options configures a Sim. By default it is a lenient Slack in memory, where the app may do nothing until
// its Manifest says otherwise.
type Options struct {
	// BotToken and AppToken are the only tokens accepted. Default xoxb-sim and xapp-sim.
	BotToken, AppToken string
	// UserToken, when set, is accepted like the bot token, for the few calls that need a person's token.
	UserToken string
	// Enterprise, when set, is the organisation that the workspace belongs to, as on Enterprise Grid.
	Enterprise string
	// BotName is the name of the app's bot user. Default "oncall".
	BotName string
	// Now is the clock behind every timestamp, expiry and rate limit. Default time.Now.
	Now func() time.Time
	// StateFile, when set, keeps people, channels, messages and groups over a restart.
	StateFile string
	// Limits turns the rate-limit tiers into real buckets that answer 429.
	Limits bool
	// AckTimeout is how long an envelope may stay unacknowledged. Default 3 s.
	AckTimeout time.Duration
	// RetryDelays are the pauses before an unacknowledged event is sent again.
	// Default 100 ms, 1 min, 5 min.
	RetryDelays []time.Duration
	// PingInterval is the pause between pings on a socket. Default 10 s.
	PingInterval time.Duration
	// RefreshEvery, when set, asks every socket to reconnect after that time.
	RefreshEvery time.Duration
	// RefreshWarning is the notice given before such a refresh. Default none.
	RefreshWarning time.Duration
	// Random delivers each envelope to a random socket instead of taking turns.
	Random bool
	// Manifest is what the app declares.
	Manifest Manifest
	// PageTitle is the heading of the page. Default "Slack simulator".
	PageTitle string
	// PageNotice is an optional line shown above the messages.
	PageNotice string
}

// Sim is one simulated workspace with one app installed.
type Sim struct {
	opt     Options
	mu      sync.Mutex
	done    chan struct{}
	running sync.WaitGroup

	changed  chan struct{}
	revision int
	dirty    chan struct{}

	base     string
	server   *http.Server
	listener net.Listener
	handler  http.Handler
	closed   bool
	loadErr  error // why the state file could not be read
	saveErr  error // why it could not be written last time

	world
	live
}

// live is the state that doesn't survive the process: connections, timers and the record of what happened.
type live struct {
	scopes     map[string]bool
	triggers   map[string]*trigger
	responses  map[string]*response
	uploads    map[string]*File
	tickets    map[string]bool
	sockets    []*socket
	ghosts     []*socket
	nextSocket int
	turn       int
	pending    map[string]*delivery
	faults     []*Fault
	loseAcks   int
	held       *[]*delivery
	refusing   int
	muted      bool
	buckets    map[string]*bucket
	bursts     map[string][]time.Time
	posts      []time.Time // times of posts in the last minute
	stacks     map[string][]*view
	views      map[string]*view
	ephemerals map[string][]*Message
	offered    map[string][]obj // options offered last, by person and action
	calls      []Call
	misuses    []string
	envelopes  []*Envelope
}

// New makes a workspace with nobody in it but the bot.
func New(opt Options) *Sim {
	opt.fill()
	s := &Sim{opt: opt, done: make(chan struct{}), changed: make(chan struct{}), dirty: make(chan struct{}, 1)}
	s.world = newWorld(opt)
	s.live = live{
		scopes: map[string]bool{}, triggers: map[string]*trigger{}, responses: map[string]*response{},
		uploads: map[string]*File{}, tickets: map[string]bool{}, pending: map[string]*delivery{},
		buckets: map[string]*bucket{}, bursts: map[string][]time.Time{}, stacks: map[string][]*view{},
		views: map[string]*view{}, ephemerals: map[string][]*Message{}, offered: map[string][]obj{},
	}
	for _, scope := range opt.Manifest.OAuth.Scopes.Bot {
		s.scopes[scope] = true
	}
	s.handler = s.routes()
	if opt.StateFile != "" {
		s.loadErr = s.load()
		s.spawn(s.keepSaving)
	}
	return s
}

func (o *Options) fill() {
	setDefault(&o.BotToken, "xoxb-sim")
	setDefault(&o.AppToken, "xapp-sim")
	setDefault(&o.BotName, "oncall")
	setDefault(&o.PageTitle, "Slack simulator")
	setDefault(&o.AckTimeout, 3*time.Second)
	setDefault(&o.PingInterval, 10*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RetryDelays == nil {
		o.RetryDelays = []time.Duration{100 * time.Millisecond, time.Minute, 5 * time.Minute}
	}
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// Handler serves the Web API, the sockets and the page.
func (s *Sim) Handler() http.Handler { return s.handler }

// Start listens on addr, which must be a loopback address, and returns the page's URL.
func (s *Sim) Start(addr string) (string, error) {
	if s.loadErr != nil {
		return "", s.loadErr
	}
	if !localHost(addr) {
		return "", fmt.Errorf("listen on %s: the simulator answers on a loopback address only", addr)
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = listener.Close()
		return "", errors.New("start: the simulator was closed")
	}
	s.listener, s.base = listener, "http://"+listener.Addr().String()
	s.server = &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second}
	s.spawn(func() { _ = s.server.Serve(listener) }) // returns when Close closes it
	return s.base, nil
}

// URL returns where the page is, or empty before Start.
func (s *Sim) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.base
}

// APIURL returns the base of the Web API, ending in a slash, as Slack clients want it.
func (s *Sim) APIURL() string { return s.URL() + "/api/" }

// Close ends every connection, saves the state and waits for all goroutines.
func (s *Sim) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.done)
	for _, c := range s.sockets {
		c.kill()
	}
	server := s.server
	s.mu.Unlock()
	if server != nil {
		_ = server.Close() // open requests are being abandoned on purpose
	}
	s.running.Wait()
	if s.opt.StateFile != "" && s.loadErr == nil {
		return s.save()
	}
	return nil
}

// spawn runs f in a goroutine that Close waits for.
func (s *Sim) spawn(f func()) { s.running.Go(f) }

// sleep waits for d and reports whether the simulator is still open.
func (s *Sim) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.done:
		return false
	}
}

// wake notifies all waiters that something changed. The lock is held.
func (s *Sim) wake() {
	s.revision++
	close(s.changed)
	s.changed = make(chan struct{})
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// WaitFor returns when cond holds, checking again after every change, or when ctx ends.
// The condition may call any reading method of the simulator.
func (s *Sim) WaitFor(ctx context.Context, cond func(*Sim) bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if cond(s) {
			return nil
		}
		select {
		case <-changed:
		case <-s.done:
			return fmt.Errorf("wait: the simulator was closed")
		case <-ctx.Done():
			return fmt.Errorf("wait: %w", ctx.Err())
		}
	}
}

// SetScopes replaces the scopes of the bot token.
func (s *Sim) SetScopes(scopes []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scopes = map[string]bool{}
	for _, scope := range scopes {
		s.scopes[scope] = true
	}
	s.wake()
}

func (s *Sim) subscribed(event string) bool {
	return slices.Contains(s.opt.Manifest.Settings.Events.Bot, event)
}
