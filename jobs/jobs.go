// Package jobs works the queue: it escalates when a timer fires, sends pages and keeps Slack
// messages in line with what is stored. Any number of instances can work side by side, without a
// leader.
//
// River runs jobs at least once. So every job looks at the stored state first and can run twice
// without harm, and a job whose instance died is taken over by another within a second.
package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A Messenger posts and edits the messages that show incidents. It is the jobs' view of Slack.
type Messenger interface {
	// Choose returns which of the waiting drawings can be drawn now, the first n in order.
	Choose(ctx context.Context, waiting []store.WaitingDraw, n int) []store.WaitingDraw
	// SetInstances sets how many instances share Slack's limits.
	SetInstances(instances int)
	// StopWaiting announces the shutdown: whatever can be done later stops waiting for its turn.
	StopWaiting()

	// PostRoot posts the incident's message, along with the delivery id by which FindRoot
	// recognises it.
	PostRoot(ctx context.Context, w store.WaitingDraw, p oncall.Picture, delivery string) (store.MessageRef, error)
	// FindRoot looks for a message with the delivery id, posted at since or later.
	FindRoot(ctx context.Context, p oncall.Picture, delivery string, since time.Time) (store.MessageRef, bool, error)
	// Redraw edits a message. With a person, it is that person's direct message, with the reason for their
	// page; without one, it is a channel's message. The error is store.ErrGone if the message no longer
	// exists.
	Redraw(ctx context.Context, w store.WaitingDraw, at store.MessageRef, p oncall.Picture, to oncall.UserID, why oncall.Sentence) error
	// PostThread adds one reply that reports all the events.
	PostThread(ctx context.Context, root store.MessageRef, p oncall.Picture, events []oncall.Event, delivery string) error

	// FindThread looks for such a reply by its delivery id, posted at since or later.
	FindThread(ctx context.Context, root store.MessageRef, delivery string, since time.Time) (found bool, err error)

	// PostFlapLine, RedrawFlapLine and FindFlapLine do the same for the reply about flapping. A zero place
	// means that the thread has none.
	PostFlapLine(ctx context.Context, root store.MessageRef, p oncall.Picture, delivery string) (store.MessageRef, error)
	RedrawFlapLine(ctx context.Context, w store.WaitingDraw, at store.MessageRef, p oncall.Picture) error
	FindFlapLine(ctx context.Context, root store.MessageRef, delivery string, since time.Time) (store.MessageRef, bool, error)

	// PostRaiser, RedrawRaiser and FindRaiser do the same for the message in which a person who
	// raised the incident can follow it.
	PostRaiser(ctx context.Context, w store.WaitingDraw, p oncall.Picture, c store.RaiserCopy, delivery string) (store.MessageRef, error)
	RedrawRaiser(ctx context.Context, w store.WaitingDraw, p oncall.Picture, c store.RaiserCopy) error
	FindRaiser(ctx context.Context, c store.RaiserCopy, delivery string, since time.Time) (store.MessageRef, bool, error)

	// PostNotice, RedrawNotice and FindNotice do the same for a notice.
	PostNotice(ctx context.Context, n oncall.Notice) (store.MessageRef, error)
	RedrawNotice(ctx context.Context, w store.WaitingDraw, at store.MessageRef, n oncall.Notice) error
	FindNotice(ctx context.Context, n oncall.Notice, since time.Time) (store.MessageRef, bool, error)
}

// Config is what the jobs need.
type Config struct {
	System    *store.System
	Messenger Messenger
	Workspace Workspace
	Senders   map[oncall.Method]notify.Sender // by contact method
	Clock     func() time.Time
	Log       zerolog.Logger
	Slog      *slog.Logger          // River's own log
	Metrics   prometheus.Registerer // nil: none
	Name      string                // of this process, unique among all running processes
	Terms     store.RetentionTerms  // how long data is kept

	Silencer  *notify.Alertmanager        // nil: nothing is silenced
	Hooks     *notify.Hooks               // calls outgoing webhooks; nil: none
	Calendars *notify.Calendars           // reads people's calendars; nil: none is read
	Canary    time.Duration               // how often a canary is sent through everything; 0: never
	Pulse     func(context.Context) error // tells an independent service that Watchbill works; nil: none

	PublicURL string // base of links in mails; empty: no links

	Traced func(PageAttempt) // called with each attempt to send a page; must not block; may be nil
}

// A PageAttempt is a finished attempt to send a page.
type PageAttempt struct {
	Order          oncall.PageOrder
	Queued         time.Time // when the page's job was created
	Sent, Answered time.Time // when the provider was called, and when it responded; zero: it was not called
	Outcome        notify.Outcome
}

// Jobs works the queue for one process.
type Jobs struct {
	store              *store.System
	terms              store.RetentionTerms
	oldest             oncall.IncidentID // how far retain has progressed
	messenger          Messenger
	workspace          Workspace
	groups             seenGroups
	channels           unknownChannels
	senders            map[oncall.Method]notify.Abilities
	silencer           *notify.Alertmanager
	hooks              *notify.Hooks
	calendars          *notify.Calendars
	tracked, cancelled []oncall.Method // the methods whose messages can be tracked, and cancelled
	breakers           breakers
	canary             canary
	pulse              pulse
	lanes              lanes
	publicURL          string
	traced             func(PageAttempt)
	clock              func() time.Time
	log                zerolog.Logger
	outages            zerolog.Logger // limited to a few lines a minute, however much fails
	name               string
	slog               *slog.Logger
	metrics            metrics
	session            *session // nil while there is none; owned by keepSession until keepSession has ended
	endSessions        context.CancelFunc
	sessionsEnded      chan struct{}      // closed when session no longer changes
	whatWaits          chan store.Waiting // of a frugal System, once a second
	upkeep             context.CancelFunc
	running            sync.WaitGroup
}

// Measured with these settings, a timer fires within 120 ms after it is due, and inserted work starts
// within 100 ms.
const (
	fetchCooldown = 20 * time.Millisecond
	fetchPoll     = 100 * time.Millisecond
	// never turns off River's own rescue of stuck jobs, which uses the machine's clock and would
	// interrupt jobs whenever ours shows a different time.
	never = 100 * 365 * 24 * time.Hour
)

// New prepares the jobs. Nothing runs before Start.
func New(c Config) (*Jobs, error) {
	j := &Jobs{store: c.System, terms: c.Terms, messenger: c.Messenger, workspace: c.Workspace, senders: map[oncall.Method]notify.Abilities{}, clock: c.Clock, log: c.Log, name: c.Name, slog: slog.New(newLogLimiter(c.Slog.Handler()))}
	j.outages = c.Log.Sample(&zerolog.BurstSampler{Burst: quietBurst, Period: quietPeriod})
	j.metrics, j.whatWaits = newMetrics(c.Metrics), make(chan store.Waiting)
	j.silencer, j.hooks, j.calendars = c.Silencer, c.Hooks, c.Calendars
	j.canary.every, j.pulse.send, j.pulse.due = c.Canary, c.Pulse, make(chan struct{}, 1)
	j.metrics.canaryEvery.Set(c.Canary.Seconds())
	j.publicURL, j.traced = strings.TrimSuffix(c.PublicURL, "/"), c.Traced
	for method, s := range c.Senders {
		sender := notify.AbilitiesOf(s)
		j.senders[method] = sender
		if sender.Tracker != nil {
			j.tracked = append(j.tracked, method)
			if sender.Canceller != nil {
				j.cancelled = append(j.cancelled, method)
			}
		}
	}
	j.senders[oncall.MethodCanary] = notify.AbilitiesOf(canarySender{})
	j.breakers.changed = func(method oncall.Method, open bool) {
		failing := 0.0
		if open {
			failing = 1
		}
		j.metrics.failing.WithLabelValues(string(method)).Set(failing)
		j.log.Warn().Str("method", string(method)).Bool("failing", open).Msg("a provider has changed")
	}
	if _, err := j.newClient(c.Name, nil); err != nil {
		return nil, err
	}
	return j, nil
}

// newClient makes a River client that works under a name.
func (j *Jobs) newClient(name string, session *sessionListener) (*river.Client[pgx.Tx], error) {
	var driver riverdriver.Driver[pgx.Tx] = riverpgxv5.New(j.store.Pool())
	poll := fetchPoll
	if j.store.Frugal() {
		driver, poll = frugalDriver{riverpgxv5.New(j.store.Pool()), session}, frugalPoll
	}
	client, err := river.NewClient(driver, &river.Config{
		ID:      name,
		Logger:  j.slog,
		Workers: j.workers(),
		// A worker never waits long for its turn at Slack, so a few are enough; more would compete with
		// incoming signals for the database.
		Queues: map[string]river.QueueConfig{
			store.QueueEscalate:     {MaxWorkers: 20},
			store.QueuePage:         {MaxWorkers: pageWorkers}, // mostly for one provider that hangs
			store.QueueNotice:       {MaxWorkers: 5},
			store.QueueHousekeeping: {MaxWorkers: 1},
			store.QueueSilence:      {MaxWorkers: 2},
			store.QueueHook:         {MaxWorkers: 4},
		},
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           poll,
		CompletedJobRetentionPeriod: store.KeepDone,
		CancelledJobRetentionPeriod: store.KeepDone,
		// Our own chores do what a leader does, except for rebuilding indexes.
		LeaderElectionDisabled: j.store.Frugal(),
		RescueStuckJobsAfter:   never,
		RetryPolicy:            backoff{clock: j.clock},
		ErrorHandler:           errorHandler{jobs: j},
		// Despite River's name for it, this is not just for tests: it sets River's clock.
		Test: river.TestConfig{Time: riverTime(j.clock)},
	})
	if err != nil {
		return nil, fmt.Errorf("configure River: %w", err)
	}
	return client, nil
}

// riverTime gives River our clock.
type riverTime func() time.Time

// Now returns the time.
func (t riverTime) Now() time.Time { return t() }

// NowOrNil returns the time, which makes River use it in SQL, too.
func (t riverTime) NowOrNil() *time.Time {
	now := t()
	return &now
}
