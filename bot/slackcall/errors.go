package slackcall

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/notify"
)

// Outcomes of a call in addition to those of package notify.
const (
	Unsent notify.Outcome = "unsent" // the call was never sent
	Gone   notify.Outcome = "gone"   // the message no longer exists
	Frozen notify.Outcome = "frozen" // the message exists but can't be edited any more
)

// An Error is a failed call.
type Error struct {
	Outcome    notify.Outcome // Unknown: Slack may have carried out the call
	Code       string         // Slack's code, if it gave one
	Needed     string         // the missing scopes, separated by commas
	retryAfter time.Duration  // with Throttled and Unsent
	cause      error
}

// Error describes the failure.
func (e *Error) Error() string {
	if e.Needed != "" {
		return e.cause.Error() + " (needs " + e.Needed + ")"
	}
	return e.cause.Error()
}

// RetryAfter returns how long to wait before the next attempt; 0 if unknown.
func (e *Error) RetryAfter() time.Duration { return e.retryAfter }

// Undone reports that Slack certainly did not carry out the call.
func (e *Error) Undone() bool { return e.Outcome != notify.Unknown }

// Unwrap returns the underlying error.
func (e *Error) Unwrap() error { return e.cause }

// OutcomeOf returns the outcome of a failed call, however deeply its error is wrapped.
func OutcomeOf(err error) notify.Outcome {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Outcome
	}
	return notify.Unknown
}

// Refused reports whether Slack refused the call and would refuse it again.
func Refused(err error) bool {
	o := OutcomeOf(err)
	return o == notify.Rejected || o == notify.Misconfigured
}

// CodeOf returns Slack's error code, "" if there is none.
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// NoToken reports whether a call failed because Slack refuses the bot's token, whatever the call.
func NoToken(err error) bool {
	return slices.Contains([]string{"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}, CodeOf(err))
}

// NoUser reports whether a call failed because there is no such user.
func NoUser(err error) bool {
	return slices.Contains([]string{"user_not_found", "users_not_found", "user_not_visible"}, CodeOf(err))
}

// NoChannel reports whether a call failed because there is no such conversation.
func NoChannel(err error) bool { return CodeOf(err) == "channel_not_found" }

// BadBlocks reports whether a message was not posted because of its blocks or its length, so that its text alone may
// succeed.
func BadBlocks(err error) bool {
	code := CodeOf(err)
	return strings.HasPrefix(code, "invalid_blocks") || code == "msg_blocks_too_long" || code == "msg_too_long"
}

// Receipt translates a failed call into the receipt of a page.
func Receipt(err error) notify.Receipt {
	r := notify.Receipt{Outcome: OutcomeOf(err), Err: err}
	switch r.Outcome {
	case Unsent, notify.Throttled:
		r.Outcome, r.RetryAfter = notify.Throttled, retryAfter(err)
	case Gone:
		r.Outcome = notify.Rejected
	default:
	}
	return r
}

// retryAfter returns how long to wait before a call is tried again.
func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok && e.retryAfter > 0 {
		return e.retryAfter
	}
	return time.Second
}

// errNoAnswer is for a success without content: a machine between us and Slack has answered.
var errNoAnswer = errors.New("the answer is empty")

// Classify determines the outcome of a call. If unsure, it returns Unknown.
func Classify(err error) *Error {
	// A url.Error quotes the address, and a response_url is a secret.
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		wait := min(e.RetryAfter, longest429)
		if wait < 0 { // or a number of seconds that overflows
			wait = unclear429
		}
		return &Error{Outcome: notify.Throttled, retryAfter: wait, cause: err}
	}
	if e, ok := errors.AsType[slack.StatusCodeError](err); ok {
		return classifyStatus(e)
	}
	if e, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		a := &Error{Outcome: codes[e.Err], Code: e.Err, Needed: e.Needed, cause: err}
		if a.Outcome == "" {
			a.Outcome = notify.Misconfigured
		}
		if a.Outcome == notify.Throttled {
			a.retryAfter = unclear429
		}
		return a
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return &Error{Outcome: Unsent, cause: err}
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return &Error{Outcome: Unsent, cause: err}
	}
	if errors.Is(err, context.Canceled) {
		err = context.Canceled // net/http's text varies
	}
	return &Error{Outcome: notify.Unknown, cause: err}
}

// classifyStatus handles an answer that is not Slack's JSON. Slack itself refuses calls with status 200, so any other
// status may be a proxy's and is never final.
func classifyStatus(e slack.StatusCodeError) *Error {
	if e.Code == http.StatusTooManyRequests { // without Retry-After
		return &Error{Outcome: notify.Throttled, retryAfter: unclear429, cause: e}
	}
	return &Error{Outcome: notify.Unknown, cause: e}
}

// codes classifies Slack's error codes. A rejected call is never retried, so few codes are classified as rejections;
// codes that are missing here count as misconfigured.
var codes = map[string]notify.Outcome{
	"user_not_found":        notify.Rejected,
	"users_not_found":       notify.Rejected,
	"user_not_visible":      notify.Rejected,
	"user_disabled":         notify.Rejected,
	"cannot_dm_bot":         notify.Rejected,
	"channel_not_found":     notify.Rejected,
	"not_in_channel":        notify.Rejected,
	"is_archived":           notify.Rejected,
	"restricted_action":     notify.Rejected,
	"msg_too_long":          notify.Rejected,
	"no_text":               notify.Rejected,
	"invalid_blocks":        notify.Rejected,
	"invalid_blocks_format": notify.Rejected,

	"ratelimited":         notify.Throttled,
	"rate_limited":        notify.Throttled,
	"fatal_error":         notify.Unknown,
	"internal_error":      notify.Unknown,
	"service_unavailable": notify.Unknown,
	"request_timeout":     notify.Unknown,

	"is_inactive":        Frozen, // the channel is archived
	"edit_window_closed": Frozen,

	"message_not_found":       Gone,
	"cant_update_message":     Gone, // a deleted message that had replies
	"thread_not_found":        Gone,
	"cannot_reply_to_message": Gone,
}
