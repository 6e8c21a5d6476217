package intake

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// object is a JSON object read field by field, as each field may have several names and any type.
type object map[string]json.RawMessage

// embedded parses the object in a text that holds JSON.
func embedded(text string) object {
	body, err := prepare([]byte(text))
	if err != nil {
		return nil
	}
	var o object
	if json.Unmarshal(body, &o) != nil {
		return nil
	}
	return o
}

// firstName returns the first of the names that holds a text.
func firstName(o object, names ...string) string {
	for _, name := range names {
		if o.str(name) != "" {
			return name
		}
	}
	return ""
}

// at returns the value at a path such as "payload.summary". A name is matched exactly first, then
// ignoring case.
func (o object) at(path string) json.RawMessage {
	name, rest, deeper := strings.Cut(path, ".")
	raw, ok := o[name]
	if !ok && len(o) <= maxNames {
		found := ""
		for other := range o {
			if len(other) == len(name) && strings.EqualFold(other, name) && (found == "" || other < found) {
				found, raw = other, o[other]
			}
		}
	}
	if !deeper {
		return raw
	}
	return asObject(raw).at(rest)
}

func asObject(raw json.RawMessage) object {
	var o object
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &o) != nil {
		return nil
	}
	return o
}

// str returns the first non-blank value at the paths: a string as it is, anything else as JSON.
func (o object) str(paths ...string) string {
	for _, path := range paths {
		if s, err := asText(o.at(path)); err == nil && trim(s) != "" {
			return trim(s)
		}
	}
	return ""
}

// has reports whether every path has a value, null included.
func (o object) has(paths ...string) bool {
	for _, path := range paths {
		if o.at(path) == nil {
			return false
		}
	}
	return true
}

// any reports whether one of the paths has a text.
func (o object) any(paths ...string) bool { return o.str(paths...) != "" }

// sub returns the object at a path, an empty one if there is none.
func (o object) sub(path string) object { return asObject(o.at(path)) }

// first returns the first element of the list at a path without parsing the others; nil if it isn't
// an object.
func (o object) first(path string) object {
	d := json.NewDecoder(bytes.NewReader(o.at(path)))
	if start, err := d.Token(); err != nil || start != json.Delim('[') || !d.More() {
		return nil
	}
	var one object
	if d.Decode(&one) != nil {
		return nil
	}
	return one
}

// list returns the objects of the list at a path.
func (o object) list(path string) []object {
	var raws []json.RawMessage
	if json.Unmarshal(o.at(path), &raws) != nil {
		return nil
	}
	var out []object
	for _, raw := range raws {
		if one := asObject(raw); one != nil {
			out = append(out, one)
		}
	}
	return out
}

// words returns the texts of a list at a path, or splits a text at its commas.
func (o object) words(path string) []string {
	var raws []json.RawMessage
	if json.Unmarshal(o.at(path), &raws) != nil {
		return strings.FieldsFunc(o.str(path), func(r rune) bool { return r == ',' })
	}
	var out []string
	for _, raw := range raws {
		if s, err := asText(raw); err == nil {
			out = append(out, s)
		}
	}
	return out
}

// texts returns all fields as texts.
func (o object) texts() map[string]string {
	out := map[string]string{}
	for name, raw := range o {
		if s, err := asText(raw); err == nil && trim(s) != "" {
			out[name] = s
		}
	}
	return out
}

// normalizedNames returns the object with its names normalized, without a prefix such as
// "NAGIOS_".
func (o object) normalizedNames(prefixes ...string) object {
	if len(o) > maxNames {
		return o
	}
	out := object{}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		plain := normalize(name)
		for _, prefix := range prefixes {
			plain = strings.TrimPrefix(plain, prefix)
		}
		if _, taken := out[plain]; !taken {
			out[plain] = o[name]
		}
	}
	return out
}

// tags turns "env:prod" and "env=prod" into labels; a word without a value is its own value.
func tags(words []string) map[string]string {
	out := map[string]string{}
	for _, word := range words {
		word = trim(word)
		i := strings.IndexAny(word, ":=")
		switch {
		case word == "":
		case i > 0:
			out[trim(word[:i])] = trim(word[i+1:])
		default:
			out[word] = "true"
		}
	}
	return out
}

// tagsOf reads tags given as a list, a text or an object.
func tagsOf(o object, path string) map[string]string {
	if in := o.sub(path); len(in) > 0 {
		return in.texts()
	}
	return tags(o.words(path))
}

// text returns the first field that is not blank: a string as it is, anything else as JSON.
func (o object) text(names ...string) string {
	for _, name := range names {
		if s, err := asText(o[name]); err == nil && trim(s) != "" {
			return s
		}
	}
	return ""
}

// nameOf returns the first of the names that the object has.
func nameOf(o object, names ...string) string {
	for _, name := range names {
		if s, err := asText(o[name]); err == nil && trim(s) != "" {
			return name
		}
	}
	return ""
}

func asText(raw json.RawMessage) (string, error) {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return "", nil
	case raw[0] == '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case raw[0] == '{' || raw[0] == '[':
		var b bytes.Buffer
		err := json.Compact(&b, raw)
		return strings.ToValidUTF8(b.String(), "\ufffd"), err
	default:
		return string(raw), nil
	}
}
