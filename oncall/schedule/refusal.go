package schedule

import "errors"

// ErrNotFound means that the requested object does not exist.
var ErrNotFound = errors.New("not found")

// A Refusal is a decision not to do what a person asked, in one exact sentence.
// It is the only kind of error whose text a person sees.
type Refusal struct{ Sentence }

// Error returns the sentence as String does.
func (r Refusal) Error() string { return r.String() }

// Refuse makes a Refusal; its arguments are those of Say.
func Refuse(format string, args ...any) error { return Refusal{Say(format, args...)} }
