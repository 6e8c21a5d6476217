package slackcall

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// A queue paces our calls, so that Slack rarely has to limit them. It measures real time, whatever clock the product
// uses.
type queue struct {
	mu       sync.Mutex
	waiting  []*ticket // most urgent first, then in order of arrival
	methods  map[string]*bucket
	channels map[string]*bucket
	away     map[awayKey]time.Time // when the latest call that was turned away is to come back
	share    int                   // how many instances are running
	faster   float64               // how many times more calls may be made than Slack allows
	roots    int                   // in how many channels there was a message to post at the last look
	stopping chan struct{}         // closed when fail-fast calls must not wait any more
}

// An awayKey identifies the calls of one priority that wait for one bucket.
type awayKey struct {
	bucket   *bucket
	priority Priority
}

// errTooFarBack is returned to a fail-fast call instead of a long wait.
var errTooFarBack = errors.New("too many calls are ahead of this one")

// errStopping is returned to waiting fail-fast calls when the process stops.
var errStopping = errors.New("this instance is stopping")

type ticket struct {
	call
	granted chan struct{}
}

func newQueue() *queue {
	return &queue{methods: map[string]*bucket{}, channels: map[string]*bucket{}, away: map[awayKey]time.Time{}, share: 1, faster: 1, stopping: make(chan struct{})}
}

// divide limits us to one of n equal shares of the workspace's limits.
func (q *queue) divide(n int) {
	n = max(n, 1)
	q.mu.Lock()
	defer q.mu.Unlock()
	if n == q.share {
		return
	}
	q.share = n
	for _, some := range []map[string]*bucket{q.methods, q.channels} {
		for _, b := range some {
			b.share(n)
		}
	}
}

// stopWaiting turns away waiting fail-fast calls, now and from now on, because the process is stopping.
func (q *queue) stopWaiting() {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-q.stopping:
	default:
		close(q.stopping)
	}
}

// wait returns nil when the call may be made, or ctx's error. A fail-fast call waits for a second or two at
// most, and then gets an Error with the time to come back.
func (q *queue) wait(ctx context.Context, c call) error {
	if !c.failFast {
		return q.waitInQueue(ctx, c)
	}
	if d := q.turnAway(c, false); d > 0 {
		return &Error{Outcome: Unsent, retryAfter: d, cause: errTooFarBack}
	}
	limited, cancel := context.WithTimeout(ctx, 2*failFastWait) // more urgent calls may overtake the call
	defer cancel()
	err := q.waitInQueue(limited, c)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return &Error{Outcome: Unsent, retryAfter: q.turnAway(c, true), cause: errTooFarBack}
	}
	return err
}

// turnAway returns when a call that can't be made soon should come back; 0 if the call may wait. With mustNotWait it
// never returns 0. The times are spread, so that calls come back no faster than they can be made.
func (q *queue) turnAway(c call, mustNotWait bool) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	bucket, wait := q.neededWait(c)
	if c.chosen {
		if (wait == 0 || wait <= failFastWait && !c.immediate) && !mustNotWait {
			return 0
		}
		return min(max(wait, failFastWait/10), failFastWait)
	}
	now := realNow()
	maps.DeleteFunc(q.away, func(_ awayKey, t time.Time) bool { return t.Before(now) })
	each := time.Duration(float64(time.Second) / float64(bucket.Limit()))
	// More urgent calls that will come back go before this one.
	for k, back := range q.away {
		if wait > 0 && k.bucket == bucket && k.priority < c.priority {
			wait = max(wait, back.Sub(now)+each)
		}
	}
	if wait <= failFastWait && !mustNotWait {
		return 0
	}
	key := awayKey{bucket: bucket, priority: c.priority}
	back := now.Add(max(wait, each))
	if next := q.away[key].Add(each); next.After(back) {
		back = next
	}
	if back.Sub(now) > maxRetryAfter {
		return maxRetryAfter/2 + rand.N(maxRetryAfter/2)
	}
	q.away[key] = back
	return back.Sub(now)
}

// realNow returns the real time, because Slack's limits don't follow the product's clock.
func realNow() time.Time { return time.Now() } //nolint:forbidigo // see above

// neededWait returns how long a new call would have to wait, and for which bucket.
func (q *queue) neededWait(c call) (*bucket, time.Duration) {
	method, channel := q.buckets(c)
	before := map[*bucket]int{}
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
	// Only the present level of the method's bucket counts: the calls waiting for that bucket may be held up by their
	// own conversations, and then don't delay this call.
	if channel != nil {
		atMethod := method.pause(c.priority, q.ahead(c))
		if d := channel.pause(c.priority, before[channel]); d >= atMethod {
			return channel, d
		}
		return method, atMethod
	}
	return method, method.pause(c.priority, before[method])
}

// waitInQueue queues the call until it may be made.
func (q *queue) waitInQueue(ctx context.Context, c call) error {
	t := &ticket{call: c, granted: make(chan struct{})}
	var stopping chan struct{}
	if c.failFast {
		stopping = q.stopping
	}
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
		case <-stopping:
			timer.Stop()
			q.leave(t)
			return &Error{Outcome: Unsent, retryAfter: time.Second, cause: errStopping}
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
	at, _ := slices.BinarySearchFunc(q.waiting, t.priority, func(o *ticket, p Priority) int {
		return cmp.Compare(o.priority, p+1) // behind calls of the same priority
	})
	q.waiting = slices.Insert(q.waiting, at, t)
}

func (q *queue) leave(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = slices.DeleteFunc(q.waiting, func(o *ticket) bool { return o == t })
}

// serve releases every call that may be made now, in order, and returns the minimum time that t still has to wait; 0
// if t was released.
func (q *queue) serve(t *ticket) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = slices.DeleteFunc(q.waiting, func(o *ticket) bool {
		method, channel := q.buckets(o.call)
		if method.pause(o.priority, 0) > 0 || channel.pause(o.priority, 0) > 0 {
			return false
		}
		method.take()
		if channel != nil {
			channel.take()
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
	return max(method.pause(t.priority, 0), channel.pause(t.priority, 0), time.Millisecond)
}

// buckets returns the buckets that limit a call. channel is nil unless the call is a post.
func (q *queue) buckets(c call) (method, channel *bucket) {
	name := c.method
	if name == methodAnswer {
		name = methodPost
	}
	method = q.methods[name]
	if method == nil {
		method = methodBucket(name)
		method.accelerate(q.faster)
		method.share(q.share)
		q.methods[name] = method
	}
	if c.channel == "" {
		return method, nil
	}
	channel = q.channels[c.channel]
	if channel == nil {
		q.forgetFull()
		channel = channelBucket()
		channel.accelerate(q.faster)
		channel.share(q.share)
		q.channels[c.channel] = channel
	}
	return method, channel
}

// forgetFull removes full buckets, which limit nothing, once there are many buckets.
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

// freeze stops all calls like one that Slack has limited: for a post those to the same conversation, otherwise those
// of the same method. The random part keeps instances from resuming together.
func (q *queue) freeze(c call, d time.Duration) {
	d = min(max(d, 0), longest429)
	d += rand.N(d/5 + time.Millisecond)
	q.mu.Lock()
	defer q.mu.Unlock()
	method, channel := q.buckets(c)
	l := method
	if channel != nil {
		l = channel
	}
	for l.pause(0, 0) < d {
		l.Reserve()
	}
}
