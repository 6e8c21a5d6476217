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
	// A channel that refuses messages is tried again after firstAside, then after twice as long
	// each time, but no later than longestAside after somebody has mended it.
	firstAside   = 10 * time.Second
	longestAside = time.Minute
)

// aside are the channels that refuse our messages. Nothing is spent on them but a try now and
// then, so that the budget and the workers are there for all others.
type aside struct {
	mu       sync.Mutex
	channels map[string]*refusal
}

// A refusal is that of one channel.
type refusal struct {
	code  string
	pause time.Duration
	until time.Time
}

// ask returns nil if a message may be tried at now, or an Error that says when to come back. Of
// those that wait for the end of a pause one goes first.
func (a *aside) ask(channel string, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.channels[channel]
	if r == nil {
		return nil
	}
	if left := r.until.Sub(now); left > 0 {
		return &Error{Outcome: Unsent, Code: r.code, retryAfter: left, cause: fmt.Errorf("the channel refuses messages: %s", r.code)}
	}
	r.until = now.Add(r.pause)
	return nil
}

// closed reports whether a channel is set aside at now.
func (a *aside) closed(channel string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.channels[channel]
	return r != nil && r.until.After(now)
}

// note takes note of what became of a message.
func (a *aside) note(channel string, err error, now time.Time) {
	if IsUser(channel) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	failed, _ := errors.AsType[*Error](err)
	switch r := a.channels[channel]; {
	case err == nil:
		delete(a.channels, channel)
	case failed == nil || failed.ChannelRefuses() == "":
	case r == nil:
		if a.channels == nil {
			a.channels = map[string]*refusal{}
		}
		a.channels[channel] = &refusal{code: failed.Code, pause: firstAside, until: now.Add(firstAside)}
	default:
		r.code, r.pause = failed.Code, min(2*r.pause, longestAside)
		r.until = now.Add(r.pause)
	}
}

// ChannelOpened has messages tried at once in a channel that refused them.
func (c *Client) ChannelOpened(id string) {
	c.aside.mu.Lock()
	defer c.aside.mu.Unlock()
	delete(c.aside.channels, id)
}

// ofTheMessage are the refusals that are about what a message says, not about where.
var ofTheMessage = []string{
	"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text",
	"metadata_too_large", "invalid_metadata_format", "invalid_metadata_schema", "invalid_arguments",
}

// ChannelRefuses returns Slack's code if a message was refused because of the channel that it was
// for: that one is archived, missing or closed to us. Otherwise it returns "".
func (e *Error) ChannelRefuses() string {
	if e.Outcome != notify.Rejected && e.Outcome != notify.Misconfigured || slices.Contains(ofTheMessage, e.Code) {
		return ""
	}
	return e.Code
}
