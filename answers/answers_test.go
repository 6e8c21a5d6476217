package answers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/answers"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

func TestAnswersBySMSAct(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk")
	orders := w.sms()
	if len(orders) != 1 {
		t.Fatalf("got the SMS %+v, want one", orders)
	}
	if o := orders[0]; o.Address != annsPhone || o.Code != 1 || o.Team != "payments" {
		t.Fatalf("got an SMS to %s with code %d about %s, want %s, 1 and payments", o.Address, o.Code, o.Team, annsPhone)
	}
	if got := w.reply("+12025550199", "1a"); got != "" {
		t.Errorf("a stranger's answer gets %q, want no reply", got)
	}
	if got, want := w.reply(annsPhone, "7a"), "You were not paged for #7. Open for you: #1; 1a takes it."; got != want {
		t.Errorf("an unknown code gets %q, want %q", got, want)
	}
	if got := w.reply(annsPhone, "1a"); got != "Acknowledged #1." || w.status(1) != "acknowledged sms" {
		t.Errorf("the reply is %q and the incident %s, want the acknowledgement by SMS", got, w.status(1))
	}
	w.n-- // the provider brings it once more
	if got := w.reply(annsPhone, "1a"); got != "" {
		t.Errorf("a repeated answer gets %q, want no reply", got)
	}
	if got, want := w.reply(annsPhone, "ack"), "You have acknowledged incident #1 already."; got != want {
		t.Errorf("a second acknowledgement gets %q, want %q", got, want)
	}
	if got := w.reply(annsPhone, "1r"); got != "Resolved #1." || w.incident(1).ResolvedBy.User != ann {
		t.Errorf("the reply is %q and the incident %+v, want it resolved by Ann", got, w.incident(1))
	}
	if got, want := w.reply(annsPhone, "1r"), "Incident #1 is already resolved by ann."; got != want {
		t.Errorf("after that: %q, want %q", got, want)
	}
	r := must[oncall.ContactSettings](t)(w.ContactSettings(t.Context(), oncall.ByTimer(), ann))
	if r.Contacts[0].ConfirmedAt == nil {
		t.Error("Ann's contact method isn't confirmed by her answer, want it confirmed")
	}
}

// A stranger may send anything: it gets a reply or none, but never an error, which would be retried.
func TestAnyTextIsHandled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk")
	for i, odd := range []string{"\x00", "\xff", "a\x00\xffb", strings.Repeat("x", 100_000), strings.Repeat("é\x00", 5_000)} {
		for _, a := range []oncall.Answer{
			{ID: odd, From: annsPhone, Text: "hello"},
			{From: odd, Text: "1a"},
			{From: annsPhone, Text: odd},
			{Token: odd, Text: "ack"},
			{From: annsPhone, Message: oncall.MessageKey{Page: odd}, Intent: oncall.Intent{Kind: oncall.IntentAct, Act: oncall.ActAck}},
			{From: odd, Text: "stop"},
			{From: odd, Text: "123456"},
			{From: odd, Message: oncall.ParseMessageKey("test/" + odd + "/1"), Text: "test"},
		} {
			a.Method = oncall.MethodSMS
			if _, err := answers.Handle(t.Context(), w.Store, a, w.now); err != nil {
				t.Errorf("field %d with %.80q: %v, want no error", i, odd, err)
			}
		}
	}
}

// A code stands for the incidents that its message listed, and none that came later.
func TestCodeRefersToListOfItsMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b", "c")
	orders := w.sms()
	if len(orders) != 1 || len(orders[0].Incidents) != 3 || orders[0].Code != -1 {
		t.Fatalf("the SMS are %+v, want one to Ann with code b1", orders)
	}
	w.advance(10 * time.Second)
	w.trigger("d")
	if again := w.sms(); len(again) != 0 {
		t.Fatalf("during the cooldown there are the SMS %+v, want none", again)
	}
	w.advance(20 * time.Second)
	if again := w.sms(); len(again) != 1 || again[0].Code != 4 || again[0].Incident.ID != 4 {
		t.Fatalf("after the cooldown the SMS are %+v, want one with code 4", again)
	}
	if got := w.reply(annsPhone, "b1a"); got != "Acknowledged #1, #2, #3." || w.status(4) != "triggered " {
		t.Errorf("the reply is %q and incident 4 %s, want the first three acknowledged", got, w.status(4))
	}
	if got := w.reply(annsPhone, "ack"); got != "Acknowledged #4." {
		t.Errorf("got %q, want %q", got, "Acknowledged #4.")
	}
	if got := w.reply(annsPhone, "rr"); got != "Resolved #4." {
		t.Errorf("the newest message: %q, want %q", got, "Resolved #4.")
	}
	if got := w.reply(annsPhone, "b1 r"); got != "Resolved #1, #2, #3." {
		t.Errorf("got %q, want %q", got, "Resolved #1, #2, #3.")
	}
}

// If two people share a number, the code says who answers.
func TestCodeTellsApartWhoShareANumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk")
	w.pagedBySMS(bo, annsPhone)
	w.sms()
	in := w.incident(1)
	must[bool](t)(w.RunIncidentTimer(t.Context(), 1, in.Seq, start))
	if orders := w.sms(); len(orders) != 1 || orders[0].Page.UserID != bo || orders[0].Code != -1 {
		t.Fatalf("the SMS are %+v, want Bo's page with a code of its own", orders)
	}
	if got := w.reply(annsPhone, "ack"); !strings.HasPrefix(got, "More than one person") {
		t.Errorf("an answer without a code gets %q, want that more than one person has the number", got)
	}
	if got := w.reply(annsPhone, "b1a"); got != "Acknowledged #1." || w.incident(1).AckedBy.User != bo {
		t.Errorf("the reply is %q, acknowledged by %+v; want Bo's acknowledgement", got, w.incident(1).AckedBy)
	}
}

func TestStopAndStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	usable := func() bool {
		return must[oncall.ContactSettings](t)(w.ContactSettings(t.Context(), oncall.ByTimer(), ann)).Contacts[0].Usable()
	}
	if got := w.reply(annsPhone, "STOP"); got != "" || usable() {
		t.Errorf("after STOP the reply is %q, usable %t; want none and false", got, usable())
	}
	const offNotices = `SELECT count(*) FROM notices WHERE kind = 'contact_off' AND recipient = ANY ($1)`
	if n := w.count(offNotices, []string{"U0ANN", "#payments"}); n != 2 || w.count(`SELECT count(*) FROM notices`) != 2 {
		t.Errorf("%d notices that the SMS is off, want one to Ann and one to the channel", n)
	}
	if got := w.reply(annsPhone, "Start"); got != "" || !usable() {
		t.Errorf("after START the reply is %q, usable %t; want none and true", got, usable())
	}
}

// Two machines don't talk to each other for ever.
func TestRepliesToUselessAnswersAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var replies []string
	for range 20 {
		if text := w.reply(annsPhone, "I am on holiday"); text != "" {
			replies = append(replies, text)
		}
	}
	if len(replies) != 15 || !strings.Contains(replies[14], "no more answers for an hour") || strings.Contains(replies[13], "no more answers") {
		t.Errorf("%d replies: %q; want 15, of which the last alone says that no more come", len(replies), replies)
	}
	w.advance(61 * time.Minute)
	if w.reply(annsPhone, "hello") == "" {
		t.Error("no reply an hour later, want one")
	}
}

func TestAddressIsVerifiedByItsAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	c := must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), bo, oncall.MethodSMS, "+12025550101", start))
	proof := must[store.Proof](t)(w.BeginProof(ctx, c.ID, [16]byte{7: 5}, start))
	if got := w.reply("+12025550101", "1a"); got != "" {
		t.Errorf("an act from an unverified address gets %q, want no reply", got)
	}
	if got, want := w.reply("+12025550101", "111111"), "That code is not right, or too old. A new one can be sent from Slack."; got != want {
		t.Errorf("a wrong code gets %q, want %q", got, want)
	}
	if got, want := w.reply("+12025550101", "'"+proof.Code+"'"), "Thank you. SMS pages for bo can come here now."; got != want {
		t.Errorf("the right code gets %q, want %q", got, want)
	}
	// On Telegram the address comes with the answer.
	tg := must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), ann, oncall.MethodTelegram, "", start))
	proof = must[store.Proof](t)(w.BeginProof(ctx, tg.ID, [16]byte{7: 9}, start))
	if len(proof.Code) != 16 {
		t.Errorf("the code is %q, want 16 characters because anybody can try one", proof.Code)
	}
	reply := w.handle(oncall.Answer{Method: oncall.MethodTelegram, ID: "1", From: "4711", Text: "/start " + proof.Code}).Text
	r := must[oncall.ContactSettings](t)(w.ContactSettings(ctx, oncall.ByTimer(), ann))
	if reply != "Thank you. Telegram pages for ann can come here now." || r.Contacts[1].Address != "4711" || !r.Contacts[1].Usable() {
		t.Errorf("the reply is %q and the contacts %+v, want the chat verified", reply, r.Contacts)
	}
}

func TestTokensActForTheirPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk")
	order := w.sms()[0]
	token := must[string](t)(w.Token(t.Context(), order.Page.ID, ann, [32]byte{1}, start))
	ack := oncall.Answer{Method: oncall.MethodEmail, ID: "1", Token: token, Intent: oncall.Intent{Kind: oncall.IntentAct, Act: oncall.ActAck}}
	if reply := w.handle(ack).Text; reply != "Acknowledged #1." || w.status(1) != "acknowledged email" {
		t.Errorf("the reply is %q and the incident %s, want it acknowledged by e-mail", reply, w.status(1))
	}
	if reply := w.presses(oncall.MethodVoice, order.Page, oncall.ActResolve); reply != "Resolved #1." {
		t.Errorf("the phone key gets %q, want %q", reply, "Resolved #1.")
	}
	if reply := w.handle(ack); reply.Text != "Acknowledged #1." || !reply.Repeated {
		t.Errorf("the repeated answer gets %+v, want the same text, marked as repeated", reply)
	}
	ack.ID, ack.Token = "2", ack.Token+"x"
	if reply := w.handle(ack); reply.Text != "This link or button is not valid." || reply.Repeated {
		t.Errorf("a bad token gets %+v, want that it is not valid", reply)
	}
}

// The answer to a test page or a probe is identified by its key, or by a token that belongs to no page.
func TestProbeIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := must[string](t)(w.Token(t.Context(), 0, ann, [32]byte{1}, start))
	for name, a := range map[string]oncall.Answer{
		"by its key": {Message: oncall.ParseMessageKey("test/U0ANN/1")}, "by a token": {Token: token},
	} {
		a.Method, a.Intent = oncall.MethodSMS, oncall.Intent{Kind: oncall.IntentAct, Act: oncall.ActAck}
		if got := w.handle(a).Text; got != "Thank you: you can be reached here." {
			t.Errorf("%s: %q, want %q", name, got, "Thank you: you can be reached here.")
		}
	}
	if got := w.handle(oncall.Answer{Message: oncall.MessageKey{Page: "1/1/U0ANN/sms:1"}, Intent: oncall.Intent{Kind: oncall.IntentAct, Act: oncall.ActAck}}); got.Text != "" {
		t.Errorf("an answer to an unknown page gets %+v, want no reply", got)
	}
}

// Links that an admin has revoked do nothing, in every way in which a push can answer; links of later messages
// work.
func TestRevokedLinksDoNothing(t *testing.T) {
	t.Parallel()
	const ended = "An admin has ended this link or button, and nothing was changed. Please act in Slack."
	for _, method := range []oncall.Method{oncall.MethodEmail, oncall.MethodNtfy, oncall.MethodPushover, oncall.MethodTelegram} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "disk")
			page := w.sms()[0].Page
			w.check(w.EndLinks(t.Context(), oncall.ByTimer(), ann, start)) // the page is as old as that
			presses := func() string {
				w.t.Helper()
				w.n++
				a := oncall.Answer{Method: method, ID: fmt.Sprint(w.n), Intent: oncall.Intent{Kind: oncall.IntentAct, Act: oncall.ActAck}}
				if method == oncall.MethodEmail || method == oncall.MethodNtfy {
					a.Token = must[string](t)(w.Token(t.Context(), page.ID, ann, [32]byte{1}, start))
				} else {
					a.Message = oncall.MessageKey{Page: page.Key}
				}
				return w.handle(a).Text
			}
			w.advance(time.Minute)
			if reply := presses(); reply != ended || w.status(1) != "triggered " {
				t.Errorf("the reply is %q and the incident %s, want %q and no change", reply, w.status(1), ended)
			}
			if reply := w.presses(oncall.MethodVoice, page, oncall.ActAck); reply != "Acknowledged #1." {
				t.Errorf("the phone key gets %q, want %q because a call has no link", reply, "Acknowledged #1.")
			}
		})
	}
}

// A button in a chat that its person has removed does nothing.
func TestButtonsOfRemovedChatDoNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk")
	page := w.sms()[0].Page
	chat := w.addContact(ann, oncall.MethodPushover, "uQiRzpo4DXghDmr9QzzfQu27cmVRsG")
	press := func(id string) string {
		return w.handle(oncall.Answer{
			Method: oncall.MethodPushover, ID: id, From: "uQiRzpo4DXghDmr9QzzfQu27cmVRsG", Message: oncall.MessageKey{Page: page.Key},
			Intent: oncall.Intent{Kind: oncall.IntentAct, Act: oncall.ActAck},
		}).Text
	}
	if reply := press("1"); reply != "Acknowledged #1." {
		t.Errorf("got %q, want %q", reply, "Acknowledged #1.")
	}
	w.check(w.RemoveContact(t.Context(), oncall.ByTimer(), ann, chat, w.now))
	if reply, want := press("2"), "No page comes here any more, so that this button does nothing, and nothing was changed. Please act in Slack."; reply != want {
		t.Errorf("got %q, want %q", reply, want)
	}
}
