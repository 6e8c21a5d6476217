package audit

import (
	"slices"

	"github.com/watchbill/watchbill/oncall"
)

// A field is one property of an object in the set-up, as people read it. An empty one is not shown.
type field struct {
	what  string
	is    oncall.Sentence
	plain bool   // the default value, not worth showing for something new or removed
	whole string // what is compared, if not all of it may be shown
}

// fields are all properties of an object, in order.
type fields []field

// say adds a property, unless it is empty.
func (f *fields) say(what string, is oncall.Sentence) {
	if is.String() != "" {
		*f = append(*f, field{what: what, is: is})
	}
}

// text is say for plain text.
func (f *fields) text(what, is string) { f.say(what, oncall.Say("%s", is)) }

// part is say for a value that may be shown only in part.
func (f *fields) part(what string, is oncall.Sentence, whole string) {
	*f = append(*f, field{what: what, is: is, whole: whole})
}

// choice is text, without the usual value.
func (f *fields) choice(what, is, usual string) {
	*f = append(*f, field{what: what, is: oncall.Say("%s", is), plain: is == usual})
}

// flag adds a yes-or-no property.
func (f *fields) flag(what string, set bool) {
	if set {
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

// same compares the whole values of two fields.
func (f field) same(other field) bool {
	if f.whole != "" || other.whole != "" {
		return f.whole == other.whole
	}
	return f.is.String() == other.is.String()
}

// became returns the differences, in the present order; then what is gone.
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

// list joins people, or other sentences.
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

// person converts a person, who in a document is named by id.
func person(name string) oncall.Sentence { return oncall.Say("%s", oncall.UserID(name)) }

func people(names []string) oncall.Sentence {
	var all []oncall.Sentence
	for _, name := range names {
		all = append(all, person(name))
	}
	return list(all)
}
