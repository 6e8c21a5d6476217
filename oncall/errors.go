package oncall

import "github.com/watchbill/watchbill/oncall/schedule"

// ErrNotFound says that what was asked for does not exist.
var ErrNotFound = schedule.ErrNotFound

// A Refusal is a decision not to do what a person asked, in one exact sentence.
// It is the only kind of error whose text a person sees.
type Refusal = schedule.Refusal

// Refuse makes a Refusal.
func Refuse(format string, args ...any) error { return schedule.Refuse(format, args...) }
