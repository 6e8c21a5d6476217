package bot

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// comeBack repeats a call that was turned away, when it was told to.
func comeBack(do func() error) error {
	for {
		err := do()
		if err == nil || became(err) != unsent || retryAfter(err) == 0 {
			return err
		}
		timer := time.NewTimer(retryAfter(err))
		<-timer.C
	}
}

// Hasty calls never stand in a long line, and come back one after the other.
func TestHastyCallsAreTurnedAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, hastyCallsAreTurnedAway)
}

// hastyCallsAreTurnedAway runs where time passes only while everybody waits.
func hastyCallsAreTurnedAway(t *testing.T) {
	q := newQueue()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := call{method: methodPost, channel: "C1", priority: forPage, hasty: true}
	for range 3 { // the burst
		if err := q.wait(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	first := make(chan error, 1)
	go func() { first <- q.wait(ctx, c) }() // one may wait, as its turn is near
	synctest.Wait()
	began := time.Now()
	latest := time.Duration(0)
	for i := range 200 {
		err := q.wait(ctx, c)
		if became(err) != unsent {
			t.Fatalf("call %d: %v", i, err)
		}
		back := retryAfter(err)
		if i < 50 && back < latest+900*time.Millisecond || back > longestAway {
			t.Errorf("call %d is to come back after %s, the one before after %s", i, back, latest)
		}
		latest = back
	}
	if took := time.Since(began); took > 0 {
		t.Errorf("turning away took %s", took)
	}
	// What is more urgent goes before all of them, and another conversation at once.
	c.priority = forCritical
	if err := q.wait(ctx, c); err != nil {
		t.Errorf("a critical page was turned away: %v", err)
	}
	c.channel = "C2"
	if err := q.wait(ctx, c); err != nil {
		t.Errorf("another conversation: %v", err)
	}
	if err := <-first; err != nil && became(err) != unsent {
		t.Error(err)
	}
}

// In a storm, what nobody has answered doesn't stand behind what has been settled.
func TestWhatNobodyHasTakenIsDrawnFirst(t *testing.T) {
	t.Parallel()
	b := &Bot{clock: func() time.Time { return noon.Add(20 * time.Minute) }}
	at := func(p oncall.Picture, minute time.Duration, kind oncall.EventKind) oncall.Picture {
		p.Events = append(p.Events, oncall.Event{At: noon.Add(minute * time.Minute), Kind: kind})
		return p
	}
	for name, c := range map[string]struct {
		picture oncall.Picture
		want    priority
	}{
		"exhausted":            {at(exhausted(), 19, oncall.EventExhausted), forAlarm},
		"could not be reached": {at(triggered(), 16, oncall.EventPageFailed), forAlarm},
		"counting":             {at(exhausted(), 19, oncall.EventAlertJoined), forUpdate},
		"exhausted long ago":   {at(exhausted(), 10, oncall.EventExhausted), forUpdate},
		"acknowledged":         {at(acknowledged(), 19, oncall.EventAcknowledged), forUpdate},
		"resolved":             {at(resolved(), 19, oncall.EventResolved), forUpdate},
	} {
		if got := b.updatePriority(c.picture); got != c.want {
			t.Errorf("%s: priority %d, want %d", name, got, c.want)
		}
	}
	if forRoot >= forAlarm || forAlarm >= forUpdate || forUpdate >= forThread {
		t.Error("news of what nobody has taken must go before the rest, and after what has just come")
	}
}

// What was turned away has its place before what is less urgent and came later.
func TestTheUrgentKeepTheirPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, theUrgentKeepTheirPlace)
}

func theUrgentKeepTheirPlace(t *testing.T) {
	q := newQueue()
	c := call{method: methodPost, channel: "C1", priority: forAlarm, hasty: true}
	q.turnAway(c, true)
	c.priority = forThread
	if d := q.turnAway(c, false); d != 0 {
		t.Errorf("it is to come back in %s although nobody needs its place", d)
	}
	for range 3 { // the burst
		if err := q.wait(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	c.priority = forAlarm
	urgent := q.turnAway(c, true)
	c.priority = forThread
	if other := q.turnAway(c, false); other < urgent+900*time.Millisecond {
		t.Errorf("it comes back after %s, and what is urgent after %s", other, urgent)
	}
	c.priority = forPage
	if d := q.turnAway(c, false); d != 0 {
		t.Errorf("a page is turned away for %s because of what is less urgent", d)
	}
}
