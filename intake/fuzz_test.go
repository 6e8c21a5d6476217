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

// FuzzFormats looks for a body that makes a parser panic, fail without a sentence, or return
// something that can't be stored.
func FuzzFormats(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		f.Add(read(f, file))
	}
	f.Add([]byte(`{"title":"a\u0000` + "\xff" + `\udfff","alerts":[{"labels":{"\u0000":"\u0000"}}],"groupKey":"\u0000"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, format := range intake.Formats {
			checkParses(t, format, body)
		}
		for _, kind := range []oncall.Format{intake.Auto, "generic", "kuma"} {
			checkParses(t, intake.Format{Name: "read as " + kind, Parse: func(body []byte) ([]oncall.Signal, error) {
				signals, _, err := intake.Read(kind, body)
				return signals, err
			}}, body)
		}
	})
}

// FuzzForms looks for a form that becomes invalid JSON.
func FuzzForms(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", []byte("title=a&data=%7B%22x%22%3A1%7D&token=x"))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n{\"x\":1}\r\n--b--\r\n"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		form, ok := intake.Form(body, contentType)
		if ok && !json.Valid(intake.Fields(form)) {
			t.Errorf("%q becomes %q, want valid JSON", body, intake.Fields(form))
		}
		_ = intake.Key(body)
	})
}

func checkParses(t *testing.T, format intake.Format, body []byte) {
	signals, err := format.Parse(body)
	if err != nil {
		var p intake.Problem
		if !errors.As(err, &p) || !strings.HasSuffix(p.Sentence, ".") || !utf8.ValidString(p.Sentence) || len(p.Sentence) > 1_000 {
			t.Errorf("%s: got the error %q, want a Problem with one sentence of at most 1000 bytes", format.Name, err)
		}
		return
	}
	if len(signals) == 0 {
		t.Errorf("%s: got neither signals nor an error, want one of them", format.Name)
	}
	for _, fault := range faults(signals) {
		t.Errorf("%s: got signals with a fault: %s", format.Name, fault)
	}
	stored, err := json.Marshal(signals)
	if err != nil {
		t.Fatal(err)
	}
	var back []oncall.Signal
	if err := json.Unmarshal(stored, &back); err != nil || !reflect.DeepEqual(back, signals) {
		t.Errorf("%s: stored as %s, read back as %+v (%v), want the same signals", format.Name, stored, back, err)
	}
}

// faults lists what is wrong with signals that a parser returned.
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
		text("body", s.Body, 32_000)
		text("note", s.Note, 4_000)
		for name, value := range s.Details {
			text("detail name", name, 256)
			text("detail", value, 4_000)
		}
		for _, l := range s.Links {
			text("link text", l.Text, 75)
			text("link", l.URL, 2_048)
			check(strings.HasPrefix(strings.ToLower(l.URL), "http") && l.Text != "", "link %+v", l)
		}
		check(len(s.Details) <= 128 && len(s.Links) <= 20, "%d details, %d links", len(s.Details), len(s.Links))
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
		check(s.Action != "", "no action")
		check(s.DedupKey != "" || s.Action == oncall.Reconcile, "%s has no key", s.Action)
		check(s.GroupKey != "" || s.Action != oncall.Reconcile, "reconcile has no group")
	}
	return out
}
