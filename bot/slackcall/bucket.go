package slackcall

import (
	"time"

	"golang.org/x/time/rate"
)

// A bucket is what Slack's limit of a method, or of one conversation, has left for us.
type bucket struct {
	*rate.Limiter
	perSecond rate.Limit // for the whole workspace
	burst     int
	whole     bool // each instance has all of the burst
	mixed     bool // calls of many priorities share it
}

// reserves say what part of a full bucket calls leave for more urgent ones, which are so served at
// once however many less urgent ones there are. Of a bucket that holds more than mostReserved it is a part of that.
var reserves = map[Priority]float64{
	ForRoot: 0.2, ForAlarm: 0.2, ForCrowd: 0.4, ForUpdate: 0.5, ForThread: 0.5, ForCount: 0.7, ForRest: 0.7,
}

const mostReserved = 30

// share has the bucket hold what is left for one of n instances. The limits are the workspace's.
func (b *bucket) share(n int) {
	b.SetLimit(b.perSecond / rate.Limit(n))
	if !b.whole {
		b.SetBurst(max(1, b.burst/n))
	}
}

// pause returns how long it takes until the bucket has a token for a call with others before it.
// A nil bucket limits nothing.
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

// methodBucket lets through at most 80 % of the limit in any minute: the burst first, the rest evenly. Of posts it is 85 %,
// and the burst is larger: when many teams are hit in one moment, fifty people are told at once, and then their channels.
func methodBucket(method string) *bucket {
	n := methods[method].perMinute
	if n == 0 {
		return newBucket(10, 20)
	}
	burst := max(n/10, min(n/2, 10)) // the larger it is, the less is left for the rest of the minute
	part := 0.8
	if method == methodPost {
		part, burst = 0.85, 0.35*n
	}
	b := newBucket(rate.Limit((part*n-burst)/60), int(burst))
	b.mixed = method == methodPost || method == methodUpdate || method == methodHistory
	return b
}

// channelBucket is for posts in one conversation: above one a second Slack may accept a message and
// not show it.
func channelBucket() *bucket {
	b := newBucket(1, 3)
	b.whole, b.mixed = true, true
	return b
}

func newBucket(perSecond rate.Limit, burst int) *bucket {
	return &bucket{Limiter: rate.NewLimiter(perSecond, burst), perSecond: perSecond, burst: burst}
}
