package schedule

import (
	"errors"
	"fmt"
)

// ErrNotFound says that what was asked for does not exist.
var ErrNotFound = errors.New("not found")

// A Refusal is a decision not to do what a person asked, in one exact sentence.
// It is the only kind of error whose text a person sees.
type Refusal struct{ Sentence string }

// Error returns the sentence.
func (r Refusal) Error() string { return r.Sentence }

// Refuse makes a Refusal.
func Refuse(format string, args ...any) error {
	return Refusal{Sentence: fmt.Sprintf(format, args...)}
}
