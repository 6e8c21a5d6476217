package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The image is built only from what the Dockerfile names, because tokens may lie beside it.
func TestImageContainsOnlyTheSource(t *testing.T) {
	t.Parallel()
	var copied []string
	for line := range strings.Lines(document(t, "Dockerfile")) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "COPY" || strings.HasPrefix(words[1], "--from") {
			continue
		}
		for _, what := range words[1 : len(words)-1] {
			if strings.HasPrefix(what, ".") || strings.ContainsAny(what, "*?") {
				t.Errorf(`it copies whatever is there: %s; want single names`, line)
			}
			copied = append(copied, what)
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.FieldsSeq(string(out)) {
		_, below, inside := strings.Cut(path, "watchbill/watchbill/")
		room, _, _ := strings.Cut(below, "/")
		if inside && !slices.Contains(copied, room) {
			t.Errorf("it doesn't copy %s", room)
		}
	}
	for _, file := range []string{".gitignore", ".dockerignore"} {
		if !strings.Contains(document(t, file), ".env\n") {
			t.Errorf("%s lets .env through, want it excluded", file)
		}
	}
}
