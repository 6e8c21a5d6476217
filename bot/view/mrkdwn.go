package view

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Slack's limits, in characters; what is longer is refused.
const (
	maxSection = 3000
	maxField   = 2000
	MaxText    = 4000 // chat.update refuses more
)

var escapes = map[rune]string{'&': "&amp;", '<': "&lt;", '>': "&gt;"}

// Foreign makes text that others wrote safe to put into a message, on one line and at
// most limit characters long as Slack counts them, that is after escaping.
func Foreign(s string, limit int) string {
	return escape(strings.Join(strings.Fields(s), " "), limit)
}

// Name makes the name of something safe to put into a message.
func Name(s string) string { return Foreign(s, MaxName) }

// withRole adds a role to the name of a schedule, unless it is the usual one.
func withRole(name, role string) string {
	if role == "" || role == schedule.RolePrimary {
		return name
	}
	return name + " (" + Name(role) + ")"
}

// foreignLines is Foreign, but keeps the first lines apart.
func foreignLines(s string, limit, lines int) string {
	all := strings.Split(strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")), "\n")
	if len(all) > lines {
		all = append(all[:lines:lines], "…")
	}
	return escape(strings.Join(all, "\n"), limit)
}

// unfooled takes out of a text that is shown as it is what can't be shown, or could turn the line around.
func unfooled(s string) string {
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

// escape cuts between characters, never inside one or inside an escape.
func escape(s string, limit int) string {
	var out strings.Builder
	n, fits := 0, 0 // characters so far; bytes up to which an ellipsis still fits
	for _, r := range strings.ToValidUTF8(s, "�") {
		if unicode.IsControl(r) && r != '\n' || unicode.In(r, unicode.Zl, unicode.Zp) {
			r = ' '
		}
		if unicode.Is(unicode.Bidi_Control, r) {
			continue // it could turn the rest of the line around
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

// link makes text clickable if the address is one that a browser opens safely. The
// text must be safe already.
func link(address, text string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || len(address) > maxLink {
		return text
	}
	safe := strings.NewReplacer("|", "%7C", "<", "%3C", ">", "%3E", "&", "&amp;", " ", "%20").Replace(u.String())
	return "<" + safe + "|" + text + ">"
}

const maxLink = 1000

// bold makes a label and the text after it bold. Text with characters that Slack takes for
// formatting stays outside, as they would end the bold type early. They can't be masked by
// invisible characters, because people copy titles to search for them elsewhere. Label and
// text must be safe already; the address may be empty.
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

// mention writes people as Slack shows and notifies them.
func mention(users ...oncall.UserID) string {
	names := make([]string, len(users))
	for i, u := range users {
		names[i] = "<@" + string(u) + ">"
	}
	return List(names)
}

// mentioned is how the manifest asks Slack to escape people in commands: "<@U123|name>".
var mentioned = regexp.MustCompile(`^<@([UW][A-Z0-9]+)(\|[^>]*)?>$`)

// TypedMention is a mention as Slack makes it of a person in a command: with their name.
func TypedMention(user oncall.UserID, name string) string {
	return "<@" + string(user) + "|" + strings.NewReplacer("<", "", ">", "", "&", "").Replace(name) + ">"
}

// ReadMention returns whom a word of a command mentions.
func ReadMention(word string) (oncall.UserID, bool) {
	m := mentioned.FindStringSubmatch(word)
	if m == nil {
		return "", false
	}
	return oncall.UserID(m[1]), true
}

// Sentence writes a sentence whose words are safe already, and mentions its people.
func Sentence(s oncall.Sentence) string {
	return s.Shown(func(u oncall.UserID) string { return mention(u) })
}

// ForeignSentence writes a sentence with the words of others in it.
func ForeignSentence(s oncall.Sentence) string { return foreignSentence(s, maxBody) }

// foreignSentence writes a sentence whose words are foreign, each stretch of them at most limit
// characters long.
func foreignSentence(s oncall.Sentence, limit int) string {
	const edge = "|" // keeps the spaces at the ends of words
	safe := slices.Clone(s)
	for i := 0; i < len(safe); i += 2 {
		words := strings.Join(strings.Fields(edge+safe[i]+edge), " ")
		safe[i] = escape(strings.TrimSuffix(strings.TrimPrefix(words, edge), edge), limit)
	}
	return strings.TrimSpace(Sentence(safe))
}

// who names an actor; what a monitor calls itself is foreign text.
func who(a oncall.Actor) string {
	if a.User != "" {
		return mention(a.User)
	}
	return Foreign(a.String(), 100)
}

// through says by what a person acted: " by SMS"; nothing if it was in Slack.
func through(a oncall.Actor) string {
	if way := oncall.Method(a.Via).Info().Acts; a.User != "" && way != "" {
		return " by " + way
	}
	if a.Via == oncall.ViaWeb {
		return " in a browser"
	}
	return ""
}

// The forms in which Slack shows an instant, each in the zone of the reader's device. They are for
// messages that several people read; what one person reads is written by Time and Between.
const (
	asTime = "{time}"
	asDay  = "{date_long_pretty} {time}"
	asAgo  = "{ago}"
)

// Time writes an instant for one reader, in their zone: "Tue 1 Dec 09:00".
func Time(t time.Time, zone *time.Location) string { return schedule.Stamp(t, zone) }

// Between writes a stretch of time for one reader: "Tue 1 Dec 09:00 – 17:00".
func Between(from, to time.Time, zone *time.Location) string { return schedule.Between(from, to, zone) }

// stamp shows an instant to whoever reads it. Where Slack can't fill in the form, as in
// notifications, the reader sees the time in the given zone.
func stamp(t time.Time, form string, zone *time.Location) string {
	return fmt.Sprintf("<!date^%d^%s|%s>", t.Unix(), form, schedule.Stamp(t, zone)+t.In(zone).Format(" MST"))
}

// told shows an instant in a notice: as its reader's zone has it, or to all who read it where the
// zone is "".
func told(t time.Time, zone string) string {
	if zone == "" {
		return stamp(t, asDay, time.UTC)
	}
	return Time(t, location(zone))
}

// toldTime is told without the day.
func toldTime(t time.Time, zone string) string {
	if zone == "" {
		return stamp(t, asTime, time.UTC)
	}
	return t.In(location(zone)).Format("15:04")
}

// toldSpan is told of a stretch of time.
func toldSpan(from, to time.Time, zone string) string {
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

// location is a zone by its name, or UTC.
func location(name string) *time.Location {
	if zone, err := time.LoadLocation(name); err == nil {
		return zone
	}
	return time.UTC
}
