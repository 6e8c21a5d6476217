package oncall

import (
	"cmp"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// ContactID identifies a contact method.
type ContactID int64

// A Contact is a contact method: one way to reach one person. It is used only once it is verified.
type Contact struct {
	ID          ContactID
	UserID      UserID
	Method      Method
	Address     string // a number in E.164, a mail address, a topic, a chat id, a URL
	VerifiedAt  *time.Time
	ConfirmedAt *time.Time // when its person last answered through it
	DisabledAt  *time.Time
	DisabledWhy string // completes "it is switched off because …"
	NamedSender bool   // according to the provider, our last message showed a name as its sender
	CreatedAt   time.Time
}

// Usable reports whether pages may be sent to it.
func (c Contact) Usable() bool { return c.VerifiedAt != nil && c.DisabledAt == nil }

// A Rule is one of a person's notification rules: which contact method is used, and how long after the decision
// to page. It is stored as JSON: fields are only ever added.
type Rule struct {
	Contact ContactID `json:"contact,omitempty"` // 0: a direct message in Slack
	After   Seconds   `json:"after"`
}

// Preferences say how a person wants to be reached. The zero value means the defaults.
type Preferences struct {
	High  []Rule            // for critical, high and medium severity; nil: the defaults
	Low   []Rule            // for low severity; nil: the defaults
	Hours []schedule.Window // when pages of low severity are sent, in the person's time zone; nil: WorkingHours
}

// ContactSettings holds a person's contact methods and notification rules.
type ContactSettings struct {
	Contacts []Contact
	Preferences
}

// WorkingHours is the default of Preferences.Hours.
var WorkingHours = []schedule.Window{{Days: []schedule.Weekday{"mon", "tue", "wed", "thu", "fri"}, From: 9 * 60, To: 17 * 60}}

// Contact returns one of the person's contact methods. 0 is Slack, which everybody has.
func (s ContactSettings) Contact(id ContactID) (Contact, bool) {
	if id == 0 {
		return Contact{Method: MethodSlack, VerifiedAt: &time.Time{}}, true
	}
	for _, c := range s.Contacts {
		if c.ID == id {
			return c, true
		}
	}
	return Contact{}, false
}

// Rules returns the notification rules for low severity or for all others: the person's own, or the defaults of
// their usable contact methods.
func (s ContactSettings) Rules(low bool) []Rule {
	own := s.High
	if low {
		own = s.Low
	}
	if own != nil {
		return own
	}
	rules := []Rule{{}}
	for _, c := range s.Contacts {
		info := c.Method.Info()
		after := info.High
		if low {
			after = info.Low
		}
		if after != nil && c.Usable() {
			rules = append(rules, Rule{Contact: c.ID, After: *after})
		}
	}
	slices.SortStableFunc(rules, func(a, b Rule) int { return cmp.Compare(a.After, b.After) })
	return rules
}

// The bounds of what a person can set up.
const (
	MaxContacts = 20
	maxRules    = 20
	maxAfter    = Seconds(24 * 60 * 60)
)

// Check refuses preferences that don't fit the contact methods.
func (p Preferences) Check(contacts []Contact) error {
	reach := ContactSettings{Contacts: contacts}
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
