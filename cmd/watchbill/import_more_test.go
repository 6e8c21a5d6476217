package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/importer"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// importedAt is when the fixtures were fetched.
var importedAt = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// grafanaOnCall responds as the public API does, one item per page; the link to the next page names
// another server.
func grafanaOnCall(t *testing.T) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.Split(strings.Trim(strings.TrimPrefix(r.URL.Path, "/oncall/api/v1/"), "/"), "/")
		name := path[0]
		switch of := r.URL.Query().Get("schedule_id"); {
		case len(path) == 3 && r.URL.Query().Get("start_date") == "2026-03-02" && r.URL.Query().Get("end_date") == "2026-03-16":
			name = path[2] + "-" + path[1]
		case of != "":
			name += "-" + of
		}
		text, err := os.ReadFile(filepath.Join("../../importer/testdata/oncall", name+".json"))
		if os.IsNotExist(err) && strings.HasPrefix(name, "final_shifts-") {
			text, err = []byte(`{"results": []}`), nil
		}
		if r.Header.Get("Authorization") != "hush" || r.Method != http.MethodGet || err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		var list struct{ Results []json.RawMessage }
		_ = json.Unmarshal(text, &list)
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		page := map[string]any{"results": list.Results[min(n, len(list.Results)):min(n+1, len(list.Results))], "next": nil}
		if n+1 < len(list.Results) {
			next := *r.URL
			query := next.Query()
			query.Set("page", strconv.Itoa(n+1))
			next.RawQuery = query.Encode()
			page["next"] = "https://elsewhere.example.com" + next.RequestURI()
		}
		_ = json.NewEncoder(w).Encode(page)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/oncall/api/v1/"
}

func TestImportGrafanaOnCall(t *testing.T) {
	t.Parallel()
	kept := filepath.Join(t.TempDir(), "answers")
	code, out, errs := runAt(t, importedAt, "import", "oncall", "--token", "hush", "--url", grafanaOnCall(t), "--days", "14", "--save", kept, "--public-url", "https://oncall.example.com/")
	if code != 0 {
		t.Fatalf("%d: %s, want 0", code, errs)
	}
	wellFormed(t, out)
	for _, want := range []string{
		"schedule Payments web: the same for 100.0 % of 14 days\n", "schedule Night calendar: the same for 100.0 % of 14 days\n",
		"  \"Grafana :chart:\"\n    grafana: https://oncall.example.com/v1/signals/KEY\n", "3 users, 2 teams, 3 schedules, 2 policies, 2 integrations",
	} {
		if !strings.Contains(errs, strings.ReplaceAll(want, `"`, "")) {
			t.Errorf("the report lacks %q:\n%s", want, errs)
		}
	}
	for _, secret := range []string{"hush", "secret-"} {
		if strings.Contains(out+errs, secret) {
			t.Errorf("%s is shown:\n%s%s", secret, out, errs)
		}
	}
	if code, again, errs := runAt(t, importedAt, "import", "oncall", "--from", kept, "--days", "14"); code != 0 || again != out {
		t.Errorf("from what was kept: got the status %d, want 0; %s\n(-want +got) %s", code, errs, cmp.Diff(out, again))
	}
}

// goAlert responds to the one query for which its key was made, page by page.
func goAlert(t *testing.T) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Query     string
			Variables map[string]string
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &asked)
		}
		if err != nil || r.URL.Path != "/api/graphql" || r.Header.Get("Authorization") != "Bearer hush" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if asked.Query != importer.GoAlertQuery || asked.Variables["until"] != "2026-03-16T12:00:00Z" {
			_, _ = w.Write([]byte(`{"errors": [{"message": "wrong query for API key"}], "data": null}`))
			return
		}
		name := map[string]string{"": "answer-001.json", "c1": "answer-002.json"}[asked.Variables["users"]]
		text, err := os.ReadFile(filepath.Join("../../importer/testdata/goalert", name))
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(text)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestImportGoAlert(t *testing.T) {
	t.Parallel()
	kept := filepath.Join(t.TempDir(), "answers")
	address := goAlert(t)
	code, out, errs := runAt(t, importedAt, "import", "goalert", "--token", "hush", "--url", address, "--days", "14", "--save", kept)
	if code != 0 {
		t.Fatalf("%d: %s, want 0", code, errs)
	}
	wellFormed(t, out)
	for _, want := range []string{
		"schedule Primary: the same for 100.0 % of 14 days\n", "    Alertmanager (prometheusAlertmanager): https://watchbill.example.com/v1/signals/KEY\n",
		"    heartbeat Nightly backup: https://watchbill.example.com/ping/KEY/nightly-backup\n", "3 users, 1 teams, 3 schedules, 2 policies, 1 integrations",
	} {
		if !strings.Contains(errs, want) {
			t.Errorf("the report lacks %q:\n%s", want, errs)
		}
	}
	if code, again, errs := runAt(t, importedAt, "import", "goalert", "--from", kept); code != 0 || again != out || strings.Contains(out+errs, "hush") {
		t.Errorf("from what was kept: got the status %d, want 0; %s\n(-want +got) %s", code, errs, cmp.Diff(out, again))
	}
	code, _, errs = runAt(t, importedAt, "import", "goalert", "--token", "hush", "--url", address)
	if code == 0 || !strings.Contains(errs, "wrong query for API key") {
		t.Errorf(`a key of another query: %d, %s; want a failure and errors with "wrong query for API key"`, code, errs)
	}
	if code, out, _ := runAt(t, importedAt, "import", "goalert", "--print-query"); code != 0 || out != importer.GoAlertQuery {
		t.Errorf("the query: %d, %s; want the exit status 0 and the output %s", code, out, importer.GoAlertQuery)
	}
	for want, args := range map[string][]string{
		"give either an API key (GOALERT_TOKEN)": {"import", "goalert"}, "give --url: where GoAlert is": {"import", "goalert", "--token", "x"},
		"give either a token (ONCALL_TOKEN)": {"import", "oncall"}, "give --url: where Grafana OnCall is": {"import", "oncall", "--token", "x"},
	} {
		if code, _, errs := runAt(t, importedAt, args...); code == 0 || !strings.Contains(errs, want) {
			t.Errorf("%v: %d, %s; want a failure and errors with %q", args, code, errs, want)
		}
	}
}

// wellFormed parses a generated file and checks it.
func wellFormed(t *testing.T, text string) setup.Setup {
	t.Helper()
	doc, err := parseSetup([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if wrong := doc.Check(intake.Names()); len(wrong) > 0 {
		t.Errorf("%s\n%s, want none", wrong, text)
	}
	return doc
}

// An import can be applied and exported unchanged, and a second import a while later changes and
// duplicates nothing.
func TestImportedTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	db := freshStore(t)
	for _, vendor := range []string{"pagerduty", "opsgenie", "oncall", "goalert"} {
		var texts [2]string
		for i := range texts {
			code, out, errs := runAt(t, importedAt.Add(time.Duration(i)*20*time.Minute), "import", vendor, "--from", "../../importer/testdata/"+vendor)
			if code != 0 {
				t.Fatalf("%s: %d, %s, want 0", vendor, code, errs)
			}
			texts[i] = out
		}
		first, second := inSlack(wellFormed(t, texts[0])), inSlack(wellFormed(t, texts[1]))
		comesBack(t, db, vendor, first)
		everything := store.ApplyOptions{Write: true, Prune: true}
		if _, err := db.Apply(t.Context(), first, everything, importedAt); err != nil {
			t.Fatalf("%s: %v", vendor, err)
		}
		report, err := db.Apply(t.Context(), second, everything, importedAt.Add(time.Hour))
		if err != nil || len(report.Changes) > 0 {
			t.Errorf("%s, once more: %v, %v, want none", vendor, err, report.Changes)
		}
	}
}

// inSlack gives people the accounts that apply would find.
func inSlack(doc setup.Setup) setup.Setup {
	for i, u := range doc.Users {
		if u.Slack == "" {
			doc.Users[i].Slack = oncall.UserID(fmt.Sprintf("U0FOUND%d", i))
		}
	}
	return doc
}
