package jobs

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/watchbill/watchbill/store"
)

// Where one process serves many organisations, most of which are idle, an idle one must cost little. There each instance asks
// once a second what waits, does only the chores that have something to do, and wakes whoever looks rarely by itself.
const (
	frugalPoll      = 30 * time.Second // how often River's workers look for jobs by themselves
	frugalDrawIdle  = 30 * time.Second // how often the draw loop does
	frugalInstances = 5                // every how many seconds the limits are shared anew
)

// frugalChores does the urgent chores that have something to do, each second until ctx ends. While it isn't known what waits, as
// when the database is away, it does nothing: all of them need the database.
func (j *Jobs) frugalChores(ctx context.Context) {
	var waking sync.WaitGroup
	defer waking.Wait()
	failing := map[string]bool{}
	for seconds := 0; ; seconds++ {
		select {
		case <-ctx.Done():
			return
		case w := <-j.whatWaits:
			for _, c := range j.urgentChores() {
				if c.waits == nil || c.waits(w, seconds) {
					j.do(ctx, c, failing)
				}
			}
			j.wake(ctx, &waking, w, j.clock())
		}
	}
}

// wake wakes whoever has something to do, at the moment when it is due.
func (j *Jobs) wake(ctx context.Context, waking *sync.WaitGroup, w store.Waiting, now time.Time) {
	if w.Draws {
		j.store.WakeDraws()
	}
	if w.Inbox {
		j.store.WakeInbox()
	}
	var due []string
	for _, q := range w.Queues {
		if wait := q.At.Sub(now); wait > 0 {
			waking.Go(func() {
				pause(ctx, wait)
				if ctx.Err() == nil {
					j.logUnlessEnded(ctx, j.store.WakeQueues(ctx, []string{q.Queue}))
				}
			})
			continue
		}
		due = append(due, q.Queue)
	}
	if len(due) > 0 {
		j.logUnlessEnded(ctx, j.store.WakeQueues(ctx, due))
	}
}

func (j *Jobs) logUnlessEnded(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		j.outages.Error().Err(err).Msg("could not wake the workers; they look by themselves later")
	}
}

// A frugalDriver has River's workers hear of jobs by the session that holds the instance's name, in place of a connection for
// that alone.
type frugalDriver struct {
	*riverpgxv5.Driver
	session *sessionListener
}

// GetListener is part of River's interface.
func (d frugalDriver) GetListener(*riverdriver.GetListenenerParams) riverdriver.Listener {
	return d.session
}

// A sessionListener passes River's notifications on from an instance's session.
type sessionListener struct {
	instance atomic.Pointer[store.Instance] // set before the client starts
	mu       sync.Mutex
	topics   map[string]bool
}

var errSessionOver = errors.New("the instance's session is over")

// Connect is part of River's interface.
func (l *sessionListener) Connect(ctx context.Context) error { return l.Ping(ctx) }

// Close is part of River's interface; the session is not its to close.
func (l *sessionListener) Close(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics = nil
	return nil
}

// Listen is part of River's interface: the session listens to all topics.
func (l *sessionListener) Listen(_ context.Context, topic string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.topics == nil {
		l.topics = map[string]bool{}
	}
	l.topics[topic] = true
	return nil
}

// Unlisten is part of River's interface.
func (l *sessionListener) Unlisten(_ context.Context, topic string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.topics, topic)
	return nil
}

// Ping is part of River's interface.
func (l *sessionListener) Ping(context.Context) error {
	in := l.instance.Load()
	if in == nil {
		return errSessionOver
	}
	select {
	case <-in.Lost():
		return errSessionOver
	default:
		return nil
	}
}

// Schema is part of River's interface.
func (l *sessionListener) Schema() string { return "" }

// SetAfterConnectExec is part of River's interface, for its own tests.
func (l *sessionListener) SetAfterConnectExec(string) {}

// WaitForNotification is part of River's interface.
func (l *sessionListener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	in := l.instance.Load()
	if in == nil {
		return nil, errSessionOver
	}
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-in.Lost():
			return nil, errSessionOver
		case n := <-in.Notices():
			l.mu.Lock()
			wanted := l.topics[n.Topic]
			l.mu.Unlock()
			if wanted {
				return &riverdriver.Notification{Topic: n.Topic, Payload: n.Payload}, nil
			}
		}
	}
}
