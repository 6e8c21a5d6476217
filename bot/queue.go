package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

// A priority says what goes first when calls have to wait.
type priority int

// The priorities, most urgent first.
const (
	forCritical priority = iota // a direct message that wakes somebody for a critical incident
	forPage                     // any other that wakes somebody
	forAnswer                   // somebody has clicked and waits
	forRoot                     // an incident's first message in its channel
	forAlarm                    // that nobody has answered, and news of an incident that nobody has taken
	forUpdate
	forThread
	forRest
)

// A call is one call of Slack's Web API as the queue sees it.
type call struct {
	method   string
	channel  string // for posts: Slack limits each conversation by itself
	priority priority
	// hasty calls come from a job that can come back later: one whose turn is far away
	// is turned away, so that a busy conversation doesn't keep the workers from others.
	hasty bool
}

const (
	methodPost   = "chat.postMessage"
	methodAnswer = "response_url"
	// unclear429 is the pause after a 429 that doesn't say how long.
	unclear429 = 10 * time.Second
	longest429 = 10 * time.Minute
	// hastyWait is how long a hasty call waits for its turn.
	hastyWait = time.Second
	// longestAway is how late a call that was turned away comes back at the latest. The
	// line may have become shorter in the meantime.
	longestAway = time.Minute
)

// perMinute is what Slack allows each method in a minute and workspace; methods
// without an entry are posts or as good as unlimited.
var perMinute = map[string]float64{
	"chat.update":           50,
	"chat.delete":           50,
	"conversations.history": 50,
	"conversations.replies": 50,
	"conversations.join":    50,
	"conversations.list":    20,
	"conversations.info":    50,
	"conversations.open":    50,
	"views.open":            100,
	"views.push":            100,
	"views.update":          100,

	"files.completeUploadExternal": 50,
	"users.info":                   100,
	"users.lookupByEmail":          50,
	"views.publish":                100,
	"conversations.setTopic":       20,
	"usergroups.list":              20,
	"usergroups.users.update":      20,
	"usergroups.enable":            20,
	"usergroups.disable":           20,
	methodPost:                     300, // "several hundred" for all conversations together
	methodAnswer:                   300,
}

// methodBucket lets through at most 80 % of the limit in any minute: the burst first,
// the rest evenly.
func methodBucket(method string) *rate.Limiter {
	n, limited := perMinute[method]
	if !limited {
		return rate.NewLimiter(10, 20)
	}
	burst := max(n/5, min(n/2, 10))
	return rate.NewLimiter(rate.Limit((0.8*n-burst)/60), int(burst))
}

// Above one post a second Slack may accept a message and not show it.
func channelBucket() *rate.Limiter { return rate.NewLimiter(1, 3) }

// A queue paces our calls so that Slack's limits are the exception and not the
// control loop. It measures real time, whatever clock the product goes by.
type queue struct {
	mu       sync.Mutex
	waiting  []*ticket // most urgent first, then in order of arrival
	methods  map[string]*rate.Limiter
	channels map[string]*rate.Limiter
	away     map[lane]time.Time // for when the last that was turned away has been told to come back
}

// A lane is a line of equals before one bucket.
type lane struct {
	bucket   *rate.Limiter
	priority priority
}

// errTurnedAway is the end of a hasty call that would have had to wait.
var errTurnedAway = errors.New("too many calls are before this one")

type ticket struct {
	call
	granted chan struct{}
}

func newQueue() *queue {
	return &queue{methods: map[string]*rate.Limiter{}, channels: map[string]*rate.Limiter{}, away: map[lane]time.Time{}}
}

// wait returns when the call may be made, or with ctx's error when it must not be. A
// hasty call waits for a second or two, else it gets an apiError that says when to come back.
func (q *queue) wait(ctx context.Context, c call) error {
	if !c.hasty {
		return q.stand(ctx, c)
	}
	if d := q.turnAway(c, false); d > 0 {
		return &apiError{outcome: unsent, retryAfter: d, cause: errTurnedAway}
	}
	limited, cancel := context.WithTimeout(ctx, 2*hastyWait) // the more urgent may come in between
	defer cancel()
	err := q.stand(limited, c)
	if err != nil && ctx.Err() == nil {
		return &apiError{outcome: unsent, retryAfter: q.turnAway(c, true), cause: errTurnedAway}
	}
	return err
}

// turnAway returns after what time a call that can't be made soon should come back; 0 if
// it may wait. Those turned away are spread so that as many come back as can be served.
func (q *queue) turnAway(c call, surely bool) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	bucket, turn := q.turn(c)
	now := time.Now() //nolint:forbidigo // for Slack's limits, not for the product's time
	maps.DeleteFunc(q.away, func(_ lane, t time.Time) bool { return t.Before(now) })
	each := time.Duration(float64(time.Second) / float64(bucket.Limit()))
	// Who comes back for something more urgent must not find the others before it.
	for l, back := range q.away {
		if turn > 0 && l.bucket == bucket && l.priority < c.priority {
			turn = max(turn, back.Sub(now)+each)
		}
	}
	if turn <= hastyWait && !surely {
		return 0
	}
	l := lane{bucket: bucket, priority: c.priority}
	back := now.Add(max(turn, each))
	if next := q.away[l].Add(each); next.After(back) {
		back = next
	}
	if back.Sub(now) > longestAway {
		return longestAway/2 + rand.N(longestAway/2)
	}
	q.away[l] = back
	return back.Sub(now)
}

// turn returns how long a call that came now would have to wait, and for which bucket.
func (q *queue) turn(c call) (*rate.Limiter, time.Duration) {
	method, channel := q.buckets(c)
	before := map[*rate.Limiter]int{}
	for _, t := range q.waiting {
		if t.priority > c.priority {
			break
		}
		m, ch := q.buckets(t.call)
		before[m]++
		if ch != nil {
			before[ch]++
		}
	}
	// Those who wait for another bucket as well don't keep us from this one.
	if channel != nil {
		if d := pauseBehind(channel, before[channel]); d >= pause(method) {
			return channel, d
		}
		return method, pause(method)
	}
	return method, pauseBehind(method, before[method])
}

// stand waits in line until the call may be made.
func (q *queue) stand(ctx context.Context, c call) error {
	t := &ticket{call: c, granted: make(chan struct{})}
	q.enter(t)
	for {
		pause := q.serve(t)
		if pause == 0 {
			return nil
		}
		timer := time.NewTimer(pause) // a wait for Slack's limits, not for the product's time
		select {
		case <-t.granted:
			timer.Stop()
			return nil
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			q.leave(t)
			return ctx.Err()
		}
	}
}

func (q *queue) enter(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	at, _ := slices.BinarySearchFunc(q.waiting, t.priority, func(o *ticket, p priority) int {
		return cmp.Compare(o.priority, p+1) // behind its equals
	})
	q.waiting = slices.Insert(q.waiting, at, t)
}

func (q *queue) leave(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = slices.DeleteFunc(q.waiting, func(o *ticket) bool { return o == t })
}

// serve grants whatever may go now, in order, and returns how long t has to wait at
// least; 0 if it may go.
func (q *queue) serve(t *ticket) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = slices.DeleteFunc(q.waiting, func(o *ticket) bool {
		method, channel := q.buckets(o.call)
		if pause(method) > 0 || pause(channel) > 0 {
			return false
		}
		method.Allow()
		if channel != nil {
			channel.Allow()
		}
		close(o.granted)
		return true
	})
	select {
	case <-t.granted:
		return 0
	default:
	}
	method, channel := q.buckets(t.call)
	return max(pause(method), pause(channel), time.Millisecond)
}

// buckets returns what limits a call; the second is nil unless it is a post.
func (q *queue) buckets(c call) (method, channel *rate.Limiter) {
	method = q.methods[c.method]
	if method == nil {
		method = methodBucket(c.method)
		q.methods[c.method] = method
	}
	if c.channel == "" {
		return method, nil
	}
	channel = q.channels[c.channel]
	if channel == nil {
		q.forgetFull()
		channel = channelBucket()
		q.channels[c.channel] = channel
	}
	return method, channel
}

// forgetFull drops buckets that say nothing, once there are many.
func (q *queue) forgetFull() {
	if len(q.channels) < 1000 {
		return
	}
	for name, l := range q.channels {
		if l.Tokens() >= float64(l.Burst()) {
			delete(q.channels, name)
		}
	}
}

// pause returns how long it takes until the bucket has a token.
func pause(l *rate.Limiter) time.Duration {
	if l == nil {
		return 0
	}
	return pauseBehind(l, 0)
}

// pauseBehind returns how long it takes until the bucket has a token for who has n others
// before him.
func pauseBehind(l *rate.Limiter, n int) time.Duration {
	missing := float64(1+n) - l.Tokens()
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing / float64(l.Limit()) * float64(time.Second))
}

// freeze stops what Slack has refused for the time that it asks for and a little more,
// so that not all instances come back at once: one conversation for posts, else the
// method.
func (q *queue) freeze(c call, d time.Duration) {
	d = min(d, longest429)
	d += rand.N(d/5 + time.Millisecond)
	q.mu.Lock()
	defer q.mu.Unlock()
	method, channel := q.buckets(c)
	l := method
	if channel != nil {
		l = channel
	}
	for pause(l) < d {
		l.Reserve()
	}
}

// call makes one call of the Web API when its turn comes. The error is an apiError
// that says what became of it. Nothing is ever repeated here: whether a repetition
// does harm depends on the call.
func (b *Bot) call(ctx context.Context, c call, do func(context.Context) error) error {
	if err := b.out.wait(ctx, c); err != nil {
		b.metrics.calls.WithLabelValues(c.method, string(unsent)).Inc()
		if _, ok := errors.AsType[*apiError](err); !ok {
			err = &apiError{outcome: unsent, cause: err}
		}
		return fmt.Errorf("%s: wait for its turn: %w", c.method, err)
	}
	timer := prometheus.NewTimer(b.metrics.latency.WithLabelValues(c.method))
	err := do(ctx)
	timer.ObserveDuration()
	if err == nil {
		b.metrics.calls.WithLabelValues(c.method, "ok").Inc()
		return nil
	}
	failed := classify(err)
	b.metrics.calls.WithLabelValues(c.method, string(failed.outcome)).Inc()
	if failed.outcome == throttled {
		b.metrics.limited.WithLabelValues(c.method).Inc()
		b.out.freeze(c, failed.retryAfter)
	}
	return fmt.Errorf("%s: %w", c.method, failed)
}
