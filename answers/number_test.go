package answers_test

import (
	"fmt"
	"strings"
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

// numbered replaces {1} to {4} by the numbers of three incidents, and of the next one.
func numbered(first oncall.IncidentID, text string) string {
	for i := range oncall.IncidentID(4) {
		text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i+1), fmt.Sprint(int64(first+i)))
	}
	return text
}

// statuses returns the first letters of three incidents' states.
func (w *world) statuses(first oncall.IncidentID) (all string) {
	for i := range oncall.IncidentID(3) {
		all += string(w.incident(first + i).Status[0])
	}
	return all
}

// An incident of which a phone was informed is acknowledged by its number in every form; other text gets the
// open incidents.
func TestEveryFormOfACode(t *testing.T) {
	t.Parallel()
	const bundle, first = "#{2}, #{3} (b{2}a)", "#{1} ({1}a)"
	w := newWorld(t)
	for i, c := range []struct {
		text, reply string
		status      string // of {1}, which has a message of its own, and of {2} and {3}, which share one
	}{
		{"ack #{3}", "Acknowledged #{3}.", "tta"},
		{"{3}a", "Acknowledged #{3}.", "tta"},
		{"ack {3}", "Acknowledged #{3}.", "tta"},
		{"#{3}a", "Acknowledged #{3}.", "tta"},
		{"Ack  #{2}.", "Acknowledged #{2}.", "tat"},
		{"{2}a", "Acknowledged #{2}.", "tat"},
		{"ack {2}", "Acknowledged #{2}.", "tat"},
		{"close {2}", "Resolved #{2}.", "trt"},
		{"{2}", "Answer b{2}a to acknowledge, b{2}r to resolve or b{2}e to escalate, with the number from the message. Open for you: " + bundle + "; " + first + ".", "ttt"},
		{"b{2}a", "Acknowledged #{2}, #{3}.", "taa"},
		{"‘B{2}A’", "Acknowledged #{2}, #{3}.", "taa"},
		{"ack b{2}", "Acknowledged #{2}, #{3}.", "taa"},
		{"resolve B {2}", "Resolved #{2}, #{3}.", "trr"},
		{"b{2}a ack all", "Acknowledged #{2}, #{3}.", "taa"},
		{"b{1}a", "No message b{1}. Open for you: " + bundle + "; " + first + ".", "ttt"},
		{"{1}a", "Acknowledged #{1}.", "att"},
		{"ack #{1} #{3}", "Acknowledged #{1}, #{3}.", "ata"},
		{"{1}a, {3}a", "Acknowledged #{1}, #{3}.", "ata"},
		{"ack all", "Acknowledged #{2}, #{3}, #{1}.", "aaa"},
		{"resolve all", "Resolved #{2}, #{3}, #{1}.", "rrr"},
		{"r #{3}", "Resolved #{3}.", "ttr"},
		{"ack", "Acknowledged #{2}, #{3}. Open for you: #{1}; {1}a takes it.", "taa"},
		{"aa", "Acknowledged #{2}, #{3}. Open for you: #{1}; {1}a takes it.", "taa"},
		{"rr", "Resolved #{2}, #{3}. Open for you: #{1}; {1}r takes it.", "trr"},
		{"ack {4}", "You were not paged for #{4}. Open for you: " + bundle + "; " + first + ".", "ttt"},
		{"ack #{4}", "You were not paged for #{4}. Open for you: " + bundle + "; " + first + ".", "ttt"},
		{"ack {1} {4}", "Acknowledged #{1}. You were not paged for #{4}. Open for you: #{2}, #{3}; b{2}a takes both.", "att"},
		{
			"ack {1} resolve {2}", "Answer b{2}a to acknowledge, b{2}r to resolve or b{2}e to escalate, with the number from the message. " +
				"Open for you: " + bundle + "; " + first + ".", "ttt",
		},
	} {
		w.advance(time.Hour)
		w.exec(`UPDATE incidents SET status = 'resolved'`)
		one := oncall.IncidentID(3*i + 1)
		w.alone(fmt.Sprint("one", i))
		w.advance(40 * time.Second)
		w.trigger(fmt.Sprint("two", i), fmt.Sprint("three", i))
		if orders := w.sms(); len(orders) != 1 || orders[0].Code != -int(one)-1 {
			t.Fatalf("the SMS are %+v, want one bundle with a code of its own", orders)
		}
		text, want := numbered(one, c.text), numbered(one, c.reply)
		if got := w.reply(annsPhone, text); got != want || w.statuses(one) != c.status {
			t.Errorf("%q gets %q, and the incidents are %s; want %q and %s", text, got, w.statuses(one), want, c.status)
		}
	}
}

// Earlier releases gave messages, and bundles, plain numbers of their own. What such a message offers works as it is
// printed there, and a number alone is the incident's all the same.
func TestCodeOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, c := range []struct{ text, reply, status string }{
		{"ack #{2}", "Acknowledged #{2}.", "tat"},
		{"{2}a", "Acknowledged #{3}.", "tta"},
		{"ack {2}", "Acknowledged #{2}.", "tat"},
		{"ack {3}", "Acknowledged #{3}.", "tta"},
		{"{1}a", "Acknowledged #{2}.", "tat"},
		{"77a", "Acknowledged #{1}.", "att"},
		{"ack 77", "You were not paged for #77. Open for you: #{3} ({2}a); #{2} ({1}a); #{1} (77a).", "ttt"},
	} {
		w.advance(time.Hour)
		w.exec(`UPDATE incidents SET status = 'resolved'`)
		one := oncall.IncidentID(3*i + 1)
		w.alone(fmt.Sprint("a", i), fmt.Sprint("b", i), fmt.Sprint("c", i))
		w.exec(`UPDATE pages SET code = CASE incident_id WHEN $1 THEN 77 ELSE incident_id - 1 END WHERE incident_id >= $1 AND code <> 0`, one)
		text, want := numbered(one, c.text), numbered(one, c.reply)
		if got := w.reply(annsPhone, text); got != want || w.statuses(one) != c.status {
			t.Errorf("%q gets %q, and the incidents are %s; want %q and %s", text, got, w.statuses(one), want, c.status)
		}
	}
}

// A bundle of an earlier release is answered as it was printed, and never by a number alone.
func TestBundleOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, c := range []struct{ text, reply, status string }{
		{"{1}a", "Acknowledged #{1}, #{2}.", "aat"},
		{"{1} r", "Resolved #{1}, #{2}.", "rrt"},
		{"ack {1}", "Acknowledged #{1}.", "att"},
		{"resolve {1}", "Resolved #{1}.", "rtt"},
		{"close {2}", "Resolved #{2}.", "trt"},
	} {
		w.advance(time.Hour)
		w.exec(`UPDATE incidents SET status = 'resolved'`)
		one := oncall.IncidentID(3*i + 1)
		w.trigger(fmt.Sprint("a", i), fmt.Sprint("b", i))
		w.sms()
		w.exec(`UPDATE pages SET code = -code WHERE incident_id >= $1 AND code < 0`, one)
		w.alone(fmt.Sprint("c", i))
		text, want := numbered(one, c.text), numbered(one, c.reply)
		if got := w.reply(annsPhone, text); got != want || w.statuses(one) != c.status {
			t.Errorf("%q gets %q, and the incidents are %s; want %q and %s", text, got, w.statuses(one), want, c.status)
		}
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
