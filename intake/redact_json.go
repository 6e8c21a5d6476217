package intake

import (
	"bytes"
	"encoding/json"
)

// maxTextDepth is how many levels of JSON inside strings are searched.
const maxTextDepth = 3

// hideJSON hides values with names like secrets', and leaves all else untouched, even in truncated
// or invalid JSON.
func hideJSON(in []byte, depth int) []byte {
	out := make([]byte, 0, len(in)+len(in)/16)
	level, from := 0, -1 // the current depth, and the depth from which everything is secret
	secret := false      // whether the next value is
	for i := 0; i < len(in); {
		switch c := in[i]; {
		case c == '"':
			end := textEnd(in, i)
			text := in[i:end]
			i = end
			switch {
			case isName(in, end):
				secret = secretName(unquoted(text))
				out = append(out, text...)
				continue
			case secret || from >= 0:
				text = []byte(`"` + Hidden + `"`)
			case depth < maxTextDepth && bytes.Contains(text, []byte(`\"`)):
				text = hideInText(text, depth)
			}
			out = append(out, text...)
			secret = false
		case c == '{' || c == '[':
			if secret && from < 0 {
				from = level
			}
			secret = false
			level++
			out = append(out, c)
			i++
		case c == '}' || c == ']':
			if level--; level <= from {
				from = -1
			}
			secret = false
			out = append(out, c)
			i++
		case (secret || from >= 0) && (c >= '0' && c <= '9' || c == '-'):
			for i < len(in) && !bytes.ContainsRune([]byte(",}] \t\r\n"), rune(in[i])) {
				i++
			}
			out = append(out, `"`+Hidden+`"`...)
			secret = false
		default:
			if c == ',' {
				secret = false
			}
			out = append(out, c)
			i++
		}
	}
	return out
}

// hideInText hides secrets in a string that holds JSON itself.
func hideInText(text []byte, depth int) []byte {
	inner := unquoted(text)
	start := bytes.TrimLeft([]byte(inner), " \t\r\n")
	if len(start) == 0 || start[0] != '{' && start[0] != '[' {
		return text
	}
	hidden := hideJSON([]byte(inner), depth+1)
	if string(hidden) == inner {
		return text
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(string(hidden)) // encoding a string never fails
	return bytes.TrimRight(b.Bytes(), "\n")
}

// textEnd returns the end of the string that begins at a quotation mark.
func textEnd(in []byte, begin int) int {
	for i := begin + 1; i < len(in); i++ {
		switch in[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(in)
}

// isName reports whether the string that ended here is a field's name.
func isName(in []byte, end int) bool {
	for ; end < len(in); end++ {
		switch in[end] {
		case ' ', '\t', '\r', '\n':
		default:
			return in[end] == ':'
		}
	}
	return false
}

// unquoted returns a string's value, or as much of it as there is if it was cut off.
func unquoted(text []byte) string {
	if !bytes.ContainsRune(text, '\\') {
		return string(bytes.Trim(text, `"`))
	}
	var s string
	if json.Unmarshal(text, &s) == nil {
		return s
	}
	for cut := len(text); cut > max(1, len(text)-12); cut-- { // it may end inside an escape
		if json.Unmarshal(append(bytes.Clone(text[:cut]), '"'), &s) == nil {
			return s
		}
	}
	return string(bytes.Trim(text, `"`))
}
