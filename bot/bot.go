// Package bot is the part of Watchbill that speaks Slack, and the only one. It
// listens on two Socket Mode connections, turns commands and clicks into decisions of
// the store, and draws incidents as messages. What it shows is always a picture of
// stored state: it keeps nothing in memory that a second instance would miss.
package bot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/store"
)

// Config is what a Bot needs.
type Config struct {
	BotToken string // "xoxb-…"
	AppToken string // "xapp-…", with the scope connections:write
	APIURL   string // "" is Slack's own

	// UserToken is an admin's, "xoxp-…", for changing user groups where the workspace
	// doesn't let apps do that; "" is the bot's own.
	UserToken string

	PublicURL string // where people's calendars find Watchbill, without a / at the end
	LocalURL  bool   // that is only an address of this machine

	Methods []string // of contact, by which this installation can send beside Slack
	Numbers []string // from which its SMS and calls come, in E.164

	Store   *store.Store
	Clock   func() time.Time
	Log     zerolog.Logger
	Metrics prometheus.Registerer // nil: nothing is measured
}

// A Bot is one instance's connection to one Slack workspace.
type Bot struct {
	store     *store.Store
	clock     func() time.Time
	log       zerolog.Logger
	api       *slack.Client
	groups    *slack.Client // changes user groups
	http      *http.Client
	out       *queue
	metrics   *metrics
	desk      reception
	workspace atomic.Pointer[workspace] // nil until it is known
	sockets   [2]socket
	all       sync.WaitGroup // what Run has begun
	hungUp    chan struct{}  // closed when nothing goes on after it

	publicURL string
	localURL  bool
	methods   []string
	numbers   []string
}

var _ notify.Sender = (*Bot)(nil)

// New makes a Bot. Nothing is sent before Run or one of the calls.
func New(c Config) (*Bot, error) {
	switch {
	case !strings.HasPrefix(c.BotToken, "xoxb-"):
		return nil, errors.New("the Slack bot token must begin with xoxb-")
	case !strings.HasPrefix(c.AppToken, "xapp-"):
		return nil, errors.New("the Slack app token must begin with xapp-")
	case c.UserToken != "" && !strings.HasPrefix(c.UserToken, "xoxp-"):
		return nil, errors.New("the Slack user token must begin with xoxp-")
	case c.Clock == nil:
		return nil, errors.New("bot: no clock")
	}
	caller := httpClient()
	options := []slack.Option{slack.OptionAppLevelToken(c.AppToken), slack.OptionHTTPClient(caller)}
	if c.APIURL != "" {
		// slack-go joins the method's name to it as it stands.
		options = append(options, slack.OptionAPIURL(strings.TrimSuffix(c.APIURL, "/")+"/"))
	}
	b := &Bot{
		store: c.Store, clock: c.Clock, log: c.Log,
		api: slack.New(c.BotToken, options...), http: caller,
		out: newQueue(), hungUp: make(chan struct{}), publicURL: c.PublicURL, localURL: c.LocalURL,
		methods: c.Methods, numbers: c.Numbers,
	}
	b.groups = b.api
	if c.UserToken != "" {
		b.groups = slack.New(c.UserToken, options...)
	}
	var err error
	if b.metrics, err = newMetrics(c.Metrics, b); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return b, nil
}

const (
	connectTimeout = 5 * time.Second
	callTimeout    = 10 * time.Second
	keepAlive      = 15 * time.Second
)

func dialer() *net.Dialer { return &net.Dialer{Timeout: connectTimeout, KeepAlive: keepAlive} }

// httpClient has the limits that slack-go's default client lacks.
func httpClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = dialer().DialContext
	transport.TLSHandshakeTimeout = connectTimeout
	transport.MaxIdleConnsPerHost = 16
	return &http.Client{Transport: transport, Timeout: callTimeout}
}

// Connected returns how many of the sockets Slack has greeted.
func (b *Bot) Connected() int {
	n := 0
	for i := range b.sockets {
		if b.sockets[i].greeted.Load() {
			n++
		}
	}
	return n
}

// A reception admits envelopes to be handled, as many at once as it has seats, until
// it closes.
type reception struct {
	mu     sync.Mutex
	taken  int
	closed bool
	left   sync.WaitGroup
}

// seats bounds how many envelopes are handled at the same time.
const seats = 128

func (r *reception) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.taken == seats {
		return false
	}
	r.taken++
	r.left.Add(1)
	return true
}

func (r *reception) leave() {
	r.mu.Lock()
	r.taken--
	r.mu.Unlock()
	r.left.Done()
}

// close admits nobody any more and waits for those inside.
func (r *reception) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.left.Wait()
}

// wait pauses a background loop; false when ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d) // a loop that has to wait for the network, not for the product's time
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
