package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"
	"weak"

	"github.com/watchbill/watchbill/store"
)

const (
	maxBuilds     = 2        // calendars that are built concurrently
	maxRemembered = 32 << 20 // bytes of calendars in the cache
)

// A calendarState identifies everything that a calendar depends on.
type calendarState struct {
	revision  int64
	day       time.Time
	directory weak.Pointer[store.Directory] // names, and who has left
}

// A builtCalendar is a rendered calendar.
type builtCalendar struct {
	state calendarState
	body  []byte
	tag   string
	used  int // when it was last used, as a count of uses
}

// calendars caches rendered calendars, and lets only one request at a time build a feed's calendar.
// Programs ask every few minutes, and anybody with the address may ask as often as they like.
type calendars struct {
	mu       sync.Mutex
	built    map[store.FeedID]*builtCalendar
	bytes    int
	uses     int
	building map[store.FeedID]chan struct{} // closed when the build has ended
	slots    chan struct{}
}

func newCalendars() *calendars {
	return &calendars{
		built: map[store.FeedID]*builtCalendar{}, building: map[store.FeedID]chan struct{}{},
		slots: make(chan struct{}, maxBuilds),
	}
}

// get returns a feed's calendar for a state. On a miss it calls build with ctx. If ctx ends, the next waiting request
// builds the calendar.
func (c *calendars) get(ctx context.Context, id store.FeedID, state calendarState, build func() ([]byte, error)) (*builtCalendar, error) {
	for {
		known, wait, done := c.begin(id, state)
		switch {
		case known != nil:
			return known, nil
		case wait != nil:
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		defer done()
		select {
		case c.slots <- struct{}{}:
			defer func() { <-c.slots }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		body, err := build()
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(body)
		made := &builtCalendar{state: state, body: body, tag: `"` + hex.EncodeToString(sum[:16]) + `"`}
		c.keep(id, made)
		return made, nil
	}
}

// begin returns the calendar if it is cached. If another request is building it, begin returns a
// channel to wait on; otherwise it returns a function to call when the build has ended.
func (c *calendars) begin(id store.FeedID, state calendarState) (known *builtCalendar, wait chan struct{}, done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.built[id]; b != nil && b.state == state {
		c.uses++
		b.used = c.uses
		return b, nil, nil
	}
	if wait := c.building[id]; wait != nil {
		return nil, wait, nil
	}
	mine := make(chan struct{})
	c.building[id] = mine
	return nil, nil, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.building, id)
		close(mine)
	}
}

// keep adds a calendar to the cache, and removes the least recently used ones.
func (c *calendars) keep(id store.FeedID, made *builtCalendar) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(id)
	c.uses++
	made.used = c.uses
	c.built[id] = made
	c.bytes += len(made.body)
	for c.bytes > maxRemembered && len(c.built) > 1 {
		oldest := id
		for other, b := range c.built {
			if b.used < c.built[oldest].used {
				oldest = other
			}
		}
		c.forget(oldest)
	}
}

func (c *calendars) forget(id store.FeedID) {
	if b := c.built[id]; b != nil {
		c.bytes -= len(b.body)
		delete(c.built, id)
	}
}
