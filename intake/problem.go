// Package intake turns what monitors send into signals, one file per monitor. It is pure: bytes
// in, signals out. It is lenient about words and precise about what is missing, and whatever it
// returns is safe to store: no NUL, valid UTF-8, within the limits in clean.go.
package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// A Problem explains in one precise sentence what is wrong with a payload and how to fix it.
type Problem struct {
	Field    string // such as "alerts[2].status"; empty: the body as a whole
	Sentence string
	TooMuch  bool // it may be valid, but costs too much to parse
}

// Error returns the sentence.
func (p Problem) Error() string { return p.Sentence }

func problem(field, format string, args ...any) error {
	return Problem{Field: field, Sentence: fmt.Sprintf(format, args...)}
}

func tooCostly(format string, args ...any) error {
	return Problem{Sentence: fmt.Sprintf(format, args...), TooMuch: true}
}

// notJSON rewrites the decoder's error for the sender.
func notJSON(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return problem(wrong.Field, "%s has a JSON %s where %s belongs.", wrong.Field, wrong.Value, jsonTypeName(wrong.Type))
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return problem("", "The body is not valid JSON: %s (at byte %d).", syntax.Error(), syntax.Offset)
	}
	return problem("", "The body is not valid JSON.")
}

// jsonTypeName names the JSON type that a Go type expects.
func jsonTypeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "an array"
	case reflect.Map, reflect.Struct:
		return "an object"
	default:
		return "a whole number"
	}
}
