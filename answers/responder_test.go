package answers_test

import (
	"slices"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// asks makes Cy ask a person, who is paged by SMS, to help with an incident.
func (w *world) asks(who oncall.UserID, number string, about oncall.IncidentID) oncall.PageOrder {
	w.t.Helper()
	if r := must[oncall.ContactSettings](w.t)(w.ContactSettings(w.t.Context(), oncall.ByTimer(), who)); len(r.Contacts) == 0 {
		w.pagedBySMS(who, number)
	}
	w.act(about, cy, oncall.Act{Do: oncall.ActAsk, User: who, Text: "the replica"})
	orders := w.sms()
	if len(orders) != 1 || orders[0].Page.UserID != who {
		w.t.Fatalf("the SMS are %+v, want one to %s", orders, who)
	}
	return orders[0]
}

func (w *world) responder(about oncall.IncidentID, who oncall.UserID) oncall.ResponderState {
	for _, r := range w.incident(about).Responders {
		if r.User == who {
			return r.State
		}
	}
	return ""
}

// A person who is asked to help accepts or declines by SMS, which doesn't acknowledge the incident.
func TestResponderAnswers(t *testing.T) {
	t.Parallel()
	const number = bosPhone
	w := newWorld(t, "disk")
	if orders := w.sms(); len(orders) != 1 || orders[0].AskedBy != (oncall.Actor{}) {
		t.Fatalf("the SMS are %+v, want Ann's page by the policy", orders)
	}
	if got, want := w.reply(annsPhone, "1d"), "Answer 1a to acknowledge, 1r to resolve or 1e to escalate, with the number from the message."; got != want {
		t.Errorf("who is on call declines: %q, want %q", got, want)
	}
	order := w.asks(bo, number, 1)
	if order.AskedBy != oncall.ByUser(cy) || order.Code != 1 || !slices.Equal(order.Page.Why, oncall.Say("%s asks you to help: the replica", cy)) {
		t.Errorf("the page is %+v, want Cy's request with code 1", order)
	}
	if got := w.reply(number, "ack"); got != "Accepted #1." || w.status(1) != "triggered " || w.responder(1, bo) != oncall.ResponderAccepted {
		t.Errorf("the reply is %q, the incident %s, Bo %s; want it accepted, and the incident triggered", got, w.status(1), w.responder(1, bo))
	}
	if got := w.reply(number, "1a"); got != "You have said so already." {
		t.Errorf("a second acceptance gets %q, want %q", got, "You have said so already.")
	}
	if got := w.reply(number, "no"); got != "Declined #1." || w.responder(1, bo) != oncall.ResponderDeclined {
		t.Errorf("the reply is %q and Bo %s, want it declined", got, w.responder(1, bo))
	}
	if got := w.reply(annsPhone, "1a"); got != "Acknowledged #1." {
		t.Errorf("Ann: %q, want %q", got, "Acknowledged #1.")
	}
	w.advance(time.Minute)
	if order := w.asks(bo, number, 1); order.Code != 1 {
		t.Errorf("the second request is %+v, want code 1", order)
	}
	if got := w.reply(number, "1d"); got != "Declined #1." || w.status(1) != "acknowledged sms" {
		t.Errorf("the reply is %q and the incident %s, want it declined, and Ann's acknowledgement kept", got, w.status(1))
	}
}

// A person who was also paged by a step acknowledges, unless the answer is to the very page that asks for help.
func TestResponderOnCallAcknowledges(t *testing.T) {
	t.Parallel()
	for _, exact := range []bool{false, true} {
		w := newWorld(t, "disk")
		w.sms()
		w.advance(time.Minute)
		order := w.asks(ann, "", 1)
		want, status, answer := "Acknowledged #1.", "acknowledged sms", oncall.Answer{Method: oncall.MethodSMS, From: annsPhone, Text: "1a"}
		if exact {
			want, status, answer = "Accepted #1.", "triggered ", oncall.Answer{
				Method: oncall.MethodSMS, Message: oncall.MessageKey{Page: order.Page.Key}, Intent: oncall.Intent{Kind: oncall.IntentAct, Act: oncall.ActAck},
			}
		}
		if got := w.handle(answer).Text; got != want || w.status(1) != status || w.responder(1, ann) != oncall.ResponderAccepted {
			t.Errorf("exact %v: the reply is %q, the incident %s, Ann %s; want %q, %s, accepted", exact, got, w.status(1), w.responder(1, ann), want, status)
		}
	}
}

// The link in a mail knows what the mail asked for.
func TestResponderToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk")
	first := w.sms()[0]
	asked := w.asks(bo, bosPhone, 1)
	for _, order := range []oncall.PageOrder{first, asked} {
		token := must[string](t)(w.Token(t.Context(), order.Page.ID, order.Page.UserID, [32]byte{1}, w.now))
		m := must[oncall.AnsweredMessage](t)(w.ReadToken(t.Context(), token, w.now))
		if m.ToHelp() != (order.Page.UserID == bo) || len(m.Incidents) != 1 {
			t.Errorf("%s: the token reads as %+v, want a request for help only for Bo, with one incident", order.Page.UserID, m)
		}
	}
}

// After a responder has answered, their phone doesn't ring again.
func TestAnswerEndsTheRedial(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk")
	w.pagedBy(bo, oncall.MethodVoice, bosPhone)
	w.act(1, cy, oncall.Act{Do: oncall.ActAsk, User: bo})
	id := oncall.PageID(w.count(`SELECT id FROM pages WHERE method = 'voice'`))
	order := must[oncall.PageOrder](t)(w.BeginPage(t.Context(), oncall.SendPage{Page: id}, 1, w.now))
	w.check(w.RecordPage(t.Context(), id, oncall.PageAccepted{Ref: "CA1", Track: true}, w.now))
	w.check(w.RecordReceipt(t.Context(), id, oncall.PageReceipt{State: oncall.ReceiptUnanswered}, w.now))
	if got := w.presses(oncall.MethodVoice, order.Page, oncall.ActDecline); got != "Declined #1." {
		t.Fatalf("got %q, want %q", got, "Declined #1.")
	}
	w.advance(time.Minute)
	if again := must[oncall.PageOrder](t)(w.BeginPage(t.Context(), oncall.SendPage{Page: id}, 2, w.now)); again.Send {
		t.Errorf("the redial is %+v, want it not sent", again)
	}
}

// A code isn't reused for six hours after its last message, so that a late answer closes nothing new.
func TestCodeIsNotReusedSoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk")
	w.sms()
	if got := w.reply(annsPhone, "1r"); got != "Resolved #1." {
		t.Fatalf("the reply is %q, want %q", got, "Resolved #1.")
	}
	next := func(name string) int {
		w.t.Helper()
		w.trigger(name)
		orders := w.sms()
		if len(orders) != 1 {
			t.Fatalf("the SMS are %+v, want one", orders)
		}
		return orders[0].Code
	}
	w.advance(time.Hour)
	if code := next("queue"); code != 2 {
		t.Errorf("an hour later: %d, want 2", code)
	}
	if got, want := w.reply(annsPhone, "1r"), "Incident #1 is already resolved by ann."; got != want {
		t.Errorf("a late answer: %q, want %q", got, want)
	}
	w.advance(5*time.Hour + time.Second)
	if code := next("cpu"); code != 3 {
		t.Errorf("six hours later: %d, want 3", code)
	}
}

// Answers are polled for a while after any message, whoever has acknowledged the incident by then.
func TestAnswersArePolledAfterAnAcknowledgement(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk")
	w.sms()
	w.reply(annsPhone, "1a")
	awaits := func() bool {
		return must[bool](t)(w.AwaitsAnswers(t.Context(), oncall.MethodSMS, w.now))
	}
	if !awaits() {
		t.Error("answers are not polled just after a message, want them polled")
	}
	w.advance(16 * time.Minute)
	if awaits() {
		t.Error("answers are still polled 16 minutes after the last message, want no polling")
	}
	w.asks(bo, bosPhone, 1)
	if !awaits() {
		t.Error("answers are not polled after a request for help, want them polled")
	}
}
