package oncall

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseReply(t *testing.T) {
	t.Parallel()
	token := SignToken([]byte("key"), Claim{Page: 12, User: "U0ANN", Expires: time.Unix(1e9, 0)})
	act := func(do ActKind, code int) Reply { return Reply{Kind: ReplyAct, Act: do, Code: code} }
	for text, want := range map[string]Reply{
		"1a": act(ActAck, 1), " 1A ": act(ActAck, 1), "'2a'": act(ActAck, 2), "\u20182a\u2019": act(ActAck, 2), "4a!": act(ActAck, 4),
		"12 a": act(ActAck, 12), "1r": act(ActResolve, 1), "3e.": act(ActEscalate, 3), "ack 12": act(ActAck, 12),
		"Ack #12": act(ActAck, 12), "resolve 3": act(ActResolve, 3), "escalate 3": act(ActEscalate, 3), "a1": act(ActAck, 1),
		"1ack": act(ActAck, 1), "\"1a\"\n": act(ActAck, 1), "1  a": act(ActAck, 1),
		"a": act(ActAck, 0), "ack": act(ActAck, 0), "ACK!": act(ActAck, 0), "r": act(ActResolve, 0), "/ack": act(ActAck, 0),
		"e": act(ActEscalate, 0), "Acknowledge": act(ActAck, 0),
		"0a": act(ActAck, 0), "aa": act(ActAck, 0), "rr": act(ActResolve, 0), "ack all": act(ActAck, 0), "resolve all": act(ActResolve, 0), "0 r": act(ActResolve, 0),
		"a " + token: {Kind: ReplyOther}, "R " + token: {Kind: ReplyOther}, // only buttons send tokens
		"STOP": {Kind: ReplyStop}, "stop.": {Kind: ReplyStop}, "Unsubscribe": {Kind: ReplyStop}, "START": {Kind: ReplyStart},
		"/start": {Kind: ReplyStart}, "482913": {Kind: ReplyCode, Proof: "482913"}, "\u201c482913\u201d": {Kind: ReplyCode, Proof: "482913"},
		"/start abcdefghij234567": {Kind: ReplyCode, Proof: "abcdefghij234567"},
		"abcdefghij234567":        {Kind: ReplyCode, Proof: "abcdefghij234567"},
		"ok":                      {Kind: ReplyOther}, "": {Kind: ReplyOther}, "who is this": {Kind: ReplyOther}, "ar": {Kind: ReplyOther},
		"1": {Kind: ReplyOther}, "1x": {Kind: ReplyOther}, "123456a": {Kind: ReplyOther}, "on my way, 1a later": {Kind: ReplyOther},
		"2d": act(ActDecline, 2), "no": act(ActDecline, 0), "Decline 2": act(ActDecline, 2), "accept": act(ActAck, 0), "dd": act(ActDecline, 0),
	} {
		if d := cmp.Diff(want, ParseReply(text)); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}

// An incident that is opened anew has asked nobody.
func TestReopeningForgetsWhoWasAsked(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	in := Incident{ID: 1, Status: Acknowledged, AckedBy: ByUser("U0ANN"), Responders: []Responder{{User: "U0CY", State: ResponderAccepted}}}
	if c, err := in.Do(Act{Do: ActUnack}, ByUser("U0ANN"), Facts{}, at); err != nil || len(c.Incident.Responders) != 1 {
		t.Errorf("given back: %+v, %v", c.Incident.Responders, err)
	}
	done, err := in.Do(Act{Do: ActResolve}, ByUser("U0ANN"), Facts{}, at)
	if err != nil {
		t.Fatal(err)
	}
	c := done.Incident.begin(ByIntegration("demo"), Facts{}, at)
	if c.reopen("again", at); c.Incident.Responders != nil {
		t.Errorf("reopened by a monitor: %+v", c.Incident.Responders)
	}
	if c, err := done.Incident.Do(Act{Do: ActReopen}, ByUser("U0ANN"), Facts{}, at); err != nil || c.Incident.Responders != nil {
		t.Errorf("reopened by a person: %+v, %v", c.Incident.Responders, err)
	}
}

func FuzzParseReply(f *testing.F) {
	for _, text := range []string{"1a", "'2a'", "ack 12", "0a", "stop", "/start 123456", "a\x00b", "\xff1a"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := ParseReply(text)
		if (r.Act != "") != (r.Kind == ReplyAct) || r.Code < 0 || r.Code > 9999 || (r.Proof != "") != (r.Kind == ReplyCode) {
			t.Errorf("%q: %+v", text, r)
		}
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	old, key := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	want := Claim{Page: 1 << 40, User: "W0123456789ABCDEF", Expires: now.Add(time.Hour)}
	token := SignToken(key, want)
	if len(token) > 140 || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("token: %q", token)
	}
	got, err := OpenToken([][]byte{key, old}, token, now)
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v: %s", err, d)
	}
	if _, err := OpenToken([][]byte{old, key}, SignToken(old, want), now); err != nil {
		t.Errorf("of the key before: %v", err)
	}
	if _, err := OpenToken([][]byte{key}, token, now.Add(61*time.Minute)); err == nil {
		t.Error("it doesn't expire")
	}
	for name, keys := range map[string][][]byte{"no keys": nil, "another key": {old}} {
		if _, err := OpenToken(keys, token, now); err == nil {
			t.Errorf("%s opens it", name)
		}
	}
	for i := range token {
		b := []byte(token)
		b[i] ^= 1
		if c, err := OpenToken([][]byte{key}, string(b), now); err == nil {
			t.Errorf("changed at %d it still opens: %+v", i, c)
		}
	}
	for _, bad := range []string{"", "a", strings.Repeat("A", 43), token + "A", token[:len(token)-1]} {
		if _, err := OpenToken([][]byte{key}, bad, now); err == nil {
			t.Errorf("%q opens", bad)
		}
	}
}
