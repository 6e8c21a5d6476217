package audit

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// Every act has words, and no two of them the same.
func TestEveryOperationHasASentence(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("entry.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]Operation{}
	acts := regexp.MustCompile(`\bOperation = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	for _, m := range acts {
		act := Operation(m[1])
		words := did[act]
		if !strings.Contains(words, "%s") {
			t.Errorf(`%s: %q, want it to contain "%%s"`, act, words)
		}
		if other, twice := seen[words]; twice {
			t.Errorf("%s and %s are both %q, want different words", act, other, words)
		}
		seen[words] = act
	}
	if len(acts) != len(did) || len(acts) < 30 {
		t.Errorf("%d acts and %d words, want as many, and at least 30", len(acts), len(did))
	}
}

func TestEntrySentences(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]Entry{
		`changed the team "payments"`:                          {Act: Changed, Kind: Team, Name: "payments"},
		`added time off of BO`:                                 {Act: TimeOffAdded, Kind: Person, About: "BO"},
		`made a calendar of the schedule "primary"`:            {Act: CalendarMade, Kind: Schedule, Name: "primary", About: "BO", By: oncall.ByUser("BO")},
		`ended a calendar of the schedule "p", which is of BO`: {Act: CalendarEnded, Kind: Schedule, Name: "p", About: "BO", By: oncall.ByUser("ANN")},
		`used another secret of the installation`:              {Act: SecretUsed, Kind: Installation, Name: "secret"},
		`painted blue the policy "p"`:                          {Act: "painted_blue", Kind: Policy, Name: "p"},
		`removed the schedule "100%s"`:                         {Act: Removed, Kind: Schedule, Name: "100%s"},
	} {
		if got := e.Sentence().String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestParseSince(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 30, 23, 30, 0, 0, time.UTC) // half past midnight in Berlin
	for text, want := range map[string]string{
		"7d": "2026-11-23T23:30:00Z", "2w": "2026-11-16T23:30:00Z", "90m": "2026-11-30T22:00:00Z", "Today": "2026-11-30T23:00:00Z",
		"yesterday": "2026-11-29T23:00:00Z", "2026-11-01": "2026-10-31T23:00:00Z",
		"": "", "-1d": "", "0d": "", "1e9d": "", "99999999d": "", "never": "", "d": "",
	} {
		got, ok := ParseSince(text, at, berlin)
		if said := got.UTC().Format(time.RFC3339); ok != (want != "") || ok && said != want {
			t.Errorf("%q: %s %v, want %q", text, said, ok, want)
		}
	}
	for word, want := range map[string]Kind{"Schedules": Schedule, "policies": Policy, "user group": UserGroup, "users": Person, "payments": ""} {
		if got, _ := ParseKind(word); got != want {
			t.Errorf("%q is %q, want %q", word, got, want)
		}
	}
}
