package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// No file makes apply panic, and every error has a text.
func FuzzParseSetup(f *testing.F) {
	demo, err := os.ReadFile("demo.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(demo)
	for name, text := range bombs() {
		if len(text) < 10_000 || strings.HasPrefix(name, "many") {
			f.Add([]byte(text[:min(len(text), 300)]))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 20_000 {
			return
		}
		setup, err := parseSetup(data)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatal("the error has no text")
			}
			return
		}
		setup.Check(intake.Names())
	})
}

// A fuzz target without a corpus, or a corpus without a target, has been lost.
func TestEveryFuzzTargetHasACorpus(t *testing.T) {
	t.Parallel()
	target := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
	targets, corpora := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules"):
			return fs.SkipDir
		case !d.IsDir() && filepath.Base(filepath.Dir(filepath.Dir(path))) == "fuzz":
			corpora[filepath.Join(path, "../../../..")+" "+filepath.Base(filepath.Dir(path))] = true
		case strings.HasSuffix(path, "_test.go"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, name := range target.FindAllSubmatch(text, -1) {
				targets[filepath.Dir(path)+" "+string(name[1])] = true
			}
		}
		return nil
	})
	if err != nil || len(targets) < 30 {
		t.Errorf("%d targets, %v, want at least 30", len(targets), err)
	}
	if diff := cmp.Diff(corpora, targets); diff != "" {
		t.Errorf("corpora in testdata/fuzz (-) and targets (+) differ:\n%s", diff)
	}
}

// A set-up that was read survives being written and read again.
func FuzzWriteSetup(f *testing.F) {
	f.Add("users:\n  - {name: Ann, slack: U0ANN}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 20_000 {
			return
		}
		setup, err := parseSetup([]byte(text))
		if err != nil || len(setup.Check(intake.Names())) > 0 {
			return
		}
		written := writeSetup(setup)
		again, err := parseSetup(written)
		if err != nil {
			t.Fatalf("%q is written as %q: %v", text, written, err)
		}
		if diff := cmp.Diff(setup, again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%q is written as %q (-want +got):\n%s", text, written, diff)
		}
	})
}

// For any body of a monitor, explain prints short plain text that is safe for a terminal.
func FuzzExplain(f *testing.F) {
	f.Add([]byte(`{"title":"disk full","severity":"high"}`), "generic")
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body []byte, name string) {
		format := oncall.Format(name)
		if !slices.Contains(intake.Names(), format) {
			return
		}
		signals, err := intake.FormatNamed(format).Parse(intake.WithoutBOM(body))
		if err != nil || len(signals) > 100 {
			return
		}
		dir := &store.Directory{
			Teams:    []oncall.Team{{ID: 1, Name: "pay \x1b[31m\u202e"}},
			Users:    map[oncall.UserID]oncall.User{"U0ANN": {ID: "U0ANN", Name: "Ann \r\n\x07"}},
			Policies: map[oncall.PolicyID]oncall.Policy{1: {ID: 1, Name: "policy", TeamID: 1, Steps: []oncall.Step{{Targets: []oncall.Target{{User: "U0ANN"}}}}}},
		}
		integration := oncall.Integration{ID: 1, TeamID: 1, PolicyID: 1, Name: "monitor", Format: format}
		var out bytes.Buffer
		ex := explainer{ctx: t.Context(), out: printable{&out}, dir: dir, integration: integration, at: at}
		if err := ex.explain(ex.fold(len(signals), nil), signals); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && kept(r) < 0 }) {
			t.Fatalf("printed %q, want UTF-8 without control characters", text)
		}
		for line := range strings.Lines(text) {
			if utf8.RuneCountInString(line) > 2_000 {
				t.Fatalf("a line of %d characters: %.200q, want at most 2_000", utf8.RuneCountInString(line), line)
			}
		}
	})
}
