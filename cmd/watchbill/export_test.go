package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// hardTexts are misread by YAML unless they are quoted.
var hardTexts = []string{
	"yes", "No", "12: #x, {a}", "007", "null", "~", "a\nb", "'", `"`, "- x", "1e3", "2026-01-05", "09:00", " lead", "x ", "!t", "&a", "*b",
	"%", "@x", "`", "é", `\n`, "? a", "a: b", "[x]", "0x1f", "\t", "#c", "a #c", "<<", "=", "|", ">", "", "---", "...", "a,b", "\u2028", "😀", "\x01", "nobody",
	"5m", "1h30m", "2 weeks", "12:30:45", "1_000", "-1", ".5", ".inf", "a:", ":a", "a\\", "日本 語", "very " + strings.Repeat("long ", 40) + "text",
}

// fill sets every field of a value to a random text, number or length.
func fill(rng *rand.Rand, v reflect.Value) {
	if date, ok := reflect.TypeAssert[*schedule.Date](v.Addr()); ok {
		*date = schedule.Date{Year: 2026, Month: time.Month(1 + rng.IntN(12)), Day: 1 + rng.IntN(28)}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(hardTexts[rng.IntN(len(hardTexts))])
	case reflect.Int:
		v.SetInt(rng.Int64N(24 * 60))
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.Pointer:
		if rng.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(rng, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), rng.IntN(4), 4))
		for i := range v.Len() {
			fill(rng, v.Index(i))
		}
		if turn, ok := reflect.TypeAssert[*setup.Turn](v.Addr()); ok && len(*turn) == 1 && (*turn)[0] == "nobody" {
			*turn = nil // as it is read
		}
	case reflect.Map:
		for range rng.IntN(3) {
			if v.IsNil() {
				v.Set(reflect.MakeMap(v.Type()))
			}
			name, text := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(rng, name)
			fill(rng, text)
			v.SetMapIndex(name, text)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(rng, field)
		}
	default:
		panic(v.Kind())
	}
}

// Any set-up survives being written to a file and read back.
func TestWriteSetupRoundTrip(t *testing.T) {
	t.Parallel()
	for i := range 500 {
		var doc setup.Setup
		fill(rand.New(rand.NewPCG(7, uint64(i))), reflect.ValueOf(&doc).Elem())
		text := writeSetup(doc)
		read, err := parseSetup(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if d := cmp.Diff(doc, read, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("the export of a set-up is read as another one (-want +got):\n%s\n%s", d, text)
		}
	}
}

// everyExample returns the set-up files in the documents, the demo and the stories.
func everyExample(t *testing.T) map[string]string {
	t.Helper()
	const people = "users: [{name: Ann, slack: U0ANN}, {name: Bo, slack: U0BO}, {name: Cy, slack: U0CY}, {name: Di, slack: U0DI}]\n"
	all := map[string]string{"demo.yaml": string(demoSetup), "large": string(largeSetup(3))}
	for _, file := range []string{"README.md", "docs/schedules.md", "docs/escalation.md", "docs/signals.md"} {
		for i, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(document(t, file), -1) {
			text := m[1]
			if !strings.Contains(text, "teams:") {
				continue
			}
			if !regexp.MustCompile("(?m)^users:").MatchString(text) {
				text = people + text
			}
			all[fmt.Sprint(file, " ", i+1)] = text
		}
	}
	stories, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range stories {
		story, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, text, ok := strings.Cut(string(story), "-- setup.yaml --\n"); ok {
			text, _, _ = strings.Cut(text, "\n-- ")
			all[file] = strings.NewReplacer("HOOK", "https://example.com", "ALERTMANAGER", "http://alertmanager:9093").Replace(text)
		}
	}
	return all
}

// freshStore returns a store with a database of its own.
func freshStore(t *testing.T) *store.System {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.NewURL(t), store.Options{MaxConns: 4, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// comesBack applies a document in place of the current one, exports it, and repeats both on an
// empty installation: the text is the same, and applying it changes nothing.
func comesBack(t *testing.T, db *store.System, name string, doc setup.Setup) {
	t.Helper()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	everything := store.ApplyOptions{Write: true, Prune: true}
	var texts []string
	for again := range 2 {
		if again > 0 {
			if _, err := db.Apply(t.Context(), setup.Setup{}, everything, now); err != nil {
				t.Fatalf("%s: empty it: %v", name, err)
			}
		}
		if _, err := db.Apply(t.Context(), doc, everything, now); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, writeSetup(doc))
		}
		out, err := db.Export(t.Context(), now)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		texts = append(texts, string(writeSetup(out)))
		if doc, err = parseSetup([]byte(texts[len(texts)-1])); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if wrong := doc.Check(intake.Names()); len(wrong) > 0 {
			t.Errorf("%s: what was exported: %q, want none", name, wrong)
		}
	}
	if texts[0] != texts[1] {
		t.Errorf("%s: the second export differs (-first +second): %s", name, cmp.Diff(texts[0], texts[1]))
	}
	report, err := db.Apply(t.Context(), doc, store.ApplyOptions{Prune: true}, now)
	if d := cmp.Diff(store.ApplyReport{}, report); err != nil || d != "" {
		t.Errorf("%s: applying it again: got %v, changes (-want +got): %s\n%s", name, err, d, texts[0])
	}
}

// Applying an export changes nothing, and on another installation it makes the same set-up.
func TestExamplesSurviveExport(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	fresh := func() *store.System { return freshStore(t) }
	shared := fresh()
	all := everyExample(t)
	if len(all) < 12 {
		t.Fatalf("found %d examples only, want at least 12", len(all))
	}
	for name, text := range all {
		doc, err := parseSetup([]byte(text))
		if err != nil || len(doc.Check(intake.Names())) > 0 {
			t.Errorf("%s: %v, %q, want none", name, err, doc.Check(intake.Names()))
			continue
		}
		for i, u := range doc.Users { // as apply does, which asks Slack
			if u.Slack == "" {
				doc.Users[i].Slack = oncall.UserID(fmt.Sprintf("U0FOUND%d", i))
			}
		}
		everything := store.ApplyOptions{Write: true, Prune: true}
		through := []*store.System{shared}
		if !strings.HasPrefix(name, "testdata/") {
			first := fresh()
			through = []*store.System{first, fresh(), first}
		}
		var texts []string
		for _, db := range through {
			if _, err := db.Apply(t.Context(), doc, everything, now); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			now = now.Add(time.Minute)
			out, err := db.Export(t.Context(), now)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			texts = append(texts, string(writeSetup(out)))
			if doc, err = parseSetup([]byte(texts[len(texts)-1])); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if wrong := doc.Check(intake.Names()); len(wrong) > 0 {
				t.Errorf("%s: what was exported: %q, want none", name, wrong)
			}
			for _, prune := range []bool{false, true} {
				report, err := db.Apply(t.Context(), doc, store.ApplyOptions{Prune: prune}, now)
				if d := cmp.Diff(store.ApplyReport{}, report); err != nil || d != "" {
					t.Errorf("%s: applying it again: got %v, changes (-want +got): %s\n%s", name, err, d, texts[0])
				}
			}
		}
		for _, text := range texts[1:] {
			if texts[0] != text {
				t.Errorf("%s: the export differs (-got +want): %s", name, cmp.Diff(texts[0], text))
			}
		}
	}
}

// The command writes the file, and explains what it needs.
func TestExportWritesAFile(t *testing.T) {
	t.Parallel()
	address := storetest.NewURL(t)
	dir := t.TempDir()
	var out, errs bytes.Buffer
	run := func(args ...string) int {
		out.Reset()
		errs.Reset()
		p := process{ctx: t.Context(), out: &out, errOut: &errs, clock: time.Now, getenv: func(string) string { return "" }}
		return p.run(append(args, "--database-url", address))
	}
	file := filepath.Join(dir, "team.yaml")
	if err := os.WriteFile(file, demoSetup, 0o600); err != nil {
		t.Fatal(err)
	}
	if code := run("apply", "-f", file, "--yes"); code != 0 {
		t.Fatal(errs.String())
	}
	if code := run("export"); code != 0 || !strings.Contains(out.String(), "\nschedules:\n  - name: payments-primary\n") {
		t.Errorf("%s%s; want the exit status 0 and output with %q", out.String(), errs.String(), "\nschedules:\n  - name: payments-primary\n")
	}
	text := out.String()
	if code := run("export", "-f", file); code != 0 || out.Len() > 0 {
		t.Errorf("%s%s; want the exit status 0 and no output", out.String(), errs.String())
	}
	if written, err := os.ReadFile(file); err != nil || string(written) != text {
		t.Errorf("got the error %v, the file (-want +got): %s", err, cmp.Diff(text, string(written)))
	}
	if code := run("apply", "-f", file, "--prune"); code != 0 || !strings.Contains(out.String(), "Nothing to change.") {
		t.Errorf(`%s%s; want the exit status 0 and output with "Nothing to change."`, out.String(), errs.String())
	}
	if code := (process{ctx: t.Context(), out: io.Discard, errOut: &errs, getenv: func(string) string { return "" }}).run([]string{"export", "--database-url", "x:y"}); code != 2 {
		t.Errorf("a wrong address: %d, want 2", code)
	}
}

// A set-up whose names are hostile texts is either refused with a sentence or survives being
// written and read back.
func TestHostileTextsSurviveExport(t *testing.T) {
	t.Parallel()
	for _, h := range hostile.Texts {
		text := strings.ToValidUTF8(h.Text, "") // as YAML and the database return it
		doc := setup.Setup{
			Users:        []setup.User{{Name: text, Slack: "U0ANN", TimeZone: "UTC"}},
			Teams:        []setup.Team{{Name: text, Channel: "#pay", Members: []string{text}}},
			Schedules:    []setup.Schedule{{Name: text, Team: text, TimeZone: "UTC", Rotations: []setup.Rotation{{Name: text, Start: "2026-03-02 09:00", Every: "week", Turns: []setup.Turn{{text}}}}}},
			Policies:     []setup.Policy{{Name: text, Team: text, Steps: []setup.Step{{Page: []string{"user " + text}}}}},
			Integrations: []setup.Integration{{Name: text, Team: text, Format: "generic", Policy: text}},
		}
		for _, wrong := range doc.Check(intake.Names()) {
			if !utf8.ValidString(wrong) {
				t.Errorf("%s: refused by %.300q, want valid UTF-8", h.Name, wrong)
			}
		}
		if len(text) > 20_000 {
			continue // longer than any name may be
		}
		written := writeSetup(doc)
		again, err := parseSetup(written)
		if err != nil {
			t.Errorf("%s: %.300v", h.Name, err)
			continue
		}
		if diff := cmp.Diff(doc, again, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%.500s", h.Name, diff)
		}
		for line := range strings.Lines(string(written)) {
			if fault := hostile.Plain(strings.TrimSuffix(line, "\n"), false); fault != "" && !strings.ContainsAny(h.Text, "\x7f\u0085\u202e\u2028") {
				t.Errorf("%s: a line of the report has %s: %.200q", h.Name, fault, line)
			}
		}
	}
}

// A log line is one line of JSON, whatever it contains.
func TestHostileTextsInTheLog(t *testing.T) {
	t.Parallel()
	for _, h := range hostile.Texts {
		var out bytes.Buffer
		log := zerolog.New(&out)
		log.Warn().Err(errors.New(h.Text)).Str("name", h.Text).Str(h.Text, "x").Msg(h.Text)
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil || strings.Count(out.String(), "\n") != 1 || !utf8.Valid(out.Bytes()) {
			t.Errorf(`%s: %v: %.300q; want one line in valid UTF-8`, h.Name, err, out.String())
		}
		var shown bytes.Buffer
		terminal := zerolog.New(zerolog.ConsoleWriter{Out: printable{&shown}, NoColor: true})
		terminal.Warn().Err(errors.New(h.Text)).Str("name", h.Text).Msg(h.Text)
		if fault := hostile.Plain(strings.ReplaceAll(shown.String(), "\t", " "), true); fault != "" {
			t.Errorf("%s: on a terminal %s: %.300q", h.Name, fault, shown.String())
		}
	}
}
