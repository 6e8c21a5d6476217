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

// Fail-fast calls never wait in a long queue, and come back one after the other.
func TestFailFastCallsAreTurnedAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, failFastCallsAreTurnedAway)
}

// failFastCallsAreTurnedAway runs in a bubble, where time passes only while every goroutine waits.
func failFastCallsAreTurnedAway(t *testing.T) {
	q := newQueue()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	c := call{method: methodPost, channel: "C1", priority: ForPage, failFast: true}
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
			t.Fatalf("call %d: %v, want it turned away", i, err)
		}
		back := retryAfter(err)
		if i < 50 && back < latest+900*time.Millisecond || back > maxRetryAfter {
			t.Errorf("call %d should come back after %s, the previous one after %s; want about a second in between, and at most %s", i, back, latest, maxRetryAfter)
		}
		latest = back
	}
	if took := time.Since(began); took > 0 {
		t.Errorf("turning calls away took %s, want no time", took)
	}
	// A more urgent call goes before all of them, and one in another conversation at once.
	c.priority = ForCritical
	if err := q.wait(ctx, c); err != nil {
		t.Errorf("a critical page: %v, want it sent", err)
	}
	c.channel = "C2"
	if err := q.wait(ctx, c); err != nil {
		t.Errorf("a call in another conversation: %v, want it sent", err)
	}
	if err := <-first; err != nil && OutcomeOf(err) != Unsent {
		t.Error(err)
	}
}

// A call that was turned away keeps its place before less urgent calls that came later.
func TestUrgentCallsKeepTheirPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, urgentCallsKeepTheirPlace)
}

func urgentCallsKeepTheirPlace(t *testing.T) {
	q := newQueue()
	c := call{method: methodPost, channel: "C1", priority: ForAlarm, failFast: true}
	q.turnAway(c, true)
	c.priority = ForThread
	if d := q.turnAway(c, false); d != 0 {
		t.Errorf("a call should come back in %s although nobody needs its place, want it to wait", d)
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
		t.Errorf("the less urgent call comes back after %s, the urgent one after %s; want a second in between", other, urgent)
	}
	c.priority = ForPage
	if d := q.turnAway(c, false); d != 0 {
		t.Errorf("a page is turned away for %s because of less urgent calls, want it to wait", d)
	}
}

func TestQueueServesUrgentCallsFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, queueServesUrgentCallsFirst)
}

func queueServesUrgentCallsFirst(t *testing.T) {
	q := newQueue()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
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
		synctest.Wait() // until it is queued
	}
	for _, p := range []Priority{ForThread, ForRoot, ForPage} {
		enter(p)
	}
	// A call in another conversation doesn't wait behind them.
	began := time.Now()
	if err := q.wait(ctx, call{method: methodPost, channel: "C2", priority: ForRest}); err != nil || time.Since(began) > 0 {
		t.Errorf("a call in another conversation waited %s, %v; want no wait", time.Since(began), err)
	}
	// A call that gives up doesn't hold up the others.
	gone, giveUp := context.WithCancel(ctx)
	giveUp()
	if err := q.wait(gone, call{method: methodPost, channel: "C1", priority: ForPage}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call got %v, want context.Canceled", err)
	}
	all.Wait()
	close(order)
	var got []Priority
	for p := range order {
		got = append(got, p)
	}
	if fmt.Sprint(got) != fmt.Sprint([]Priority{ForPage, ForRoot, ForThread}) {
		t.Errorf("the calls were served in the order %v, want the most urgent first", got)
	}
	if len(q.waiting) != 0 {
		t.Errorf("%d still wait, want 0", len(q.waiting))
	}
}
