package intake

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// at returns what stands at a path such as "payload.summary". A name is looked for as it is, and then without
// regard to case.
func (o object) at(path string) json.RawMessage {
	name, rest, deeper := strings.Cut(path, ".")
	raw, is := o[name]
	if !is && len(o) <= mostNames {
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

// str returns the first text at the paths that is not blank: text as it is, anything else as JSON.
func (o object) str(paths ...string) string {
	for _, path := range paths {
		if s, err := asText(o.at(path)); err == nil && trim(s) != "" {
			return trim(s)
		}
	}
	return ""
}

// has reports whether something stands at each of the paths, be it null.
func (o object) has(paths ...string) bool {
	for _, path := range paths {
		if o.at(path) == nil {
			return false
		}
	}
	return true
}

// any reports whether a text stands at one of the paths.
func (o object) any(paths ...string) bool { return o.str(paths...) != "" }

// sub returns the object at a path, an empty one if there is none.
func (o object) sub(path string) object { return asObject(o.at(path)) }

// first returns the first object of the list at a path, without reading the others; nil if it is no object.
func (o object) first(path string) object {
	d := json.NewDecoder(bytes.NewReader(o.at(path)))
	if start, err := d.Token(); err != nil || start != json.Delim('[') || !d.More() {
		return nil
	}
	var raw json.RawMessage
	if d.Decode(&raw) != nil {
		return nil
	}
	return asObject(raw)
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

// words returns the texts of a list at a path, or of a text that is divided by commas.
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

// bareNames is the object with its names written as bare gives them, without a prefix such as "NAGIOS_".
func (o object) bareNames(prefixes ...string) object {
	if len(o) > mostNames {
		return o
	}
	out := object{}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		plain := bare(name)
		for _, prefix := range prefixes {
			plain = strings.TrimPrefix(plain, prefix)
		}
		if _, taken := out[plain]; !taken {
			out[plain] = o[name]
		}
	}
	return out
}

// tags turns "env:prod" and "env=prod" into labels; a word without a value is its own.
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

// A draft is a signal whose texts are still as they came.
type draft struct {
	action oncall.Action
	hints  []oncall.Hint

	key, group, title, body, link string
	level                         string // the severity, in the monitor's words
	labels, details               map[string]string
	links                         links
	starts, ends                  string
	note                          string
	about                         string // what a text says it is about, for its reader alone
}

// status sets the action by a monitor's word for it.
func (d *draft) status(field, word string) {
	d.action = oncall.Trigger
	if trim(word) != "" {
		d.action, d.hints = readStatus(field, word)
	}
}

// label adds a label, unless it says nothing.
func (d *draft) label(name, value string) {
	if trim(value) == "" {
		return
	}
	if d.labels == nil {
		d.labels = map[string]string{}
	}
	d.labels[name] = value
}

// detail adds a text that has no field of its own, or a link if it is one.
func (d *draft) detail(name, value string) {
	if trim(value) == "" || d.links.add(name, value) {
		return
	}
	if d.details == nil {
		d.details = map[string]string{}
	}
	d.details[name] = value
}

// signal cleans what was drafted. A trigger is called by its key if nothing else names it, and a key is made
// of the title.
func (d draft) signal() oncall.Signal {
	level, unknown := readSeverity("severity", d.level)
	details := cleanDetails(d.links.take(d.details))
	d.links.runbooks(d.labels)
	s := oncall.Signal{
		Action: d.action, DedupKey: cleanKey(d.key), GroupKey: cleanKey(d.group),
		Title: clean(d.title, maxTitle), Body: cutMarked(d.body, maxBody), Link: cleanLink(d.link),
		Links: d.links, Details: details, Severity: level, Labels: cleanLabels(d.labels),
		StartsAt: moment(d.starts), EndsAt: moment(d.ends), Note: cutMarked(d.note, maxDetail), Hints: slices.Concat(d.hints, unknown),
	}
	if s.Action == "" {
		s.Action = oncall.Trigger
	}
	if s.Action == oncall.Trigger && s.Title == "" {
		s.Title = first(clean(d.key, maxTitle), "Alert without a name")
	}
	if s.DedupKey == "" {
		s.DedupKey = hash(stem(s.Title))
	}
	if len(s.Links) == 0 {
		s.Links = nil
	}
	return s
}

func one(d draft) ([]oncall.Signal, error) { return []oncall.Signal{d.signal()}, nil }

// fromObject makes a parser of bodies out of one of objects.
func fromObject(read func(object) ([]oncall.Signal, error)) func([]byte) ([]oncall.Signal, error) {
	return func(body []byte) ([]oncall.Signal, error) {
		body, err := prepare(body)
		if err != nil {
			return nil, err
		}
		var o object
		if err := json.Unmarshal(body, &o); err != nil {
			return nil, notJSON(err)
		}
		return read(o)
	}
}

// moment reads an instant as monitors write it: RFC 3339, nearly so, or seconds or milliseconds since 1970. A time
// without a zone says nothing.
func moment(text string) time.Time {
	text = trim(text)
	if t := instant(text); !t.IsZero() {
		return t
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return instant(t.Format(time.RFC3339Nano))
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || n < 1e9 || n >= 1e14:
		return time.Time{}
	case n < 1e11:
		return time.UnixMicro(int64(n * 1e6)).UTC()
	}
	return time.UnixMilli(int64(n)).UTC()
}
