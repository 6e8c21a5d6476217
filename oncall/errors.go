package oncall

import "github.com/watchbill/watchbill/oncall/schedule"

// ErrNotFound says that what was asked for does not exist.
var ErrNotFound = schedule.ErrNotFound

// A Refusal is a decision not to do what a person asked, in one exact sentence. No other error's text is shown to
// people.
type Refusal = schedule.Refusal

// Refuse makes a Refusal, as Say makes a Sentence.
func Refuse(format string, args ...any) error { return schedule.Refuse(format, args...) }

// A Sentence is words with people in them. How a person is shown depends on the reader: a mention in
// Slack, a name in an SMS.
type Sentence = schedule.Sentence

// Say composes a sentence as fmt.Sprintf does. Arguments of type UserID and Sentence stay people;
// all others become words.
func Say(format string, args ...any) Sentence { return schedule.Say(format, args...) }

// refuseUnknown refuses an act that only a newer version of Watchbill knows.
func refuseUnknown() error {
	return Refuse("This version of Watchbill doesn't know how to do that, and nothing was changed.")
}
