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

// Config is what a Bot needs.
type Config struct {
	BotToken string  // "xoxb-…"
	AppToken string  // "xapp-…", with the scope connections:write
	APIURL   string  // "" is Slack's own
	Faster   float64 // how many times more calls may be made than Slack allows, for tests; 0: as many

	// UserToken is an admin's, "xoxp-…", for changing user groups where the workspace
	// doesn't let apps do that; "" is the bot's own.
	UserToken string

	PublicURL string // where people's calendars find Watchbill, without a / at the end
	LocalURL  bool   // PublicURL is only reachable on this machine
	Pages     string // where browsers find the pages, without a / at the end; "": there are none

	Methods []oncall.Method // contact methods that this installation has beside Slack
	Numbers []string        // from which its SMS and phone calls come, in E.164

	// Findings are what the doctor has found in this instance, and when; nil: it doesn't look.
	Findings func() ([]view.DoctorFinding, time.Time)

	Trace func(oncall.Incident) string // where people find what became of an incident, step by step; nil or "": nowhere

	Keeps time.Duration // how long incidents are kept after their end; 0: for ever

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
	slack     *slackcall.Client
	envelopes *prometheus.CounterVec
	counted   prometheus.Gauge // connections of this app, as Slack counts them
	admission admission
	workspace atomic.Pointer[store.Workspace] // nil until it is known
	learner   learner
	sockets   [2]socket
	all       sync.WaitGroup // what Run has begun
	hungUp    chan struct{}  // closed when Run no longer waits for anything

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
	_ notify.Sender  = (*Bot)(nil)
	_ notify.Finder  = (*Bot)(nil)
	_ notify.Checker = (*Bot)(nil)
)

// New makes a Bot. Nothing is sent before one of its methods is called.
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

// measure registers the metrics of what comes from Slack.
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

// wait pauses a background loop; false when ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d) // waits for the network, not for the product's time
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
