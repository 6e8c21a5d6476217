package view

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The local Slack draws every emoji that is shown, since many machines have no font with them.
func TestSlacksimDrawsEveryEmoji(t *testing.T) {
	t.Parallel()
	const icons = "../../slacksim/page/icons.js"
	drawn := read(t, icons)
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	name := regexp.MustCompile(`[" ]:([a-z][a-z_]+):[" ]`)
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range name.FindAllStringSubmatch(read(t, file), -1) {
			found++
			if !strings.Contains(drawn, "\n  "+m[1]+": ") {
				t.Errorf("%s shows :%s:, which %s does not draw", file, m[1], icons)
			}
		}
	}
	if found < 20 {
		t.Errorf("found %d emoji, want more", found)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
