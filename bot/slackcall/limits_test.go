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

// Our table repeats the tiers; the simulator has them from Slack's reference.
func TestMethodBucketsStayBelowTheTiers(t *testing.T) {
	t.Parallel()
	for method, m := range methods {
		n, l := m.perMinute, methodBucket(method)
		if n == 0 {
			continue
		}
		part, most := 0.8, float64(l.Burst())+float64(l.Limit())*60
		if l.minute != nil {
			part, most = 0.85, float64(l.minute.limit)
		}
		if most > part*n+0.01 || most < 0.5*n {
			t.Errorf("%s: at most %.1f calls a minute of Slack's %.0f, want 50 to %.0f %%", method, most, n, part*100)
		}
	}
}

// A method missing in the table would have no limit and go first.
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
			m := Message{Channel: "C0PAY", Delivery: fmt.Sprint("burst-", i), Priority: ForRoot, FailFast: true}
			if err := comeBack(func() error { _, err := c.Post(t.Context(), m, "Checkout fails", nil); return err }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took < 2900*time.Millisecond || took > waitLimit {
		t.Errorf("six messages took %s, want about 4 s: two at once, as one is reserved for a page, and then one a second", took)
	}
	for _, m := range sim.Messages("C0PAY") {
		if m.Hidden {
			t.Error("a message was posted too fast to be shown, want all shown")
		}
	}
	for _, k := range sim.Calls() {
		if k.Status == 429 {
			t.Errorf("%s was answered with 429, want no 429", k.Method)
		}
	}
}

func Test429FreezesOneConversation(t *testing.T) {
	t.Parallel()
	sim, c := newSlack(t, slacksim.Options{})
	post := func(channel string) error {
		_, err := c.Post(t.Context(), Message{Channel: channel, Delivery: "d", Priority: ForRoot, FailFast: true}, "Checkout fails", nil)
		return err
	}
	const long = 5 * time.Second
	for _, hint := range []time.Duration{long, 0} {
		sim.Fail(slacksim.Fault{Method: methodPost, Kind: slacksim.FaultLimit, RetryAfter: hint})
		channel := map[time.Duration]string{long: "C0PAY", 0: "C0OPS"}[hint]
		began := time.Now()
		err := post(channel)
		if OutcomeOf(err) != notify.Throttled {
			t.Fatalf("the outcome of a 429 is %q (%v), want %q", OutcomeOf(err), err, notify.Throttled)
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
			t.Errorf("a post in another conversation: %v, want no error", err)
		}
		if took := time.Since(began); took >= hint {
			t.Errorf("a post in another conversation took %s, want less than %s", took, hint)
		}
		if err := comeBack(func() error { return post(channel) }); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < hint {
			t.Errorf("the next post came after %s, want at least %s", took, hint)
		}
	}
	sim.Fail(slacksim.Fault{Method: "chat.update", Kind: slacksim.FaultLimit, RetryAfter: time.Second})
	at := MessageID{Channel: "C0PAY", TS: sim.Messages("C0PAY")[0].TS}
	update := func() error { return c.Update(t.Context(), at, "Resolved", nil, Edit{Priority: ForUpdate}) }
	began := time.Now()
	if err := update(); OutcomeOf(err) != notify.Throttled {
		t.Fatalf("the outcome of a 429 is %q (%v), want %q", OutcomeOf(err), err, notify.Throttled)
	}
	if err := comeBack(update); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("the next update came after %s, want at least 1 s", took)
	}
}

// Fifty people and their teams' channels are notified at one moment, whatever less urgent calls wait; of two
// instances each notifies half of them.
func TestFiftyPeopleArePagedAtOnce(t *testing.T) {
	t.Parallel()
	for _, instances := range []int{1, 2} {
		b := methodBucket(methodPost)
		b.share(instances)
		posts := func(p Priority, most int) (n int) {
			for n < most && b.pause(p, 0) == 0 {
				b.Allow()
				n++
			}
			return n
		}
		if n := posts(ForPage, 50/instances); n != 50/instances {
			t.Errorf("%d instances: one pages %d people at once, want %d", instances, n, 50/instances)
		}
		if n := posts(ForBacklog, 100); n > 75/instances {
			t.Errorf("%d instances: one posts %d messages of a storm, want at most %d", instances, n, 75/instances)
		}
		if n := posts(ForRoot, 100); n < 4 {
			t.Errorf("%d instances: a storm leaves %d posts for other teams, want at least 4", instances, n)
		}
	}
}
