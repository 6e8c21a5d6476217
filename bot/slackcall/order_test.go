package slackcall

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// The list is in order: each drawing goes before the next.
func TestOrderOfDrawings(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	order := []struct {
		what string
		want PendingDraw
	}{
		{"somebody acted on it", PendingDraw{Asked: true, BelowWorst: 3, Backlog: 1, Since: noon}},
		{"somebody resolved it", PendingDraw{Asked: true, Over: true, Backlog: 1, Since: noon}},
		{"critical", PendingDraw{Backlog: 2, Since: noon}},
		{"critical, of a team with more", PendingDraw{Backlog: 3, Since: noon}},
		{"critical, and later", PendingDraw{Backlog: 3, Since: noon.Add(time.Second)}},
		{"one of a hundred that somebody has acted on", PendingDraw{Asked: true, Backlog: 100, Since: noon}},
		{"high, where the channel shows nothing as bad", PendingDraw{BelowWorst: 1, First: true, Backlog: 1, Since: noon.Add(time.Hour)}},
		{"high", PendingDraw{BelowWorst: 1, Backlog: 1, Since: noon}},
		{"low", PendingDraw{BelowWorst: 3, Backlog: 1, Since: noon}},
		{"critical, of a team with a backlog", PendingDraw{Backlog: 11, Since: noon}},
		{"critical, of a team with a larger backlog", PendingDraw{Backlog: 300, Since: noon}},
		{"low, of a team with a backlog", PendingDraw{BelowWorst: 3, Backlog: 11, Since: noon}},
		{"resolved", PendingDraw{Over: true, Backlog: 1, Since: noon}},
		{"a count", PendingDraw{Count: true, Backlog: 1, Since: noon}},
		{"a count of a resolved one", PendingDraw{Count: true, Over: true, Backlog: 1, Since: noon}},
	}
	for i, a := range order {
		for j, b := range order {
			if got := compare(a.want, b.want); got != compareInts(i, j) {
				t.Errorf("comparing %q with %q gives %d, want %d", a.what, b.what, got, compareInts(i, j))
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

func TestChoosesOnlyWhatHasRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, choosesOnlyWhatHasRoom) // its time is synctest's: sleeping takes none
}

func choosesOnlyWhatHasRoom(t *testing.T) {
	q := newQueue()
	open := func(string) bool { return false }
	take := func(pending []PendingDraw, n int) (took []int) {
		for _, i := range q.choose(pending, n, open) {
			k := call{method: methodUpdate, priority: pending[i].Priority(), failFast: true, chosen: true}
			if pending[i].Channel != "" {
				k.method, k.channel = methodPost, pending[i].Channel
			}
			if err := q.wait(t.Context(), k); err != nil {
				t.Fatalf("drawing %d was chosen, but its call got %v, want no wait", i, err)
			}
			took = append(took, i)
		}
		return took
	}
	storm := make([]PendingDraw, 1000)
	for i := range storm {
		storm[i] = PendingDraw{Count: true, Backlog: 100, Edits: true}
	}
	// A storm of counts uses the capacity that is left, for as long as it lasts.
	edits, began := 0, time.Now()
	for time.Since(began) < 10*time.Minute {
		edits += len(take(storm, 6))
		time.Sleep(100 * time.Millisecond)
	}
	if most := 10*40 + 10; edits < 250 || edits > most {
		t.Errorf("%d edits in ten minutes, want 250 to %d", edits, most)
	}
	// Drawings that a person waits for go at once, several times in a row; then the rest in order.
	mixed := append(slices.Clone(storm[:100]), PendingDraw{Over: true, Backlog: 1, Edits: true}, PendingDraw{Backlog: 1, Edits: true}, PendingDraw{Asked: true, Backlog: 1, Edits: true})
	if got := take(mixed, 6); fmt.Sprint(got) != "[102 101]" {
		t.Errorf("the chosen drawings are %v, want the order above", got)
	}
	for n := range 4 {
		if got := take([]PendingDraw{{Asked: true, Backlog: 1, Edits: true}}, 6); len(got) != 1 {
			t.Errorf("the drawing of act %d isn't chosen, want it at once", n+2)
		}
	}
	// A flood of new messages in one channel leaves room for others, and for pages.
	flood := make([]PendingDraw, 300)
	for i := range flood {
		flood[i] = PendingDraw{Backlog: 300, Channel: "C1"}
	}
	for range 600 {
		take(flood, 6)
		time.Sleep(100 * time.Millisecond)
	}
	if got := take(append(flood, PendingDraw{Backlog: 1, Channel: "C2"}), 6); !slices.Contains(got, 300) {
		t.Errorf("the chosen drawings are %v, want the quiet team's among them", got)
	}
	if err := q.wait(t.Context(), call{method: methodPost, channel: "C1", priority: ForPage}); err != nil || q.methods[methodPost].Tokens() < 0 {
		t.Errorf("a page during the flood: %v, want no wait", err)
	}
}

// In a burst of a thousand incidents of fifty teams that each page somebody, every channel soon shows its most
// severe one first. Then come the others, as many as Slack allows.
func TestEveryChannelShowsItsMostSevereIncidentFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, everyChannelShowsItsMostSevereIncidentFirst) // as above
}

func everyChannelShowsItsMostSevereIncidentFirst(t *testing.T) {
	const teams, each = 50, 20
	q := newQueue()
	var posts []time.Time
	post := func(k call) bool {
		k.method, k.failFast = methodPost, true
		err := q.wait(t.Context(), k)
		if err == nil {
			posts = append(posts, time.Now())
		}
		return err == nil
	}
	for n := range teams + teams/2 { // half of them once more, as the worst comes later
		if !post(call{channel: fmt.Sprint("D", n%teams), priority: ForPage}) {
			t.Fatalf("page %d has to wait, want all pages at once", n)
		}
	}
	var pending []PendingDraw
	for n := range teams * each {
		d := PendingDraw{Channel: fmt.Sprint("C", n%teams), Backlog: each, BelowWorst: 1, Since: time.Now()}
		if n/teams == each-1 { // a team's worst is what its monitor has found last
			d.BelowWorst, d.First, d.Backlog = 0, true, 1
		}
		pending = append(pending, d)
	}
	shown := map[string]bool{}
	began, last := time.Now(), time.Duration(0)
	for time.Since(began) < 2*time.Minute {
		var done []int
		for _, i := range q.choose(pending, 6, func(string) bool { return false }) {
			d := pending[i]
			if !post(call{channel: d.Channel, priority: d.Priority(), chosen: true}) {
				continue
			}
			done = append(done, i)
			if !shown[d.Channel] && d.BelowWorst > 0 {
				t.Errorf("%s first shows an incident %d levels below the worst, want its most severe one", d.Channel, d.BelowWorst)
			}
			if shown[d.Channel] = true; len(shown) == teams && last == 0 {
				last = time.Since(began)
			}
			post(call{channel: d.Channel, priority: ForThread, chosen: true}) // and a reply, as the program does
		}
		slices.Sort(done)
		for _, i := range slices.Backward(done) {
			pending = slices.Delete(pending, i, i+1)
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("every channel shows its worst after %s; %d posts in two minutes", last, len(posts))
	if last == 0 || last > 12*time.Second {
		t.Errorf("%d channels show their most severe incident after %s, want all within 12 s", len(shown), last)
	}
	if most := maxPerMinute(posts); most > 255 || len(posts) < 300 { // what Slack's limits leave us
		t.Errorf("%d posts in two minutes, at most %d in one; want 300 and more, at most 255 in any minute", len(posts), most)
	}
}

// maxPerMinute returns the largest number of posts in any minute.
func maxPerMinute(posts []time.Time) (most int) {
	first := 0
	for i, at := range posts {
		for at.Sub(posts[first]) >= time.Minute {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// While the backlog of ten teams lasts, a page, a message and an answer of a quiet team go out every second, without a
// wait.
func TestQuietTeamsDoNotWaitBehindALongBacklog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, quietTeamsDoNotWaitBehindALongBacklog) // as above
}

func quietTeamsDoNotWaitBehindALongBacklog(t *testing.T) {
	q := newQueue()
	var posts []time.Time
	backlog := make([]PendingDraw, 1000)
	for i := range backlog {
		backlog[i] = PendingDraw{Backlog: 100, Channel: fmt.Sprint("LOUD", i%10)}
	}
	for n := range 240 * 10 { // four minutes
		for _, i := range q.choose(backlog, 6, func(string) bool { return false }) {
			if q.wait(t.Context(), call{method: methodPost, channel: backlog[i].Channel, priority: ForBacklog, chosen: true, failFast: true}) == nil {
				posts = append(posts, time.Now())
			}
		}
		if n%10 == 0 {
			for _, k := range []call{{channel: fmt.Sprint("D", n), priority: ForPage}, {channel: fmt.Sprint("QUIET", n), priority: ForRoot}, {priority: ForAnswer}} {
				k.method = methodPost
				began := time.Now()
				if err := q.wait(t.Context(), k); err != nil || time.Since(began) > 0 {
					t.Fatalf("second %d, priority %d: waited %s, %v; want no wait", n/10, k.priority, time.Since(began), err)
				}
				posts = append(posts, time.Now())
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	if most := maxPerMinute(posts); most > 255 || len(posts) < 4*60*3 {
		t.Errorf("%d posts in four minutes, at most %d in one; want those of the quiet teams, and at most 255", len(posts), most)
	}
}

// A drawing that is about to change is posted a moment later, unless it can't become more severe or somebody
// waits for it.
func TestPrematureDrawingsWait(t *testing.T) {
	t.Parallel()
	pending := []PendingDraw{
		{Channel: "C1", BelowWorst: 1, Coming: true, Backlog: 1},
		{Channel: "C2", Coming: true, Backlog: 2},
		{Channel: "C3", BelowWorst: 1, Coming: true, Asked: true, Backlog: 3},
		{Channel: "C4", BelowWorst: 1, Backlog: 4},
		{BelowWorst: 1, Coming: true, Edits: true, Backlog: 5},
	}
	got := newQueue().choose(pending, 6, func(string) bool { return false })
	if fmt.Sprint(got) != "[2 1 3 4]" {
		t.Errorf("the chosen drawings are %v, want the order above", got)
	}
}

// A further edit of a chosen drawing doesn't queue.
func TestImmediateEditsDoNotQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, made := newQueue(), 0
		k := call{method: methodUpdate, priority: ForRoot, failFast: true, chosen: true, immediate: true}
		for began := time.Now(); ; made++ {
			err := q.wait(t.Context(), k)
			if time.Since(began) > 0 {
				t.Fatal("an immediate edit waited, want it to be made or refused at once")
			}
			if OutcomeOf(err) == Unsent {
				break
			}
		}
		if made == 0 {
			t.Error("no immediate edit was made, want some")
		}
	})
}

// A refusing channel delays nobody: posts to it aren't chosen, but edits are.
func TestChoosesAroundARefusingChannel(t *testing.T) {
	t.Parallel()
	q := newQueue()
	pending := []PendingDraw{{Channel: "C1", Backlog: 1}, {Channel: "C2", Backlog: 2}, {Channel: "C1", Backlog: 3, Edits: true}}
	got := q.choose(pending, 6, func(channel string) bool { return channel == "C1" })
	if fmt.Sprint(got) != "[1 2]" {
		t.Errorf("the chosen drawings are %v, want the order above", got)
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
				if q.wait(ctx, call{method: methodUpdate, priority: ForAnswer, failFast: true, chosen: true}) == nil {
					made++
				}
			}
		}
		return made
	}
	one, two := edits(1), edits(2)
	if one < 300 || two > one+one/10 || two < one-one/5 {
		t.Errorf("%d edits by one instance and %d by two, want at least 300, and about as many by two", one, two)
	}
}

// On shutdown no call that can be made later keeps waiting for its turn.
func TestShutdownEndsWaitingForATurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		c := call{method: methodPost, channel: "C1", priority: ForPage, failFast: true}
		for range 3 {
			if err := q.wait(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		ended := make(chan error, 1)
		go func() { ended <- q.wait(t.Context(), c) }()
		synctest.Wait()
		began := time.Now()
		q.stopWaiting()
		if err := <-ended; OutcomeOf(err) != Unsent || time.Since(began) > 0 {
			t.Errorf("the waiting call ended after %s with %v, want it unsent at once", time.Since(began), err)
		}
	})
}
