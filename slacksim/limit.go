package slacksim

import (
	"math"
	"slices"
	"time"
)

// perMinute is the number of calls each tier allows in a minute.
var perMinute = map[string]float64{"t1": 1, "t2": 20, "t3": 50, "t4": 100, "t5": 600}

const (
	// Posting: one message a second and channel, short bursts tolerated.
	postPerSecond = 1.0
	postBurst     = 10.0
	// More than this many posts within a second are accepted but not displayed.
	shownPerSecond = 4
	// "Several hundred messages per minute" in one workspace, by whichever way they are posted.
	postsPerMinute = 300
)

// bucket is a token bucket that fills continuously.
type bucket struct {
	tokens float64
	at     time.Time
}

// take removes a token, or returns how long to wait for one.
func (b *bucket) take(now time.Time, size, perSecond float64) time.Duration {
	if b.at.IsZero() {
		b.tokens = size
	} else if now.After(b.at) {
		b.tokens = min(size, b.tokens+now.Sub(b.at).Seconds()*perSecond)
	}
	b.at = now
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) / perSecond * float64(time.Second))
	}
	b.tokens--
	return 0
}

// checkLimit takes a token from the method's bucket. The lock is held.
func (s *Sim) checkLimit(name string, m *method, a args) error {
	if name == "chat.postMessage" {
		where := a.str("channel")
		if c := s.findChannel(where); c != nil {
			where = c.ID
		}
		return s.checkPost(where)
	}
	size := perMinute[m.Tier]
	return s.takeToken(name, size, size/60)
}

// checkPost counts a post: each conversation has a limit, and the workspace has one. What is sent to
// a response_url counts as a post and as no chat.update. The lock is held.
func (s *Sim) checkPost(channel string) error {
	if !s.opt.Limits {
		return nil
	}
	now := s.opt.Now()
	s.posts = slices.DeleteFunc(s.posts, func(at time.Time) bool { return now.Sub(at) >= time.Minute })
	if len(s.posts) >= postsPerMinute {
		wait := time.Minute - now.Sub(s.posts[0])
		return &apiError{code: "ratelimited", extra: obj{"retry_after": int(math.Ceil(wait.Seconds()))}}
	}
	if err := s.takeToken("posts "+channel, postBurst, postPerSecond); err != nil {
		return err
	}
	s.posts = append(s.posts, now)
	return nil
}

func (s *Sim) takeToken(key string, size, perSecond float64) error {
	if !s.opt.Limits {
		return nil
	}
	b := s.buckets[key]
	if b == nil {
		b = &bucket{}
		s.buckets[key] = b
	}
	wait := b.take(s.opt.Now(), size, perSecond)
	if wait == 0 {
		return nil
	}
	return &apiError{code: "ratelimited", extra: obj{"retry_after": int(math.Ceil(wait.Seconds()))}}
}

// burst records a post and reports whether it is one too many to be displayed.
func (s *Sim) burst(channel string) bool {
	if !s.opt.Limits {
		return false
	}
	now := s.opt.Now()
	recent := s.bursts[channel][:0]
	for _, at := range s.bursts[channel] {
		if now.Sub(at) < time.Second {
			recent = append(recent, at)
		}
	}
	s.bursts[channel] = append(recent, now)
	return len(recent) >= shownPerSecond
}
