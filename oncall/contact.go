package oncall

import (
	"cmp"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

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

// MethodName is what people call a contact method, in the middle of a sentence.
func MethodName(method string) string {
	switch method {
	case MethodSlack:
		return "Slack"
	case MethodSMS:
		return "SMS"
	case MethodVoice:
		return "call"
	case MethodEmail:
		return "mail"
	case MethodPushover:
		return "Pushover"
	case MethodTelegram:
		return "Telegram"
	}
	return method
}

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
	High  []Rule            // for critical, high and medium severity; nil: the defaults
	Low   []Rule            // for low severity; nil: the defaults
	Hours []schedule.Window // when a low severity may disturb, in the person's zone; nil: WorkingHours
}

// A Reach is how one person can be reached.
type Reach struct {
	Contacts []Contact
	Preferences
}

// WorkingHours are when a low severity may disturb somebody who has said nothing else: the
// working week in the person's own zone.
var WorkingHours = []schedule.Window{{Days: []schedule.Weekday{"mon", "tue", "wed", "thu", "fri"}, From: 9 * 60, To: 17 * 60}}

// Contact returns one of the person's contact methods. 0 is Slack, which everybody has.
func (r Reach) Contact(id ContactID) (Contact, bool) {
	if id == 0 {
		return Contact{Method: MethodSlack, VerifiedAt: &time.Time{}}, true
	}
	for _, c := range r.Contacts {
		if c.ID == id {
			return c, true
		}
	}
	return Contact{}, false
}

// Rules are the rules that hold for an urgency: the person's own, or the defaults for the contact
// methods that can be used.
func (r Reach) Rules(low bool) []Rule {
	own, after := r.High, highDefaults
	if low {
		own, after = r.Low, lowDefaults
	}
	if own != nil {
		return own
	}
	rules := []Rule{{}}
	for _, c := range r.Contacts {
		if wait, used := after[c.Method]; used && c.Usable() {
			rules = append(rules, Rule{Contact: c.ID, After: wait})
		}
	}
	slices.SortStableFunc(rules, func(a, b Rule) int { return cmp.Compare(a.After, b.After) })
	return rules
}

// After how many seconds each method pages somebody who has made no rules. What rings
// comes a minute after what does not, so that an answer in time keeps the phone quiet.
var (
	highDefaults = map[string]Seconds{
		MethodNtfy: 0, MethodPushover: 0, MethodTelegram: 0, MethodWebhook: 0,
		MethodVoice: 60, MethodSMS: 180, MethodEmail: 300,
	}
	lowDefaults = map[string]Seconds{MethodEmail: 0}
)

// The bounds of what a person can set up.
const (
	MaxContacts = 20
	maxRules    = 20
	maxAfter    = Seconds(24 * 60 * 60)
	maxAddress  = 300
)

// Check refuses preferences that make no sense for these contact methods.
func (p Preferences) Check(contacts []Contact) error {
	reach := Reach{Contacts: contacts}
	for _, rules := range [][]Rule{p.High, p.Low} {
		if len(rules) > maxRules {
			return Refuse("There can be %d notification rules at most.", maxRules)
		}
		for _, r := range rules {
			if _, known := reach.Contact(r.Contact); !known {
				return Refuse("One of the rules uses a contact method that is no longer there.")
			}
			if r.After < 0 || r.After > maxAfter {
				return Refuse("A rule can wait for 24 hours at most.")
			}
		}
	}
	for _, w := range p.Hours {
		if err := w.Check(); err != nil {
			return Refuse("The hours make no sense: %s.", err)
		}
	}
	return nil
}

var (
	phoneNoise  = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "", "/", "", "\u00a0", "")
	phoneNumber = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	ntfyTopic   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	pushoverKey = regexp.MustCompile(`^[A-Za-z0-9]{30}$`)
	chatID      = regexp.MustCompile(`^-?[0-9]{1,20}$`)
)

// CheckAddress returns the address as it is kept, or refuses one that can't be right.
func CheckAddress(method, address string) (string, error) {
	address = strings.TrimSpace(address)
	if len(address) > maxAddress {
		return "", Refuse("That is too long for an address.")
	}
	switch method {
	case MethodSMS, MethodVoice:
		number := phoneNoise.Replace(address)
		if rest, found := strings.CutPrefix(number, "00"); found {
			number = "+" + rest
		}
		if !phoneNumber.MatchString(number) {
			return "", Refuse("Please give the phone number with its country code, such as +1 202 555 0100.")
		}
		return number, nil
	case MethodEmail:
		parsed, err := mail.ParseAddress(address)
		if err != nil || parsed.Address != address || strings.ContainsAny(address, "\r\n") {
			return "", Refuse("That is no mail address; one looks like ann@example.com.")
		}
		return address, nil
	case MethodNtfy:
		u, err := url.Parse(address)
		onServer := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil &&
			ntfyTopic.MatchString(strings.Trim(u.Path, "/"))
		if !onServer && !ntfyTopic.MatchString(address) {
			return "", Refuse("A topic of ntfy has up to 64 letters, digits, dashes and underscores.")
		}
		return address, nil
	case MethodPushover:
		if !pushoverKey.MatchString(address) {
			return "", Refuse("A user key of Pushover has 30 letters and digits.")
		}
		return address, nil
	case MethodTelegram:
		if address != "" && !chatID.MatchString(address) {
			return "", Refuse("Leave the address empty: Telegram tells it when you write to the bot.")
		}
		return address, nil
	case MethodWebhook:
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
			return "", Refuse("Please give a whole URL, such as https://example.com/page.")
		}
		return u.String(), nil
	}
	return "", Refuse("There is no contact method %q.", method)
}
