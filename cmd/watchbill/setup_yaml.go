package main

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall/setup"
)

const exportHead = `# Written by watchbill export. To apply it changes nothing.
# Comments of a file from which it was set up aren't kept, nor are keys: an integration keeps the one it has.
`

// writeSetup writes a document for parseSetup. It doesn't use the YAML library, which can't read
// back what it writes for some texts, such as "? a" or a tab; and it writes one item per line, as
// people do.
func writeSetup(s setup.Setup) []byte {
	w := setupWriter{}
	w.WriteString(exportHead)
	w.fields(reflect.ValueOf(s), "")
	return w.Bytes()
}

type setupWriter struct{ bytes.Buffer }

// maxFlow is the maximum length of a line with several fields.
const maxFlow = 110

// fields writes the fields of a struct, one per line; the first one at the current position.
func (w *setupWriter) fields(v reflect.Value, indent string) {
	first := true
	for name, f := range given(v) {
		if !first {
			w.WriteString(indent)
		}
		first = false
		if indent == "" {
			w.WriteString("\n") // a blank line between sections
		}
		w.WriteString(name + ":")
		w.value(f, indent)
	}
}

// value writes what follows a colon, on the same line or on lines of its own.
func (w *setupWriter) value(v reflect.Value, indent string) {
	text, ok := flow(v)
	long := v.Kind() == reflect.Slice && v.Len() > 0 && (v.Type().Elem().Kind() == reflect.Struct || len(text) > maxFlow)
	if ok && !long {
		w.WriteString(" " + text + "\n")
		return
	}
	w.WriteString("\n")
	if v.Kind() != reflect.Slice {
		w.WriteString(indent + "  ")
		w.fields(v, indent+"  ")
		return
	}
	for i := range v.Len() {
		w.WriteString(indent + "  - ")
		text, ok := flow(v.Index(i))
		if v.Index(i).Kind() == reflect.Struct && (!ok || len(indent)+len(text) > maxFlow || strings.Contains(text, "[{")) {
			w.fields(v.Index(i), indent+"    ")
			continue
		}
		w.WriteString(text + "\n")
	}
}

// given iterates over a struct's non-empty fields, by their names in the file.
func given(v reflect.Value) func(func(string, reflect.Value) bool) {
	return func(yield func(string, reflect.Value) bool) {
		for i := range v.NumField() {
			name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			f := v.Field(i)
			empty := f.IsZero() || (f.Kind() == reflect.Slice || f.Kind() == reflect.Map) && f.Len() == 0
			if options != "" && empty {
				continue
			}
			for f.Kind() == reflect.Pointer {
				f = f.Elem()
			}
			if !yield(name, f) {
				return
			}
		}
	}
}

// flow writes a value on one line; false if it would be hard to read there.
func flow(v reflect.Value) (string, bool) {
	if turn, ok := reflect.TypeAssert[setup.Turn](v); ok && len(turn) < 2 {
		return flow(reflect.ValueOf(append(slices.Clone(turn), "nobody")[0]))
	}
	if text, ok := reflect.TypeAssert[encoding.TextMarshaler](v); ok {
		b, err := text.MarshalText()
		return scalar(string(b)), err == nil
	}
	switch v.Kind() {
	case reflect.String:
		return scalar(v.String()), true
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			text, ok := flow(v.Index(i))
			if !ok {
				return "", false
			}
			parts = append(parts, text)
		}
		return "[" + strings.Join(parts, ", ") + "]", true
	case reflect.Map: // of strings by name
		var parts []string
		names := v.MapKeys()
		slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, name := range names {
			parts = append(parts, scalar(name.String())+": "+scalar(v.MapIndex(name).String()))
		}
		return "{" + strings.Join(parts, ", ") + "}", true
	case reflect.Struct:
		var parts []string
		for name, f := range given(v) {
			text, ok := flow(f)
			if !ok {
				return "", false
			}
			parts = append(parts, name+": "+text)
		}
		return "{" + strings.Join(parts, ", ") + "}", true
	default:
		return fmt.Sprint(v.Interface()), true
	}
}

var (
	plain    = regexp.MustCompile(`^(\pL[\pL\pN_./@+-]*( [\pL\pN_./@+-]+)*|\d{4}-\d\d-\d\d( \d\d:\d\d)?|\d+ [a-z]+|\d+[hms](\d+[ms])*)$`)
	reserved = regexp.MustCompile(`(?i)^(y|yes|n|no|true|false|on|off|null|nan|inf)$`)
)

// scalar writes a string plainly if it can't be mistaken for anything else, and quoted otherwise.
func scalar(s string) string {
	if plain.MatchString(s) && !reserved.MatchString(s) {
		return s
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

// writeRoutes writes a rule list in the form of a set-up file.
func writeRoutes(routes []setup.Route, shadow bool) []byte {
	w := setupWriter{}
	w.fields(reflect.ValueOf(struct {
		Routes []setup.Route `json:"routes"`
		Shadow bool          `json:"shadow_routes,omitempty"`
	}{routes, shadow}), "")
	return w.Bytes()
}
