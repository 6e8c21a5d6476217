package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/intake"
)

// block gives the first block of a language in a document.
func block(t *testing.T, file, language string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatalf("%s has no block of %s", file, language)
	}
	return string(m[1])
}

func TestTheExamplesOfTheDocumentsWork(t *testing.T) {
	t.Parallel()
	const people = "users: [{name: Ann, slack: U0ANN}, {name: Bo, slack: U0BO}, {name: Cy, slack: U0CY}, {name: Di, slack: U0DI}]\n"
	for _, file := range []string{"../../docs/schedules.md", "../../docs/escalation.md"} {
		setup, err := parseSetup([]byte(people + block(t, file, "yaml")))
		if err != nil {
			t.Fatal(err)
		}
		if wrong := setup.Check(intake.Names()); len(wrong) > 0 {
			t.Errorf("%s: %s", file, strings.Join(wrong, "\n"))
		}
	}
	if _, err := ParseCase([]byte(block(t, "../../docs/schedules.md", "json"))); err != nil {
		t.Errorf("docs/schedules.md: %v", err)
	}
	demo, err := parseSetup(demoSetup)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := demo.Check(intake.Names()); len(wrong) > 0 {
		t.Errorf("demo.yaml: %s", strings.Join(wrong, "\n"))
	}
}

func TestTheReadmeNamesEverySetting(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`env:"([A-Z_]+)"`).FindAllSubmatch(source, -1) {
			if !strings.Contains(string(readme), "`"+string(m[1])+"`") {
				t.Errorf("README.md doesn't name %s", m[1])
			}
		}
	}
}
