package oncall

import "time"

// ContactID identifies a contact method.
type ContactID int64

// The kinds of contact method. A direct message in Slack is one that everybody has.
const (
	MethodSlack    = "slack"
	MethodSMS      = "sms"
	MethodVoice    = "voice"
	MethodEmail    = "email"
	MethodNtfy     = "ntfy"
	MethodPushover = "pushover"
	MethodTelegram = "telegram"
	MethodWebhook  = "webhook" // of a person, or the target of a step
	MethodChannel  = "channel" // a Slack channel: only the target of a step
)

// A Contact is a contact method: one way to reach one person. It counts once it is
// verified.
type Contact struct {
	ID          ContactID
	UserID      UserID
	Method      string
	Address     string // a number in E.164, a mail address, a topic, a chat id, a URL
	VerifiedAt  *time.Time
	ConfirmedAt *time.Time // the last time that its person answered through it
	DisabledAt  *time.Time
	DisabledWhy string // completes "it is switched off because …"
	CreatedAt   time.Time
}

// Usable reports whether a page may go there.
func (c Contact) Usable() bool { return c.VerifiedAt != nil && c.DisabledAt == nil }

// A Rule is one line of a person's notification rules: page by a contact method so long
// after the decision to page. It is stored as JSON: fields are only ever added.
type Rule struct {
	Contact ContactID `json:"contact,omitempty"` // 0: a direct message in Slack
	After   Seconds   `json:"after"`
}

// Preferences say how a person wants to be reached. The zero value means the defaults.
type Preferences struct {
	High  []Rule   // for critical, high and medium severity; nil: the defaults
	Low   []Rule   // for low severity; nil: the defaults
	Hours []Window // when a low severity may disturb, in the person's zone; nil: WorkingHours
}

// A Reach is how one person can be reached.
type Reach struct {
	Contacts []Contact
	Preferences
}
