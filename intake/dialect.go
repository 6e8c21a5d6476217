package intake

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// A dialect maps one sender's field names to those of generic JSON, for senders that need no format of
// their own. In its texts, a path in braces stands for the value there, and bars separate
// alternatives: "{check.alias|check.url} is down".
type dialect struct {
	has   string                    // paths that together identify this sender
	where map[string]*regexp.Regexp // patterns that the values at paths must match

	key, title, status, body, link, level string
	labels                                map[string]string

	over   string                   // a path; if it has a value, the alert is resolved
	words  map[string]oncall.Action // the meaning of status words, normalized
	others oncall.Action            // the meaning of any other word, or of no word; empty: the usual meaning
	levels map[string]string        // the severities of levels
	tags   bool                     // texts beside those of the sender, whose names begin with "_", are part of the key
}

const (
	opens   = oncall.Trigger
	closes  = oncall.Clear
	acks    = oncall.AckSignal
	mention = oncall.Update
)

// inDialect reads an object in a known dialect.
func inDialect(o object) ([]oncall.Signal, bool) {
	if o.isGenericAlert() || len(o) > maxNames {
		return nil, false
	}
	plain := o.normalizedNames()
	inner := map[string]object{} // objects already parsed
	for _, s := range dialects {
		for _, about := range []object{o, plain} {
			if s.fits(about, inner) {
				return []oncall.Signal{s.draft(about).signal()}, true
			}
		}
	}
	return nil, false
}

func matching(path, like string) map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{path: regexp.MustCompile(like)}
}

func (dl dialect) fits(o object, seen map[string]object) bool {
	for path := range strings.FieldsSeq(dl.has) {
		name, rest, deeper := strings.Cut(path, ".")
		if len(o[name]) == 0 {
			return false
		}
		if !deeper {
			continue
		}
		if _, looked := seen[name]; !looked {
			seen[name] = asObject(o[name])
		}
		if !seen[name].any(rest) {
			return false
		}
	}
	for path, like := range dl.where {
		if !like.MatchString(o.str(path)) {
			return false
		}
	}
	return true
}

func (dl dialect) draft(o object) draft {
	d := draft{
		key: fill(o, dl.key), title: fill(o, dl.title), body: fill(o, dl.body), link: fill(o, dl.link), level: fill(o, dl.level), labels: map[string]string{},
	}
	word := fill(o, dl.status)
	action, known := dl.words[normalize(word)]
	switch {
	case dl.over != "" && o.any(dl.over):
		d.action = oncall.Clear
	case known:
		d.action = action
	case dl.others != "" && (word == "" || !isStatus(word)):
		d.action = dl.others
	case word == "":
		d.action, _ = actionInTitle(d.title)
	default:
		d.status("status", word)
	}
	if level, known := dl.levels[d.level]; known {
		d.level = level
	} else if otherwise, ok := dl.levels[""]; ok {
		d.level = otherwise
	}
	if d.action == oncall.Clear {
		d.level = "" // "ok" is none
	}
	shown := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(dl.labels)) {
		d.label(name, fill(o, "{"+dl.labels[name]+"}"))
		shown[dl.labels[name]] = true
	}
	for _, text := range []string{dl.key, dl.title, dl.status, dl.body, dl.link, dl.level} {
		for _, paths := range inBraces.FindAllString(text, -1) {
			for path := range strings.SplitSeq(strings.Trim(paths, "{}"), "|") {
				shown[path] = shown[path] || o.any(path)
			}
		}
	}
	dl.rest(&d, o, shown)
	return d
}

// rest adds the fields that have not been shown, whole or in part, as details.
func (dl dialect) rest(d *draft, o object, shown map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		text, err := asText(o[name])
		if err != nil || text == "" || secretName(name) || o[name][0] == '{' || o[name][0] == '[' {
			continue
		}
		if dl.tags && !strings.HasPrefix(name, "_") && o[name][0] == '"' {
			d.key += "/" + text
		}
		if !shown[name] && text != d.title && text != d.body {
			d.detail(name, text)
		}
	}
}

var inBraces = regexp.MustCompile(`\{[^}]*\}`)

// fill replaces the paths in a text with their values. The words around a path without a value are
// dropped.
func fill(o object, text string) string {
	out, at, missing := "", 0, false
	for _, found := range inBraces.FindAllStringIndex(text, -1) {
		between, value := text[at:found[0]], ""
		at = found[1]
		for path := range strings.SplitSeq(text[found[0]+1:found[1]-1], "|") {
			if value = oneLine(valueAt(o, path)); value != "" {
				break
			}
		}
		switch {
		case value == "":
			missing = true
		case out == "":
			out = strings.TrimLeft(between+value, ": ")
		default:
			out += between + value
		}
	}
	if at == 0 {
		return text
	}
	if out != "" && !missing {
		out += text[at:]
	}
	return out
}

func valueAt(o object, path string) string {
	if list, rest, ok := strings.Cut(path, ".0."); ok {
		return o.first(list).str(rest)
	}
	if path, ok := strings.CutSuffix(path, ":site"); ok {
		address, err := url.Parse(o.str(path))
		if err != nil || address.Host == "" {
			return ""
		}
		return address.Scheme + "://" + address.Host
	}
	return o.str(path)
}

// oneLine returns a string value; an object or a list has no short form.
func oneLine(text string) string {
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[{") || text == "[]" {
		return ""
	}
	return text
}
