package notify

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// OneLine returns foreign text, such as a server's error or a person's name, on one line and without control characters.
func OneLine(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r == unicode.ReplacementChar, unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s)), " ")
}

// oneLine is OneLine in at most longest characters.
func oneLine(s string, longest int) string {
	s = OneLine(s)
	if runes := []rune(s); len(runes) > longest {
		return strings.TrimSpace(string(runes[:longest-1])) + "…"
	}
	return s
}

// How many characters of a title and of a person's name are shown.
const (
	maxTitle = 200
	maxName  = 40
)

// headline says in one line what a message is about.
func (m Message) headline() string {
	title := oneLine(m.Title, maxTitle)
	switch {
	case m.Purpose == ForVerify:
		return m.Verify + " is your Watchbill code"
	case m.Purpose == ForTest:
		return "[test] " + cmp.Or(title, "This is how a page looks")
	case m.Purpose == ForCheck:
		return cmp.Or(title, "Can Watchbill still reach you?")
	case m.Purpose == ForResponse:
		return title
	case m.Count > 1:
		return fmt.Sprintf("%d incidents: %s", m.Count, title)
	case m.Incident > 0:
		return fmt.Sprintf("[#%d] %s", m.Incident, title)
	}
	return title
}

// facts returns the incident's severity, team and age, if known.
func (m Message) facts() string {
	var parts []string
	if m.Severity != "" {
		parts = append(parts, strings.ToUpper(m.Severity[:1])+m.Severity[1:])
	}
	if m.Team != "" {
		parts = append(parts, oneLine(m.Team, maxTitle))
	}
	if m.Since != "" {
		parts = append(parts, "since "+m.Since)
	}
	return strings.Join(parts, " · ")
}

// whyPaged says why the person is paged.
func (m Message) whyPaged() string {
	if m.Why == "" {
		return ""
	}
	return "You are paged because " + strings.TrimSuffix(oneLine(m.Why, 2*maxTitle), ".") + "."
}

// subject returns what a text that doesn't say why is about, on one line: the title, behind that of an alert that
// joined the incident.
func (m Message) subject(longest int) string {
	if joined := oneLine(m.Joined, maxTitle); joined != "" && m.Count < 2 {
		return oneLine(joined+", new in "+oneLine(m.Title, longest), longest)
	}
	return oneLine(m.Title, longest)
}

// asker returns the name of the person asking for help, short enough to show.
func (m Message) asker() string { return oneLine(m.AskedBy, maxName) }

// maxReason is how many characters of a request's reason fit next to a title.
const maxReason = 60

// askedFor returns the reason of a request for help in brackets. It is empty for a bundle, whose reasons differ.
func (m Message) askedFor() string {
	reason := oneLine(m.AskedFor, maxReason)
	if reason == "" || m.AskedBy == "" || m.Count > 1 {
		return ""
	}
	return "(" + reason + ")"
}

// incidents returns the lines of a bundle.
func (m Message) incidents() []string {
	out := make([]string, len(m.Lines))
	for i, line := range m.Lines {
		out[i] = oneLine(line, maxTitle)
	}
	return out
}

// unlisted returns how many incidents in a bundle have no line.
func (m Message) unlisted() int {
	if m.Count > 1 {
		return max(0, m.Count-len(m.Lines))
	}
	return 0
}

// slackHint returns what to type in Slack to acknowledge, if that is possible.
func (m Message) slackHint() string {
	if m.Incident == 0 || m.AskedBy != "" { // requests for help are answered with a button
		return ""
	}
	return fmt.Sprintf("/oncall ack %d", m.Incident)
}

// note returns the body of a message on a small screen, without the headline.
func (m Message) note() string {
	var lines []string
	add := func(line string) {
		if line != "" {
			lines = append(lines, line)
		}
	}
	switch m.Purpose {
	case ForVerify:
		add("Enter it in Slack, where you have added this way to page you. Did you not? Then ignore this.")
	case ForResponse:
	case ForCheck:
		add("Any answer to this is a yes.")
	case ForOutage:
		for _, line := range m.incidents() {
			add(line)
		}
	default:
		for _, line := range m.incidents() {
			add("- " + line)
		}
		if n := m.unlisted(); n > 0 {
			add(fmt.Sprintf("and %d more", n))
		}
		add(m.facts())
		add(m.whyPaged())
	}
	return strings.Join(lines, "\n")
}

// A button is an answer that a message offers.
type button struct {
	label string
	does  ButtonAct
}

func (m Message) buttons() []button {
	switch m.Purpose {
	case ForPage, ForTest:
		if m.AskedBy != "" {
			return []button{{"Accept", Ack}, {"Decline", Decline}, {"Resolve", Resolve}}
		}
		return []button{{"Acknowledge", Ack}, {"Resolve", Resolve}, {"Escalate", Escalate}}
	case ForCheck:
		return []button{{"Yes, I read this", Ack}}
	default:
		return nil
	}
}

// offers says what the page behind the link lets people do.
func (m Message) offers() string {
	if m.AskedBy != "" {
		return "Accept or decline"
	}
	return "Acknowledge, resolve or escalate"
}

// urgent reports whether a message may wake somebody.
func (m Message) urgent() bool {
	return (m.Purpose == ForPage || m.Purpose == ForTest || m.Purpose == ForOutage) && (m.Severity == "critical" || m.Severity == "high")
}

// cut shortens a text that may have several lines.
func cut(s string, longest int) string {
	if runes := []rune(s); len(runes) > longest {
		return string(runes[:longest-1]) + "…"
	}
	return s
}

// cutBytes shortens a text that may have several lines to a number of bytes.
func cutBytes(s string, longest int) string {
	if len(s) <= longest {
		return s
	}
	const mark = "…"
	end := longest - len(mark)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}
