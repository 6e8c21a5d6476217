package slackcall

import (
	"net/http"
	"testing"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/notify"
)

// A status that isn't Slack's may be a proxy's, and is temporary.
func TestStatusesAreNotFinal(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]notify.Outcome{
		http.StatusForbidden: notify.Unknown, http.StatusNotFound: notify.Unknown, http.StatusProxyAuthRequired: notify.Unknown,
		http.StatusBadGateway: notify.Unknown, http.StatusTooManyRequests: notify.Throttled,
	} {
		err := Classify(slack.StatusCodeError{Code: status, Status: http.StatusText(status)})
		if got := Receipt(err).Outcome; got != want {
			t.Errorf("status %d became %s, want %s", status, got, want)
		}
	}
}
