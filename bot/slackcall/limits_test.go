package slackcall

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/slacksim"
)

// The tiers are repeated in our table; the simulator has them from Slack's reference.
func TestMethodBucketsStayBelowTheTiers(t *testing.T) {
	t.Parallel()
	for method, m := range methods {
		n, l := m.perMinute, methodBucket(method)
		if n == 0 {
			continue
		}
		part := 0.8
		if method == methodPost {
			part = 0.85
		}
		if most := float64(l.Burst()) + float64(l.Limit())*60; most > part*n+0.01 || most < 0.5*n {
			t.Errorf("%s: at most %.1f a minute of %.0f", method, most, n)
		}
	}
}

// A method that is missing in the table would have no limit and go before all others.
func TestEveryMethodIsInTheTable(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named, called := regexp.MustCompile(`method(?::| :?=) "([^"]+)"`), map[string]bool{methodPost: true, methodAnswer: true, methodUpdate: true, methodHistory: true}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllSubmatch(text, -1) {
			called[string(m[1])] = true
		}
	}
	known := map[string]bool{}
	for method, m := range methods {
		known[method] = m.priority > 0
	}
	if diff := cmp.Diff(called, known); diff != "" {
		t.Errorf("methods called and in the table (-called +table):\n%s", diff)
	}
}

func TestPacingKeepsEveryMessageVisible(t *testing.T) {
	t.Parallel()
	sim, c := newSlack(t, slacksim.Options{Limits: true})
	began := time.Now()
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			m := Message{Channel: "C0PAY", Delivery: fmt.Sprint("burst-", i), Priority: ForRoot, Hasty: true}
			if err := comeBack(func() error { _, err := c.Post(t.Context(), m, "Checkout fails", nil); return err }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took < 2900*time.Millisecond || took > patience {
		t.Errorf("six messages took %s; two at once, as one is kept for a page, and then one a second are 4 s", took)
	}
	for _, m := range sim.Messages("C0PAY") {
		if m.Hidden {
			t.Error("a message was posted too fast to be shown")
		}
	}
	for _, k := range sim.Calls() {
		if k.Status == 429 {
			t.Errorf("%s was limited", k.Method)
		}
	}
}

func Test429FreezesOneConversation(t *testing.T) {
	t.Parallel()
	sim, c := newSlack(t, slacksim.Options{})
	post := func(channel string) error {
		_, err := c.Post(t.Context(), Message{Channel: channel, Delivery: "d", Priority: ForRoot, Hasty: true}, "Checkout fails", nil)
		return err
	}
	const long = 5 * time.Second
	for _, hint := range []time.Duration{long, 0} {
		sim.Fail(slacksim.Fault{Method: methodPost, Kind: slacksim.FaultLimit, RetryAfter: hint})
		channel := map[time.Duration]string{long: "C0PAY", 0: "C0OPS"}[hint]
		began := time.Now()
		err := post(channel)
		if OutcomeOf(err) != notify.Throttled {
			t.Fatalf("429 became %q: %v", OutcomeOf(err), err)
		}
		wait := hint
		if hint == 0 {
			wait = unclear429
		}
		if retryAfter(err) != wait {
			t.Errorf("retry after %s; want %s", retryAfter(err), wait)
		}
		if hint == 0 {
			continue
		}
		if err := post("U0ANN"); err != nil {
			t.Errorf("another conversation: %v", err)
		}
		if took := time.Since(began); took >= hint {
			t.Errorf("another conversation had to wait: %s", took)
		}
		if err := comeBack(func() error { return post(channel) }); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < hint {
			t.Errorf("the next post came after %s", took)
		}
	}
	sim.Fail(slacksim.Fault{Method: "chat.update", Kind: slacksim.FaultLimit, RetryAfter: time.Second})
	at := MessageID{Channel: "C0PAY", TS: sim.Messages("C0PAY")[0].TS}
	update := func() error { return c.Update(t.Context(), at, "Resolved", nil, Edit{Priority: ForUpdate}) }
	began := time.Now()
	if err := update(); OutcomeOf(err) != notify.Throttled {
		t.Fatalf("429 became %q: %v", OutcomeOf(err), err)
	}
	if err := comeBack(update); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("the next update came after %s", took)
	}
}

// In one moment fifty people are told, and the channels of their teams, whatever less urgent waits; with two
// instances each tells half of them.
func TestFiftyPeopleAreToldAtOnce(t *testing.T) {
	t.Parallel()
	for _, instances := range []int{1, 2} {
		b := methodBucket(methodPost)
		b.share(instances)
		told := func(p Priority, most int) (n int) {
			for n < most && b.pause(p, 0) == 0 {
				b.Allow()
				n++
			}
			return n
		}
		if n := told(ForPage, 50/instances); n != 50/instances {
			t.Errorf("%d instances: one tells %d", instances, n)
		}
		if n := told(ForBacklog, 100); n > 75/instances {
			t.Errorf("%d instances: one posts %d of a storm", instances, n)
		}
		if n := told(ForRoot, 100); n < 4 {
			t.Errorf("%d instances: a storm leaves %d for other teams", instances, n)
		}
	}
}
