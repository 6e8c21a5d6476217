package notify

// The senders' own limits. A sender that respects its context ends earlier.
const (
	MailLimit   = mailLimit
	WebLimit    = webLimit
	TwilioLimit = twilioPatience
)
