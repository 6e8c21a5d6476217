package intake

import (
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"
)

// The body decides what it is, because headers can be missing or wrong.
func TestFormIgnoresTheContentType(t *testing.T) {
	t.Parallel()
	const parts = "--b1\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n{\"msg\":\"x\"}\r\n--b1--\r\n"
	for _, kind := range []string{"", "text/plain", "application/json", "application/octet-stream", "multipart/form-data", "multipart/form-data; boundary=b1", "application/x-www-form-urlencoded", "/;"} {
		for body, want := range map[string]string{
			`{"title":"x"}`:                        `{"title":"x"}`,
			` [{"title":"x"}]`:                     ` [{"title":"x"}]`,
			"Status=Down&Name=Shop&StatusCode=0":   `{"Name":"Shop","Status":"Down","StatusCode":"0"}`,
			"title=Disk+is+full\n":                 `{"title":"Disk is full"}`,
			parts:                                  `{"msg":"x"}`,
			"title=Disk is full":                   "",
			"disk=full":                            "",
			"--b1\r\nContent-Type: text/plain\r\n": "",
			"Disk is full":                         "",
			"aGFsbG8=":                             "",
		} {
			got := string(RequestJSON(url.Values{}, kind, []byte(body)))
			if want == "" && kind != "application/x-www-form-urlencoded" && !strings.HasPrefix(kind, "multipart/form-data; b") {
				want = body
			}
			if want != "" && got != want {
				t.Errorf("%q as %q: %s, want %s", body, kind, got, want)
			}
		}
	}
	for body, want := range map[string]string{
		`{"summary":"x"}`: `{"dedup":"k","summary":"x"}`, `{ }`: `{"dedup":"k" }`, `{"dedup":"own"}`: `{"dedup":"k","dedup":"own"}`, `[]`: `[]`,
	} {
		if got := string(RequestJSON(url.Values{"dedup": {"k"}}, "application/json", []byte(body))); got != want {
			t.Errorf("%s with a key in the address: got %s, want %s", body, got, want)
		}
	}
	latin := []byte("{\"title\":\"St\xf6rung\"}")
	if got := string(RequestJSON(url.Values{}, "application/json; charset=ISO-8859-1", latin)); got != `{"title":"Störung"}` {
		t.Errorf("ISO-8859-1: got %s, want it in UTF-8", got)
	}
}

// The key is searched for in every body, even from senders that have not shown one yet, so the search
// must be cheap.
func TestKeySearchIsCheap(t *testing.T) {
	var names strings.Builder
	for i := range 45_000 {
		fmt.Fprintf(&names, `"%x":{},`, i)
	}
	fill := strings.Repeat("[[0],0],", 60_000)
	for name, body := range map[string]string{
		"names in the key":   `{"routing_key":{` + names.String() + `"":0}}`,
		"lists in the key":   `{"routing_key":[` + fill + `0]}`,
		"names in the other": `{"service_key":{` + names.String() + `"":0}}`,
		"names beside it":    `{` + names.String() + `"routing_key":0}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if key := Key([]byte(body)); key != "" {
			t.Errorf("%s: %q, want nothing", name, key)
		}
		runtime.ReadMemStats(&after)
		if used := (after.TotalAlloc - before.TotalAlloc) >> 10; used > uint64(4*len(body))>>10 {
			t.Errorf("%s: a body of %d KiB took %d KiB, want at most four times its size", name, len(body)>>10, used)
		}
	}
	for body, want := range map[string]string{
		`{"routing_key":"abc"}`: "abc", `{"service_key":" abc "}`: "abc", `{"routing_key":"","service_key":"abc"}`: "abc",
		`{"routing_key":7,"service_key":"abc"}`: "abc", `{"routing_key":null}`: "", `{"routing_key":["abc"]}`: "", `{}`: "", ``: "", `[`: "",
		"\ufeff{\"Routing_Key\":\"a\\u0062c\"}": "abc",
	} {
		if got := Key([]byte(body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
