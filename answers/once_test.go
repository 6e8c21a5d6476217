package answers_test

import (
	"sync"
	"testing"

	"github.com/watchbill/watchbill/answers"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// escalates returns Ann's answer "b1e", as delivered by one provider.
func escalates(id string) oncall.Answer {
	return oncall.Answer{Method: oncall.MethodSMS, ID: id, From: annsPhone, Text: "b1e"}
}

// One answer may be delivered to one instance by webhook and to another by polling at the same moment, and more
// than once. It escalates once, and one SMS confirms it.
func TestConcurrentDeliveriesActOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk", "queue")
	w.sms()
	instances := []*store.System{w.System, w.another(w.url)}
	response := make([]answers.Response, 16)
	var all sync.WaitGroup
	for i := range response {
		all.Go(func() {
			var err error
			if response[i], err = answers.Handle(t.Context(), instances[i%2].Store, escalates("same"), w.now); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := w.events(oncall.EventEscalated); n != 2 {
		t.Errorf("two incidents were escalated %d times, want 2", n)
	}
	first := 0
	for _, r := range response {
		if r.Text != "Escalated #1, #2." {
			t.Errorf("the reply is %q, want %q", r.Text, "Escalated #1, #2.")
		}
		if !r.Repeated {
			first++
		}
	}
	if first != 1 {
		t.Errorf("%d replies are not marked as repeated, want 1", first)
	}
}

// Whenever an instance dies while it handles an answer, the answer escalates all incidents of its message once,
// and is confirmed in the end.
func TestAnswerSurvivesACrashAtAnyMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk", "queue")
	w.sms()
	for n := 1; ; n++ {
		p, address := storetest.NewProxy(t, w.url)
		p.DieAfter(n, "")
		response, err := answers.Handle(t.Context(), w.another(address).Store, escalates("same"), w.now)
		switch done := w.events(oncall.EventEscalated); {
		case err != nil && !p.Died():
			t.Fatal(err)
		case done != 0 && done != 2:
			t.Fatalf("after a crash at request %d, %d of 2 incidents are escalated; want all or none", n, done)
		case err != nil:
			continue
		case response.Text != "Escalated #1, #2." || done != 2:
			t.Errorf("after %d crashes the reply is %+v and %d incidents are escalated, want 2", n-1, response, done)
		}
		return
	}
}

// An instance that crashes before it learns that its transaction was committed has handled the answer.
func TestAnswerSurvivesALostCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "disk", "queue")
	w.sms()
	p, address := storetest.NewProxy(t, w.url)
	p.DieAfter(3, "commit\x00") // the earlier ones belong to loading the directory
	if response, err := answers.Handle(t.Context(), w.another(address).Store, escalates("same"), w.now); err == nil {
		t.Fatalf("the crashed instance replied %+v, want an error", response)
	}
	if response := w.handle(escalates("same")); response != (answers.Response{Text: "Escalated #1, #2.", Repeated: true}) {
		t.Errorf("the next delivery gets %+v, want the outcome, marked as repeated", response)
	}
	if n := w.events(oncall.EventEscalated); n != 2 {
		t.Errorf("two incidents were escalated %d times, want 2", n)
	}
}

// A button of a bundle in Slack acts on all of its incidents or on none.
func TestBundleButtonActsOnAllOrNone(t *testing.T) {
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
			t.Fatalf("after a crash at request %d, %d of 3 incidents are acknowledged; want all or none", n, done)
		case err != nil:
			continue
		case len(out.Acted) != 1 || len(out.Acted[0].Done)+len(out.Acted[0].Refused) != 3 || done != 3:
			t.Errorf("after %d crashes the outcome is %+v and %d incidents are acknowledged, want 3", n-1, out, done)
		}
		return
	}
}
