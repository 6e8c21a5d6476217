package store_test

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// asks has Cy ask somebody, who is paged by SMS, to help with an incident.
func (a *answering) asks(who oncall.UserID, number string, about oncall.IncidentID) oncall.PageOrder {
	a.t.Helper()
	if r := must[oncall.Reach](a.t)(a.Reach(a.t.Context(), who)); len(r.Contacts) == 0 {
		c := a.addContact(who, oncall.MethodSMS, number)
		a.check(a.SetPreferences(a.t.Context(), who, oncall.Preferences{High: []oncall.Rule{{Contact: c.ID}}}))
	}
	must[oncall.Incident](a.t)(a.Act(a.t.Context(), about, oncall.ByUser(cy), oncall.Act{Do: oncall.ActAsk, User: who, Text: "the replica"}, a.clock()))
	orders := a.sms()
	if len(orders) != 1 || orders[0].Page.UserID != who {
		a.t.Fatalf("the page that asks: %+v", orders)
	}
	return orders[0]
}

func (a *answering) responder(about oncall.IncidentID, who oncall.UserID) oncall.ResponderState {
	for _, r := range a.incident(about).Responders {
		if r.User == who {
			return r.State
		}
	}
	return ""
}

// Who is asked to help accepts or declines by SMS, and takes nothing over by that.
func TestARespondersAnswer(t *testing.T) {
	t.Parallel()
	const number = "+12025550107"
	a := newAnswering(t, "disk")
	if orders := a.sms(); len(orders) != 1 || orders[0].AskedBy != "" {
		t.Fatalf("Ann's page: %+v", orders)
	}
	if got := a.says("+12025550100", "1d"); got != "Answer 1a to acknowledge, 1r to resolve or 1e to escalate, with the number from the message." {
		t.Errorf("who is on call declines: %q", got)
	}
	order := a.asks(bo, number, 1)
	if order.AskedBy != "cy" || order.Code != 1 || order.Page.Why != "cy asks you to help: the replica" {
		t.Errorf("the page: %+v", order)
	}
	if got := a.says(number, "ack"); got != "Accepted #1." || a.status(1) != "triggered " || a.responder(1, bo) != oncall.ResponderAccepted {
		t.Errorf("%q, %s, %s", got, a.status(1), a.responder(1, bo))
	}
	if got := a.says(number, "1a"); got != "You have said so already." {
		t.Errorf("once more: %q", got)
	}
	if got := a.says(number, "no"); got != "Declined #1." || a.responder(1, bo) != oncall.ResponderDeclined {
		t.Errorf("%q, %s", got, a.responder(1, bo))
	}
	if got := a.says("+12025550100", "1a"); got != "Acknowledged #1." {
		t.Errorf("Ann: %q", got)
	}
	a.advance(time.Minute)
	if order := a.asks(bo, number, 1); order.Code != 1 {
		t.Errorf("asked again: %+v", order)
	}
	if got := a.says(number, "1d"); got != "Declined #1." || a.status(1) != "acknowledged sms" {
		t.Errorf("%q, %s", got, a.status(1))
	}
}

// Whom a step has paged as well acknowledges, unless the answer is to the very page that asks.
func TestWhoIsOnCallAndAskedAcknowledges(t *testing.T) {
	t.Parallel()
	for _, exact := range []bool{false, true} {
		a := newAnswering(t, "disk")
		a.sms()
		a.advance(time.Minute)
		order := a.asks(ann, "", 1)
		want, status, answer := "Acknowledged #1.", "acknowledged sms", oncall.Answer{Method: oncall.MethodSMS, From: "+12025550100", Text: "1a"}
		if exact {
			want, status, answer = "Accepted #1.", "triggered ", oncall.Answer{Method: oncall.MethodSMS, Key: order.Page.Key, Text: "a"}
		}
		if got := must[string](t)(a.Answer(t.Context(), answer, a.clock())); got != want || a.status(1) != status || a.responder(1, ann) != oncall.ResponderAccepted {
			t.Errorf("exact %v: %q, %s, %s", exact, got, a.status(1), a.responder(1, ann))
		}
	}
}

// The link of a mail tells what it was for.
func TestATokenOfWhoIsAsked(t *testing.T) {
	t.Parallel()
	a := newAnswering(t, "disk")
	first := a.sms()[0]
	asked := a.asks(bo, "+12025550107", 1)
	for _, order := range []oncall.PageOrder{first, asked} {
		token := must[string](t)(a.Token(t.Context(), order.Page.ID, order.Page.UserID, [32]byte{1}, a.clock()))
		claim := must[oncall.Claim](t)(a.ReadToken(t.Context(), token, a.clock()))
		if claim.Asked != (order.Page.UserID == bo) || len(claim.Incidents) != 1 {
			t.Errorf("%s: %+v", order.Page.UserID, claim)
		}
	}
}

// Once a responder has answered, their phone doesn't ring again.
func TestAnAnswerEndsTheRedial(t *testing.T) {
	t.Parallel()
	a := newAnswering(t, "disk")
	c := a.addContact(bo, oncall.MethodVoice, "+12025550107")
	a.check(a.SetPreferences(t.Context(), bo, oncall.Preferences{High: []oncall.Rule{{Contact: c.ID}}}))
	must[oncall.Incident](t)(a.Act(t.Context(), 1, oncall.ByUser(cy), oncall.Act{Do: oncall.ActAsk, User: bo}, a.clock()))
	id := oncall.PageID(a.count(`SELECT id FROM pages WHERE method = 'voice'`))
	order := must[oncall.PageOrder](t)(a.BeginPage(t.Context(), id, 1, a.clock()))
	a.check(a.RecordPage(t.Context(), id, oncall.PageAccepted{Ref: "CA1", Track: true}, a.clock()))
	a.check(a.RecordReceipt(t.Context(), id, oncall.PageReceipt{State: oncall.ReceiptUnanswered}, a.clock()))
	if got := must[string](t)(a.Answer(t.Context(), oncall.Answer{Method: oncall.MethodVoice, Key: order.Page.Key, Text: "d"}, a.clock())); got != "Declined #1." {
		t.Fatalf("%q", got)
	}
	a.advance(time.Minute)
	if again := must[oncall.PageOrder](t)(a.BeginPage(t.Context(), id, 2, a.clock())); again.Send {
		t.Errorf("it rings again: %+v", again)
	}
}

// A number rests for six hours after its last message, so that a late answer closes nothing new.
func TestACodeRests(t *testing.T) {
	t.Parallel()
	a := newAnswering(t, "disk")
	a.sms()
	if got := a.says("+12025550100", "1r"); got != "Resolved #1." {
		t.Fatal(got)
	}
	next := func(name string) int {
		a.t.Helper()
		stop := a.run(a.Store)
		a.accept(trigger(name))
		a.fold()
		stop()
		orders := a.sms()
		if len(orders) != 1 {
			t.Fatalf("orders: %+v", orders)
		}
		return orders[0].Code
	}
	a.advance(time.Hour)
	if code := next("queue"); code != 2 {
		t.Errorf("an hour later: %d", code)
	}
	if got := a.says("+12025550100", "1r"); got != "Incident #1 is already resolved by ann." {
		t.Errorf("a late answer: %q", got)
	}
	a.advance(5*time.Hour + time.Second)
	if code := next("cpu"); code != 1 {
		t.Errorf("six hours later: %d", code)
	}
}

// Answers are awaited for a while after any message, whoever has the incident by then.
func TestAnswersAreAwaitedAfterAnAcknowledgement(t *testing.T) {
	t.Parallel()
	a := newAnswering(t, "disk")
	a.sms()
	a.says("+12025550100", "1a")
	awaits := func() bool {
		return must[bool](t)(a.Awaits(t.Context(), oncall.MethodSMS, a.clock()))
	}
	if !awaits() {
		t.Error("a moment after the message nobody listens")
	}
	a.advance(16 * time.Minute)
	if awaits() {
		t.Error("what was answered long ago is awaited")
	}
	a.asks(bo, "+12025550107", 1)
	if !awaits() {
		t.Error("nobody listens to who was asked to help")
	}
}
