package intake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// What a signal may hold at most. Text is cut, a key is hashed, a link that is too
// long is left out.
const (
	maxTitle      = 1_024  // runes
	maxBody       = 15_000 // runes
	maxKey        = 512    // bytes
	maxLink       = 2_048  // bytes
	maxLabels     = 128
	maxLabelName  = 256   // runes
	maxLabelValue = 1_024 // runes
)

// What a payload may hold at most; more is an attack or a mistake.
const (
	maxDepth    = 64
	maxBrackets = 200_000 // objects and arrays; an alert of Alertmanager has three
)

// prepare finds what would cost too much to decode, and the beginning of the JSON.
func prepare(body []byte) ([]byte, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	body = bytes.Trim(body, " \t\r\n")
	switch {
	case len(body) == 0:
		return nil, problem("", "The body is empty; send one JSON object.")
	case body[0] == '[':
		return nil, problem("", "The body is a JSON array; send one JSON object.")
	case body[0] != '{':
		return nil, problem("", "The body does not begin with \"{\"; send one JSON object.")
	}
	depth, brackets, quoted := 0, 0, false
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
		}
		if depth > maxDepth {
			return nil, problem("", "The body is nested more than %d levels deep; flatten it.", maxDepth)
		}
		if brackets > maxBrackets {
			return nil, problem("", "The body has more than %d objects and arrays; send fewer alerts at once.", maxBrackets)
		}
	}
	return body, nil
}

// clean takes out what Postgres can't store, and cuts to a number of runes. The
// decoder has replaced invalid UTF-8 already.
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

func trim(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\x00", "")) }

// cleanKey never cuts, so that two long keys stay two: it hashes.
func cleanKey(s string) string {
	s = trim(s)
	if len(s) > maxKey {
		return hash(s)
	}
	return s
}

// cleanLink returns the first of the addresses that a browser can open; a bad
// link is no reason to refuse an alert.
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

// severity leaves a blank blank: it says nothing of how bad it is.
func severity(word string) oncall.Severity {
	if word = trim(word); word == "" {
		return ""
	}
	return oncall.ParseSeverity(word)
}

// hash makes a key of text. 0xff, which no UTF-8 has, ends each part.
func hash(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0xff})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// first returns the first that is not blank.
func first(texts ...string) string {
	for _, s := range texts {
		if trim(s) != "" {
			return s
		}
	}
	return ""
}
