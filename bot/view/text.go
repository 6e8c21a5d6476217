package view

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// MaxAnswer is the maximum length of an answer that fits into an acknowledgement.
const MaxAnswer = 3000

// Maximum lengths of foreign text, in characters unless noted.
const (
	maxTitle      = 300
	maxBody       = 1000
	maxBodyLines  = 10
	maxAlertTitle = 150
	maxAlertLine  = 250 // ten of them fit into a section
	maxLabels     = 3   // labels that distinguish alerts
	maxLabel      = 40

	MaxName  = 80
	MaxNamed = 20 // people in one place
)

// List joins words: "a, b and c".
func List(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// Count formats "1 signal" or "7 signals".
func Count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// durationText formats a duration roughly.
func durationText(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return Count(int(d/time.Second), "second")
	case d < time.Hour:
		return Count(int(d/time.Minute), "minute")
	case d < 24*time.Hour && d%time.Hour < time.Minute:
		return Count(int(d/time.Hour), "hour")
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	case d%(24*time.Hour) < time.Hour:
		return Count(int(d/(24*time.Hour)), "day")
	default:
		return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
	}
}

// CutPlain cuts plain text to a number of characters.
func CutPlain(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// cutSection cuts a paragraph to the length that Slack takes, but not within a reference or an escape. Its
// parts must be safe already.
func cutSection(text string) string {
	if utf8.RuneCountInString(text) <= maxSection {
		return text
	}
	cut := strings.TrimSuffix(CutPlain(text, maxSection), "…")
	if open := strings.LastIndexByte(cut, '<'); open > strings.LastIndexByte(cut, '>') {
		cut = cut[:open]
	}
	if escape := strings.LastIndexByte(cut, '&'); escape > strings.LastIndexByte(cut, ';') && len(cut)-escape < len("&amp;") {
		cut = cut[:escape]
	}
	return cut + "…"
}

// fitLines joins the lines that fit, and counts the rest.
func fitLines(lines []string, most int) string {
	var out strings.Builder
	n := 0
	for i, line := range lines {
		if n += utf8.RuneCountInString(line) + 1; n > most-30 {
			if i > 0 {
				out.WriteString("\n")
			}
			return out.String() + Count(len(lines)-i, "more line")
		}
		if i > 0 {
			out.WriteString("\n")
		}
		out.WriteString(line)
	}
	return out.String()
}

// paragraph draws lines under a heading.
func paragraph(head string, lines []string) slack.Block { return section(headedLines(head, lines)) }

// headedLines puts as many lines under a heading as fit into a section.
func headedLines(head string, lines []string) string { return headedFirst(head, lines, len(lines)) }

// headedFirst is headedLines for the first of many lines.
func headedFirst(head string, lines []string, all int) string {
	size := utf8.RuneCountInString(head) + len("\nand 1000 more")
	for i, line := range lines {
		if size += 1 + utf8.RuneCountInString(line); size > maxSection {
			lines = lines[:i:i]
			break
		}
	}
	if more := all - len(lines); more > 0 {
		lines = append(slices.Clone(lines), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(append([]string{head}, lines...), "\n")
}

// DidYouMean returns the guess that ends a refusal, if there is one.
func DidYouMean(guess, format string) string {
	if guess == "" {
		return ""
	}
	return " Did you mean " + fmt.Sprintf(format, guess) + "?"
}

// countAre formats "1 thing is" or "2 things are".
func countAre(n int, one string) string {
	if n == 1 {
		return Count(n, one) + " is"
	}
	return Count(n, one) + " are"
}
