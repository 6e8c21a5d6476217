package audit

import (
	"fmt"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// ofPerson returns an entry about a person.
func ofPerson(user oncall.UserID, act Operation, changes ...Change) Entry {
	return Entry{Kind: Person, About: user, Act: act, Changes: changes}
}

// TimeOff records new time off.
func TimeOff(t oncall.TimeOff) Entry {
	return ofPerson(t.UserID, TimeOffAdded, Change{What: "away", After: span(t.Start, t.End)})
}

// NoTimeOff records its cancellation.
func NoTimeOff(t oncall.TimeOff) Entry {
	return ofPerson(t.UserID, TimeOffCancelled, Change{What: "away", Before: span(t.Start, t.End)})
}

// Imported records a person's time off imported from a calendar.
func Imported(user oncall.UserID, calendar string, added, cancelled int) Entry {
	return ofPerson(user, TimeOffImported, Change{
		What: "away", After: oncall.Say("%d added and %d cancelled, from the calendar %q", added, cancelled, calendar),
	})
}

// AwayCalendar records that somebody's calendar is read as their time off. Its address is secret.
func AwayCalendar(c oncall.AwayCalendar) Entry {
	return ofPerson(c.User, CalendarRead, Change{What: "calendar", After: oncall.Say("at %s, by %s", c.Host(), string(c.Rule))})
}

// NoAwayCalendar ends that.
func NoAwayCalendar(user oncall.UserID) Entry { return ofPerson(user, CalendarUnread) }

// Contact records an act on a contact method.
func Contact(c oncall.Contact, act Operation) Entry {
	change := Change{What: "contact method", After: oncall.Say("%s", Masked(c))}
	if act == ContactRemoved || act == ContactOff {
		change.Before, change.After = change.After, nil
	}
	e := ofPerson(c.UserID, act, change)
	if act == ContactOff && c.DisabledWhy != "" {
		e.Changes = append(e.Changes, Change{What: "because", After: oncall.Say("%s", c.DisabledWhy)})
	}
	return e
}

// Rules records a change of a person's notification settings.
func Rules(user oncall.UserID, was, is oncall.ContactSettings) Entry {
	return ofPerson(user, RulesChanged, ofRules(was).became(ofRules(is))...)
}

func ofRules(r oncall.ContactSettings) (says fields) {
	rules := func(what string, all []oncall.Rule) {
		if all == nil {
			says.choice(what, "as usual", "as usual")
			return
		}
		var lines []oncall.Sentence
		for _, rule := range all {
			c, _ := r.Contact(rule.Contact)
			lines = append(lines, oncall.Say("%s after %s", Masked(c), lengthText(rule.After.Duration())))
		}
		says.part(what, list(lines), fmt.Sprintf("%v", all))
	}
	rules("rules", r.High)
	rules("rules for low severity", r.Low)
	if r.Hours == nil {
		says.choice("hours for low severity", "as usual", "as usual")
	} else {
		says.text("hours for low severity", windows(r.Hours))
	}
	return says
}

// Reminders records a change of a person's shift reminders; nil is the default.
func Reminders(user oncall.UserID, was, is []time.Duration) Entry {
	of := func(before []time.Duration) (says fields) {
		switch {
		case before == nil:
			says.choice("reminders", "as usual", "as usual")
		case len(before) == 0:
			says.text("reminders", "none")
		default:
			var texts []string
			for _, d := range before {
				texts = append(texts, lengthText(d)+" before")
			}
			says.text("reminders", strings.Join(texts, ", "))
		}
		return says
	}
	return ofPerson(user, RulesChanged, of(was).became(of(is))...)
}

// Calendar records the beginning or end of a calendar of a person's shifts.
func Calendar(user oncall.UserID, ended bool) Entry {
	if ended {
		return ofPerson(user, CalendarEnded)
	}
	return ofPerson(user, CalendarMade)
}

// EndedLinks records that all links a person received so far were revoked.
func EndedLinks(user oncall.UserID) Entry { return ofPerson(user, LinksEnded) }

// SignedIn records a sign-in to the web pages, and its method.
func SignedIn(user oncall.UserID, how string) Entry {
	return ofPerson(user, SignIn, Change{What: "by", After: oncall.Say("%s", how)})
}

// SignedOut records that a person ended all of their sessions.
func SignedOut(user oncall.UserID) Entry { return ofPerson(user, SignOut) }

// Profile records a change of a person's Slack profile that affects what they may do. The first
// profile is not recorded.
func Profile(was, is oncall.User) (Entry, bool) {
	if was.ID == "" || was.Standing == oncall.UnknownStanding {
		return Entry{}, false
	}
	of := func(u oncall.User) (says fields) {
		says.text("standing", string(u.Standing))
		says.flag("owner of the workspace", u.Owner)
		says.flag("deactivated", u.DeactivatedAt != nil)
		return says
	}
	changes := of(was).became(of(is))
	return ofPerson(is.ID, Changed, changes...), len(changes) > 0
}

// Secret records the first use of a secret, identified by its fingerprint.
func Secret(fingerprint []byte, from time.Time) Entry {
	return Entry{Kind: Installation, Name: "secret", Act: SecretUsed, Changes: []Change{{
		What: "WATCHBILL_SECRET", After: oncall.Say("another one (%x), which signs from %s UTC on", fingerprint[:min(len(fingerprint), 4)], day(from)),
	}}}
}

// ManagedByGroup records who became a manager of a team, or no longer is one, because a Slack user
// group changed.
func ManagedByGroup(t oncall.Team, before, after []oncall.UserID) Entry {
	return Entry{Kind: Team, Name: t.Name, Teams: []oncall.TeamID{t.ID}, Act: Changed, Changes: []Change{{
		What: "managers in group @" + t.ManagedBy, Before: schedule.People(before, ", "), After: schedule.People(after, ", "),
	}}}
}
