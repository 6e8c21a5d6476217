package answers_test

import (
	"sync"
	"testing"

	"github.com/watchbill/watchbill/answers"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// escalates is Ann's answer "1e", as one provider brings it.
func escalates(id string) oncall.Answer {
	return oncall.Answer{Method: oncall.MethodSMS, ID: id, From: annsPhone, Text: "1e"}
}

// One answer may come by the webhook of one instance and from the provider's list to another at the
// same moment, and more than once. It escalates once, and one SMS says so.
func TestAnAnswerThatComesTwiceAtOnceActsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk", "queue")
	w.sms()
	instances := []*store.System{w.System, w.another(w.url)}
	said := make([]answers.Response, 16)
	var all sync.WaitGroup
	for i := range said {
		all.Go(func() {
			var err error
			if said[i], err = answers.Take(t.Context(), instances[i%2].Store, escalates("same"), w.now); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := w.events(oncall.EventEscalated); n != 2 {
		t.Errorf("two incidents were escalated %d times, want 2", n)
	}
	first := 0
	for _, r := range said {
		if r.Text != "Escalated #1, #2." {
			t.Errorf("told %q, want %q", r.Text, "Escalated #1, #2.")
		}
		if !r.Again {
			first++
		}
	}
	if first != 1 {
		t.Errorf("%d are told for the first time, want 1", first)
	}
}

// Whenever an instance dies while it does an answer, the answer escalates all incidents of its
// message once, and in the end it says so.
func TestAnAnswerSurvivesADeathAtAnyMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk", "queue")
	w.sms()
	for n := 1; ; n++ {
		p, address := storetest.NewProxy(t, w.url)
		p.DieAfter(n, "")
		said, err := answers.Take(t.Context(), w.another(address).Store, escalates("same"), w.now)
		switch done := w.events(oncall.EventEscalated); {
		case err != nil && !p.Died():
			t.Fatal(err)
		case done != 0 && done != 2:
			t.Fatalf("an instance died after %d requests, and %d of 2 incidents are escalated", n, done)
		case err != nil:
			continue
		case said.Text != "Escalated #1, #2." || done != 2:
			t.Errorf("after %d deaths: %+v, escalated %d times", n-1, said, done)
		}
		return
	}
}

// An instance that dies before it hears that its transaction was committed has done the answer.
func TestAnAnswerSurvivesALostCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk", "queue")
	w.sms()
	p, address := storetest.NewProxy(t, w.url)
	p.DieAfter(3, "commit\x00") // those before end the loading of the directory, which is not kept here
	if said, err := answers.Take(t.Context(), w.another(address).Store, escalates("same"), w.now); err == nil {
		t.Fatalf("it lives, and says %+v", said)
	}
	if said := w.take(escalates("same")); said != (answers.Response{Text: "Escalated #1, #2.", Again: true}) {
		t.Errorf("afterwards: %+v", said)
	}
	if n := w.events(oncall.EventEscalated); n != 2 {
		t.Errorf("two incidents were escalated %d times, want 2", n)
	}
}

// The button of a message in Slack acts on all of its incidents or on none.
func TestTheButtonOfABundleActsOnAllOrNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk", "queue", "cpu")
	w.sms()
	for n := 1; ; n++ {
		p, address := storetest.NewProxy(t, w.url)
		p.DieAfter(n, "")
		out, err := w.another(address).ActOnMessage(t.Context(), oncall.ByUser(ann), 1, oncall.ActAck, w.now)
		switch done := w.events(oncall.EventAcknowledged); {
		case err != nil && !p.Died():
			t.Fatal(err)
		case done != 0 && done != 3:
			t.Fatalf("an instance died after %d requests, and %d of 3 incidents are acknowledged", n, done)
		case err != nil:
			continue
		case len(out.Acted) != 1 || len(out.Acted[0].Done)+len(out.Acted[0].Refused) != 3 || done != 3:
			t.Errorf("after %d deaths: %+v, %d acknowledged", n-1, out, done)
		}
		return
	}
}
