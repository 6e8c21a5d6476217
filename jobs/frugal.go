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

// When one process serves many organisations, most are idle, and an idle one must cost little. So each
// instance checks once a second what work is waiting, does only the chores that have something to do,
// and wakes the workers that rarely check.
const (
	frugalPoll         = 30 * time.Second // how often River's workers look for jobs without being woken
	frugalDrawIdle     = 30 * time.Second // how often the draw loop does
	frugalShareSeconds = 30               // how many seconds pass before the limits are shared out again
)

// frugalChores does the urgent chores that have something to do, every second until ctx ends. It does
// nothing while it isn't known what work is waiting, for instance because the database is down: all
// chores need the database.
func (j *Jobs) frugalChores(ctx context.Context) {
	var waking sync.WaitGroup
	defer waking.Wait()
	failing, chores := map[string]bool{}, append(j.urgentChores(), j.followBundles())
	for seconds := 0; ; seconds++ {
		select {
		case <-ctx.Done():
			return
		case w := <-j.whatWaits:
			for _, c := range chores {
				if c.waits == nil || c.waits(w, seconds) {
					j.do(ctx, c, failing)
				}
			}
			j.wake(ctx, &waking, w, j.clock())
		}
	}
}

// wake wakes the workers that have something to do, at the moment when it is due.
func (j *Jobs) wake(ctx context.Context, waking *sync.WaitGroup, w store.Waiting, now time.Time) {
	if w.Draws {
		j.store.WakeDraws()
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

// A frugalDriver lets River's workers learn about jobs through the session that holds the instance's
// name, instead of needing a connection just for that.
type frugalDriver struct {
	*riverpgxv5.Driver
	session *sessionListener
}

// GetListener implements River's interface.
func (d frugalDriver) GetListener(*riverdriver.GetListenenerParams) riverdriver.Listener {
	return d.session
}

// A sessionListener passes on River's notifications from an instance's session.
type sessionListener struct {
	instance atomic.Pointer[store.Instance] // set before the client starts
	mu       sync.Mutex
	topics   map[string]bool
}

var errSessionOver = errors.New("the instance's session is over")

// Connect implements River's interface.
func (l *sessionListener) Connect(ctx context.Context) error { return l.Ping(ctx) }

// Close implements River's interface. It doesn't close the session, which belongs to the instance.
func (l *sessionListener) Close(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics = nil
	return nil
}

// Listen implements River's interface. The session listens to all topics anyway.
func (l *sessionListener) Listen(_ context.Context, topic string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.topics == nil {
		l.topics = map[string]bool{}
	}
	l.topics[topic] = true
	return nil
}

// Unlisten implements River's interface.
func (l *sessionListener) Unlisten(_ context.Context, topic string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.topics, topic)
	return nil
}

// Ping implements River's interface.
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

// Schema implements River's interface.
func (l *sessionListener) Schema() string { return "" }

// SetAfterConnectExec implements River's interface, for River's own tests.
func (l *sessionListener) SetAfterConnectExec(string) {}

// WaitForNotification implements River's interface.
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
