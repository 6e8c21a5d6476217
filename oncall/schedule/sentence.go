package schedule

import (
	"fmt"
	"strings"
)

// A Sentence is text with user ids in it. Each place that shows one renders the ids for its
// readers: as mentions in Slack, as names elsewhere. Words and ids alternate, words first. It is
// stored as JSON.
type Sentence []string

// A shower is a value whose text contains people.
type shower interface {
	// Shown returns the text with each person rendered by the function.
	Shown(person func(UserID) string) string
}

// border surrounds a person while a sentence is composed. Words never contain it.
const border = "\x00"

// Say composes a sentence like fmt.Sprintf. Arguments that are people, or sentences about them, are
// recognised by their type.
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

// words wraps an argument so that its text can't pass for a person.
type words struct{ arg any }

// Format implements fmt.Formatter.
func (w words) Format(f fmt.State, verb rune) {
	fmt.Fprint(f, strings.ReplaceAll(fmt.Sprintf(fmt.FormatString(f, verb), w.arg), border, ""))
}

// People joins several people into a sentence.
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

// Shown returns the sentence with each person rendered by the function.
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

// String returns the sentence with the ids of its people, for readers who don't know names.
func (s Sentence) String() string { return s.Shown(func(u UserID) string { return string(u) }) }

// Shown renders the person.
func (u UserID) Shown(person func(UserID) string) string { return person(u) }
