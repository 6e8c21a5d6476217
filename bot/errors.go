package bot

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/slack-go/slack"
)

// An outcome is what became of a call that did not succeed.
type outcome string

const (
	unsent        outcome = "unsent"        // it never left
	throttled     outcome = "throttled"     // Slack has refused it for now
	ambiguous     outcome = "ambiguous"     // Slack may have done it
	gone          outcome = "gone"          // the message no longer exists
	rejected      outcome = "rejected"      // Slack will not do this
	misconfigured outcome = "misconfigured" // Slack will do nothing of the kind until somebody acts
)

// An apiError is a failed call of the Web API.
type apiError struct {
	outcome    outcome
	code       string        // Slack's, if it gave one
	needed     string        // the missing scope
	retryAfter time.Duration // with throttled
	cause      error
}

func (e *apiError) Error() string {
	if e.needed != "" {
		return e.cause.Error() + " (needs " + e.needed + ")"
	}
	return e.cause.Error()
}

// RetryAfter returns how long to wait before the next try, 0 if nothing is known.
func (e *apiError) RetryAfter() time.Duration { return e.retryAfter }

func (e *apiError) Unwrap() error { return e.cause }

// became returns the outcome of a failed call, however deeply wrapped.
func became(err error) outcome {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e.outcome
	}
	return ambiguous
}

// codeOf returns Slack's error code, "" if there is none.
func codeOf(err error) string {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e.code
	}
	return ""
}

// errNoAnswer is a success that lacks what every success has: it came from something
// between us and Slack.
var errNoAnswer = errors.New("the answer is empty")

// classify says what became of a call. In doubt it is ambiguous.
func classify(err error) *apiError {
	// A url.Error quotes the address, which for response_url is a secret.
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return &apiError{outcome: throttled, retryAfter: e.RetryAfter, cause: err}
	}
	if e, ok := errors.AsType[slack.StatusCodeError](err); ok {
		return classifyStatus(e)
	}
	if e, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		a := &apiError{outcome: codes[e.Err], code: e.Err, needed: e.Needed, cause: err}
		if a.outcome == "" {
			a.outcome = misconfigured
		}
		if a.outcome == throttled {
			a.retryAfter = unclear429
		}
		return a
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return &apiError{outcome: unsent, cause: err}
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return &apiError{outcome: unsent, cause: err}
	}
	if errors.Is(err, context.Canceled) {
		err = context.Canceled // net/http's text differs from case to case
	}
	return &apiError{outcome: ambiguous, cause: err}
}

// classifyStatus judges an answer that is not Slack's JSON: Slack says no with a 200, so
// a proxy's word is never the last one.
func classifyStatus(e slack.StatusCodeError) *apiError {
	if e.Code == http.StatusTooManyRequests { // without Retry-After
		return &apiError{outcome: throttled, retryAfter: unclear429, cause: e}
	}
	return &apiError{outcome: ambiguous, cause: e}
}

// codes sorts Slack's error codes. Only what is rejected is given up, so that list is
// short; any other code counts as misconfigured.
var codes = map[string]outcome{
	"user_not_found":        rejected,
	"users_not_found":       rejected,
	"user_not_visible":      rejected,
	"user_disabled":         rejected,
	"cannot_dm_bot":         rejected,
	"channel_not_found":     rejected,
	"not_in_channel":        rejected,
	"is_archived":           rejected,
	"msg_too_long":          rejected,
	"no_text":               rejected,
	"invalid_blocks":        rejected,
	"invalid_blocks_format": rejected,

	"ratelimited":         throttled,
	"rate_limited":        throttled,
	"fatal_error":         ambiguous,
	"internal_error":      ambiguous,
	"service_unavailable": ambiguous,
	"request_timeout":     ambiguous,

	"message_not_found":       gone,
	"thread_not_found":        gone,
	"cannot_reply_to_message": gone,

	"not_authed":              misconfigured,
	"invalid_auth":            misconfigured,
	"account_inactive":        misconfigured,
	"token_revoked":           misconfigured,
	"token_expired":           misconfigured,
	"missing_scope":           misconfigured,
	"not_allowed_token_type":  misconfigured,
	"no_permission":           misconfigured,
	"access_denied":           misconfigured,
	"org_login_required":      misconfigured,
	"team_access_not_granted": misconfigured,
	"ekm_access_denied":       misconfigured,
	"app_access_restricted":   misconfigured,
	"message_limit_exceeded":  misconfigured,
}

// retryAfter returns how long to wait after a call that Slack refused for now.
func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*apiError](err); ok && e.retryAfter > 0 {
		return e.retryAfter
	}
	return time.Second
}
