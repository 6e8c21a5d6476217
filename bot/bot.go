package bot

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// Config configures a Bot.
type Config struct {
	BotToken string  // "xoxb-…"
	AppToken string  // "xapp-…", with the scope connections:write
	APIURL   string  // empty: Slack's own
	Faster   float64 // for tests: multiplies Slack's rate limits; 0: leaves them alone

	// UserToken is an admin's token, "xoxp-…", for changing user groups in workspaces where apps may not. If
	// empty, the bot's token is used.
	UserToken string

	PublicURL string // base URL of calendar feeds, without a trailing slash
	LocalURL  bool   // PublicURL only works on this machine
	Pages     string // base URL of the web pages, without a trailing slash; empty: there are none

	Methods []oncall.Method // the installation's contact methods besides Slack
	Numbers []string        // the senders of its SMS and phone calls, in E.164

	// Findings returns the doctor's findings about this instance, and their time; nil: the doctor doesn't
	// run.
	Findings func() ([]view.DoctorFinding, time.Time)

	Trace func(oncall.Incident) string // address of an incident's trace; nil or "" if there is none

	Keeps time.Duration // how long incidents are kept after their end; 0: for ever

	Store   *store.Store
	Clock   func() time.Time
	Log     zerolog.Logger
	Metrics prometheus.Registerer // nil: no metrics
}

// A Bot is one instance's connection to one Slack workspace.
type Bot struct {
	store     *store.Store
	clock     func() time.Time
	log       zerolog.Logger
	slack     *slackcall.Client
	envelopes *prometheus.CounterVec
	counted   prometheus.Gauge // the number of this app's connections that Slack reports
	inFlight  inFlight
	late      atomic.Int32                    // answers that wait for Slack
	workspace atomic.Pointer[store.Workspace] // nil until known
	lookups   lookupLimiter
	homes     openHomes
	sockets   [2]socket
	all       sync.WaitGroup // goroutines started by Run
	hungUp    chan struct{}  // closed when Run has stopped waiting

	publicURL string
	localURL  bool
	pages     string
	methods   []oncall.Method
	numbers   []string
	keeps     time.Duration
	trace     func(oncall.Incident) string
	findings  func() ([]view.DoctorFinding, time.Time) // nil: nobody looks
}

var (
	_ notify.Sender = (*Bot)(nil)
	_ notify.Finder = (*Bot)(nil)
)

// New creates a Bot. It sends nothing until one of its methods is called.
func New(c Config) (*Bot, error) {
	if c.Clock == nil {
		return nil, errors.New("bot: no clock")
	}
	b := &Bot{
		store: c.Store, clock: c.Clock, log: c.Log, hungUp: make(chan struct{}),
		publicURL: c.PublicURL, localURL: c.LocalURL, pages: c.Pages, methods: c.Methods, numbers: c.Numbers, keeps: c.Keeps, findings: c.Findings, trace: c.Trace,
	}
	var err error
	b.slack, err = slackcall.New(slackcall.Config{
		BotToken: c.BotToken, AppToken: c.AppToken, UserToken: c.UserToken, APIURL: c.APIURL, Faster: c.Faster, Metrics: c.Metrics,
	})
	if err != nil {
		return nil, err
	}
	if err := b.measure(c.Metrics); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return b, nil
}

// measure registers the metrics of incoming envelopes and connections.
func (b *Bot) measure(to prometheus.Registerer) error {
	b.envelopes = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "watchbill_slack_envelopes_total",
		Help: "What came in over the sockets, by type and what became of it.",
	}, []string{"type", "outcome"})
	b.counted = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "watchbill_slack_connections",
		Help: "Socket Mode connections of this app as Slack counted them last: two for each instance. More are dead or another installation's, and swallow clicks.",
	})
	if to == nil {
		return nil
	}
	return errors.Join(to.Register(b.envelopes), to.Register(b.counted), to.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "watchbill_slack_sockets",
		Help: "Socket Mode connections that Slack has greeted.",
	}, func() float64 { return float64(b.Connected()) })))
}

// Connected returns the number of sockets that Slack has greeted.
func (b *Bot) Connected() int {
	n := 0
	for i := range b.sockets {
		if b.sockets[i].greeted.Load() {
			n++
		}
	}
	return n
}

// sleep pauses a background loop, and reports false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d) // real time: this waits for the network
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
