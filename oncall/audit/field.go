package audit

import (
	"slices"

	"github.com/watchbill/watchbill/oncall"
)

// A field is one thing that a set-up says of something, as people read it. An empty one is not said.
type field struct {
	what  string
	is    oncall.Sentence
	plain bool   // it is what everything begins with, and not worth a word where something is new or gone
	whole string // what is compared, where not all of it may be said
}

// fields are all that is said of something, in order.
type fields []field

// say adds what is said, unless it is nothing.
func (f *fields) say(what string, is oncall.Sentence) {
	if is.String() != "" {
		*f = append(*f, field{what: what, is: is})
	}
}

// text is say of words.
func (f *fields) text(what, is string) { f.say(what, oncall.Say("%s", is)) }

// part is say of what is more than may be said.
func (f *fields) part(what string, is oncall.Sentence, whole string) {
	*f = append(*f, field{what: what, is: is, whole: whole})
}

// choice is text of what usually is something else.
func (f *fields) choice(what, is, usual string) {
	*f = append(*f, field{what: what, is: oncall.Say("%s", is), plain: is == usual})
}

// flag says whether something is so.
func (f *fields) flag(what string, is bool) {
	if is {
		f.choice(what, "yes", "no")
	} else {
		f.choice(what, "no", "no")
	}
}

func (f fields) find(what string) (field, bool) {
	i := slices.IndexFunc(f, func(one field) bool { return one.what == what })
	if i < 0 {
		return field{}, false
	}
	return f[i], true
}

// same compares the whole of two fields.
func (f field) same(other field) bool {
	if f.whole != "" || other.whole != "" {
		return f.whole == other.whole
	}
	return f.is.String() == other.is.String()
}

// became lists what differs, in the order of what is said now; then what is said no more.
func (f fields) became(now fields) []Change {
	var out []Change
	for _, is := range now {
		was, before := f.find(is.what)
		switch {
		case !before && is.plain:
		case before && was.same(is):
		case before && was.is.String() == is.is.String():
			out = append(out, Change{What: is.what, Before: was.is, After: oncall.Say("%s, another one", is.is)})
		default:
			out = append(out, Change{What: is.what, Before: was.is, After: is.is})
		}
	}
	for _, was := range f {
		if _, still := now.find(was.what); !still && !was.plain {
			out = append(out, Change{What: was.what, Before: was.is})
		}
	}
	return out
}

// list joins people, or what stands for them.
func list(all []oncall.Sentence) oncall.Sentence {
	out := oncall.Say("")
	for i, one := range all {
		if i > 0 {
			out = oncall.Say("%s, %s", out, one)
		} else {
			out = one
		}
	}
	return out
}

// person is somebody whom a document names by their id.
func person(name string) oncall.Sentence { return oncall.Say("%s", oncall.UserID(name)) }

func people(names []string) oncall.Sentence {
	var all []oncall.Sentence
	for _, name := range names {
		all = append(all, person(name))
	}
	return list(all)
}
