package intake_test

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

func generic(t *testing.T, body string) oncall.Signal {
	t.Helper()
	signals, err := intake.Generic([]byte(body))
	if err != nil {
		t.Fatalf("reading %.80s: %v, want a signal", body, err)
	}
	if len(signals) != 1 {
		t.Fatalf("%.80s: %d signals, want 1", body, len(signals))
	}
	return signals[0]
}

func TestGenericProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ body, field, want string }{
		{"", "", "The body is empty; send one JSON object."},
		{" \n\t", "", "The body is empty; send one JSON object."},
		{"title=x", "", `The body does not begin with "{"; send one JSON object.`},
		{`[{"title":"x"}]`, "", "The body is a JSON array; send one JSON object."},
		{`{"title":"x"`, "", "The body is not valid JSON: unexpected end of JSON input (at byte 12)."},
		{`{"title":"x"} {"title":"y"}`, "", "The body is not valid JSON: invalid character '{' after top-level value (at byte 15)."},
		{`{}`, "title", "title is missing; a trigger needs one, as title, summary or message."},
		{`{"title":" \u0000 "}`, "title", "title is missing; a trigger needs one, as title, summary or message."},
		{`{"status":"resolved"}`, "dedup_key", "dedup_key is missing; to resolve an alert, give the dedup_key of its trigger, or the same title."},
		{`{"event_action":"ack"}`, "dedup_key", "dedup_key is missing; to acknowledge an alert, give the dedup_key of its trigger, or the same title."},
		{`{"title":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`, "", "The body is nested more than 64 levels deep; flatten it."},
	} {
		_, err := intake.Generic([]byte(tt.body))
		got, field := sentence(t, err)
		if got != tt.want || field != tt.field {
			t.Errorf("%.60s: got %q of field %q, want %q of %q", tt.body, got, field, tt.want, tt.field)
		}
	}
}

// A body with a title or a key pages, whatever is wrong with the rest: nobody sends it again.
func TestGenericPagesDespiteWrongTypes(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"title":{"text":"x"}}`:                     `{"text":"x"}`,
		`{"title":["a","b"]}`:                        `["a","b"]`,
		`{"title":7}`:                                "7",
		`{"title":true}`:                             "true",
		`{"title":"x","dedup_key":["a"]}`:            "x",
		`{"title":"x","labels":["a"]}`:               "x",
		`{"title":"x","labels":"a"}`:                 "x",
		`{"title":"x","link":{"href":"y"}}`:          "x",
		`{"title":"x","severity":{"name":"high"}}`:   "x",
		`{"title":"x","group_key":[1]}`:              "x",
		`{"dedup_key":"disk/db-1"}`:                  "disk/db-1",
		`{"dedup_key":"disk","status":"trigger"}`:    "disk",
		`{"dedup_key":"disk","severity":"critical"}`: "disk",
	} {
		if s := generic(t, body); s.Action != oncall.Trigger || s.Title != want || s.Link != "" {
			t.Errorf("%s: got %+v, want a trigger titled %q without a link", body, s, want)
		}
	}
	if s := generic(t, `{"title":"x","labels":["a"]}`); len(s.Hints) != 1 || s.Hints[0].Field != "labels" {
		t.Errorf("got hints %v, want one about labels", s.Hints)
	}
}

func TestGenericReadsStatusWords(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]oncall.Action{
		`{"title":"x"}`:                                         oncall.Trigger,
		`{"title":"x","status":" Firing "}`:                     oncall.Trigger,
		`{"title":"x","status":null,"event_action":""}`:         oncall.Trigger,
		`{"title":"x","status":"ok"}`:                           oncall.Clear,
		`{"title":"x","status":"RESOLVED"}`:                     oncall.Clear,
		`{"title":"x","event_action":"acknowledge"}`:            oncall.AckSignal,
		`{"title":"x","event_action":"resolve","status":"up!"}`: oncall.Clear,
	} {
		if got := generic(t, body).Action; got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
	for body, want := range map[string]oncall.Severity{
		`{"title":"x"}`:                                  "",
		`{"title":"x","severity":""}`:                    "",
		`{"title":"x","severity":"warning"}`:             oncall.Medium,
		`{"title":"x","severity":"strange"}`:             oncall.High,
		`{"title":"x","priority":"P1"}`:                  oncall.Critical,
		`{"title":"x","severity":"low","priority":"P1"}`: oncall.Low,
		`{"title":"x","severity":4}`:                     oncall.High,
	} {
		if got := generic(t, body).Severity; got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}

func TestGenericKeyWithoutDedupKeyIsTheTitle(t *testing.T) {
	t.Parallel()
	fired := generic(t, `{"title":"Disk full"}`)
	if again := generic(t, `{"summary":" Disk full","severity":"low"}`); again.DedupKey != fired.DedupKey {
		t.Errorf("the same title has two keys: %q, %q, want %q", fired.DedupKey, again.DedupKey, fired.DedupKey)
	}
	if done := generic(t, `{"status":"ok","message":"Disk full"}`); done.DedupKey != fired.DedupKey {
		t.Errorf("the resolve has the key %q, want %q", done.DedupKey, fired.DedupKey)
	}
	if other := generic(t, `{"title":"Disk full on db-2"}`); other.DedupKey == fired.DedupKey {
		t.Error("two titles have one key, want two")
	}
	if long := strings.Repeat("x", 2_000); generic(t, `{"title":"`+long+`1"}`).DedupKey == generic(t, `{"title":"`+long+`2"}`).DedupKey {
		t.Error("two long titles that begin alike have one key, want two")
	}
}

func TestGenericCutsLongFields(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\u00e9", 20_000)
	s := generic(t, `{"title":"`+long+`","body":"`+long+`","dedup_key":"`+long+`","group_key":"`+long+`1","link":"https://example.com/`+long+`"}`)
	if s.Title != long[:2*1_024] || s.Body != long {
		t.Errorf("title has %d bytes and body %d, want 2048 and 40000", len(s.Title), len(s.Body))
	}
	if len(s.DedupKey) != 64 || len(s.GroupKey) != 64 || s.DedupKey == s.GroupKey {
		t.Errorf("keys %q, %q, want two hashes", s.DedupKey, s.GroupKey)
	}
	if s.Link != "" {
		t.Errorf("a link of %d bytes was kept, want none", len(s.Link))
	}
	var labels strings.Builder
	for i := range 300 {
		labels.WriteString(`,"` + strings.Repeat("l", i) + `":1`)
	}
	if n := len(generic(t, `{"title":"x","labels":{"a":1`+labels.String()+`}}`).Labels); n != 128 {
		t.Errorf("%d labels were kept, want 128", n)
	}
}

func TestGenericCleansTexts(t *testing.T) {
	t.Parallel()
	s := generic(t, "\xef\xbb\xbf"+`{"title":"a\u0000b`+"\xff"+`\ud800","dedup_key":"k\u0000","labels":{"n\u0000":{"x":[1, 2]}},"link":"javascript:alert(1)"}`)
	for what, c := range map[string]struct{ got, want string }{
		"title": {s.Title, "ab\ufffd\ufffd"}, "key": {s.DedupKey, "k"}, "label n": {s.Labels["n"], `{"x":[1,2]}`}, "link": {s.Link, ""},
	} {
		if c.got != c.want {
			t.Errorf("the %s is %q, want %q", what, c.got, c.want)
		}
	}
	if key := generic(t, `{"title":"x","dedup_key":12345678901234567890}`).DedupKey; key != "12345678901234567890" {
		t.Errorf("a number as key became %s, want %s", key, "12345678901234567890")
	}
}
