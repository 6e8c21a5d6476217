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

func TestAnAnswerActs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk")
	orders := w.sms()
	if len(orders) != 1 || orders[0].Address != annsPhone || orders[0].Code != 1 || orders[0].Team != "payments" {
		t.Fatalf("orders: %+v", orders)
	}
	if got := w.says("+12025550199", "1a"); got != "" {
		t.Errorf("a stranger is told %q, want nothing", got)
	}
	if got, want := w.says(annsPhone, "7a"), "No message 7. Open for you: #1; 1a takes it."; got != want {
		t.Errorf("another number is told %q, want %q", got, want)
	}
	if got := w.says(annsPhone, "1a"); got != "Acknowledged #1." || w.status(1) != "acknowledged sms" {
		t.Errorf("%q, %s", got, w.status(1))
	}
	w.n-- // the provider brings it once more
	if got := w.says(annsPhone, "1a"); got != "" {
		t.Errorf("a repetition is told %q, want nothing", got)
	}
	if got, want := w.says(annsPhone, "ack"), "You have acknowledged incident #1 already."; got != want {
		t.Errorf("a second acknowledgement is told %q, want %q", got, want)
	}
	if got := w.says(annsPhone, "1r"); got != "Resolved #1." || w.incident(1).ResolvedBy.User != ann {
		t.Errorf("%q, %+v", got, w.incident(1))
	}
	if got, want := w.says(annsPhone, "1r"), "Incident #1 is already resolved by ann."; got != want {
		t.Errorf("after that: %q, want %q", got, want)
	}
	r := must[oncall.ContactSettings](t)(w.ContactSettings(t.Context(), oncall.ByTimer(), ann))
	if r.Contacts[0].ConfirmedAt == nil {
		t.Error("nobody remembers that Ann has answered")
	}
}

// What a stranger sends may hold anything; it is answered, or not, but never an error that is tried again.
func TestAnyTextIsTaken(t *testing.T) {
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
			if _, err := answers.Take(t.Context(), w.Store, a, w.now); err != nil {
				t.Errorf("%d: %.80q: %v", i, odd, err)
			}
		}
	}
}

// A code means what its message listed and nothing that came later.
func TestACodeMeansWhatTheMessageListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b", "c")
	orders := w.sms()
	if len(orders) != 1 || len(orders[0].Incidents) != 3 || orders[0].Code != 1 {
		t.Fatalf("orders: %+v", orders)
	}
	w.advance(10 * time.Second)
	w.trigger("d")
	if again := w.sms(); len(again) != 0 {
		t.Fatalf("a message inside the cooldown: %+v", again)
	}
	w.advance(20 * time.Second)
	if again := w.sms(); len(again) != 1 || again[0].Code != 4 || again[0].Incident.ID != 4 {
		t.Fatalf("after the cooldown: %+v", again)
	}
	if got := w.says(annsPhone, "1a"); got != "Acknowledged #1, #2, #3." || w.status(4) != "triggered " {
		t.Errorf("%q, %s", got, w.status(4))
	}
	if got := w.says(annsPhone, "ack"); got != "Acknowledged #4." {
		t.Errorf("got %q, want %q", got, "Acknowledged #4.")
	}
	if got := w.says(annsPhone, "rr"); got != "Resolved #4." {
		t.Errorf("the newest message: %q, want %q", got, "Resolved #4.")
	}
	if got := w.says(annsPhone, "1 r"); got != "Resolved #1, #2, #3." {
		t.Errorf("got %q, want %q", got, "Resolved #1, #2, #3.")
	}
}

// Two people with one number: the code tells who is meant.
func TestANumberThatTwoPeopleShare(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk")
	w.pagedBySMS(bo, annsPhone)
	w.sms()
	in := w.incident(1)
	must[bool](t)(w.RunIncidentTimer(t.Context(), 1, in.Seq, start))
	if orders := w.sms(); len(orders) != 1 || orders[0].Page.UserID != bo || orders[0].Code != 2 {
		t.Fatalf("Bo's page: %+v", orders)
	}
	if got := w.says(annsPhone, "ack"); !strings.HasPrefix(got, "More than one person") {
		t.Errorf("without a code: %q", got)
	}
	if got := w.says(annsPhone, "2a"); got != "Acknowledged #1." || w.incident(1).AckedBy.User != bo {
		t.Errorf("%q, %+v", got, w.incident(1).AckedBy)
	}
}

func TestStopAndStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	usable := func() bool {
		return must[oncall.ContactSettings](t)(w.ContactSettings(t.Context(), oncall.ByTimer(), ann)).Contacts[0].Usable()
	}
	if got := w.says(annsPhone, "STOP"); got != "" || usable() {
		t.Errorf("after STOP: %q, usable %t", got, usable())
	}
	const told = `SELECT count(*) FROM notices WHERE kind = 'contact_off' AND recipient = ANY ($1)`
	if n := w.count(told, []string{"U0ANN", "#payments"}); n != 2 || w.count(`SELECT count(*) FROM notices`) != 2 {
		t.Errorf("%d notices", n)
	}
	if got := w.says(annsPhone, "Start"); got != "" || !usable() {
		t.Errorf("after START: %q, usable %t", got, usable())
	}
}

// Two machines don't talk to each other for ever.
func TestAnswersToNothingAreFew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	told := 0
	for range 20 {
		if w.says(annsPhone, "I am on holiday") != "" {
			told++
		}
	}
	if told != 5 {
		t.Errorf("answered %d times, want 5", told)
	}
	w.advance(61 * time.Minute)
	if w.says(annsPhone, "hello") == "" {
		t.Error("not answered an hour later")
	}
}

func TestAnAddressIsProvenByItsAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	c := must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), bo, oncall.MethodSMS, "+12025550101", start))
	proof := must[store.Proof](t)(w.BeginProof(ctx, c.ID, [16]byte{7: 5}, start))
	if got := w.says("+12025550101", "1a"); got != "" {
		t.Errorf("an address that is not proven is told %q, want nothing", got)
	}
	if got, want := w.says("+12025550101", "111111"), "That code is not right, or too old. A new one can be sent from Slack."; got != want {
		t.Errorf("a wrong code is told %q, want %q", got, want)
	}
	if got, want := w.says("+12025550101", "'"+proof.Code+"'"), "Thank you. SMS pages for bo can come here now."; got != want {
		t.Errorf("the right code is told %q, want %q", got, want)
	}
	// Telegram tells the address with the answer.
	tg := must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), ann, oncall.MethodTelegram, "", start))
	proof = must[store.Proof](t)(w.BeginProof(ctx, tg.ID, [16]byte{7: 9}, start))
	if len(proof.Code) != 16 {
		t.Errorf("anybody can try this code: %q", proof.Code)
	}
	said := w.take(oncall.Answer{Method: oncall.MethodTelegram, ID: "1", From: "4711", Text: "/start " + proof.Code}).Text
	r := must[oncall.ContactSettings](t)(w.ContactSettings(ctx, oncall.ByTimer(), ann))
	if said != "Thank you. Telegram pages for ann can come here now." || r.Contacts[1].Address != "4711" || !r.Contacts[1].Usable() {
		t.Errorf("%q, %+v", said, r.Contacts)
	}
}

func TestATokenActs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk")
	order := w.sms()[0]
	token := must[string](t)(w.Token(t.Context(), order.Page.ID, ann, [32]byte{1}, start))
	ack := oncall.Answer{Method: oncall.MethodEmail, ID: "1", Token: token, Intent: oncall.Intent{Kind: oncall.IntentAct, Act: oncall.ActAck}}
	if said := w.take(ack).Text; said != "Acknowledged #1." || w.status(1) != "acknowledged email" {
		t.Errorf("%q, %s", said, w.status(1))
	}
	if said := w.presses(oncall.MethodVoice, order.Page, oncall.ActResolve); said != "Resolved #1." {
		t.Errorf("by key: %q, want %q", said, "Resolved #1.")
	}
	if said := w.take(ack); said.Text != "Acknowledged #1." || !said.Again {
		t.Errorf("the same answer again: %+v", said)
	}
	ack.ID, ack.Token = "2", ack.Token+"x"
	if said := w.take(ack); said.Text != "This link or button is not valid." || said.Again {
		t.Errorf("a bad token: %+v", said)
	}
}

// A test or a check is answered by its key, or by a token that is of no page.
func TestAProbeIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := must[string](t)(w.Token(t.Context(), 0, ann, [32]byte{1}, start))
	for name, a := range map[string]oncall.Answer{
		"by its key": {Message: oncall.ParseMessageKey("test/U0ANN/1")}, "by a token": {Token: token},
	} {
		a.Method, a.Intent = oncall.MethodSMS, oncall.Intent{Kind: oncall.IntentAct, Act: oncall.ActAck}
		if got := w.take(a).Text; got != "Thank you: you can be reached here." {
			t.Errorf("%s: %q, want %q", name, got, "Thank you: you can be reached here.")
		}
	}
	if got := w.take(oncall.Answer{Message: oncall.MessageKey{Page: "1/1/U0ANN/sms:1"}, Intent: oncall.Intent{Kind: oncall.IntentAct, Act: oncall.ActAck}}); got.Text != "" {
		t.Errorf("a page that is not there: %+v", got)
	}
}

// What an admin has ended answers nothing, by none of the ways in which a push answers; later messages do.
func TestEndedLinksAnswerByNoWay(t *testing.T) {
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
				return w.take(a).Text
			}
			w.advance(time.Minute)
			if said := presses(); said != ended || w.status(1) != "triggered " {
				t.Errorf("%q, %s", said, w.status(1))
			}
			if said := w.presses(oncall.MethodVoice, page, oncall.ActAck); said != "Acknowledged #1." {
				t.Errorf("by key: %q, want %q", said, "Acknowledged #1.") // a call is no link
			}
		})
	}
}

// A button in a chat that is no longer its person's answers nothing.
func TestAChatThatWasRemovedAnswersNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk")
	page := w.sms()[0].Page
	chat := w.addContact(ann, oncall.MethodPushover, "uQiRzpo4DXghDmr9QzzfQu27cmVRsG")
	press := func(id string) string {
		return w.take(oncall.Answer{
			Method: oncall.MethodPushover, ID: id, From: "uQiRzpo4DXghDmr9QzzfQu27cmVRsG", Message: oncall.MessageKey{Page: page.Key},
			Intent: oncall.Intent{Kind: oncall.IntentAct, Act: oncall.ActAck},
		}).Text
	}
	if said := press("1"); said != "Acknowledged #1." {
		t.Errorf("got %q, want %q", said, "Acknowledged #1.")
	}
	w.check(w.RemoveContact(t.Context(), oncall.ByTimer(), ann, chat, w.now))
	if said, want := press("2"), "No page comes here any more, so that this button does nothing, and nothing was changed. Please act in Slack."; said != want {
		t.Errorf("got %q, want %q", said, want)
	}
}
