package notify

import (
	"fmt"
	"strings"
	"unicode"
)

// keys says which keys a call offers.
func keys(m Message) string {
	switch {
	case m.Purpose == ForCheck:
		return "Press 1 for yes."
	case m.Purpose != ForPage && m.Purpose != ForTest:
		return ""
	case m.AskedBy != "":
		return "Press 1 to accept, star to hear it again. To decline, hang up and say so in Slack."
	case m.Count > 1:
		return "Press 1 to acknowledge all, 2 to resolve all, star to hear it again."
	}
	return "Press 1 to acknowledge, 2 to resolve, 3 to escalate, star to hear it again."
}

// voiceText returns what a call says: the title and the number, but no further hosts or secrets, and short
// enough for somebody who has just woken up.
func voiceText(message Message, menu string) string {
	title := speakable(message.subject(spoken))
	var head string
	switch {
	case message.Purpose == ForVerify:
		return "This is Watchbill. Your code is " + slowly(message.Verify) + ". I repeat: " + slowly(message.Verify) + ". Type it in Slack."
	case message.Purpose == ForResponse:
		return title
	case message.Purpose == ForOutage:
		return title + ". I repeat: " + title + "."
	case message.Purpose == ForCheck:
		return "This is Watchbill. Can we still reach you here? " + menu
	case message.Purpose == ForTest:
		head = "This is a test of Watchbill. "
	case message.Count > 1:
		worst := title
		if len(message.Lines) > 0 {
			worst = speakable(oneLine(message.Lines[0], spoken))
		}
		head, title = fmt.Sprintf("Watchbill. %s%d incidents, the worst: ", message.spokenAsker(), message.Count), worst
	default:
		head = "Watchbill. " + message.spokenAsker()
		if s := message.Severity; s != "" {
			if message.AskedBy == "" {
				s = strings.ToUpper(s[:1]) + s[1:]
			}
			head += s + " "
		}
		head += "incident " + slowly(fmt.Sprint(message.Incident)) + ": "
	}
	if reason := strings.Trim(message.askedFor(), " ()"); reason != "" {
		menu = "The reason: " + strings.TrimRight(speakable(reason), ". ") + ". " + menu
	}
	if room := spoken - len(head) - len(menu) - 2; len([]rune(title)) > room {
		title = strings.TrimSpace(string([]rune(title)[:max(room, 0)]))
	}
	return head + strings.TrimRight(title, ". ") + ". " + menu
}

// spokenAsker returns the beginning of a call that asks for help.
func (m Message) spokenAsker() string {
	if m.AskedBy == "" {
		return ""
	}
	return speakable(m.asker()) + " asks you to help with "
}

// slowly says digits one by one.
func slowly(digits string) string { return strings.Join(strings.Split(digits, ""), ", ") }

// speakable keeps letters, digits and what makes a pause. Digits are spoken one by one, because
// nobody understands "four thousand seven hundred and eleven" at night. Markup and references that
// Studio would fill in are removed.
func speakable(text string) string {
	var b strings.Builder
	digit := false
	for _, r := range text {
		switch {
		case unicode.IsDigit(r):
			if digit {
				b.WriteByte(' ')
			}
			b.WriteRune(r)
		case unicode.IsLetter(r), strings.ContainsRune(" .,:;!?'%+", r):
			b.WriteRune(r)
		case unicode.IsMark(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
		digit = unicode.IsDigit(r)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
