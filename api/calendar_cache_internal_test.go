package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/watchbill/watchbill/store"
)

// However many requests come at once, only one builds a feed, and only when what it depends on has
// changed.
func TestCalendarIsBuiltOnce(t *testing.T) {
	t.Parallel()
	c := newCalendars()
	state := calendarState{revision: 1}
	var mu sync.Mutex
	builds := 0
	build := func() ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		builds++
		return fmt.Append(nil, "build ", builds), nil
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if got, err := c.get(t.Context(), 1, state, build); err != nil || string(got.body) != "build 1" {
				t.Errorf("%v, %v, want no error and \"build 1\"", got, err)
			}
		})
	}
	all.Wait()
	for _, changed := range []calendarState{{revision: 2}, {revision: 2, day: time.Unix(0, 0)}} {
		was := builds
		if _, err := c.get(t.Context(), 1, changed, build); err != nil || builds != was+1 {
			t.Errorf("%+v: built %d times, %v, want once and no error", changed, builds-was, err)
		}
	}
}

// The request that builds may disconnect: the next one builds it.
func TestCalendarBuildSurvivesADisconnect(t *testing.T) {
	t.Parallel()
	c := newCalendars()
	gone, hangUp := context.WithCancel(t.Context())
	begun := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_, err := c.get(gone, 1, calendarState{}, func() ([]byte, error) {
			close(begun)
			<-gone.Done()
			return nil, gone.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the request that hung up: got %v, want %v", err, context.Canceled)
		}
	})
	<-begun
	impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := c.get(impatient, 1, calendarState{}, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the request that gives up: got %v, want %v", err, context.DeadlineExceeded)
	}
	all.Go(func() {
		if got, err := c.get(t.Context(), 1, calendarState{}, func() ([]byte, error) { return []byte("x"), nil }); err != nil || string(got.body) != "x" {
			t.Errorf("who stays: %v, %v, want no error and \"x\"", got, err)
		}
	})
	hangUp()
	all.Wait()
}

// The cache is bounded: the least recently used calendars are dropped.
func TestCalendarCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := newCalendars()
	builds := 0
	get := func(id int) {
		if _, err := c.get(t.Context(), store.FeedID(id), calendarState{}, func() ([]byte, error) { builds++; return make([]byte, 4<<20), nil }); err != nil {
			t.Fatal(err)
		}
		if c.bytes > maxRemembered {
			t.Fatalf("%d bytes are kept, want at most %d", c.bytes, maxRemembered)
		}
	}
	for id := range 12 {
		get(id)
		get(0)
	}
	if get(0); builds != 12 {
		t.Errorf("built %d, want 12: the first is used all the time", builds)
	}
	if get(1); builds != 13 {
		t.Errorf("built %d, want 13", builds)
	}
}
