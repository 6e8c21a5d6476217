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
	act := func(do ActKind, code int) ParsedReply { return ParsedReply{Kind: ReplyAct, Act: do, Code: code} }
	all := func(do ActKind) ParsedReply { return ParsedReply{Kind: ReplyAct, Act: do, All: true} }
	for text, want := range map[string]ParsedReply{
		"1a": act(ActAck, 1), " 1A ": act(ActAck, 1), "'2a'": act(ActAck, 2), "\u20182a\u2019": act(ActAck, 2), "4a!": act(ActAck, 4),
		"12 a": act(ActAck, 12), "1r": act(ActResolve, 1), "3e.": act(ActEscalate, 3), "ack 12": act(ActAck, 12),
		"Ack #12": act(ActAck, 12), "resolve 3": act(ActResolve, 3), "escalate 3": act(ActEscalate, 3), "a1": act(ActAck, 1),
		"1ack": act(ActAck, 1), "\"1a\"\n": act(ActAck, 1), "1  a": act(ActAck, 1),
		"a": act(ActAck, 0), "ack": act(ActAck, 0), "ACK!": act(ActAck, 0), "r": act(ActResolve, 0), "/ack": act(ActAck, 0),
		"e": act(ActEscalate, 0), "Acknowledge": act(ActAck, 0),
		"0a": all(ActAck), "aa": all(ActAck), "rr": all(ActResolve), "ack all": all(ActAck), "resolve all": all(ActResolve), "0 r": all(ActResolve),
		"a " + token: {Kind: ReplyAct, Act: ActAck, Token: token}, "R " + token: {Kind: ReplyAct, Act: ActResolve, Token: token},
		"STOP": {Kind: ReplyStop}, "stop.": {Kind: ReplyStop}, "Unsubscribe": {Kind: ReplyStop}, "START": {Kind: ReplyStart},
		"/start": {Kind: ReplyStart}, "482913": {Kind: ReplyCode, Proof: "482913"}, "\u201c482913\u201d": {Kind: ReplyCode, Proof: "482913"},
		"/start abcdefghij234567": {Kind: ReplyCode, Proof: "abcdefghij234567"},
		"abcdefghij234567":        {Kind: ReplyCode, Proof: "abcdefghij234567"},
		"ok":                      {Kind: ReplyOther}, "": {Kind: ReplyOther}, "who is this": {Kind: ReplyOther}, "ar": {Kind: ReplyOther},
		"1": {Kind: ReplyOther}, "1x": {Kind: ReplyOther}, "123456a": {Kind: ReplyOther}, "on my way, 1a later": {Kind: ReplyOther},
		"x " + token: {Kind: ReplyOther},
		"2d":         act(ActDecline, 2), "no": act(ActDecline, 0), "Decline 2": act(ActDecline, 2), "accept": act(ActAck, 0), "dd": all(ActDecline),
		"d " + token: {Kind: ReplyAct, Act: ActDecline, Token: token},
	} {
		if d := cmp.Diff(want, ParseReply(text)); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}

// Who is asked to help accepts or declines. What is theirs to acknowledge they acknowledge, unless
// the answer belongs to that very page.
func TestWhatARespondersAnswerMeans(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status               Status
		do                   ActKind
		asked, exact, called bool
		want                 ActKind
		sense                bool
	}{
		{Triggered, ActAck, false, false, true, ActAck, true},
		{Triggered, ActAck, true, false, false, ActAccept, true},
		{Triggered, ActAck, true, false, true, ActAck, true},
		{Triggered, ActAck, true, true, true, ActAccept, true},
		{Acknowledged, ActAck, true, false, true, ActAccept, true},
		{Acknowledged, ActAck, false, false, true, ActAck, true},
		{Triggered, ActResolve, true, true, false, ActResolve, true},
		{Triggered, ActDecline, true, false, true, ActDecline, true},
		{Triggered, ActDecline, false, true, true, ActDecline, false},
	} {
		do, sense := Incident{Status: c.status}.Meant(c.do, c.asked, c.exact, c.called)
		if do != c.want || sense != c.sense {
			t.Errorf("%+v: %s, %v", c, do, sense)
		}
	}
	if got := SayDone(ActDecline, []IncidentID{58}, nil); got != "Declined #58." {
		t.Errorf("it says %q", got)
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
