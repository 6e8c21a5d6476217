package slackcall

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/watchbill/watchbill/notify"
)

const (
	// A channel that refuses messages is tried again after firstBackoff. Each further refusal doubles the pause, up to
	// maxBackoff, so that a repaired channel is noticed within that time.
	firstBackoff = 10 * time.Second
	maxBackoff   = time.Minute
)

// channelBackoff holds the channels that refuse our messages. They get only an occasional attempt, so that they don't use up
// the limits and workers that other channels need.
type channelBackoff struct {
	mu       sync.Mutex
	channels map[string]*refusal
}

// A refusal records the refusals of one channel.
type refusal struct {
	code  string
	pause time.Duration
	until time.Time
}

// allow returns nil if a message may be attempted at now, or an Error with the time to come back. After a pause, only
// one of the waiting messages is attempted.
func (b *channelBackoff) allow(channel string, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.channels[channel]
	if r == nil {
		return nil
	}
	if left := r.until.Sub(now); left > 0 {
		return &Error{Outcome: Unsent, Code: r.code, retryAfter: left, cause: fmt.Errorf("the channel refuses messages: %s", r.code)}
	}
	r.until = now.Add(r.pause)
	return nil
}

// active reports whether a channel is backing off at now.
func (b *channelBackoff) active(channel string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.channels[channel]
	return r != nil && r.until.After(now)
}

// record notes the outcome of a message.
func (b *channelBackoff) record(channel string, err error, now time.Time) {
	if IsUser(channel) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	failed, _ := errors.AsType[*Error](err)
	switch r := b.channels[channel]; {
	case err == nil:
		delete(b.channels, channel)
	case failed == nil || failed.ChannelRefuses() == "":
	case r == nil:
		if b.channels == nil {
			b.channels = map[string]*refusal{}
		}
		b.channels[channel] = &refusal{code: failed.Code, pause: firstBackoff, until: now.Add(firstBackoff)}
	default:
		r.code, r.pause = failed.Code, min(2*r.pause, maxBackoff)
		r.until = now.Add(r.pause)
	}
}

// ChannelOpened ends the pause of a channel that refused messages.
func (c *Client) ChannelOpened(id string) {
	c.backoff.mu.Lock()
	defer c.backoff.mu.Unlock()
	delete(c.backoff.channels, id)
}

// ofTheMessage lists the refusals that concern a message's content, not its channel.
var ofTheMessage = []string{
	"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text",
	"metadata_too_large", "invalid_metadata_format", "invalid_metadata_schema", "invalid_arguments",
}

// ChannelRefuses returns Slack's code if a message was refused because of its channel: the channel is archived,
// missing or closed to us. Otherwise it returns "".
func (e *Error) ChannelRefuses() string {
	if e.Outcome != notify.Rejected && e.Outcome != notify.Misconfigured || slices.Contains(ofTheMessage, e.Code) {
		return ""
	}
	return e.Code
}
