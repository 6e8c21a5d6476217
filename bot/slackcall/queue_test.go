package slackcall

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

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
	c := call{method: methodPost, channel: "C1", priority: ForPage, hasty: true}
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
		if OutcomeOf(err) != Unsent {
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
	c.priority = ForCritical
	if err := q.wait(ctx, c); err != nil {
		t.Errorf("a critical page was turned away: %v", err)
	}
	c.channel = "C2"
	if err := q.wait(ctx, c); err != nil {
		t.Errorf("another conversation: %v", err)
	}
	if err := <-first; err != nil && OutcomeOf(err) != Unsent {
		t.Error(err)
	}
}

// What was turned away has its place before what is less urgent and came later.
func TestTheUrgentKeepTheirPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, theUrgentKeepTheirPlace)
}

func theUrgentKeepTheirPlace(t *testing.T) {
	q := newQueue()
	c := call{method: methodPost, channel: "C1", priority: ForAlarm, hasty: true}
	q.turnAway(c, true)
	c.priority = ForThread
	if d := q.turnAway(c, false); d != 0 {
		t.Errorf("it is to come back in %s although nobody needs its place", d)
	}
	c.priority = ForPage
	for range 3 { // the burst
		if err := q.wait(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	c.priority = ForAlarm
	urgent := q.turnAway(c, true)
	c.priority = ForThread
	if other := q.turnAway(c, false); other < urgent+900*time.Millisecond {
		t.Errorf("it comes back after %s, and what is urgent after %s", other, urgent)
	}
	c.priority = ForPage
	if d := q.turnAway(c, false); d != 0 {
		t.Errorf("a page is turned away for %s because of what is less urgent", d)
	}
}

func TestQueueServesTheUrgentFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, queueServesTheUrgentFirst)
}

func queueServesTheUrgentFirst(t *testing.T) {
	q := newQueue()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := call{method: methodPost, channel: "C1"}
	for range 3 { // the burst
		if err := q.wait(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	order := make(chan Priority, 10)
	var all sync.WaitGroup
	enter := func(p Priority) {
		all.Go(func() {
			c := c
			c.priority = p
			if err := q.wait(ctx, c); err == nil {
				order <- p
			}
		})
		synctest.Wait() // until it stands in line
	}
	for _, p := range []Priority{ForThread, ForRoot, ForPage} {
		enter(p)
	}
	// Another conversation doesn't stand behind them.
	began := time.Now()
	if err := q.wait(ctx, call{method: methodPost, channel: "C2", priority: ForRest}); err != nil || time.Since(began) > 0 {
		t.Errorf("another conversation waited %s, %v", time.Since(began), err)
	}
	// Who gives up doesn't hold up the others.
	gone, giveUp := context.WithCancel(ctx)
	giveUp()
	if err := q.wait(gone, call{method: methodPost, channel: "C1", priority: ForPage}); !errors.Is(err, context.Canceled) {
		t.Errorf("gave up with %v", err)
	}
	all.Wait()
	close(order)
	var got []Priority
	for p := range order {
		got = append(got, p)
	}
	if fmt.Sprint(got) != fmt.Sprint([]Priority{ForPage, ForRoot, ForThread}) {
		t.Errorf("served in the order %v", got)
	}
	if len(q.waiting) != 0 {
		t.Errorf("%d still wait, want 0", len(q.waiting))
	}
}
