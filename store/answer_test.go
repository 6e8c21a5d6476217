package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// An answering is a world where Ann is paged by SMS for some incidents.
type answering struct {
	*world
	n int
}

func newAnswering(t *testing.T, incidents ...string) *answering {
	t.Helper()
	w := newWorld(t)
	c := w.addContact(ann, oncall.MethodSMS, "+12025550100")
	w.check(w.SetPreferences(t.Context(), ann, oncall.Preferences{High: []oncall.Rule{{Contact: c.ID}}}))
	stop := w.run(w.Store)
	for _, name := range incidents {
		w.accept(trigger(name))
	}
	w.fold()
	stop()
	return &answering{world: w}
}

// sms sends the pages by SMS that can be sent, and returns how many messages that are.
func (a *answering) sms() (orders []oncall.PageOrder) {
	a.t.Helper()
	for page := 1; page <= a.count(`SELECT count(*) FROM pages`); page++ {
		order := must[oncall.PageOrder](a.t)(a.BeginPage(a.t.Context(), oncall.PageID(page), int64(page), a.clock()))
		if !order.Send || order.Page.Method != oncall.MethodSMS {
			continue
		}
		a.check(a.RecordPage(a.t.Context(), order.Page.ID, oncall.PageAccepted{Ref: "SM1", Track: true}, a.clock()))
		orders = append(orders, order)
	}
	return orders
}

// says lets a phone answer.
func (a *answering) says(from, text string) string {
	a.t.Helper()
	a.n++
	return must[string](a.t)(a.Answer(a.t.Context(), oncall.Answer{
		Method: oncall.MethodSMS, From: from, Text: text, ID: fmt.Sprint(a.n),
	}, a.clock()))
}

func (a *answering) status(id oncall.IncidentID) string {
	in := a.incident(id)
	return string(in.Status) + " " + in.AckedBy.Via
}

func TestAnAnswerActs(t *testing.T) {
	t.Parallel()
	a := newAnswering(t, "disk")
	orders := a.sms()
	if len(orders) != 1 || orders[0].Address != "+12025550100" || orders[0].Code != 1 || orders[0].Team != "payments" {
		t.Fatalf("orders: %+v", orders)
	}
	if got := a.says("+12025550199", "1a"); got != "" {
		t.Errorf("a stranger is told %q", got)
	}
	if got := a.says("+12025550100", "7a"); got != "There is nothing open that you were paged for here." {
		t.Errorf("another number is told %q", got)
	}
	if got := a.says("+12025550100", "1a"); got != "Acknowledged #1." || a.status(1) != "acknowledged sms" {
		t.Errorf("%q, %s", got, a.status(1))
	}
	a.n-- // the provider brings it once more
	if got := a.says("+12025550100", "1a"); got != "" {
		t.Errorf("a repetition is told %q", got)
	}
	if got := a.says("+12025550100", "ack"); got != "You have acknowledged incident #1 already." {
		t.Errorf("a second acknowledgement is told %q", got)
	}
	if got := a.says("+12025550100", "1r"); got != "Resolved #1." || a.incident(1).ResolvedBy.User != ann {
		t.Errorf("%q, %+v", got, a.incident(1))
	}
	if got := a.says("+12025550100", "1r"); got != "Incident #1 is already resolved by ann." {
		t.Errorf("after that: %q", got)
	}
	r := must[oncall.Reach](t)(a.Reach(t.Context(), ann))
	if r.Contacts[0].ConfirmedAt == nil {
		t.Error("nobody remembers that Ann has answered")
	}
}

// A code means what its message listed and nothing that came later.
func TestACodeMeansWhatTheMessageListed(t *testing.T) {
	t.Parallel()
	a := newAnswering(t, "a", "b", "c")
	orders := a.sms()
	if len(orders) != 1 || len(orders[0].Incidents) != 3 || orders[0].Code != 1 {
		t.Fatalf("orders: %+v", orders)
	}
	a.advance(10 * time.Second)
	stop := a.run(a.Store)
	a.accept(trigger("d"))
	a.fold()
	stop()
	if again := a.sms(); len(again) != 0 {
		t.Fatalf("a message inside the hold: %+v", again)
	}
	a.advance(20 * time.Second)
	if again := a.sms(); len(again) != 1 || again[0].Code != 2 || again[0].Incident.ID != 4 {
		t.Fatalf("after the hold: %+v", again)
	}
	if got := a.says("+12025550100", "1a"); got != "Acknowledged #1, #2, #3." || a.status(4) != "triggered " {
		t.Errorf("%q, %s", got, a.status(4))
	}
	if got := a.says("+12025550100", "ack"); got != "Acknowledged #4." {
		t.Errorf("%q", got)
	}
	if got := a.says("+12025550100", "rr"); got != "Resolved #4." {
		t.Errorf("the newest message: %q", got)
	}
	if got := a.says("+12025550100", "1 r"); got != "Resolved #1, #2, #3." {
		t.Errorf("%q", got)
	}
}

// Two people with one number: the code tells who is meant.
func TestANumberThatTwoPeopleShare(t *testing.T) {
	t.Parallel()
	a := newAnswering(t, "disk")
	c := a.addContact(bo, oncall.MethodSMS, "+12025550100")
	a.check(a.SetPreferences(t.Context(), bo, oncall.Preferences{High: []oncall.Rule{{Contact: c.ID}}}))
	a.sms()
	in := a.incident(1)
	must[bool](t)(a.RunIncidentTimer(t.Context(), 1, in.Seq, start))
	if orders := a.sms(); len(orders) != 1 || orders[0].Page.UserID != bo || orders[0].Code != 2 {
		t.Fatalf("Bo's page: %+v", orders)
	}
	if got := a.says("+12025550100", "ack"); !strings.HasPrefix(got, "More than one person") {
		t.Errorf("without a code: %q", got)
	}
	if got := a.says("+12025550100", "2a"); got != "Acknowledged #1." || a.incident(1).AckedBy.User != bo {
		t.Errorf("%q, %+v", got, a.incident(1).AckedBy)
	}
}

func TestStopAndStart(t *testing.T) {
	t.Parallel()
	a := newAnswering(t)
	usable := func() bool { return must[oncall.Reach](t)(a.Reach(t.Context(), ann)).Contacts[0].Usable() }
	if got := a.says("+12025550100", "STOP"); got != "" || usable() {
		t.Errorf("after STOP: %q, usable %t", got, usable())
	}
	if got := a.strings(`SELECT kind || ' ' || recipient FROM notices ORDER BY id`); !cmp.Equal(got, []string{"contact_off U0ANN", "contact_off #payments"}) {
		t.Errorf("notices: %q", got)
	}
	if got := a.says("+12025550100", "Start"); got != "" || !usable() {
		t.Errorf("after START: %q, usable %t", got, usable())
	}
}

// Two machines don't talk to each other for ever.
func TestAnswersToNothingAreFew(t *testing.T) {
	t.Parallel()
	a := newAnswering(t)
	told := 0
	for range 20 {
		if a.says("+12025550100", "I am on holiday") != "" {
			told++
		}
	}
	if told != 5 {
		t.Errorf("answered %d times, want 5", told)
	}
	a.advance(61 * time.Minute)
	if a.says("+12025550100", "hello") == "" {
		t.Error("not answered an hour later")
	}
}

func TestAnAddressIsProvenByItsAnswer(t *testing.T) {
	t.Parallel()
	a := newAnswering(t)
	ctx := t.Context()
	c := must[oncall.Contact](t)(a.AddContact(ctx, bo, oncall.MethodSMS, "+12025550101", start))
	proof := must[store.Proof](t)(a.BeginVerify(ctx, c.ID, random(5), start))
	if got := a.says("+12025550101", "1a"); got != "" {
		t.Errorf("an address that is not proven is told %q", got)
	}
	if got := a.says("+12025550101", "111111"); got != "That code is not right, or too old. A new one can be sent from Slack." {
		t.Errorf("a wrong code is told %q", got)
	}
	if got := a.says("+12025550101", "'"+proof.Code+"'"); got != "Thank you. SMS pages for bo can come here now." {
		t.Errorf("the right code is told %q", got)
	}
	// Telegram tells the address with the answer.
	tg := must[oncall.Contact](t)(a.AddContact(ctx, ann, oncall.MethodTelegram, "", start))
	proof = must[store.Proof](t)(a.BeginVerify(ctx, tg.ID, random(9), start))
	if len(proof.Code) != 16 {
		t.Errorf("anybody can try this code: %q", proof.Code)
	}
	said := must[string](t)(a.Answer(ctx, oncall.Answer{Method: oncall.MethodTelegram, From: "4711", Text: "/start " + proof.Code, ID: "1"}, start))
	r := must[oncall.Reach](t)(a.Reach(ctx, ann))
	if said != "Thank you. Telegram pages for ann can come here now." || r.Contacts[1].Address != "4711" || !r.Contacts[1].Usable() {
		t.Errorf("%q, %+v", said, r.Contacts)
	}
}

func TestATokenActs(t *testing.T) {
	t.Parallel()
	a := newAnswering(t, "disk")
	order := a.sms()[0]
	ctx := t.Context()
	token := must[string](t)(a.Token(ctx, order.Page.ID, ann, [32]byte{1}, start))
	claim := must[oncall.Claim](t)(a.ReadToken(ctx, token, start))
	if claim.User != ann || len(claim.Incidents) != 1 || claim.Incidents[0].ID != 1 {
		t.Errorf("claim: %+v", claim)
	}
	_, err := a.ReadToken(ctx, token+"x", start)
	refused(t, err, "This link or button is not valid.")
	_, err = a.ReadToken(ctx, token, start.Add(49*time.Hour))
	refused(t, err, "This link or button has expired.")

	// A month later another instance signs with another key; both open both.
	other := a.another()
	later := start.Add(31 * 24 * time.Hour)
	next := must[string](t)(other.Token(ctx, order.Page.ID, ann, [32]byte{2}, later))
	must[oncall.Claim](t)(a.ReadToken(ctx, next, later))
	must[oncall.Claim](t)(other.ReadToken(ctx, token, start))
	if n := a.count(`SELECT count(*) FROM signing_keys`); n != 2 {
		t.Errorf("%d keys, want 2", n)
	}
	said := must[string](t)(a.Answer(ctx, oncall.Answer{Method: oncall.MethodEmail, Text: "a " + token, ID: "1"}, start))
	if said != "Acknowledged #1." || a.status(1) != "acknowledged email" {
		t.Errorf("%q, %s", said, a.status(1))
	}
	said = must[string](t)(a.Answer(ctx, oncall.Answer{Method: oncall.MethodVoice, Key: order.Page.Key, Text: "r", ID: "2"}, start))
	if said != "Resolved #1." {
		t.Errorf("by key: %q", said)
	}
}

// Who has not answered for a month is asked before the next shift, once, and the rest hear when
// nobody answers.
func TestPeopleAreAskedBeforeAShift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.addContact(bo, oncall.MethodSMS, "+12025550101") // Bo's next shift begins in a week
	asked := func() int { return w.count(`SELECT count(*) FROM river_job WHERE kind = 'check_reach'`) }
	at := start.Add(24 * time.Hour)
	w.check(w.CheckReach(ctx, at))
	if n := asked(); n != 0 {
		t.Errorf("asked %d times although it was confirmed yesterday", n)
	}
	w.exec(`UPDATE contacts SET confirmed_at = $1`, start.AddDate(0, -2, 0))
	for range 2 {
		w.check(w.CheckReach(ctx, at))
	}
	if n := asked(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	w.check(w.CheckReach(ctx, at.Add(24*time.Hour)))
	if n := w.count(`SELECT count(*) FROM notices WHERE kind = 'contact_silent'`); n != 0 {
		t.Errorf("%d notices long before the shift", n)
	}
	silent := start.Add(6*24*time.Hour + time.Hour)
	for range 2 {
		w.check(w.CheckReach(ctx, silent))
	}
	if got := w.strings(`SELECT recipient FROM notices WHERE kind = 'contact_silent' ORDER BY id`); !cmp.Equal(got, []string{"U0BO", "#payments"}) {
		t.Errorf("told: %q", got)
	}
	if got := must[string](t)(w.Answer(ctx, oncall.Answer{Method: oncall.MethodSMS, From: "+12025550101", Text: "ok", ID: "1"}, silent)); got != "Thank you: you can be reached here." {
		t.Errorf("the answer is told %q", got)
	}
}
