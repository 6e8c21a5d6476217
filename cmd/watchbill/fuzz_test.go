package main

import (
	"os"
	"strings"
	"testing"

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
