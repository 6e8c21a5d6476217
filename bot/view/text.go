package view

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// List joins words as people do: "a, b and c".
func List(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// Count says "1 signal" or "7 signals".
func Count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// lasted says roughly how long something took.
func lasted(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return Count(int(d/time.Second), "second")
	case d < time.Hour:
		return Count(int(d/time.Minute), "minute")
	case d < 24*time.Hour && d%time.Hour < time.Minute:
		return Count(int(d/time.Hour), "hour")
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
	}
}

// CutPlain leaves at most so many characters of text that Slack shows as it stands.
func CutPlain(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// foreignSection cuts a paragraph to what Slack takes; its parts are safe already.
func foreignSection(text string) string { return CutPlain(text, maxSection) }

// fitLines joins lines, and counts those for which there is no room.
func fitLines(lines []string, most int) string {
	var out strings.Builder
	n := 0
	for i, line := range lines {
		if n += utf8.RuneCountInString(line) + 1; n > most-30 {
			return out.String() + Count(len(lines)-i, "more line")
		}
		if i > 0 {
			out.WriteString("\n")
		}
		out.WriteString(line)
	}
	return out.String()
}

// paragraph is a section of lines under a heading, as many of them as Slack takes.
func paragraph(head string, lines []string) slack.Block {
	size := utf8.RuneCountInString(head) + len("\nand 1000 more")
	for i, line := range lines {
		if size += 1 + utf8.RuneCountInString(line); size > maxSection {
			lines = append(lines[:i:i], fmt.Sprintf("and %d more", len(lines)-i))
			break
		}
	}
	return section(strings.Join(append([]string{head}, lines...), "\n"))
}

// DidYouMean ends a refusal with a guess, if there is one.
func DidYouMean(guess, format string) string {
	if guess == "" {
		return ""
	}
	return " Did you mean " + fmt.Sprintf(format, guess) + "?"
}

// MaxAnswer keeps an answer inside the frame of an acknowledgement.
const MaxAnswer = 3000

// are says "1 thing is" or "2 things are".
func are(n int, one string) string {
	if n == 1 {
		return Count(n, one) + " is"
	}
	return Count(n, one) + " are"
}

// answerText is a heading with as many lines as an answer has room for.
func answerText(head string, lines []string) string {
	return paragraph(head, lines).(*slack.SectionBlock).Text.Text
}
