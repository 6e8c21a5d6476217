package schedule

import (
	"fmt"
	"strings"
)

// A Sentence is text with user ids in it. Whoever shows it renders these as its readers know people:
// by mentions in Slack, by names elsewhere. Words and ids alternate, words first. It is stored as JSON.
type Sentence []string

// A shower has people in its text.
type shower interface {
	// Shown writes it with each person as the function given shows them.
	Shown(person func(UserID) string) string
}

// border stands around a person while a sentence is composed. Words never contain it.
const border = "\x00"

// Say composes a sentence as fmt.Sprintf does. People, and sentences about them, are told from words
// by their type.
func Say(format string, args ...any) Sentence {
	for i, arg := range args {
		if s, ok := arg.(shower); ok {
			args[i] = s.Shown(func(u UserID) string { return border + string(u) + border })
		} else {
			args[i] = words{arg}
		}
	}
	return strings.Split(fmt.Sprintf(format, args...), border)
}

// words are an argument that can't pass for a person, whoever wrote it.
type words struct{ arg any }

// Format implements fmt.Formatter.
func (w words) Format(f fmt.State, verb rune) {
	fmt.Fprint(f, strings.ReplaceAll(fmt.Sprintf(fmt.FormatString(f, verb), w.arg), border, ""))
}

// People are several people in one sentence.
func People(users []UserID, between string) Sentence {
	s := Sentence{""}
	for i, u := range users {
		if i > 0 {
			s[len(s)-1] = between
		}
		s = append(s, string(u), "")
	}
	return s
}

// Shown writes the sentence with each person as the function given shows them.
func (s Sentence) Shown(person func(UserID) string) string {
	var out strings.Builder
	for i, part := range s {
		if i%2 == 1 {
			part = person(UserID(part))
		}
		out.WriteString(part)
	}
	return out.String()
}

// String writes the sentence with the ids of its people, for who knows nothing of them.
func (s Sentence) String() string { return s.Shown(func(u UserID) string { return string(u) }) }

// Shown shows the person.
func (u UserID) Shown(person func(UserID) string) string { return person(u) }
