package view

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Slack's limits, in characters. Longer text is refused.
const (
	maxSection = 3000
	maxField   = 2000
	MaxText    = 4000 // chat.update refuses more
)

var escapes = map[rune]string{'&': "&amp;", '<': "&lt;", '>': "&gt;"}

// Foreign makes foreign text safe to use in a message, on one line and at most limit characters long as Slack
// counts them, which is after escaping.
func Foreign(s string, limit int) string {
	return escape(strings.Join(strings.Fields(s), " "), limit)
}

// Name makes a name safe to use in a message.
func Name(s string) string { return Foreign(s, MaxName) }

// withRole adds a role to a schedule's name, unless it is the usual one.
func withRole(name, role string) string {
	if role == "" || role == schedule.RolePrimary {
		return name
	}
	return name + " (" + Name(role) + ")"
}

// foreignLines is Foreign, but preserves the first line breaks.
func foreignLines(s string, limit, lines int) string {
	all := strings.Split(strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")), "\n")
	if len(all) > lines {
		all = append(all[:lines:lines], "…")
	}
	return escape(strings.Join(all, "\n"), limit)
}

// stripControls removes characters that can't be shown or could reverse the line, from text that is otherwise shown
// unchanged.
func stripControls(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// escape escapes and cuts text, never inside a character or an escape.
func escape(s string, limit int) string {
	var out strings.Builder
	n, fits := 0, 0 // characters so far; length in bytes at which an ellipsis still fits
	for _, r := range strings.ToValidUTF8(s, "�") {
		if unicode.IsControl(r) && r != '\n' || unicode.In(r, unicode.Zl, unicode.Zp) {
			r = ' '
		}
		if unicode.Is(unicode.Bidi_Control, r) {
			continue // could reverse the rest of the line
		}
		piece, escaped := escapes[r]
		if !escaped {
			piece = string(r)
		}
		n += utf8.RuneCountInString(piece)
		if n > limit {
			return out.String()[:fits] + "…"
		}
		out.WriteString(piece)
		if n < limit {
			fits = out.Len()
		}
	}
	return out.String()
}

// link makes text clickable if the address is safe to open in a browser. The text must be safe already.
func link(address, text string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || len(address) > maxLink {
		return text
	}
	safe := strings.NewReplacer("|", "%7C", "<", "%3C", ">", "%3E", "&", "&amp;", " ", "%20").Replace(u.String())
	return "<" + safe + "|" + text + ">"
}

const maxLink = 1000

// bold makes a label and the text after it bold. Text with characters that Slack takes for formatting stays
// outside, as they would end the bold type early. They can't be masked by invisible characters, because people
// copy titles to search for them elsewhere. Label and text must be safe already; the address may be empty.
func bold(label, text, address string) string {
	if formats(text) {
		return "*" + label + "* " + link(address, text)
	}
	return "*" + label + " " + link(address, text) + "*"
}

// formats reports whether Slack may take a character of the text for formatting. Inside a word, as
// in disk_full, it leaves _ and ~ alone.
func formats(text string) bool {
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for i, r := range text {
		switch r {
		case '*', '`':
			return true
		case '_', '~':
			before, _ := utf8.DecodeLastRuneInString(text[:i])
			after, _ := utf8.DecodeRuneInString(text[i+1:])
			if !inWord(before) || !inWord(after) {
				return true
			}
		}
	}
	return false
}

// mention mentions people, which notifies them.
func mention(users ...oncall.UserID) string {
	names := make([]string, len(users))
	for i, u := range users {
		names[i] = "<@" + string(u) + ">"
	}
	return List(names)
}

// mentioned matches a mention in a command, as the manifest asks Slack to format it: "<@U123|name>".
var mentioned = regexp.MustCompile(`^<@([UW][A-Z0-9]+)(\|[^>]*)?>$`)

// TypedMention formats a mention as Slack does in a command: with the name.
func TypedMention(user oncall.UserID, name string) string {
	return "<@" + string(user) + "|" + strings.NewReplacer("<", "", ">", "", "&", "").Replace(name) + ">"
}

// ReadMention parses a mention in a command.
func ReadMention(word string) (oncall.UserID, bool) {
	m := mentioned.FindStringSubmatch(word)
	if m == nil {
		return "", false
	}
	return oncall.UserID(m[1]), true
}

// Addresses reports whether a message begins with a mention of somebody.
func Addresses(text string, user oncall.UserID) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "<@"+string(user)+">") || strings.HasPrefix(text, "<@"+string(user)+"|")
}

// Sentence formats a sentence whose words are safe already, and mentions its people.
func Sentence(s oncall.Sentence) string {
	return s.Shown(func(u oncall.UserID) string { return mention(u) })
}

// ForeignSentence formats a sentence that contains foreign words.
func ForeignSentence(s oncall.Sentence) string { return foreignSentence(s, maxBody) }

// foreignSentence formats a sentence of foreign words, each stretch at most limit characters long.
func foreignSentence(s oncall.Sentence, limit int) string {
	const edge = "|" // keeps the spaces at the ends of words
	safe := slices.Clone(s)
	for i := 0; i < len(safe); i += 2 {
		words := strings.Join(strings.Fields(edge+safe[i]+edge), " ")
		safe[i] = escape(strings.TrimSuffix(strings.TrimPrefix(words, edge), edge), limit)
	}
	return strings.TrimSpace(Sentence(safe))
}

// actorName names an actor. A monitor's name is foreign text.
func actorName(a oncall.Actor) string {
	if a.User != "" {
		return mention(a.User)
	}
	return Foreign(a.String(), 100)
}

// viaMethod returns how a person acted: " by SMS"; nothing for Slack.
func viaMethod(a oncall.Actor) string {
	if way := oncall.Method(a.Via).Info().Acts; a.User != "" && way != "" {
		return " by " + way
	}
	if a.Via == oncall.ViaWeb {
		return " in a browser"
	}
	return ""
}

// The formats in which Slack shows an instant, in the zone of the reader's device. They are for messages that
// several people read; for a single reader there are Time and Between.
const (
	asTime = "{time}"
	asDay  = "{date_short_pretty} {time}"
	asAgo  = "{ago}"
)

// Time formats an instant for one reader, in their zone: "Tue 1 Dec 09:00".
func Time(t time.Time, zone *time.Location) string { return schedule.Stamp(t, zone) }

// Between formats a period for one reader: "Tue 1 Dec 09:00 – 17:00".
func Between(from, to time.Time, zone *time.Location) string { return schedule.Between(from, to, zone) }

// stamp formats an instant for all readers. Where Slack can't fill in the format, as in notifications, the
// reader sees the time in the given zone.
func stamp(t time.Time, form string, zone *time.Location) string {
	return fmt.Sprintf("<!date^%d^%s|%s>", t.Unix(), form, schedule.Stamp(t, zone)+t.In(zone).Format(" MST"))
}

// forReader puts the instants that stamp has written in the zone of the only reader. Slack would show them by the clock of their
// settings, perhaps of 12 hours, beside Time and Between, which have 24.
func forReader(text string, zone *time.Location) string {
	return stamped.ReplaceAllStringFunc(text, func(token string) string {
		m := stamped.FindStringSubmatch(token)
		seconds, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			return token
		}
		switch t := time.Unix(seconds, 0).In(zone); m[2] {
		case asTime:
			return t.Format("15:04")
		case asDay:
			return Time(t, zone)
		}
		return token
	})
}

var stamped = regexp.MustCompile(`<!date\^(\d{1,12})\^([^|^>]*)\|[^>]*>`)

// noticeInstant formats an instant in a notice: in the reader's zone, or for all readers if the zone is empty.
func noticeInstant(t time.Time, zone string) string {
	if zone == "" {
		return stamp(t, asDay, time.UTC)
	}
	return Time(t, location(zone))
}

// noticeTime is noticeInstant without the day.
func noticeTime(t time.Time, zone string) string {
	if zone == "" {
		return stamp(t, asTime, time.UTC)
	}
	return t.In(location(zone)).Format("15:04")
}

// noticePeriod is noticeInstant for a period.
func noticePeriod(from, to time.Time, zone string) string {
	if zone == "" {
		return stamp(from, asDay, time.UTC) + " – " + stamp(to, asDay, time.UTC)
	}
	return Between(from, to, location(zone))
}

// named mentions people, at most MaxNamed of them.
func named(users []oncall.UserID) string {
	switch {
	case len(users) == 0:
		return "nobody"
	case len(users) > MaxNamed:
		return mention(users[:MaxNamed]...) + fmt.Sprintf(" and %d more", len(users)-MaxNamed)
	}
	return mention(users...)
}

// location returns a zone by its name, or UTC.
func location(name string) *time.Location {
	if zone, err := time.LoadLocation(name); err == nil {
		return zone
	}
	return time.UTC
}
