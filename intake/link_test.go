package intake_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

// A runbook is found wherever monitors put it, and comes first.
func TestRunbookIsFound(t *testing.T) {
	t.Parallel()
	alert := func(in string) string {
		return `{"status":"firing","groupKey":"g","alerts":[{"fingerprint":"f","generatorURL":"https://prom.example.com/g",` + in + `}]}`
	}
	const run = "https://run.example.com/disk"
	for _, body := range []string{
		alert(`"annotations":{"runbook_url":"` + run + `"}`),
		alert(`"annotations":{"runbook":"` + run + `"}`),
		alert(`"annotations":{"runbookURL":"` + run + `"},"dashboardURL":"https://g.example.com/d"`),
		alert(`"labels":{"runbook":"` + run + `"}`),
		alert(`"labels":{"runbook_url":"` + run + `"}`),
		`{"title":"disk","link":"https://x.example.com","runbook_url":"` + run + `"}`,
		`{"title":"disk","link":"https://x.example.com","runbook":"` + run + `"}`,
		`{"title":"disk","labels":{"runbook":"` + run + `"}}`,
		`{"title":"disk","links":[{"href":"https://x.example.com","text":"Graph"},{"href":"` + run + `","text":"runbook"}]}`,
		`{"title":"disk","links":[{"url":"` + run + `","title":"Runbook"}]}`,
		`{"title":"disk","links":{"Runbook":"` + run + `"}}`,
		`{"alerts":[],"title":"disk","links":[{"url":"` + run + `","name":"Run book"}]}`,
	} {
		for _, format := range intake.Formats {
			signals, err := format.Parse([]byte(body))
			if err != nil || signals[0].Action == oncall.PingSignal {
				continue // refused, or not an alert
			}
			if l := signals[0].Links; len(l) == 0 || l[0] != (oncall.Link{Text: "Runbook", URL: run}) {
				t.Errorf("%s: %s has the links %v, want the runbook first", format.Name, body, l)
			}
		}
	}
}

// A field without a place of its own becomes a detail, and nothing is kept twice.
func TestUnusedFieldsBecomeDetails(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`{"title":"disk","host":"db-1","context":{"free":"1%"},"runbook":"ask Di"}`:                                                                      "context={\"free\":\"1%\"} host=db-1 runbook=ask Di",
		`{"title":"disk","message":"it is full","description":"very","body":""}`:                                                                         "message=it is full",
		`{"title":"disk","url":"javascript:alert(1)","links":[1,"x"]}`:                                                                                   "links=[1,\"x\"] url=javascript:alert(1)",
		`{"title":"disk","labels":{"a":"b"},"severity":"low","status":"firing"}`:                                                                         "",
		`{"groupKey":"g","alerts":[{"fingerprint":"f","annotations":{"summary":"s","title":"t","description":"d","impact":"all"},"valueString":"A=1"}]}`: "impact=all title=t values=A=1",
	}
	for body, want := range cases {
		signals, err := intake.Generic([]byte(body))
		if err != nil {
			t.Errorf("reading %s: %v, want a signal", body, err)
			continue
		}
		var got []string
		for _, name := range slices.Sorted(maps.Keys(signals[0].Details)) {
			got = append(got, name+"="+signals[0].Details[name])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", body, strings.Join(got, " "), want)
		}
	}
}

// A body is kept to its end; one that is too long tells how much is missing.
func TestLongBodiesAreCutWithAMark(t *testing.T) {
	t.Parallel()
	for _, n := range []int{31_999, 32_000, 40_000} {
		signals, err := intake.Generic([]byte(fmt.Sprintf(`{"title":"disk","body":"%s"}`, strings.Repeat("ü", n))))
		if err != nil {
			t.Fatal(err)
		}
		body := signals[0].Body
		whole := utf8.RuneCountInString(body) == n
		marked := strings.HasSuffix(body, "[8040 more characters]")
		if whole != (n <= 32_000) || marked != (n == 40_000) {
			t.Errorf("%d characters became %d, ending in %q, want them whole: %t, marked as cut: %t", n, utf8.RuneCountInString(body), body[len(body)-30:], n <= 32_000, n == 40_000)
		}
	}
}
