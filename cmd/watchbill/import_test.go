package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/importer"
	"github.com/watchbill/watchbill/intake"
)

// pagerDuty responds as the API does, with the importer's fixtures, two items per page.
func pagerDuty(t *testing.T) (address string, asked *[]string) {
	t.Helper()
	asked = &[]string{}
	limited := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Method+" "+r.URL.Path)
		if r.Header.Get("Authorization") != "Token token=hush" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if !limited { // once
			limited = true
			w.Header().Set("Ratelimit-Reset", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		answer, ok := answerOf(t, strings.Split(strings.Trim(r.URL.Path, "/"), "/"))
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		var lists map[string]json.RawMessage
		_ = json.Unmarshal(answer, &lists)
		for key, list := range lists {
			var items []json.RawMessage
			if r.URL.Query().Get("limit") == "" || json.Unmarshal(list, &items) != nil {
				continue
			}
			offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
			end := min(offset+2, len(items))
			answer, _ = json.Marshal(map[string]any{key: items[min(offset, end):end], "more": end < len(items)})
		}
		_, _ = w.Write(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func answerOf(t *testing.T, path []string) ([]byte, bool) {
	name := path[0] + ".json"
	switch {
	case path[0] == "v3" && len(path) == 2:
		return []byte(`{"schedules": [{"id": "PS1", "summary": "Payments primary"}, {"id": "PV3", "summary": "Business hours"}, {"id": "PV4", "summary": "Follow the sun"}]}`), true
	case path[0] == "v3" && len(path) == 3:
		name = "schedule-" + path[2] + ".json"
	case path[0] == "v3":
		name = path[3] + "-" + path[2] + ".json"
	case path[0] == "schedules" && len(path) == 1:
		return []byte(`{"schedules": [{"id": "PS1"}, {"id": "PS2"}]}`), true
	case path[0] == "schedules" && len(path) == 2:
		name = "schedule-" + path[1] + ".json"
	case path[0] == "schedules":
		name = "overrides-" + path[1] + ".json"
	case len(path) == 3:
		name = "members-" + path[1] + ".json"
	}
	text, err := os.ReadFile(filepath.Join("../../importer/testdata/pagerduty", name))
	return text, err == nil
}

func runAt(t *testing.T, at time.Time, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := process{ctx: t.Context(), out: &out, errOut: &errs, getenv: func(string) string { return "" }, clock: func() time.Time { return at }}
	return p.run(args), out.String(), errs.String()
}

func TestImportPagerDuty(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	address, asked := pagerDuty(t)
	kept := filepath.Join(t.TempDir(), "answers")
	code, out, errs := runAt(t, at, "import", "pagerduty", "--token", "hush", "--url", address, "--save", kept)
	if code != 0 {
		t.Fatalf("%d: %s, want 0", code, errs)
	}
	for _, a := range *asked {
		if !strings.HasPrefix(a, "GET ") {
			t.Errorf(`it changes something there: %s, want it to begin with "GET "`, a)
		}
	}
	doc, err := parseSetup([]byte(out))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if wrong := doc.Check(intake.Names()); len(wrong) > 0 {
		t.Errorf("the imported document has problems: %s, want none", wrong)
	}
	for _, want := range []string{
		"  # its Slack channel: #payments-billing is a guess\n  - ",
		"  # layer Layer 1: Eve is no user any more\n  - name: Payments primary\n",
		"  # level 1: Eve is no user any more\n",
		"# service Lost: its escalation policy Deleted is not there; it is left out\n",
		"  # it is shift-based, and its rotations are not among the answers, so nobody is on call; GET /v3/schedules/PV4 has them\n  - {name: Follow the sun, ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the file lacks %q:\n%s", want, out)
		}
	}
	for _, want := range []string{
		"schedule Payments primary: the same for 100.0 % of 90 days\n", "schedule Business hours: the same for 100.0 % of 90 days\n",
		"  Checkout\n    Prometheus: https://watchbill.example.com/v2/enqueue, with KEY as routing key\n", "3 users, 2 teams, 4 schedules, 2 policies, 2 integrations",
	} {
		if !strings.Contains(errs, want) {
			t.Errorf("the report lacks %q:\n%s", want, errs)
		}
	}
	if strings.Contains(out+errs, "hush") {
		t.Error("the output shows the token")
	}
	code, again, errs := runAt(t, at, "import", "pagerduty", "--from", kept)
	if code != 0 || again != out {
		t.Errorf("from what was kept: %d, %s\n%s; want the exit status 0 and the same again, %s", code, errs, again, out)
	}
	files, err := readAnswers(kept)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := importer.ReadPagerDuty(files); err != nil {
		t.Error(err)
	}
}

// opsgenie responds as the API does, one item per page; the link to the next page names another
// server.
func opsgenie(t *testing.T) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")[1:] // without v2
		name := path[0]
		if len(path) > 1 {
			name = map[int]string{2: strings.TrimSuffix(path[0], "s")}[len(path)]
			if len(path) == 3 {
				name = strings.TrimSuffix(path[2], "-rules")
			}
			name += "-" + path[1]
		}
		answer, err := os.ReadFile(filepath.Join("../../importer/testdata/opsgenie", name+".json"))
		if r.Header.Get("Authorization") != "GenieKey hush" || r.Method != http.MethodGet || err != nil {
			w.WriteHeader(map[bool]int{true: http.StatusNotFound, false: http.StatusForbidden}[err != nil])
			return
		}
		var list struct{ Data []json.RawMessage }
		if len(path) == 1 && path[0] != "heartbeats" && json.Unmarshal(answer, &list) == nil {
			offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
			page := map[string]any{"data": list.Data[min(offset, len(list.Data)):min(offset+1, len(list.Data))]}
			if offset+1 < len(list.Data) {
				page["paging"] = map[string]string{"next": "https://elsewhere.example.com" + r.URL.Path + "?offset=" + strconv.Itoa(offset+1)}
			}
			answer, _ = json.Marshal(page)
		}
		_, _ = w.Write(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestImportOpsgenie(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	kept := filepath.Join(t.TempDir(), "answers")
	code, out, errs := runAt(t, at, "import", "opsgenie", "--token", "hush", "--url", opsgenie(t), "--save", kept)
	if code != 0 {
		t.Fatalf("%d: %s, want 0", code, errs)
	}
	doc, err := parseSetup([]byte(out))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if wrong := doc.Check(intake.Names()); len(wrong) > 0 {
		t.Errorf("the imported document has problems: %s, want none", wrong)
	}
	for _, want := range []string{
		"schedule Ops: the same for 100.0 % of 90 days\n", "  Payments_Prometheus\n    Prometheus: https://watchbill.example.com/v1/signals/KEY\n", "3 users, 2 teams, 2 schedules, 2 policies, 2 integrations",
	} {
		if !strings.Contains(errs, want) {
			t.Errorf("the report lacks %q:\n%s", want, errs)
		}
	}
	if !strings.Contains(out, "  # its team has 2 routing rules") || strings.Contains(out+errs, "hush") {
		t.Errorf("got\n%s%s; want out to contain \"  # its team has 2 routing rules\" and out+errs not to contain \"hush\"", out, errs)
	}
	if code, again, errs := runAt(t, at, "import", "opsgenie", "--from", kept); code != 0 || again != out {
		t.Errorf("from what was kept: %d, %s\n%s; want the exit status 0 and the same again, %s", code, errs, again, out)
	}
	code, out, errs = runAt(t, at, "import", "opsgenie", "--from", "../../importer/testdata/opsgenie_backup")
	if code != 0 || !strings.Contains(out, "# backup of Opsgenie: the tool that wrote it leaves out overrides") {
		t.Errorf("from a backup: %d, %s\n%s; want the exit status 0 and output with %q", code, errs, out, "# backup of Opsgenie: the tool that wrote it leaves out overrides")
	}
}

func TestImportErrorsSayWhatIsMissing(t *testing.T) {
	t.Parallel()
	address, _ := pagerDuty(t)
	for want, args := range map[string][]string{
		"give either a token":             {},
		"the token is refused":            {"--token", "wrong", "--url", address},
		"there are no JSON files":         {"--from", t.TempDir()},
		"give either a token (PAGERDUTY_": {"--token", "hush", "--from", t.TempDir()},
	} {
		code, out, errs := runAt(t, time.Now(), append([]string{"import", "pagerduty"}, args...)...)
		if code == 0 || !strings.Contains(errs, want) || out != "" {
			t.Errorf(`%v: %d, %s; want a failure, errors with %q and no output`, args, code, errs, want)
		}
	}
}

// Remarks contain foreign names, and never become part of the file.
func TestRemarksStayComments(t *testing.T) {
	t.Parallel()
	const text = "# head\n\n\nusers:\n  - {name: Ann, email: ann@example.com}\n\nteams:\n  - name: \"a: \\\"b\\\"\"\n    channel: \"#b\"\n"
	got := annotate(text, "X", []importer.Loss{
		{Where: importer.Location{Kind: "team", Name: `a: "b"`}, What: "one\nusers: [{name: Eve}]"}, {Where: importer.Location{Kind: "user", Name: "Ann", Detail: "rule 1"}, What: "two"}, {Where: importer.Location{Kind: "user", Name: "Nobody"}, What: "three\r\n- four"},
	})
	want := "# Made of what X has, by watchbill import. Read it, mend what the remarks name, and apply it.\n# user Nobody: three - four\n\nusers:\n  # rule 1: two\n  - {name: Ann, email: ann@example.com}\n\n" +
		"teams:\n  # one users: [{name: Eve}]\n  - name: \"a: \\\"b\\\"\"\n    channel: \"#b\"\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
