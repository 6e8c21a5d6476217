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
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden reads each format's payloads, whose file names begin with the format's name, and
// compares the signals with the .golden file next to each.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, format := range intake.Formats {
		files, err := filepath.Glob("testdata/" + string(format.Name) + "-*.json")
		if err != nil || len(files) == 0 {
			t.Errorf("no payloads of %s: %v", format.Name, err)
		}
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				signals, err := format.Parse(read(t, file))
				if err != nil {
					t.Fatal(err)
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
