package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/intake"
)

// No file makes apply panic, and what is wrong with it is said.
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
				t.Fatal("an error without a word")
			}
			return
		}
		setup.Check(intake.Names())
	})
}

// A fuzz target without a corpus, or the other way round, is one that got lost.
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
		t.Errorf("%d targets, %v", len(targets), err)
	}
	if diff := cmp.Diff(corpora, targets); diff != "" {
		t.Errorf("corpora in testdata/fuzz (-) and targets (+) differ:\n%s", diff)
	}
}
