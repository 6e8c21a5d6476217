package oncall

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The table of Incident.Meant, each row in every status that it speaks of.
func TestAnswerMeansWhatThePersonWasPagedFor(t *testing.T) {
	t.Parallel()
	const none = ActKind("")
	for _, row := range []struct {
		as                              PagedAs
		status                          Status
		ack, decline, resolve, escalate ActKind
	}{
		{PagedOnCall, Triggered, ActAck, none, ActResolve, ActEscalate},
		{PagedOnCall, Acknowledged, ActAck, none, ActResolve, ActEscalate},
		{PagedToHelp, Triggered, ActAccept, ActDecline, ActResolve, ActEscalate},
		{PagedToHelp, Acknowledged, ActAccept, ActDecline, ActResolve, ActEscalate},
		{PagedAsBoth, Triggered, ActAck, ActDecline, ActResolve, ActEscalate},
		{PagedAsBoth, Acknowledged, ActAccept, ActDecline, ActResolve, ActEscalate},
		{PagedAsBoth, Snoozed, ActAccept, ActDecline, ActResolve, ActEscalate},
		{PagedAsBoth, Resolved, ActAccept, ActDecline, ActResolve, ActEscalate},
	} {
		for do, want := range map[ActKind]ActKind{ActAck: row.ack, ActDecline: row.decline, ActResolve: row.resolve, ActEscalate: row.escalate} {
			got, sense := Incident{Status: row.status}.Meant(do, row.as)
			if sense != (want != none) || sense && got != want {
				t.Errorf("%+v: %s means %s, makes sense: %t, want %s", row, do, got, sense, want)
			}
		}
	}
}

// A person answers in the role in which the message paged them. Somebody who was both asked to help
// and paged by a step may mean either, unless the answer names the message.
func TestInWhatRoleSomebodyAnswers(t *testing.T) {
	t.Parallel()
	const ann UserID = "U0ANN"
	in := Incident{ID: 1, Seq: 1, Status: Triggered, Responders: []Responder{{User: ann, State: ResponderAsked, Asked: 2}}}
	page := func(p Page, here bool) AnsweredPage {
		p.IncidentID, p.UserID = 1, ann
		return AnsweredPage{Page: p, Here: here}
	}
	step, asks, over := Page{Call: Call{CallSeq: 1}}, Page{Call: Call{AskedVersion: 2}}, Page{Call: Call{CallSeq: 0}}
	acked := in
	acked.Status, acked.PagesFrom = Acknowledged, 2
	for name, c := range map[string]struct {
		in    Incident
		named bool
		pages []AnsweredPage
		want  PagedAs
	}{
		"a step":                         {in, false, []AnsweredPage{page(step, true)}, PagedOnCall},
		"asked":                          {in, false, []AnsweredPage{page(asks, true)}, PagedToHelp},
		"asked, and a step elsewhere":    {in, false, []AnsweredPage{page(asks, true), page(step, false)}, PagedAsBoth},
		"that, and the answer names it":  {in, true, []AnsweredPage{page(asks, true), page(step, false)}, PagedToHelp},
		"asked, and an earlier step":     {acked, false, []AnsweredPage{page(asks, true), page(over, false)}, PagedToHelp},
		"both by one message":            {in, false, []AnsweredPage{page(asks, true), page(step, true)}, PagedOnCall},
		"a step here, asked elsewhere":   {in, false, []AnsweredPage{page(step, true), page(asks, false)}, PagedOnCall},
		"nothing, as one who only looks": {in, true, nil, PagedOnCall},
	} {
		m := AnsweredMessage{User: ann, Named: c.named, Incidents: []Incident{c.in}, Pages: c.pages}
		if got := m.paged()[1]; got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
		if m.ToHelp() != (c.want != PagedOnCall) {
			t.Errorf("%s: to help %v, want %v", name, m.ToHelp(), (c.want != PagedOnCall))
		}
	}
}

// The outcome of an answer depends on its possible senders and on the message it answers.
func TestAnswerOutcomes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	ack := Answer{Method: MethodSMS, Intent: Intent{Kind: IntentAct, Act: ActAck}}
	ok := Answer{Method: MethodSMS, Intent: Intent{Kind: IntentOther}}
	one := AnsweredMessage{User: "U0ANN", Incidents: []Incident{{ID: 1, Version: 4, Status: Triggered}, {ID: 2, Version: 7, Status: Resolved}}}
	for name, c := range map[string]struct {
		facts AnswerFacts
		a     Answer
		want  AnswerOutcome
	}{
		"a stranger":                    {AnswerFacts{}, ack, AnswerOutcome{Result: AnswerIgnored}},
		"a test":                        {AnswerFacts{Known: true, Probed: true}, ack, AnswerOutcome{Result: AnswerReached}},
		"nothing open":                  {AnswerFacts{Known: true}, ack, AnswerOutcome{Result: AnswerNothing}},
		"nothing open, but a check":     {AnswerFacts{Known: true, Checked: true}, ack, AnswerOutcome{Result: AnswerReached}},
		"hello":                         {AnswerFacts{Known: true}, ok, AnswerOutcome{Result: AnswerUnclear, Hint: Say("There is nothing open that you were paged for.")}},
		"hello, to a check":             {AnswerFacts{Known: true, Checked: true}, ok, AnswerOutcome{Result: AnswerReached}},
		"several people":                {AnswerFacts{Known: true, Checked: true, Choice: AnswerSubject{Several: true}}, ack, AnswerOutcome{Result: AnswerSeveral}},
		"a test page":                   {AnswerFacts{Known: true}, Answer{Intent: Intent{Kind: IntentTest}}, AnswerOutcome{Result: AnswerReached}},
		"a message of nothing any more": {AnswerFacts{Known: true, Messages: make([]AnsweredMessage, 1)}, ack, AnswerOutcome{Result: AnswerActed}},
		"a message, declined": {
			AnswerFacts{Known: true, Messages: []AnsweredMessage{one}},
			Answer{Intent: Intent{Kind: IntentAct, Act: ActDecline}},
			AnswerOutcome{Result: AnswerUnclear, Hint: Say("Answer 1a to acknowledge, 1r to resolve or 1e to escalate, with the number from the message.")},
		},
	} {
		out, changes, err := c.facts.Decide(c.a, Facts{}, at)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(c.want, out); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if len(changes) != 0 {
			t.Errorf("%s changes %+v, want none", name, changes)
		}
	}
}

// Of a message's incidents, an answer changes those that it can. The others are only drawn again.
func TestAnswerActsOnIncidentsOfItsMessage(t *testing.T) {
	t.Parallel()
	facts := AnswerFacts{Known: true, Messages: []AnsweredMessage{{
		User: "U0ANN", Incidents: []Incident{{ID: 1, Version: 4, Status: Triggered}, {ID: 2, Version: 7, Status: Resolved}},
	}}}
	out, changes, err := facts.Decide(Answer{Method: MethodSMS, Intent: Intent{Kind: IntentAct, Act: ActAck}}, Facts{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "outcome", out, AnswerOutcome{Result: AnswerActed, Acted: []ActResult{
		{Do: ActAck, Done: []IncidentID{1}, Refused: []Sentence{Say("Incident #2 is already resolved by Watchbill.")}},
	}})
	if len(changes) != 2 {
		t.Fatalf("got the changes %+v, want two", changes)
	}
	equal(t, "acknowledged by", changes[0].Incident.AckedBy, Actor{User: "U0ANN", Via: string(MethodSMS)})
	equal(t, "version of the other", changes[1].Incident.Version, 7)
	equal(t, "tasks of the other", len(changes[1].Tasks), 1)
}

func TestAnswerReplyNamesActs(t *testing.T) {
	t.Parallel()
	many := make([]IncidentID, 12)
	for i := range many {
		many[i] = IncidentID(i + 1)
	}
	for want, acted := range map[string][]ActResult{
		"There is nothing open that you were paged for here.": nil,
		"Declined #58.": {{Do: ActDecline, Done: []IncidentID{58}}},
		"Acknowledged #1, #2; 1 was settled before.":     {{Do: ActAck, Done: []IncidentID{1, 2}, Refused: []Sentence{Say("no")}}},
		"Resolved #1; 2 were settled before.":            {{Do: ActResolve, Done: []IncidentID{1}, Refused: []Sentence{Say("no"), Say("no")}}},
		"No.":                                            {{Do: ActResolve, Refused: []Sentence{Say("No.")}}},
		"None of these 2 incidents needs that any more.": {{Do: ActResolve, Refused: []Sentence{Say("no"), Say("no")}}},
		"Escalated #1, #2, #3, #4, #5, #6, #7, #8, #9, #10 and 2 more.": {{Do: ActEscalate, Done: many}},
		"Acknowledged #1. Accepted #2.":                                 {{Do: ActAck, Done: []IncidentID{1}}, {Do: ActAccept, Done: []IncidentID{2}}},
	} {
		if got := SayActed(acted).String(); got != want {
			t.Errorf("%+v: %q, want %q", acted, got, want)
		}
	}
}

// Providers return message keys as text, including keys that the previous release made.
func TestMessageKeysAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for text, key := range map[string]MessageKey{
		"12/3/U0ANN/sms:5+2":   {Page: "12/3/U0ANN/sms:5+2"},
		"12/3/U0ANN/voice:5~2": {Page: "12/3/U0ANN/voice:5~2"},
		"test/U0ANN/2s":        {Probe: Probe{Kind: ProbeTest, User: "U0ANN", Job: 100}},
		"check/U0ANN/0":        {Probe: Probe{Kind: ProbeCheck, User: "U0ANN"}},
		"code/U0ANN/1":         {Page: "code/U0ANN/1"},
		"test//1":              {Page: "test//1"},
		"test/U0ANN/%":         {Page: "test/U0ANN/%"},
		"":                     {},
	} {
		if got := ParseMessageKey(text); got != key || key.String() != text {
			t.Errorf("%q is read as %+v, want %+v, which is written %q", text, got, key, key)
		}
	}
}
