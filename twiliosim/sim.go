package twiliosim

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// The account of a Sim, unless its Options name another.
const (
	Account = "AC00000000000000000000000000000001"
	Token   = "11111111111111111111111111111111"
	Key     = "SK00000000000000000000000000000001"
	Secret  = "22222222222222222222222222222222"
	Number  = "+12025550199" // our number
)

// Options configures a Sim.
type Options struct {
	Account, Token string // the token also signs webhooks
	Key, Secret    string // an API key of the account
	Number         string // the account's one phone number
	// SMSURL is called for each message that a phone sends; empty: nothing is called.
	SMSURL string
	// ListLag is how long a new message, call or execution is missing from lists.
	ListLag time.Duration
	// Now is the clock for all times. Default time.Now.
	Now func() time.Time
}

// Sim is one Twilio account and all phones in the simulated world.
type Sim struct {
	opt     Options
	handler http.Handler
	done    chan struct{}
	client  *http.Client

	mu       sync.Mutex
	changed  chan struct{}
	revision int
	base     string
	server   *http.Server
	closed   bool

	service      *Service // nil: none
	phones       []*Phone
	messages     []*message
	calls        []*call
	flows        []*flow
	executions   []*execution
	alerts       []*alert
	noAlerts     bool
	registration Registration
	redacts      bool
	noGeo        bool
	noSMS        []string // countries
	noCalls      []string
	faults       []*Fault
	requests     []Request
}

// A Request is a request that reached the API.
type Request struct {
	Method, Path string
	Form         map[string][]string
	Status       int // 0: no answer was sent
}

// New creates an account with one number and no phones.
func New(opt Options) *Sim {
	for field, value := range map[*string]string{
		&opt.Account: Account, &opt.Token: Token, &opt.Key: Key, &opt.Secret: Secret, &opt.Number: Number,
	} {
		if *field == "" {
			*field = value
		}
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	s := &Sim{registration: Registration{Profile: "twilio-approved"}, opt: opt, done: make(chan struct{}), changed: make(chan struct{}), client: &http.Client{Timeout: 15 * time.Second}}
	s.handler = s.routes()
	return s
}

// Handler serves the API and the page.
func (s *Sim) Handler() http.Handler { return s.handler }

// Start listens on addr, which must be a loopback address, and returns the address of the page and
// the API.
func (s *Sim) Start(addr string) (string, error) {
	if !localHost(addr) {
		return "", fmt.Errorf("listen on %s: the simulator answers on a loopback address only", addr)
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = listener.Close()
		return "", errors.New("start: the simulator was closed")
	}
	s.server, s.base = server, "http://"+listener.Addr().String()
	go func() { _ = server.Serve(listener) }() // returns when Close closes it
	return s.base, nil
}

// URL returns the address of the API and the page, or empty before Start.
func (s *Sim) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.base
}

// Close closes all connections.
func (s *Sim) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.done)
	server := s.server
	s.mu.Unlock()
	s.client.CloseIdleConnections()
	if server == nil {
		return nil
	}
	return server.Close()
}

// wake notifies all waiters that something changed. The lock is held.
func (s *Sim) wake() {
	s.revision++
	close(s.changed)
	s.changed = make(chan struct{})
}

// WaitFor returns when cond holds, checking again after every change, or when ctx ends. The
// condition may call any method that reads.
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
			return errors.New("wait: the simulator was closed")
		case <-ctx.Done():
			return fmt.Errorf("wait: %w", ctx.Err())
		}
	}
}

// Requests lists what reached the API, oldest first.
func (s *Sim) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// SetListLag changes how long new resources are missing from lists.
func (s *Sim) SetListLag(lag time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.ListLag = lag
}

// SetSMSURL changes the address called for a phone's message.
func (s *Sim) SetSMSURL(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.SMSURL = address
}

// listed reports whether something created at that time is in lists by now. The lock is held.
func (s *Sim) listed(made time.Time) bool { return !s.opt.Now().Before(made.Add(s.opt.ListLag)) }

func newSID(prefix string) string {
	var b [16]byte
	rand.Read(b[:])
	return prefix + hex.EncodeToString(b[:])
}
