package route

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// Limits of a condition, in bytes.
const (
	maxCondition = 1_000
	maxPattern   = 300
)

// A condition is one test of an alert.
type condition struct {
	written string
	field   string
	of      func(*Facts) string
	verb    verb
	not     bool
	values  []string
	pattern *regexp.Regexp
}

type verb string

const (
	is         verb = "is"
	isOneOf    verb = "is one of"
	startsWith verb = "starts with"
	contains   verb = "contains"
	exists     verb = "exists"
	matches    verb = "matches"
)

// verbs are the words between a field and its value, longest first.
var verbs = []struct {
	words string
	verb  verb
	not   bool
}{
	{"does not start with", startsWith, true},
	{"does not contain", contains, true},
	{"does not exist", exists, true},
	{"does not match", matches, true},
	{"is not one of", isOneOf, true},
	{"starts with", startsWith, false},
	{"is one of", isOneOf, false},
	{"contains", contains, false},
	{"matches", matches, false},
	{"is not", is, true},
	{"exists", exists, false},
	{"is", is, false},
}

// otherwise maps words and signs of other systems to ours.
var otherwise = map[string]string{
	"=": "is", "==": "is", "equals": "is", "eq": "is", "are": "is", "isnt": "is not", "isn't": "is not", "!=": "is not", "<>": "is not", "ne": "is not", "not": "is not",
	"=~": "matches", "~": "matches", "match": "matches", "like": "matches", "!~": "does not match",
	"in": "is one of", "one": "is one of", "any": "is one of", "startswith": "starts with", "start": "starts with", "starts": "starts with", "begins": "starts with", "prefix": "starts with",
	"includes": "contains", "contain": "contains", "has": "contains", "ends": "matches .*", "endswith": "matches .*", "exist": "exists", "present": "exists", "set": "exists",
}

// parseCondition parses a condition such as "labels.env is one of staging, test".
func parseCondition(written string) (*condition, error) {
	if len(written) > maxCondition {
		return nil, fmt.Errorf("it is longer than %d characters", maxCondition)
	}
	text := strings.TrimSpace(written)
	field, rest, err := cutField(text)
	if err != nil {
		return nil, err
	}
	c := &condition{written: text, field: field}
	if c.of, err = reader(field); err != nil {
		return nil, err
	}
	words := strings.Join(strings.Fields(rest), " ")
	value := ""
	for _, v := range verbs {
		if after, ok := cutWords(rest, v.words); ok {
			c.verb, c.not, value = v.verb, v.not, after
			break
		}
	}
	if c.verb == "" {
		return nil, unknownVerb(field, words)
	}
	if err := c.read(value); err != nil {
		return nil, err
	}
	return c, c.check()
}

// cutField splits a condition into its field and the rest. A label whose name has blanks is written
// labels["its name"].
func cutField(text string) (field, rest string, err error) {
	open := strings.Index(text, `["`)
	space := strings.IndexAny(text, " \t")
	if open > 0 && (space < 0 || open < space) {
		quoted, err := strconv.QuotedPrefix(text[open+1:])
		after := text[open+1+len(quoted):]
		if err != nil || !strings.HasPrefix(after, "]") {
			return "", "", fmt.Errorf(`%q begins a name with [" that nothing ends; write labels["a name"]`, text)
		}
		name, _ := strconv.Unquote(quoted)
		return text[:open] + "." + name, strings.TrimSpace(after[1:]), nil
	}
	if space < 0 {
		return text, "", nil
	}
	return text[:space], strings.TrimSpace(text[space:]), nil
}

// reader returns the function that reads a field.
func reader(field string) (func(*Facts) string, error) {
	if of := fields[field]; of != nil {
		return of, nil
	}
	kind, name, dotted := strings.Cut(field, ".")
	if of := named[kind]; of != nil && dotted && name != "" {
		return func(f *Facts) string { return of(f)[name] }, nil
	}
	return nil, unknownField(field)
}

func unknownField(field string) error {
	kind, name, dotted := strings.Cut(field, ".")
	names := []string{"labels.NAME", "details.NAME"}
	for known := range fields {
		names = append(names, known)
	}
	slices.Sort(names)
	var guess string
	switch {
	case field == "":
		return errors.New(`it is empty; write such as "labels.env is staging"`)
	case named[kind] != nil:
		return fmt.Errorf("%q lacks a name; write %s.NAME", field, kind)
	case dotted && oncall.Nearest(kind, []string{"labels", "details"}) != "":
		guess = oncall.Nearest(kind, []string{"labels", "details"}) + "." + name
	case oncall.Nearest(field, names) != "":
		guess = oncall.Nearest(field, names)
	default:
		guess = "labels." + field
	}
	return fmt.Errorf("there is no field %q; did you mean %q? There are %s", field, guess, strings.Join(names, ", "))
}

// cutWords cuts words from the beginning of a text, with any blanks between them.
func cutWords(text, words string) (string, bool) {
	for word := range strings.FieldsSeq(words) {
		text = strings.TrimLeft(text, " \t\n")
		after, ok := strings.CutPrefix(text, word)
		if !ok || after != "" && !strings.ContainsAny(after[:1], " \t\n") {
			return "", false
		}
		text = after
	}
	return strings.TrimSpace(text), true
}

func unknownVerb(field, words string) error {
	var all []string
	for _, v := range verbs {
		if !v.not {
			all = append(all, string(v.verb))
		}
	}
	slices.Sort(all)
	if words == "" {
		return fmt.Errorf("%q says nothing of the field; write %q, or one of %s", field, field+" exists", strings.Join(all, ", "))
	}
	first, _, _ := strings.Cut(words, " ")
	guess := otherwise[strings.ToLower(strings.Trim(first, ":"))]
	if guess == "" {
		guess = oncall.Nearest(first, all)
	}
	if guess == "" {
		return fmt.Errorf("%q is none of %s, or one of these with not: is not, does not contain", first, strings.Join(all, ", "))
	}
	return fmt.Errorf("%q is none of %s; did you mean %q?", first, strings.Join(all, ", "), field+" "+guess)
}

// read parses the text after the verb.
func (c *condition) read(text string) error {
	var err error
	switch c.verb {
	case exists:
		if text != "" {
			return fmt.Errorf("after %q nothing may follow; it says %q", "exists", text)
		}
		return nil
	case isOneOf:
		if c.values, err = readValues(text); err != nil {
			return err
		}
	default:
		value, rest, err := readValue(text, false)
		if err != nil {
			return err
		}
		if rest != "" {
			return fmt.Errorf("after the quoted value follows %q", rest)
		}
		c.values = []string{value}
	}
	if c.verb != matches {
		return nil
	}
	if len(c.values[0]) > maxPattern {
		return fmt.Errorf("the pattern is longer than %d characters", maxPattern)
	}
	if c.pattern, err = regexp.Compile(`^(?s:` + c.values[0] + `)$`); err != nil {
		return fmt.Errorf("the pattern %q can't be read: %s", c.values[0], patternFault(err))
	}
	return nil
}

func patternFault(err error) string {
	var fault interface{ Unwrap() error }
	if errors.As(err, &fault) {
		err = fault.Unwrap()
	}
	return strings.TrimPrefix(err.Error(), "error parsing regexp: ")
}

// readValue parses one value: a quoted text, or else the whole rest. In a list it ends at a comma.
func readValue(text string, list bool) (value, rest string, err error) {
	if strings.HasPrefix(text, `"`) {
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return "", "", fmt.Errorf("%s begins with a quotation mark, and none ends it", text)
		}
		value, err = strconv.Unquote(quoted)
		return value, strings.TrimSpace(text[len(quoted):]), err
	}
	value = text
	if list {
		if i := strings.IndexByte(text, ','); i >= 0 {
			value, rest = text[:i], text[i:]
		}
	}
	if value = strings.TrimSpace(value); value == "" {
		return "", "", errors.New(`a value is missing; an empty one is written ""`)
	}
	return value, rest, nil
}

// maxValues is how many values a condition may list.
const maxValues = 100

func readValues(text string) (out []string, err error) {
	for {
		value, rest, err := readValue(text, true)
		if err != nil {
			return nil, err
		}
		out = append(out, value)
		if rest == "" {
			return out, nil
		}
		if rest[0] != ',' || len(out) == maxValues {
			return nil, fmt.Errorf("%q can't stand there; write at most %d values with commas between them", rest, maxValues)
		}
		text = strings.TrimSpace(rest[1:])
	}
}

// check refuses conditions that are valid but surely a mistake.
func (c *condition) check() error {
	for _, value := range c.values {
		if !c.quoted() && c.verb != matches && strings.HasSuffix(value, "*") && len(value) > 1 {
			return fmt.Errorf("* stands for itself in %q; did you mean %q? (in quotes it is taken as it is)", value, c.field+" starts with "+strings.TrimRight(value, "*"))
		}
		if !c.quoted() && c.verb != matches && len(value) > 2 && value[0] == '/' && value[len(value)-1] == '/' {
			return fmt.Errorf("%q looks like a pattern; did you mean %q? (in quotes it is taken as it is)", value, c.field+" matches "+strings.Trim(value, "/"))
		}
	}
	if c.field != "severity" {
		return nil
	}
	if c.verb != is && c.verb != isOneOf {
		return fmt.Errorf("a severity is critical, high, medium or low: write %q", "severity is one of critical, high")
	}
	for _, value := range c.values {
		if !slices.Contains(oncall.Severities(), oncall.Severity(value)) {
			guess, known := oncall.ParseSeverity(value)
			if !known {
				return fmt.Errorf("%q is not a severity; there are critical, high, medium and low", value)
			}
			return fmt.Errorf("%q is not a severity; did you mean %q? There are critical, high, medium and low", value, guess)
		}
	}
	return nil
}

// quoted reports whether a value was written in quotes.
func (c *condition) quoted() bool { return strings.Contains(c.written, `"`) }

// isTrue reports whether the facts meet the condition.
func (c *condition) isTrue(f *Facts) bool { return c.says(c.of(f)) != c.not }

func (c *condition) says(value string) bool {
	switch c.verb {
	case isOneOf:
		return slices.Contains(c.values, value)
	case startsWith:
		return strings.HasPrefix(value, c.values[0])
	case contains:
		return strings.Contains(value, c.values[0])
	case exists:
		return value != ""
	case matches:
		return c.pattern.MatchString(value)
	default:
		return value == c.values[0]
	}
}

// shownValue is how much of a value a verdict shows, in bytes.
const shownValue = 80

// unmet explains why the facts don't meet the condition.
func (c *condition) unmet(f *Facts) string {
	value := c.of(f)
	if value == "" {
		return fmt.Sprintf("%s: the alert has no %s", c.written, c.field)
	}
	shown := value
	if len(shown) > shownValue {
		shown = strings.ToValidUTF8(shown[:shownValue], "") + "…"
	}
	as := ""
	if c.verb == matches {
		as = fmt.Sprintf(" (matches whole: %s)", c.pattern)
	}
	return fmt.Sprintf("%s: it is %q%s", c.written, shown, as)
}

// always reports whether the condition gives the same result for every alert of an integration.
func (c *condition) always() bool {
	switch c.field {
	case "integration", "team", "kind":
		return true
	case "title", "severity", "service", "dedup_key":
		return c.verb == exists
	}
	return false
}
