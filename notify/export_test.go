package notify

// The senders' own limits: who heeds a context ends before.
const (
	MailLimit   = mailLimit
	WebLimit    = webLimit
	TwilioLimit = twilioPatience
)
