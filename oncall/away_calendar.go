package oncall

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// NoticeAwayCalendar tells a person the result of reading their calendar: Note is the failure, or Count how many events
// count as time off.
const NoticeAwayCalendar NoticeKind = "away_calendar"

// AwayCalendarUnread is the State of a NoticeAwayCalendar of a failure if nothing was read before.
const AwayCalendarUnread = "unread"

// AwayCalendarSource is the Source of time off from a person's calendar.
const AwayCalendarSource = "calendar"

// An AwayCalendar is a calendar that is read every hour as a person's time off.
type AwayCalendar struct {
	User  UserID
	URL   string // a secret: it gives access to the calendar
	Rule  AwayRule
	Words []string // for AwayByWords; empty: AwayWords
}

// AwayRule says which events of a calendar count as time off.
type AwayRule string

// The rules for events. Events marked as out of office, as Outlook does, count under each rule.
const (
	AwayByWords AwayRule = "words" // events with one of some words in the title
	AwayDays    AwayRule = "days"  // all-day events that aren't marked as free
	AwayAll     AwayRule = "all"
)

// AwayRules lists all rules.
var AwayRules = []AwayRule{AwayByWords, AwayDays, AwayAll}

// AwayWords are the default words of AwayByWords.
var AwayWords = []string{
	"vacation", "holiday", "holidays", "time off", "day off", "pto", "ooo", "out of office", "annual leave", "parental leave", "on leave",
	"sick", "sick leave", "away", "urlaub", "abwesend", "krank", "elternzeit", "vacances", "congé", "absent", "vacaciones", "ferie", "vakantie",
}

// AwayCalendarEvery is how often a calendar is read.
const AwayCalendarEvery = time.Hour

const (
	maxAwayURLLength  = 2_000
	maxAwayWords      = 20
	maxAwayWordLength = 50
)

// An AwayEvent has what decides whether a calendar event counts.
type AwayEvent struct {
	Title  string
	AllDay bool
	Free   bool // it is marked as free
	Out    bool // it is marked as out of office
}

// Clean returns the calendar with a fetchable address and lower-case words, ready to be stored. The error is a Refusal.
func (c AwayCalendar) Clean() (AwayCalendar, error) {
	text := strings.Trim(strings.TrimSpace(c.URL), "<>")
	text, _, _ = strings.Cut(text, "|") // Slack writes <address|text>
	for _, scheme := range []string{"webcal://", "webcals://"} {
		if rest, ok := strings.CutPrefix(text, scheme); ok {
			text = "https://" + rest
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(text) > maxAwayURLLength {
		return c, Refuse("That is not the address of a calendar. Google calls it the secret address in iCal format, Outlook the ICS link of a published calendar.")
	}
	c.URL = text
	if c.Rule == "" {
		c.Rule = AwayByWords
	}
	if !slices.Contains(AwayRules, c.Rule) {
		return c, Refuse("Events count by words in their titles, by days, or all of them.")
	}
	var words []string
	for _, w := range c.Words {
		if w = strings.ToLower(strings.Join(strings.Fields(w), " ")); w != "" && len(w) <= maxAwayWordLength && !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	if len(words) > maxAwayWords {
		return c, Refuse("These are more than %d words.", maxAwayWords)
	}
	c.Words = words
	return c, nil
}

// Host returns the part of the address that may be shown.
func (c AwayCalendar) Host() string {
	u, err := url.Parse(c.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// Counts reports whether an event counts as time off.
func (c AwayCalendar) Counts(e AwayEvent) bool {
	switch {
	case e.Out, c.Rule == AwayAll:
		return true
	case c.Rule == AwayDays:
		return e.AllDay && !e.Free
	}
	words := c.Words
	if len(words) == 0 {
		words = AwayWords
	}
	title := lowerSpaced(e.Title)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(title, lowerSpaced(w)) })
}

// lowerSpaced returns a text's words in lower case, with one space around each.
func lowerSpaced(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return " " + strings.Join(words, " ") + " "
}
