package answers_test

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// alone opens incidents that each get their own message.
func (w *world) alone(names ...string) (codes []int) {
	w.t.Helper()
	for _, name := range names {
		w.advance(40 * time.Second)
		w.trigger(name)
		for _, o := range w.sms() {
			codes = append(codes, o.Code)
		}
	}
	return codes
}

// settle resolves incidents, so that their numbers become old.
func (w *world) settle(ids ...oncall.IncidentID) {
	w.t.Helper()
	for _, id := range ids {
		w.act(id, cy, oncall.Act{Do: oncall.ActResolve})
	}
}

// The code of a message about one incident is the incident's number.
func TestCodeIsTheIncidentNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 12 {
		if codes := w.alone(string(rune('a' + i))); len(codes) != 1 || codes[0] != i+1 {
			t.Errorf("incident %d has the codes %d, want its own number", i+1, codes)
		}
		if i < 9 {
			w.settle(oncall.IncidentID(i + 1))
		}
	}
	for _, c := range []struct {
		text, reply string
	}{
		{"#12", "Answer 12a to acknowledge, 12r to resolve or 12e to escalate, with the number from the message. Open for you: #12 (12a); #11 (11a); #10 (10a)."},
		{"ack #10", "Acknowledged #10."},
		{"12a", "Acknowledged #12."},
		{" Ack  11. ", "Acknowledged #11."},
		{"ack 9", "Incident #9 is already resolved by cy."},
		{"resolve 10", "Resolved #10."},
		{"‘12R’", "Resolved #12."},
		{"close #11!", "Resolved #11."},
		{"ack #13", "There is nothing open that you were paged for here."},
		{"ack", "There is nothing open that you were paged for here."},
	} {
		if got := w.reply(annsPhone, c.text); got != c.reply {
			t.Errorf("%q gets %q, want %q", c.text, got, c.reply)
		}
	}
}

// A numberCase is what Ann's phone answers about the incidents 1 to 3, the reply, and the first letters of their
// states then.
type numberCase struct{ text, reply, status string }

// check answers in a world of its own, whose incidents were opened and sent to Ann's phone by open.
func (c numberCase) check(t *testing.T, open func(w *world)) {
	t.Run(c.text, func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		open(w)
		reply, status := w.reply(annsPhone, c.text), ""
		for id := range oncall.IncidentID(3) {
			status += string(w.incident(id + 1).Status[0])
		}
		if reply != c.reply {
			t.Errorf("the reply is %q, want %q", reply, c.reply)
		}
		if status != c.status {
			t.Errorf("the incidents are %s, want %s", status, c.status)
		}
	})
}

// An incident of which a phone was informed is acknowledged by its number in every form; other text gets the
// open incidents.
func TestEveryFormOfACode(t *testing.T) {
	t.Parallel()
	const bundle, first = "#2, #3 (b2a)", "#1 (1a)"
	// Incident 1 has a message of its own, 2 and 3 share one.
	for _, c := range []numberCase{
		{"ack #3", "Acknowledged #3.", "tta"},
		{"3a", "Acknowledged #3.", "tta"},
		{"ack 3", "Acknowledged #3.", "tta"},
		{"#3a", "Acknowledged #3.", "tta"},
		{"Ack  #2.", "Acknowledged #2.", "tat"},
		{"2a", "Acknowledged #2.", "tat"},
		{"ack 2", "Acknowledged #2.", "tat"},
		{"close 2", "Resolved #2.", "trt"},
		{"2", "Answer b2a to acknowledge, b2r to resolve or b2e to escalate, with the number from the message. Open for you: " + bundle + "; " + first + ".", "ttt"},
		{"b2a", "Acknowledged #2, #3.", "taa"},
		{"‘B2A’", "Acknowledged #2, #3.", "taa"},
		{"ack b2", "Acknowledged #2, #3.", "taa"},
		{"resolve B 2", "Resolved #2, #3.", "trr"},
		{"b2a ack all", "Acknowledged #2, #3.", "taa"},
		{"b1a", "No message b1. Open for you: " + bundle + "; " + first + ".", "ttt"},
		{"1a", "Acknowledged #1.", "att"},
		{"ack #1 #3", "Acknowledged #1, #3.", "ata"},
		{"1a, 3a", "Acknowledged #1, #3.", "ata"},
		{"ack all", "Acknowledged #2, #3, #1.", "aaa"},
		{"resolve all", "Resolved #2, #3, #1.", "rrr"},
		{"r #3", "Resolved #3.", "ttr"},
		{"ack", "Acknowledged #2, #3. Open for you: #1; 1a takes it.", "taa"},
		{"aa", "Acknowledged #2, #3. Open for you: #1; 1a takes it.", "taa"},
		{"rr", "Resolved #2, #3. Open for you: #1; 1r takes it.", "trr"},
		{"ack 4", "You were not paged for #4. Open for you: " + bundle + "; " + first + ".", "ttt"},
		{"ack #4", "You were not paged for #4. Open for you: " + bundle + "; " + first + ".", "ttt"},
		{"ack 1 4", "Acknowledged #1. You were not paged for #4. Open for you: #2, #3; b2a takes both.", "att"},
		{
			"ack 1 resolve 2", "Answer b2a to acknowledge, b2r to resolve or b2e to escalate, with the number from the message. " +
				"Open for you: " + bundle + "; " + first + ".", "ttt",
		},
	} {
		c.check(t, func(w *world) {
			w.alone("one")
			w.advance(40 * time.Second)
			w.trigger("two", "three")
			if orders := w.sms(); len(orders) != 1 || orders[0].Code != -2 {
				w.t.Fatalf("the SMS are %+v, want one bundle with the code b2", orders)
			}
		})
	}
}

// Earlier releases gave messages, and bundles, plain numbers of their own. What such a message offers works as it is
// printed there, and a number alone is the incident's all the same.
func TestCodeOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	for _, c := range []numberCase{
		{"ack #2", "Acknowledged #2.", "tat"},
		{"2a", "Acknowledged #3.", "tta"},
		{"ack 2", "Acknowledged #2.", "tat"},
		{"ack 3", "Acknowledged #3.", "tta"},
		{"1a", "Acknowledged #2.", "tat"},
		{"77a", "Acknowledged #1.", "att"},
		{"ack 77", "You were not paged for #77. Open for you: #3 (2a); #2 (1a); #1 (77a).", "ttt"},
	} {
		c.check(t, func(w *world) {
			w.alone("a", "b", "c")
			w.exec(`UPDATE pages SET code = CASE incident_id WHEN 1 THEN 77 ELSE incident_id - 1 END WHERE code <> 0`)
		})
	}
}

// A bundle of an earlier release is answered as it was printed, and never by a number alone.
func TestBundleOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	for _, c := range []numberCase{
		{"1a", "Acknowledged #1, #2.", "aat"},
		{"1 r", "Resolved #1, #2.", "rrt"},
		{"ack 1", "Acknowledged #1.", "att"},
		{"resolve 1", "Resolved #1.", "rtt"},
		{"close 2", "Resolved #2.", "trt"},
	} {
		c.check(t, func(w *world) {
			w.trigger("a", "b")
			w.sms()
			w.exec(`UPDATE pages SET code = -code WHERE code < 0`)
			w.alone("c")
		})
	}
}

// A bundle of an earlier release that is sent again gets a code that is no incident's number.
func TestBundleSentAgainGetsALetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b")
	w.sms()
	w.exec(`UPDATE pages SET code = -code WHERE code < 0`)
	w.advance(40 * time.Second)
	w.act(1, cy, oncall.Act{Do: oncall.ActReassign, User: ann})
	w.act(2, cy, oncall.Act{Do: oncall.ActReassign, User: ann})
	again := w.sms()
	if len(again) != 1 || again[0].Code != -1 {
		t.Fatalf("the SMS are %+v, want the bundle again with the code b1", again)
	}
	if got := w.reply(annsPhone, "b1a"); got != "Acknowledged #1, #2." {
		t.Errorf("the reply is %q, want both acknowledged", got)
	}
}

// An old message's code stands for its incidents, whatever has come since.
func TestOldCodeAfterNewerMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.trigger("a", "b")
	w.sms()
	w.settle(1)
	w.advance(7 * time.Hour)
	if codes := w.alone("c", "d"); codes[0] != 3 || codes[1] != 4 {
		t.Fatalf("the codes are %v, want 3 and 4", codes)
	}
	w.act(2, cy, oncall.Act{Do: oncall.ActReassign, User: ann})
	w.advance(40 * time.Second)
	if again := w.sms(); len(again) != 1 || again[0].Code != 2 {
		t.Fatalf("the SMS are %+v, want the rest of the bundle with the incident's number", again)
	}
	if got := w.reply(annsPhone, "b1a"); got != "Acknowledged #2; 1 was settled before." {
		t.Errorf("the reply is %q, want what is left of the bundle acknowledged", got)
	}
	if got := w.reply(annsPhone, "4a"); got != "Acknowledged #4." || w.status(3) != "triggered " {
		t.Errorf("the reply is %q, want incident 4 acknowledged and 3 not", got)
	}
}

// A person without an SMS yet gets the incidents that page them elsewhere.
func TestIncidentsPagedElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pagedBy(bo, oncall.MethodVoice, bosPhone)
	w.addContact(bo, oncall.MethodSMS, bosPhone)
	w.trigger("disk")
	w.act(1, cy, oncall.Act{Do: oncall.ActReassign, User: bo})
	id := oncall.PageID(w.count(`SELECT id FROM pages WHERE method = 'voice'`))
	must[oncall.PageOrder](t)(w.BeginPage(t.Context(), oncall.SendPage{Page: id}, 1, w.now))
	w.check(w.RecordPage(t.Context(), id, oncall.PageAccepted{Ref: "CA1", Track: true}, w.now))
	if got := w.reply(bosPhone, "ack"); got != "Open for you: #1; 1a takes it." {
		t.Errorf("the reply is %q, want %q", got, "Open for you: #1; 1a takes it.")
	}
	if got := w.reply(bosPhone, "#1a"); got != "Acknowledged #1." || w.status(1) != "acknowledged sms" {
		t.Errorf("the reply is %q and the incident %s, want it acknowledged by SMS", got, w.status(1))
	}
}

// A verification code is accepted with blanks, from the phone and in the form.
func TestVerificationCodeWithBlanks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, typed := range []func(string) string{
		func(c string) string { return c[:3] + " " + c[3:] },
		func(c string) string { return c[:3] + "-" + c[3:] + "." },
		func(c string) string { return "Code: " + c[:2] + " " + c[2:4] + " " + c[4:] },
	} {
		for _, inSlack := range []bool{false, true} {
			number := "+1202555010" + string(rune('1'+i))
			c := must[oncall.Contact](t)(w.AddContact(t.Context(), oncall.ByTimer(), bo, oncall.MethodSMS, number, w.now))
			code := must[codeOf](t)(codeFor(w, c.ID))
			if inSlack {
				w.check(w.ConfirmContact(t.Context(), oncall.ByTimer(), bo, c.ID, typed(string(code)), w.now))
			} else if got := w.reply(number, typed(string(code))); got != "Thank you. SMS pages for bo can come here now." {
				t.Errorf("%q gets %q, want the contact verified", typed(string(code)), got)
			}
			w.check(w.RemoveContact(t.Context(), oncall.ByTimer(), bo, c.ID, w.now))
			w.advance(2 * time.Hour)
		}
	}
}

type codeOf string

func codeFor(w *world, id oncall.ContactID) (codeOf, error) {
	p, err := w.BeginProof(w.t.Context(), id, [16]byte{6: 7, 7: 9}, w.now)
	return codeOf(p.Code), err
}
