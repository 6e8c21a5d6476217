package intake_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

func FuzzAlertmanager(f *testing.F) { fuzz(f, "alertmanager", intake.Alertmanager) }
func FuzzGeneric(f *testing.F)      { fuzz(f, "generic", intake.Generic) }

// fuzz looks for a body that makes the parser panic, answer without a sentence, or
// let something through that can't be stored.
func fuzz(f *testing.F, monitor string, parse parser) {
	files, err := filepath.Glob("testdata/" + monitor + "-*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		f.Add(read(f, file))
	}
	f.Add([]byte(`{"title":"a\u0000` + "\xff" + `\udfff","alerts":[{"labels":{"\u0000":"\u0000"}}],"groupKey":"\u0000"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		signals, err := parse(body)
		if err != nil {
			var p intake.Problem
			if !errors.As(err, &p) || !strings.HasSuffix(p.Sentence, ".") || !utf8.ValidString(p.Sentence) || len(p.Sentence) > 1_000 {
				t.Errorf("no exact sentence: %q", err)
			}
			return
		}
		if len(signals) == 0 {
			t.Error("neither signals nor an error")
		}
		for _, fault := range faults(signals) {
			t.Error(fault)
		}
		stored, err := json.Marshal(signals)
		if err != nil {
			t.Fatal(err)
		}
		var back []oncall.Signal
		if err := json.Unmarshal(stored, &back); err != nil || !reflect.DeepEqual(back, signals) {
			t.Errorf("stored as %s, read back as %+v (%v)", stored, back, err)
		}
	})
}

// faults says what is wrong with signals that a parser has let through.
func faults(signals []oncall.Signal) []string {
	var out []string
	check := func(ok bool, format string, args ...any) {
		if !ok {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	text := func(name, s string, runes int) {
		check(utf8.ValidString(s), "%s is not UTF-8: %q", name, s)
		check(!strings.Contains(s, "\x00"), "%s has a NUL: %q", name, s)
		check(utf8.RuneCountInString(s) <= runes, "%s has %d runes, more than %d", name, utf8.RuneCountInString(s), runes)
	}
	for _, s := range signals {
		text("title", s.Title, 1_024)
		text("body", s.Body, 15_000)
		text("link", s.Link, 2_048)
		text("dedup_key", s.DedupKey, 512)
		text("group_key", s.GroupKey, 512)
		for name, value := range s.Labels {
			text("label name", name, 256)
			text("label value", value, 1_024)
		}
		check(len(s.Labels) <= 128, "%d labels", len(s.Labels))
		check(s.Link == "" || strings.HasPrefix(strings.ToLower(s.Link), "http"), "link %q", s.Link)
		check(s.Title != "" || s.Action != oncall.Trigger, "a trigger has no title")
		check(s.DedupKey != "" || s.Action == oncall.Reconcile, "%s has no key", s.Action)
		check(s.GroupKey != "" || s.Action != oncall.Reconcile, "reconcile has no group")
	}
	return out
}
