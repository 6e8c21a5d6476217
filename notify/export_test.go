package notify

import (
	"context"
	"net/url"
)

// The senders' own limits. A sender that respects its context ends earlier.
const (
	MailLimit   = mailLimit
	WebLimit    = webLimit
	TwilioLimit = twilioTimeout
)

// Allow says why an address must not be called, or returns nil.
func (r AddressRules) Allow(u *url.URL) error {
	return (&addressGuard{rules: r}).allow(context.Background(), u, false)
}
