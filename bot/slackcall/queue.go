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

// A queue paces our calls, so that being limited by Slack is the exception. It measures
// real time, whatever clock the product goes by.
type queue struct {
	mu       sync.Mutex
	waiting  []*ticket // most urgent first, then in order of arrival
	methods  map[string]*bucket
	channels map[string]*bucket
	away     map[awayKey]time.Time // when the call that was turned away last is to come back
	share    int                   // how many instances live
	roots    int                   // in how many channels there was something to be posted when we looked last
	settling chan struct{}         // closed when nothing hasty waits any more
}

// An awayKey names the calls of one priority that wait for one bucket.
type awayKey struct {
	bucket   *bucket
	priority Priority
}

// errTurnedAway is what a hasty call gets instead of a long wait.
var errTurnedAway = errors.New("too many calls are before this one")

// errSettling is what a hasty call gets that waits when we stop.
var errSettling = errors.New("this instance is stopping")

type ticket struct {
	call
	granted chan struct{}
}

func newQueue() *queue {
	return &queue{methods: map[string]*bucket{}, channels: map[string]*bucket{}, away: map[awayKey]time.Time{}, share: 1, settling: make(chan struct{})}
}

// divide leaves us what one of n instances may use of the workspace's limits.
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

// settle turns away what is hasty and waits, now and from now on: we are stopping.
func (q *queue) settle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-q.settling:
	default:
		close(q.settling)
	}
}

// wait returns nil when the call may be made, or ctx's error. A hasty call waits for a
// second or two at most, and then gets an Error that says when to come back.
func (q *queue) wait(ctx context.Context, c call) error {
	if !c.hasty {
		return q.stand(ctx, c)
	}
	if d := q.turnAway(c, false); d > 0 {
		return &Error{Outcome: Unsent, retryAfter: d, cause: errTurnedAway}
	}
	limited, cancel := context.WithTimeout(ctx, 2*hastyWait) // more urgent calls may overtake it
	defer cancel()
	err := q.stand(limited, c)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return &Error{Outcome: Unsent, retryAfter: q.turnAway(c, true), cause: errTurnedAway}
	}
	return err
}

// turnAway returns after what time a call that can't be made soon should come back; 0 if
// it may wait, unless it must not. Calls turned away are spread, so that no more come back
// at a time than can be made.
func (q *queue) turnAway(c call, mustNotWait bool) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	bucket, wait := q.neededWait(c)
	if c.chosen {
		if (wait == 0 || wait <= hastyWait && !c.beside) && !mustNotWait {
			return 0
		}
		return min(max(wait, hastyWait/10), hastyWait)
	}
	now := present()
	maps.DeleteFunc(q.away, func(_ awayKey, t time.Time) bool { return t.Before(now) })
	each := time.Duration(float64(time.Second) / float64(bucket.Limit()))
	// More urgent calls that are still to come back go before this one.
	for k, back := range q.away {
		if wait > 0 && k.bucket == bucket && k.priority < c.priority {
			wait = max(wait, back.Sub(now)+each)
		}
	}
	if wait <= hastyWait && !mustNotWait {
		return 0
	}
	key := awayKey{bucket: bucket, priority: c.priority}
	back := now.Add(max(wait, each))
	if next := q.away[key].Add(each); next.After(back) {
		back = next
	}
	if back.Sub(now) > longestAway {
		return longestAway/2 + rand.N(longestAway/2)
	}
	q.away[key] = back
	return back.Sub(now)
}

// present is real time: for Slack's limits, not for the product's time.
func present() time.Time { return time.Now() } //nolint:forbidigo // see above

// neededWait returns how long a call would have to wait if it came now, and for which bucket.
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
	// Of the method's bucket only the present level counts: those that wait for it may be
	// kept by their own conversation, and don't keep us.
	if channel != nil {
		atMethod := method.pause(c.priority, q.ahead(c))
		if d := channel.pause(c.priority, before[channel]); d >= atMethod {
			return channel, d
		}
		return method, atMethod
	}
	return method, method.pause(c.priority, before[method])
}

// stand waits in line until the call may be made.
func (q *queue) stand(ctx context.Context, c call) error {
	t := &ticket{call: c, granted: make(chan struct{})}
	var settling chan struct{}
	if c.hasty {
		settling = q.settling
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
		case <-settling:
			timer.Stop()
			q.leave(t)
			return &Error{Outcome: Unsent, retryAfter: time.Second, cause: errSettling}
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
		return cmp.Compare(o.priority, p+1) // behind its equals
	})
	q.waiting = slices.Insert(q.waiting, at, t)
}

func (q *queue) leave(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = slices.DeleteFunc(q.waiting, func(o *ticket) bool { return o == t })
}

// serve lets every call go that may go now, in order, and returns how long t still has to
// wait at least; 0 if it was among them.
func (q *queue) serve(t *ticket) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = slices.DeleteFunc(q.waiting, func(o *ticket) bool {
		method, channel := q.buckets(o.call)
		if method.pause(o.priority, 0) > 0 || channel.pause(o.priority, 0) > 0 {
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
	return max(method.pause(t.priority, 0), channel.pause(t.priority, 0), time.Millisecond)
}

// buckets returns what limits a call; channel is nil unless it is a post.
func (q *queue) buckets(c call) (method, channel *bucket) {
	name := c.method
	if name == methodAnswer {
		name = methodPost
	}
	method = q.methods[name]
	if method == nil {
		method = methodBucket(name)
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
		channel.share(q.share)
		q.channels[c.channel] = channel
	}
	return method, channel
}

// forgetFull drops full buckets, which limit nothing, once there are many.
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

// freeze stops all calls like the one that Slack has refused for now: those of the same
// conversation if it was a post, else those of the same method. The random part keeps
// instances from coming back together.
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
