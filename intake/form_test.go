package intake

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// The key is looked for in the bodies of everybody, before anybody has shown one: that has to be cheap.
func TestLookingForTheKeyIsCheap(t *testing.T) {
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
			t.Errorf("%s: %q", name, key)
		}
		runtime.ReadMemStats(&after)
		if used := (after.TotalAlloc - before.TotalAlloc) >> 10; used > uint64(4*len(body))>>10 {
			t.Errorf("%s: %d KiB of %d took %d KiB", name, len(body)>>10, len(body)>>10, used)
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
