package intake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	breaks = regexp.MustCompile(`(?i)<br[^>]*>|</(?:p|div|li|tr|h\d)>`)
	tagged = regexp.MustCompile(`</?[a-zA-Z][^>]*>`)
)

// withoutTags returns the text of a piece of HTML.
func withoutTags(text string) string {
	text = tagged.ReplaceAllString(breaks.ReplaceAllString(text, "\n"), "")
	var lines []string
	for line := range strings.SplitSeq(html.UnescapeString(text), "\n") {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(nonBlank(lines...), "\n")
}

// nonBlank returns the texts that are not blank.
func nonBlank(texts ...string) []string {
	var out []string
	for _, s := range texts {
		if trim(s) != "" {
			out = append(out, trim(s))
		}
	}
	return out
}

func firstOf(text string, others []string) string {
	if text == "" && len(others) > 0 {
		return others[0]
	}
	return text
}

// Limits of a signal. Longer text is cut, longer keys are hashed, and longer links are dropped.
const (
	maxTitle      = 1_024  // runes
	maxLines      = 300    // runes, of a title joined from several lines
	maxBody       = 32_000 // runes
	maxKey        = 512    // bytes
	maxLink       = 2_048  // bytes
	maxLabels     = 128
	maxLabelName  = 256   // runes
	maxLabelValue = 1_024 // runes
)

// Limits of a payload; anything beyond is an attack or a mistake.
const (
	maxDepth    = 64
	maxBrackets = 200_000 // objects and arrays; an Alertmanager alert has three
	maxValues   = 200_000 // in objects or arrays; an Alertmanager alert has some twenty
)

// prepare strips whatever surrounds the JSON object, and refuses an object that is too costly to
// decode.
func prepare(body []byte) ([]byte, error) {
	body = trimmed(body)
	switch {
	case len(body) == 0:
		return nil, problem("", "The body is empty; send one JSON object.")
	case body[0] == '[':
		return nil, problem("", "The body is a JSON array; send one JSON object.")
	case body[0] != '{':
		return nil, problem("", "The body does not begin with \"{\"; send one JSON object.")
	}
	return body, checkCost(body)
}

func trimmed(body []byte) []byte {
	return bytes.Trim(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
}

// checkCost refuses JSON that is too costly to decode.
func checkCost(body []byte) error {
	depth, brackets, commas, colons, quoted := 0, 0, 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			brackets++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			commas++
		case c == ':':
			colons++
		}
		if depth > maxDepth {
			return tooCostly("The body is nested more than %d levels deep; flatten it.", maxDepth)
		}
		if brackets > maxBrackets {
			return tooCostly("The body has more than %d objects and arrays; send fewer alerts at once.", maxBrackets)
		}
		if max(commas, colons) > maxValues {
			return tooCostly("The body has more than %d values; send fewer alerts at once.", maxValues)
		}
	}
	return nil
}

// clean removes what PostgreSQL can't store and cuts the text to a number of runes. The decoder has
// already replaced invalid UTF-8.
func clean(s string, runes int) string {
	s = trim(s)
	if len(s) <= runes {
		return s
	}
	n := 0
	for i := range s {
		if n == runes {
			return strings.TrimSpace(s[:i])
		}
		n++
	}
	return s
}

// cutMarked is like clean, for long text: it says how much was cut.
func cutMarked(s string, runes int) string {
	s = trim(s)
	n := utf8.RuneCountInString(s)
	if n <= runes {
		return s
	}
	const room = 40
	return clean(s, runes-room) + fmt.Sprintf("\n[%d more characters]", n-runes+room)
}

func trim(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\x00", "")) }

// cleanKey hashes a long key, because cutting it could make two keys equal.
func cleanKey(s string) string {
	s = trim(s)
	if len(s) > maxKey {
		return hash(s)
	}
	return s
}

// cleanLink returns the first address that a browser can open. A bad link is no reason to refuse an
// alert.
func cleanLink(links ...string) string {
	for _, s := range links {
		s = strings.TrimSpace(s)
		u, err := url.Parse(s)
		if err == nil && len(s) <= maxLink && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
			return s
		}
	}
	return ""
}

func cleanLabels(labels map[string]string) map[string]string {
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if len(out) == maxLabels {
			break
		}
		if clean(name, maxLabelName) != "" {
			out[clean(name, maxLabelName)] = clean(labels[name], maxLabelValue)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// hash makes a key from texts. Each part ends with 0xff, which never occurs in UTF-8.
func hash(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0xff})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// first returns the first text that is not blank.
func first(texts ...string) string {
	for _, s := range texts {
		if trim(s) != "" {
			return s
		}
	}
	return ""
}
