package api_test

import (
	"cmp"
	"net/http"
	"strings"
	"testing"
)

// With a valid key nothing is refused: an unreadable body pages somebody, once for each
// integration, and the response tells why.
func TestUnreadableBodiesPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	z := func(s string) string { return gzipped(t, []byte(s)) }
	const x = `{"title":"x"}`
	nested := strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)
	for _, c := range []struct{ name, header, body, hint string }{
		{"a string as a form", "Content-Type: application/x-www-form-urlencoded", `"x"`, "The body is application/x-www-form-urlencoded; send JSON."},
		{"XML", "Content-Type: text/xml", `<a>x</a>`, "The body is text/xml; send JSON."},
		{"text", "Content-Type: text/plain", `disk full`, `The body does not begin with \"{\"; send one JSON object.`},
		{"no body", "", ``, "The body is empty; send one JSON object."},
		{"blanks", "", " \r\n\t", "The body is empty; send one JSON object."},
		{"null", "", `null`, `The body does not begin with \"{\"; send one JSON object.`},
		{"a number", "", `17`, `The body does not begin with \"{\"; send one JSON object.`},
		{"a list of what says nothing", "", `[{"speed":7}]`, "is missing"},
		{"an empty list", "", `[]`, "The body is an empty list; send one JSON object."},
		{"a list of numbers", "", `[7]`, "The body is a JSON array with something else in it than objects."},
		{"an empty object", "", `{}`, "is missing"},
		{"an end of nothing", "", `{"status":"resolved"}`, "is missing"},
		{"no title", "", `{"severity":"low"}`, "is missing"},
		{"half of it", "", `{"title":"x"`, "The body is not valid JSON: unexpected end of JSON input"},
		{"two of them", "", x + x, "after top-level value"},
		{"a word", "", `{"title":x}`, "invalid character 'x' looking for beginning of value (at byte 10)."},
		{"NUL", "", "{\"title\":\"a\x00b\"}", "in string literal"},
		{"UTF-16", "Content-Type: application/json; charset=utf-16", "{\x00\"\x00t\x00\"\x00:\x001\x00}\x00", "not valid JSON"},
		{"depth", "", nested, "nested more than 64 levels deep"},
		{"gzip of gzip", "Content-Encoding: gzip, gzip", z(z(x)), "The body's Content-Encoding is not known; send it plain or as gzip."},
		{"unknown coding", "Content-Encoding: br", "\x0b\x02\x80abc\x03", "The body's Content-Encoding is not known; send it plain or as gzip."},
		{"gzip cut off", "Content-Encoding: gzip", z(x)[:15], "The body is gzip that is damaged or was cut off."},
		{"gzip damaged", "Content-Encoding: gzip", z(x)[:len(z(x))-8] + "12345678", "The body is gzip that is damaged or was cut off."},

		{"latin-1", "Content-Type: application/json; charset=iso-8859-1", "{\"title\":\"caf\xe9\"}", ""},
		{"NUL as an escape", "", `{"title":"a\u0000b","labels":{"x\u0000":"\u0000"},"dedup_key":"\u0000"}`, ""},
		{"half a surrogate", "", `{"title":"a\ud800b"}`, ""},
		{"a huge number", "", `{"title":1e400,"value":1e999999,"labels":{"n":123456789012345678901234567890}}`, ""},
		{"a key twice", "", `{"title":"a","title":"b"}`, ""},
		{"a mark", "", "\ufeff" + x, ""},
		{"gzip", "Content-Encoding: gzip", z(x), ""},
		{"gzip that nothing tells of", "", z(x), ""},
		{"gzip that isn't", "Content-Encoding: gzip", x, ""},
		{"deflate that isn't", "Content-Encoding: deflate", x, ""},
	} {
		for _, key := range []string{genericKey, alertmanagerKey} {
			before := w.storedSignals(`true`)
			got := w.post(key, c.body, cmp.Or(c.header, "Accept: */*"))
			if got.code != http.StatusAccepted || strings.Contains(got.body, `"hints"`) != (c.hint != "") || !strings.Contains(got.body, c.hint) {
				t.Errorf("%s: got %d %s, want 202 and the hint %q", c.name, got.code, got.body, c.hint)
			}
			if n := w.storedSignals(`true`) - before; n != 1 {
				t.Errorf("%s: %d signals are stored, want 1", c.name, n)
			}
		}
	}
	if n := w.storedSignals(`signal->>'dedup_key' = 'watchbill/unread' AND signal->>'title' = 'Alerts came that could not be read'`); n != 2*23 {
		t.Errorf("got %d signals that something could not be read, want %v", n, 2*23)
	}
	if n := w.storedSignals(`signal->>'body' LIKE '%It begins:%disk full%'`); n != 2 {
		t.Errorf("%d signals show how the text began, want 2", n)
	}
}
