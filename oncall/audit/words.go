package audit

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// did describes each operation; %s is the object.
var did = map[Operation]string{
	Added: "added %s", Changed: "changed %s", Removed: "removed %s", Restored: "put an earlier version of %s in force again",
	OverrideAdded: "added an override to %s", OverrideChanged: "changed an override of %s", OverrideEnded: "ended an override of %s",
	ShiftAdded: "added a shift to %s", ShiftsDeleted: "deleted shifts of %s",
	SwapOffered: "offered a swap in %s", SwapAccepted: "accepted a swap in %s", SwapDeclined: "declined a swap in %s",
	SwapTakenBack: "took back the offer of a swap in %s", SwapUndone: "undid a swap in %s",
	CoverAsked: "asked for cover in %s", CoverTaken: "took a shift in %s", CoverDeclined: "declined to cover in %s",
	CoverTakenBack: "took back a request for cover in %s", HandoffConfirmed: "confirmed the hand-off of %s",
	TimeOffAdded: "added time off of %s", TimeOffCancelled: "cancelled time off of %s", TimeOffImported: "imported time off of %s",
	CalendarRead: "has a calendar of %s read as time off", CalendarUnread: "ended the reading of the calendar of %s",
	ContactAdded: "added a contact method of %s", ContactVerified: "verified a contact method of %s",
	ContactRemoved: "removed a contact method of %s", ContactOff: "switched off a contact method of %s", ContactOn: "switched on a contact method of %s",
	RulesChanged: "changed how %s wants to be told", CalendarMade: "made a calendar of %s", CalendarEnded: "ended a calendar of %s",
	LinksEnded: "ended the links and buttons of %s", SignIn: "signed in as %s", SignOut: "signed out everywhere as %s",
	KeyRotated: "rotated the key of %s", SigningSet: "set the signing secret of %s", Muted: "muted %s", Unmuted: "unmuted %s",
	MaintenanceAdded: "planned maintenance of %s", MaintenanceEnded: "ended maintenance of %s",
	StatusPublished: "published on the status page an incident of %s", StatusWithdrawn: "took off the status page an incident of %s",
	SecretUsed: "used another %s", Refused: "was refused, about %s",
}

// Sentence describes the act, without the actor. A name in it is untrusted text.
func (e Entry) Sentence() oncall.Sentence {
	verb, known := did[e.Act]
	if !known { // from a newer release
		verb = strings.ReplaceAll(string(e.Act), "_", " ") + " %s"
	}
	before, after, _ := strings.Cut(verb, "%s")
	return oncall.Say("%s%s%s", before, e.thing(), after)
}

// thing returns the object of an entry.
func (e Entry) thing() oncall.Sentence {
	switch {
	case e.Kind == Person && e.About != "":
		return oncall.Say("%s", e.About)
	case e.Kind == Installation:
		return oncall.Say("%s of the installation", e.Name)
	case e.Name == "":
		return oncall.Say("the %s", string(e.Kind))
	case e.About != "" && e.About != e.By.User:
		return oncall.Say("the %s %q, which is of %s", string(e.Kind), e.Name, e.About)
	}
	return oncall.Say("the %s %q", string(e.Kind), e.Name)
}

// Way describes the means: "with watchbill apply"; empty for Slack, the usual one.
func (e Entry) Way() string {
	if e.By.Key != 0 {
		if e.By.User == "" { // the key itself is the actor
			return ""
		}
		return "with the API key " + e.By.Name
	}
	switch e.By.Via {
	case "slack", oncall.ViaTimer, "":
		return ""
	case oncall.ViaApply:
		return "with watchbill apply"
	case oncall.ViaCommandLine:
		return "at the command line"
	case oncall.ViaWeb:
		return "in a browser"
	}
	return "by " + cmp.Or(oncall.Method(e.By.Via).Info().Acts, e.By.Via)
}

// Sentence formats a change: "members: Ann → Ann, Bo".
func (c Change) Sentence() oncall.Sentence {
	switch {
	case len(c.Before) == 0:
		return oncall.Say("%s: %s", c.What, c.After)
	case len(c.After) == 0:
		return oncall.Say("%s: no longer %s", c.What, c.Before)
	}
	return oncall.Say("%s: %s → %s", c.What, c.Before, c.After)
}

// ParseKind parses a kind, singular or plural: "schedules".
func ParseKind(word string) (Kind, bool) {
	word = strings.ToLower(strings.TrimSpace(word))
	for _, k := range Kinds() {
		name := strings.ToLower(string(k))
		if dashed := strings.ReplaceAll(name, " ", "-"); word == name || word == name+"s" || word == dashed || word == dashed+"s" {
			return k, true
		}
	}
	switch word {
	case "policies":
		return Policy, true
	case "people", "user", "users":
		return Person, true
	case "group", "groups", "usergroup", "usergroups":
		return UserGroup, true
	}
	return "", false
}

// maxDays is the longest number of days to look back.
const maxDays = 36_500

// ParseSince parses a start: "7d", "2w", "12h", "today", "yesterday", "2026-11-30".
func ParseSince(text string, now time.Time, zone *time.Location) (time.Time, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	local := now.In(zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
	switch text {
	case "today":
		return midnight, true
	case "yesterday":
		return midnight.AddDate(0, 0, -1), true
	}
	if at, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return at, true
	}
	for unit, days := range map[string]int{"d": 1, "w": 7} {
		if n, err := strconv.Atoi(strings.TrimSuffix(text, unit)); err == nil && strings.HasSuffix(text, unit) && n > 0 && n <= maxDays {
			return now.AddDate(0, 0, -days*n), true
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-d), true
	}
	return time.Time{}, false
}
