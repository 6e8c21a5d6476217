package oncall

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseAnswerReadsActAndCode(t *testing.T) {
	t.Parallel()
	token := SignToken([]byte("key"), Claim{Page: 12, User: "U0ANN", Expires: time.Unix(1e9, 0)})
	act := func(do ActKind, numbers ...AnswerNumber) Intent {
		return Intent{Kind: IntentAct, Act: do, Numbers: numbers}
	}
	said := func(n int) AnswerNumber { return AnswerNumber{N: n} }
	offered := func(n int) AnswerNumber { return AnswerNumber{N: n, Offered: true} }
	incident := func(n int) AnswerNumber { return AnswerNumber{N: n, Incident: true} }
	bundle := func(n int) AnswerNumber { return AnswerNumber{N: n, Lettered: true} }
	all := func(do ActKind) Intent { return Intent{Kind: IntentAct, Act: do, All: true} }
	code := func(c string) Intent { return Intent{Kind: IntentProof, Proof: c} }
	spoken := func(s Spoken) Intent { return Intent{Kind: IntentAct, Act: ActAck, Spoken: s} }
	other, stop := Intent{Kind: IntentOther}, Intent{Kind: IntentStop}
	for text, want := range map[string]Intent{
		"1a": act(ActAck, offered(1)), " 1A ": act(ActAck, offered(1)), "'2a'": act(ActAck, offered(2)),
		"\u20182a\u2019": act(ActAck, offered(2)), "\u201e2a\u201c": act(ActAck, offered(2)), "4a!": act(ActAck, offered(4)),
		"12 a": act(ActAck, offered(12)), "1r": act(ActResolve, offered(1)), "3e.": act(ActEscalate, offered(3)),
		"a1": act(ActAck, offered(1)), "\"1a\"\n": act(ActAck, offered(1)), "1  a": act(ActAck, offered(1)), "05a": act(ActAck, offered(5)),
		"２ａ": act(ActAck, offered(2)), "12345a": act(ActAck, offered(12345)),
		"ack 12": act(ActAck, said(12)), "resolve 3": act(ActResolve, said(3)), "escalate 3": act(ActEscalate, said(3)),
		"1ack": act(ActAck, said(1)), "5 ack": act(ActAck, said(5)), "Acknowledge: 5.": act(ActAck, said(5)), "ack message 5": act(ActAck, said(5)),
		"Ack #12": act(ActAck, incident(12)), "Ack  #5.": act(ActAck, incident(5)), "#5 ack": act(ActAck, incident(5)), "ack # 5": act(ActAck, incident(5)),
		"#5a": act(ActAck, incident(5)), "a#5": act(ActAck, incident(5)), "a #5": act(ActAck, incident(5)), "(#5) ack": act(ActAck, incident(5)),
		"ack incident 5": act(ActAck, incident(5)), "Resolve incident #5, please": act(ActResolve, incident(5)), "ack #123456": act(ActAck, incident(123456)),
		"/oncall ack 5": act(ActAck, said(5)), "ACK#5": act(ActAck, incident(5)),
		"ack 2 3 4": act(ActAck, said(2), said(3), said(4)), "ack #2, #3": act(ActAck, incident(2), incident(3)), "5a 6a": act(ActAck, offered(5), offered(6)),
		"2a and 3a": act(ActAck, offered(2), offered(3)), "ack 5 & #6": act(ActAck, said(5), incident(6)), "2a ack all": act(ActAck, offered(2)),
		"a": act(ActAck), "ack": act(ActAck), "ACK!": act(ActAck), "r": act(ActResolve), "/ack": act(ActAck), "Ack it, thanks": act(ActAck),
		"e": act(ActEscalate), "Acknowledge": act(ActAck),
		"0a": act(ActAck), "aa": act(ActAck), "rr": act(ActResolve), "0 r": act(ActResolve), "dd": act(ActDecline),
		"ack all": all(ActAck), "resolve all": all(ActResolve), "ack both": all(ActAck), "All: ack": all(ActAck),
		"a " + token: other, "R " + token: other, // only buttons send tokens
		"STOP": stop, "stop.": stop, "Unsubscribe": stop, "End": stop, "quit": stop, "Cancel": stop, "REVOKE": stop, "OptOut": stop, "stopall": stop,
		"START": {Kind: IntentStart}, "/start": {Kind: IntentStart}, "Test": {Kind: IntentTest},
		"482913": code("482913"), "\u201c482913\u201d": code("482913"), "828 173": code("828173"), "828-173.": code("828173"), " 8 2 8 1 7 3": code("828173"),
		"828\u00a0173": code("828173"), "My code is 828 173": code("828173"), "code: 828173": code("828173"),
		"/start abcdefghij234567": code("abcdefghij234567"), "abcdefghij234567": code("abcdefghij234567"),
		"5a thanks": act(ActAck, offered(5)), "5 A": act(ActAck, offered(5)), "ACK #5 pls": act(ActAck, incident(5)), "5a 👍": act(ActAck, offered(5)),
		"5a 🙏🏽❤️": act(ActAck, offered(5)), "5\u200ba": act(ActAck, offered(5)), "\u200eack 5\u200f": act(ActAck, said(5)), "✅ ack 5": act(ActAck, said(5)),
		"ok 5a": act(ActAck, offered(5)), "Yes, ack 5": act(ActAck, said(5)), "ack 5 thx": act(ActAck, said(5)), "5a thank you!": act(ActAck, offered(5)),
		"acked 5": act(ActAck, said(5)), "closed #5": act(ActResolve, incident(5)), "ack alert 5": act(ActAck, said(5)), "ack no. 5": act(ActAck, said(5)),
		"ack no 5": act(ActAck, said(5)), "ack INC-5": act(ActAck, incident(5)), "5a\n\nSent from my iPhone": act(ActAck, offered(5)),
		"ack 5 no 6": other, "5a no": other, "no 5a": other, "ack 5..7": other, "ack 5 ... 7": other, "👍": other, "5a 👎": other, "❌ 5a": other, "yes": spoken(SpokenYes), "ack 5 later": other,
		"ack all but 5": other, "not 5a": other, "Sent from my iPhone": other, "thank you": other,
		"yes on my way": spoken(SpokenClaim), "im on it": spoken(SpokenClaim), "I\u2019m on it!": spoken(SpokenClaim), "yes I'm on it": spoken(SpokenClaim), "Ok, got it. Thanks": spoken(SpokenClaim),
		"OK!": spoken(SpokenYes), "okay thanks": spoken(SpokenYes), "yes but not me": other, "ok who is this": other, "on my way home": other, "thanks": other,
		"ok": spoken(SpokenYes), "": other, "who is this": other, "ar": other, "a r": other, "ack 5 resolve 6": other, "don't ack 5": other,
		"1": other, "#5": other, "1x": other, "123456a": other, "on my way, 1a later": other, "ack 5-7": other, "ack 5 to 7": other, "ack 12.5": other, "0a 5": other,
		"1 234 567": other, "Liked \u201cWatchbill #5 critical: disk full. Reply 5a ack\u201d": other, "ack #12345678901": other,
		"b2a": act(ActAck, bundle(2)), "B2 r": act(ActResolve, bundle(2)), "ack b12": act(ActAck, bundle(12)), "resolve B 3.": act(ActResolve, bundle(3)),
		"b2a 5a": act(ActAck, bundle(2), offered(5)), "b2a ack all": act(ActAck, bundle(2)), "ack b": other, "b2": other, "ab 2": other, "b #2 ack": other,
		"2d": act(ActDecline, offered(2)), "no": act(ActDecline), "Decline 2": act(ActDecline, said(2)), "accept": act(ActAck), "no #2": act(ActDecline, incident(2)),
	} {
		if d := cmp.Diff(want, ParseAnswer(text)); d != "" {
			t.Errorf("%q (-want +got):\n%s", text, d)
		}
	}
}

func FuzzParseAnswer(f *testing.F) {
	for _, text := range []string{"1a", "'2a'", "ack 12", "0a", "stop", "/start 123456", "a\x00b", "\xff1a"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := ParseAnswer(text)
		if (r.Act != "") != (r.Kind == IntentAct) || (r.Proof != "") != (r.Kind == IntentProof) {
			t.Errorf("%q: got kind %v with act %q and proof %q, want what belongs to the kind", text, r.Kind, r.Act, r.Proof)
		}
		if r.Code != 0 {
			t.Errorf("%q: got the code %d, want none outside of numbers", text, r.Code)
		}
		if len(r.Numbers) > 0 && (r.Act == "" || r.All || r.Numbers[0].N < 1) {
			t.Errorf("%q: got the numbers %v, act %q, all %t, want positive numbers only with an act on some", text, r.Numbers, r.Act, r.All)
		}
	})
}
