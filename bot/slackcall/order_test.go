package slackcall

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// The order of drawings, each before the next.
func TestTheOrderOfDrawings(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	order := []struct {
		what string
		want Want
	}{
		{"somebody waits for it", Want{Asked: true, BelowWorst: 3, Backlog: 1, Since: noon}},
		{"somebody waits for what is over", Want{Asked: true, Over: true, Backlog: 1, Since: noon}},
		{"critical", Want{Backlog: 2, Since: noon}},
		{"critical, of a team with more", Want{Backlog: 3, Since: noon}},
		{"critical, and later", Want{Backlog: 3, Since: noon.Add(time.Second)}},
		{"one of a hundred that somebody has acted on", Want{Asked: true, Backlog: 100, Since: noon}},
		{"high, where the channel shows nothing as bad", Want{BelowWorst: 1, First: true, Backlog: 1, Since: noon.Add(time.Hour)}},
		{"high", Want{BelowWorst: 1, Backlog: 1, Since: noon}},
		{"low", Want{BelowWorst: 3, Backlog: 1, Since: noon}},
		{"critical, one of a crowd", Want{Backlog: 11, Since: noon}},
		{"critical, one of a larger crowd", Want{Backlog: 300, Since: noon}},
		{"low, one of a crowd", Want{BelowWorst: 3, Backlog: 11, Since: noon}},
		{"over", Want{Over: true, Backlog: 1, Since: noon}},
		{"a count", Want{Count: true, Backlog: 1, Since: noon}},
		{"a count of what is over", Want{Count: true, Over: true, Backlog: 1, Since: noon}},
	}
	for i, a := range order {
		for j, b := range order {
			if got := compare(a.want, b.want); got != compareInts(i, j) {
				t.Errorf("%q against %q: %d", a.what, b.what, got)
			}
		}
	}
}

func compareInts(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func TestChoosesWhatThereIsRoomFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, choosesWhatThereIsRoomFor) // its time is synctest's: sleeping takes none
}

func choosesWhatThereIsRoomFor(t *testing.T) {
	q := newQueue()
	open := func(string) bool { return false }
	take := func(wants []Want, n int) (took []int) {
		for _, i := range q.choose(wants, n, open) {
			k := call{method: methodUpdate, priority: wants[i].Priority(), hasty: true, chosen: true}
			if wants[i].Channel != "" {
				k.method, k.channel = methodPost, wants[i].Channel
			}
			if err := q.wait(t.Context(), k); err != nil {
				t.Fatalf("%d was chosen, and then: %v", i, err)
			}
			took = append(took, i)
		}
		return took
	}
	storm := make([]Want, 1000)
	for i := range storm {
		storm[i] = Want{Count: true, Backlog: 100, Edits: true}
	}
	// A storm of counts uses what is left over, for as long as it lasts.
	edits, began := 0, time.Now()
	for time.Since(began) < 10*time.Minute {
		edits += len(take(storm, 6))
		time.Sleep(100 * time.Millisecond)
	}
	if most := 10*40 + 10; edits < 250 || edits > most {
		t.Errorf("%d edits in ten minutes", edits)
	}
	// What a person waits for goes at once, several times over; then the rest in its order.
	mixed := append(slices.Clone(storm[:100]), Want{Over: true, Backlog: 1, Edits: true}, Want{Backlog: 1, Edits: true}, Want{Asked: true, Backlog: 1, Edits: true})
	if got := take(mixed, 6); fmt.Sprint(got) != "[102 101]" {
		t.Errorf("chosen: %v", got)
	}
	for n := range 4 {
		if got := take([]Want{{Asked: true, Backlog: 1, Edits: true}}, 6); len(got) != 1 {
			t.Errorf("the %dth act waits", n+2)
		}
	}
	// A flood of new messages in one channel leaves room for others, and for pages.
	flood := make([]Want, 300)
	for i := range flood {
		flood[i] = Want{Backlog: 300, Channel: "C1"}
	}
	for range 600 {
		take(flood, 6)
		time.Sleep(100 * time.Millisecond)
	}
	if got := take(append(flood, Want{Backlog: 1, Channel: "C2"}), 6); !slices.Contains(got, 300) {
		t.Errorf("a quiet team waits behind a flood: %v", got)
	}
	if err := q.wait(t.Context(), call{method: methodPost, channel: "C1", priority: ForPage}); err != nil || q.methods[methodPost].Tokens() < 0 {
		t.Errorf("a page: %v", err)
	}
}

// In a burst of a thousand incidents of fifty teams, of which each pages somebody, every channel has its worst first, and
// soon. Then come the others, as many as Slack takes.
func TestEveryChannelHasItsWorstFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, everyChannelHasItsWorstFirst) // as above
}

func everyChannelHasItsWorstFirst(t *testing.T) {
	const teams, each = 50, 20
	q := newQueue()
	posts := 0
	post := func(k call) bool {
		k.method, k.hasty = methodPost, true
		err := q.wait(t.Context(), k)
		if err == nil {
			posts++
		}
		return err == nil
	}
	for n := range teams + teams/2 { // half of them once more, as the worst comes later
		if !post(call{channel: fmt.Sprint("D", n%teams), priority: ForPage}) {
			t.Fatal("somebody is not paged at once")
		}
	}
	var wants []Want
	for n := range teams * each {
		w := Want{Channel: fmt.Sprint("C", n%teams), Backlog: each, BelowWorst: 1, Since: time.Now()}
		if n/teams == each-1 { // a team's worst is what its monitor has found last
			w.BelowWorst, w.First, w.Backlog = 0, true, 1
		}
		wants = append(wants, w)
	}
	shown := map[string]bool{}
	began, last := time.Now(), time.Duration(0)
	for time.Since(began) < 2*time.Minute {
		var done []int
		for _, i := range q.choose(wants, 6, func(string) bool { return false }) {
			w := wants[i]
			if !post(call{channel: w.Channel, priority: w.Priority(), chosen: true}) {
				continue
			}
			done = append(done, i)
			if !shown[w.Channel] && w.BelowWorst > 0 {
				t.Errorf("%s shows first what is not its worst", w.Channel)
			}
			if shown[w.Channel] = true; len(shown) == teams && last == 0 {
				last = time.Since(began)
			}
			post(call{channel: w.Channel, priority: ForThread, chosen: true}) // and a reply, as the program does
		}
		slices.Sort(done)
		for _, i := range slices.Backward(done) {
			wants = slices.Delete(wants, i, i+1)
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("every channel shows its worst after %s; %d posts in two minutes", last, posts)
	if last == 0 || last > 12*time.Second {
		t.Errorf("every channel shows its worst after %s, %d of them", last, len(shown))
	}
	if posts > 135+2*120 || posts < 300 { // what Slack's limits leave us
		t.Errorf("%d posts in two minutes", posts)
	}
}

// What is about to change is posted a moment later, unless it can't become worse or somebody waits for it.
func TestPostsNothingPrematurely(t *testing.T) {
	t.Parallel()
	wants := []Want{
		{Channel: "C1", BelowWorst: 1, Coming: true, Backlog: 1},
		{Channel: "C2", Coming: true, Backlog: 2},
		{Channel: "C3", BelowWorst: 1, Coming: true, Asked: true, Backlog: 3},
		{Channel: "C4", BelowWorst: 1, Backlog: 4},
		{BelowWorst: 1, Coming: true, Edits: true, Backlog: 5},
	}
	got := newQueue().choose(wants, 6, func(string) bool { return false })
	if fmt.Sprint(got) != "[2 1 3 4]" {
		t.Errorf("chosen: %v", got)
	}
}

// An edit beside what was chosen doesn't stand in line.
func TestNobodyWaitsBehindAnEditBeside(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, made := newQueue(), 0
		k := call{method: methodUpdate, priority: ForRoot, hasty: true, chosen: true, beside: true}
		for began := time.Now(); ; made++ {
			err := q.wait(t.Context(), k)
			if time.Since(began) > 0 {
				t.Fatal("it stood in line")
			}
			if OutcomeOf(err) == Unsent {
				break
			}
		}
		if made == 0 {
			t.Error("none was made at once")
		}
	})
}

// A channel that refuses keeps nobody: what is to be posted there isn't chosen, its edits are.
func TestChoosesAroundAChannelThatRefuses(t *testing.T) {
	t.Parallel()
	q := newQueue()
	wants := []Want{{Channel: "C1", Backlog: 1}, {Channel: "C2", Backlog: 2}, {Channel: "C1", Backlog: 3, Edits: true}}
	got := q.choose(wants, 6, func(channel string) bool { return channel == "C1" })
	if fmt.Sprint(got) != "[1 2]" {
		t.Errorf("chosen: %v", got)
	}
}

// The limits are the workspace's: two instances together make as many calls as one.
func TestInstancesShareTheLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, instancesShareTheLimits) // as above
}

func instancesShareTheLimits(t *testing.T) {
	edits := func(instances int) (made int) {
		for range instances {
			q := newQueue()
			q.divide(instances)
			ctx := t.Context()
			for began := time.Now(); time.Since(began) < 10*time.Minute; time.Sleep(100 * time.Millisecond) {
				if q.wait(ctx, call{method: methodUpdate, priority: ForAnswer, hasty: true, chosen: true}) == nil {
					made++
				}
			}
		}
		return made
	}
	one, two := edits(1), edits(2)
	if one < 300 || two > one+one/10 || two < one-one/5 {
		t.Errorf("%d edits by one instance, %d by two", one, two)
	}
}

// When we stop nothing that can be done later waits for its turn.
func TestSettling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		c := call{method: methodPost, channel: "C1", priority: ForPage, hasty: true}
		for range 3 {
			if err := q.wait(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		ended := make(chan error, 1)
		go func() { ended <- q.wait(t.Context(), c) }()
		synctest.Wait()
		began := time.Now()
		q.settle()
		if err := <-ended; OutcomeOf(err) != Unsent || time.Since(began) > 0 {
			t.Errorf("it waited %s, %v", time.Since(began), err)
		}
	})
}
