package intake_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestFormatsReadTheGoldenPayloads reads each format's payloads, whose file names begin with the format's name, and
// compares the signals with the .golden file next to each.
func TestFormatsReadTheGoldenPayloads(t *testing.T) {
	t.Parallel()
	for _, format := range intake.Formats {
		files, err := filepath.Glob("testdata/" + string(format.Name) + "-*.json")
		if err != nil || len(files) == 0 {
			t.Errorf("no payloads of %s, want some: %v", format.Name, err)
		}
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				signals, took, err := intake.Read(format.Name, read(t, file))
				if err != nil {
					t.Fatal(err)
				}
				if format.Name == intake.Auto {
					took = intake.Auto
				}
				if _, recognised, err := intake.Read(intake.Auto, read(t, file)); format.Name != "generic" && format.Name != intake.Auto && format.Name != intake.WatchdogFormat &&
					(err != nil || recognised != took) {
					t.Errorf("by itself it is recognised as %s, %v, want its own format", recognised, err)
				}
				got, err := json.MarshalIndent(signals, "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				golden := strings.TrimSuffix(file, ".json") + ".golden"
				if *update {
					if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if diff := cmp.Diff(string(read(t, golden)), string(got)+"\n"); diff != "" {
					t.Errorf("signals differ (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestResolvedAlertHasKeyOfFiringOne reads payloads whose names differ only at the end: a resolved alert
// must have the key of the firing one.
func TestResolvedAlertHasKeyOfFiringOne(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*-closes.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("found %d files that end alerts, want at least 20: %v", len(files), err)
	}
	for _, file := range files {
		format, _, _ := strings.Cut(filepath.Base(file), "-")
		for _, kind := range []oncall.Format{oncall.Format(format), intake.Auto, "generic"} {
			began, _, err := intake.Read(kind, read(t, strings.Replace(file, "-closes", "-opens", 1)))
			ended, _, bad := intake.Read(kind, read(t, file))
			if err != nil || bad != nil {
				t.Fatalf("read %s as %s: its beginning: %v; its end: %v", file, kind, err, bad)
			}
			for i, s := range ended {
				if s.Action == oncall.Reconcile {
					continue
				}
				if s.Action != oncall.Clear || began[i].Action != oncall.Trigger || s.DedupKey != began[i].DedupKey {
					t.Errorf("%s as %s: %s of %q, want %s of %q, with which it began by %s", file, kind, s.Action, s.DedupKey, oncall.Clear, began[i].DedupKey, began[i].Action)
				}
				if began[i].Title == "" || len(began[i].Hints) > 0 {
					t.Errorf("%s: title %q and hints %v, want a title and no hints", file, began[i].Title, began[i].Hints)
				}
			}
		}
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sentence returns the sentence and field of the problem.
func sentence(t *testing.T, err error) (string, string) {
	t.Helper()
	var p intake.Problem
	if !errors.As(err, &p) {
		t.Fatalf("error %v is not a Problem", err)
	}
	return p.Sentence, p.Field
}
