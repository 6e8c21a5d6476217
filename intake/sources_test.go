package intake_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every payload has a source, so that an invented one isn't mistaken for a capture.
func TestEveryPayloadHasASource(t *testing.T) {
	t.Parallel()
	type line struct {
		pattern, origin string
		used            int
	}
	var lines []*line
	for text := range strings.Lines(string(read(t, "testdata/sources.txt"))) {
		words := strings.Fields(text)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if len(words) < 2 || !slices.Contains([]string{"capture", "source", "documentation", "memory", "ours"}, words[1]) {
			t.Errorf("%q says no origin; want capture, source, documentation, memory or ours second", text)
			continue
		}
		lines = append(lines, &line{pattern: words[0], origin: words[1]})
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 100 {
		t.Fatalf("got %d payloads, %v, want at least 100", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		i := slices.IndexFunc(lines, func(l *line) bool {
			is, err := filepath.Match(l.pattern, name)
			if err != nil {
				t.Fatal(err)
			}
			return is
		})
		if i < 0 {
			t.Errorf("testdata/sources.txt doesn't say where %s comes from", name)
			continue
		}
		lines[i].used++
	}
	for _, l := range lines {
		if l.used == 0 {
			t.Errorf("testdata/sources.txt: %s fits no payload, want at least one", l.pattern)
		}
	}
}
