package slackcall

import (
	"cmp"
	"slices"
	"time"

	"golang.org/x/time/rate"
)

// A bucket tracks how much of a limit, of a method or a conversation, is left for this instance.
type bucket struct {
	*rate.Limiter
	perSecond rate.Limit // for the whole workspace
	burst     int
	whole     bool // each instance has the full burst
	mixed     bool // calls of many priorities use it
	minute    *window
}

// reserves is the fraction of a full bucket that calls of each priority leave for more urgent calls, which therefore
// never wait behind many less urgent ones. For buckets larger than maxReserved it is a fraction of maxReserved.
var reserves = map[Priority]float64{
	ForRoot: 0.2, ForAlarm: 0.2, ForBacklog: 0.4, ForUpdate: 0.5, ForThread: 0.5, ForCount: 0.7, ForRest: 0.7,
}

const maxReserved = 30

// share reduces the bucket to this instance's part of the workspace's limit, if n instances share it.
func (b *bucket) share(n int) {
	b.SetLimit(b.perSecond / rate.Limit(n))
	if !b.whole {
		b.SetBurst(max(1, b.burst/n))
	}
	if b.minute != nil {
		b.minute.limit = max(1, b.minute.whole/n)
	}
}

// accelerate allows several times as many calls as Slack does.
func (b *bucket) accelerate(times float64) {
	b.perSecond *= rate.Limit(times)
	if b.minute != nil {
		b.minute.whole = int(float64(b.minute.whole) * times)
	}
}

// take uses one token.
func (b *bucket) take() {
	b.Allow()
	if b.minute != nil {
		b.minute.add(realNow())
	}
}

// pause returns the time until the bucket has a token for a call, behind the given number of other calls. A nil
// bucket limits nothing.
func (b *bucket) pause(p Priority, before int) time.Duration {
	if b == nil {
		return 0
	}
	var pause time.Duration
	if b.minute != nil {
		pause = b.minute.pause(p, before, realNow())
	}
	missing := float64(1+before) - b.Tokens()
	if b.mixed {
		missing += reserves[p] * float64(min(b.Burst(), maxReserved)-1)
	}
	if missing <= 0 {
		return pause
	}
	return max(pause, time.Duration(missing/float64(b.Limit())*float64(time.Second)), time.Nanosecond)
}

// methodBucket allows at most 80 % of the limit in any minute: the burst first, the rest evenly.
func methodBucket(method string) *bucket {
	n := methods[method].perMinute
	if n == 0 {
		return newBucket(10, 20)
	}
	if method == methodPost {
		return postBucket(n)
	}
	burst := max(n/10, min(n/2, 10)) // a larger burst leaves less for the rest of the minute
	b := newBucket(rate.Limit((0.8*n-burst)/60), int(burst))
	b.mixed = method == methodUpdate || method == methodHistory
	return b
}

// postBucket allows at most 85 % of the limit in any minute, and about half of that at one moment: when fifty teams are hit
// together, their people and their channels get a message at once. A window does what no steady rate can: it allows
// both that burst and the full rate while there is none.
func postBucket(perMinute float64) *bucket {
	most := 0.85 * perMinute
	b := newBucket(rate.Limit(most/60), int(0.45*perMinute))
	b.mixed, b.minute = true, &window{whole: int(most), limit: int(most)}
	return b
}

// A window limits the calls of any minute.
type window struct {
	whole int         // for all instances
	limit int         // for this one
	times []time.Time // of the calls in the last minute
}

func (w *window) add(now time.Time) {
	w.forget(now)
	w.times = append(w.times, now)
}

// forget drops the calls that are a minute old.
func (w *window) forget(now time.Time) {
	recent := 0
	for recent < len(w.times) && now.Sub(w.times[recent]) >= time.Minute {
		recent++
	}
	w.times = slices.Delete(w.times, 0, recent)
}

// shortSpan is the time over which less urgent calls are spread. Were they made at once, the rest of the minute would
// have to be enough for all others.
const shortSpan = 10 * time.Second

// windowReserves is the fraction of a window that calls of each priority leave for more urgent calls.
var windowReserves = map[Priority]float64{
	ForRoot: 0.1, ForAlarm: 0.1, ForBacklog: 0.5, ForUpdate: 0.5, ForThread: 0.5, ForCount: 0.7, ForRest: 0.7,
}

// pause returns the time until there is room for a call behind the given number of others.
func (w *window) pause(p Priority, before int, now time.Time) time.Duration {
	w.forget(now)
	span, allowed, recent := time.Minute, float64(w.limit)*(1-windowReserves[p]), w.times
	if p >= ForBacklog {
		span, allowed = shortSpan, allowed*float64(shortSpan)/float64(time.Minute)
		first, _ := slices.BinarySearchFunc(recent, now.Add(-span), func(t, past time.Time) int { return cmp.Or(t.Compare(past), -1) })
		recent = recent[first:]
	}
	excess := min(len(recent)+1+before-max(1, int(allowed)), len(recent))
	if excess <= 0 {
		return 0
	}
	return max(recent[excess-1].Add(span).Sub(now), time.Nanosecond)
}

// channelBucket limits posts in one conversation: above one a second, Slack may accept a message and not show it.
func channelBucket() *bucket {
	b := newBucket(1, 3)
	b.whole, b.mixed = true, true
	return b
}

func newBucket(perSecond rate.Limit, burst int) *bucket {
	return &bucket{Limiter: rate.NewLimiter(perSecond, burst), perSecond: perSecond, burst: burst}
}
