package jobs_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
)

// A fakeProvider imitates a provider in memory: it keeps the messages it accepts, reports on them, and has
// answers to read. It can be made to fail.
type fakeProvider struct {
	mu        sync.Mutex
	sent      []notify.Message
	states    map[string]notify.Track // by reference
	ended     []string                // cancelled calls
	inbox     []notify.Answer
	lag       time.Duration
	answer    func(m notify.Message, n int) notify.Receipt // nil: accepts
	listenErr error                                        // the error of reading answers
	listened  int                                          // how often answers were read
}

func newFakeProvider() *fakeProvider { return &fakeProvider{states: map[string]notify.Track{}} }

// Send implements notify.Sender.
func (c *fakeProvider) Send(_ context.Context, m notify.Message) notify.Receipt {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, m)
	if c.answer != nil {
		return c.answer(m, len(c.sent))
	}
	return notify.Receipt{Outcome: notify.Accepted, Reference: fmt.Sprint("ref-", len(c.sent))}
}

// Find implements notify.Finder.
func (c *fakeProvider) Find(_ context.Context, m notify.Message, _ time.Time) (notify.Receipt, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, s := range c.sent {
		if s.Key == m.Key {
			reference := fmt.Sprint("ref-", i+1)
			return notify.Receipt{Outcome: notify.Accepted, Reference: reference}, c.states[reference].State != "lost", nil
		}
	}
	return notify.Receipt{}, false, nil
}

// Lag implements notify.Finder.
func (c *fakeProvider) Lag() time.Duration { return c.lag }

// Track implements notify.Tracker.
func (c *fakeProvider) Track(_ context.Context, reference string) (notify.Track, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, known := c.states[reference]; known {
		return t, nil
	}
	return notify.Track{State: notify.Pending}, nil
}

// Cancel implements notify.Canceller.
func (c *fakeProvider) Cancel(_ context.Context, reference string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = append(c.ended, reference)
	return nil
}

// Listen implements notify.Listener.
func (c *fakeProvider) Listen(_ context.Context, cursor string) ([]notify.Answer, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var read int
	c.listened++
	if c.listenErr != nil {
		return nil, cursor, c.listenErr
	}
	_, _ = fmt.Sscan(cursor, &read)
	return c.inbox[read:], fmt.Sprint(len(c.inbox)), nil
}

func (c *fakeProvider) setTrack(reference string, t notify.Track) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states[reference] = t
}

func (c *fakeProvider) addAnswer(r notify.Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.ID = fmt.Sprint("reply-", len(c.inbox)+1)
	c.inbox = append(c.inbox, r)
}

// messages returns the messages sent for a purpose.
func (c *fakeProvider) messages(p notify.Purpose) []notify.Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []notify.Message
	for _, m := range c.sent {
		if m.Purpose == p {
			out = append(out, m)
		}
	}
	return out
}

func (c *fakeProvider) cancelled() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ended)
}

// addContact gives a person a verified contact method.
func (w *world) addContact(user oncall.UserID, method oncall.Method, address string) oncall.ContactID {
	w.t.Helper()
	ctx := w.t.Context()
	c, err := w.store.AddContact(ctx, oncall.ByTimer(), user, method, address, w.clock())
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.store.Pool().Exec(ctx, `DELETE FROM river_job WHERE kind = 'verify'`); err != nil {
		w.t.Fatal(err)
	}
	proof, err := w.store.BeginProof(ctx, c.ID, [16]byte{}, w.clock())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.ConfirmContact(ctx, oncall.ByTimer(), user, c.ID, proof.Code, w.clock()); err != nil {
		w.t.Fatal(err)
	}
	return c.ID
}
