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
	// A channel that refuses messages is tried again after firstAside. Each further refusal doubles the pause, up to
	// longestAside, so that a mended channel is noticed within that time.
	firstAside   = 10 * time.Second
	longestAside = time.Minute
)

// aside holds the channels that refuse our messages. They get only an occasional attempt, so that they don't use up
// the limits and workers that other channels need.
type aside struct {
	mu       sync.Mutex
	channels map[string]*refusal
}

// A refusal records the refusals of one channel.
type refusal struct {
	code  string
	pause time.Duration
	until time.Time
}

// ask returns nil if a message may be attempted at now, or an Error with the time to come back. After a pause, only
// one of the waiting messages is attempted.
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

// note records the outcome of a message.
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

// ChannelOpened ends the pause of a channel that refused messages.
func (c *Client) ChannelOpened(id string) {
	c.aside.mu.Lock()
	defer c.aside.mu.Unlock()
	delete(c.aside.channels, id)
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
