package slackcall

import (
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
}

// reserves is the fraction of a full bucket that calls of each priority leave for more urgent calls, which therefore
// never wait behind many less urgent ones. For buckets larger than mostReserved it is a fraction of mostReserved.
var reserves = map[Priority]float64{
	ForRoot: 0.2, ForAlarm: 0.2, ForBacklog: 0.4, ForUpdate: 0.5, ForThread: 0.5, ForCount: 0.7, ForRest: 0.7,
}

const mostReserved = 30

// share reduces the bucket to this instance's part of the workspace's limit, if n instances share it.
func (b *bucket) share(n int) {
	b.SetLimit(b.perSecond / rate.Limit(n))
	if !b.whole {
		b.SetBurst(max(1, b.burst/n))
	}
}

// pause returns the time until the bucket has a token for a call, behind the given number of other calls. A nil
// bucket limits nothing.
func (b *bucket) pause(p Priority, before int) time.Duration {
	if b == nil {
		return 0
	}
	missing := float64(1+before) - b.Tokens()
	if b.mixed {
		missing += reserves[p] * float64(min(b.Burst(), mostReserved)-1)
	}
	if missing <= 0 {
		return 0
	}
	return max(time.Duration(missing/float64(b.Limit())*float64(time.Second)), time.Nanosecond)
}

// methodBucket allows at most 80 % of the limit in any minute: the burst first, the rest evenly. Posts may use
// 85 % with a larger burst: when fifty teams are hit at one moment, their people and their channels get a
// message at once, and some of the channels have had a lesser alert before.
func methodBucket(method string) *bucket {
	n := methods[method].perMinute
	if n == 0 {
		return newBucket(10, 20)
	}
	burst := max(n/10, min(n/2, 10)) // a larger burst leaves less for the rest of the minute
	part := 0.8
	if method == methodPost {
		part, burst = 0.85, 0.45*n
	}
	b := newBucket(rate.Limit((part*n-burst)/60), int(burst))
	b.mixed = method == methodPost || method == methodUpdate || method == methodHistory
	return b
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
