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
func (fp *fakeProvider) Send(_ context.Context, m notify.Message) notify.Receipt {
	fp.mu.Lock()
	defer fp.mu.Unlock()
	fp.sent = append(fp.sent, m)
	if fp.answer != nil {
		return fp.answer(m, len(fp.sent))
	}
	return notify.Receipt{Outcome: notify.Accepted, Reference: fmt.Sprint("ref-", len(fp.sent))}
}

// Find implements notify.Finder.
func (fp *fakeProvider) Find(_ context.Context, m notify.Message, _ time.Time) (notify.Receipt, bool, error) {
	fp.mu.Lock()
	defer fp.mu.Unlock()
	for i, s := range fp.sent {
		if s.Key == m.Key {
			reference := fmt.Sprint("ref-", i+1)
			return notify.Receipt{Outcome: notify.Accepted, Reference: reference}, fp.states[reference].State != "lost", nil
		}
	}
	return notify.Receipt{}, false, nil
}

// Lag implements notify.Finder.
func (fp *fakeProvider) Lag() time.Duration { return fp.lag }

// Track implements notify.Tracker.
func (fp *fakeProvider) Track(_ context.Context, reference string) (notify.Track, error) {
	fp.mu.Lock()
	defer fp.mu.Unlock()
	if t, known := fp.states[reference]; known {
		return t, nil
	}
	return notify.Track{State: notify.Pending}, nil
}

// Cancel implements notify.Canceller.
func (fp *fakeProvider) Cancel(_ context.Context, reference string) error {
	fp.mu.Lock()
	defer fp.mu.Unlock()
	fp.ended = append(fp.ended, reference)
	return nil
}

// Listen implements notify.Listener.
func (fp *fakeProvider) Listen(_ context.Context, cursor string) ([]notify.Answer, string, error) {
	fp.mu.Lock()
	defer fp.mu.Unlock()
	var read int
	fp.listened++
	if fp.listenErr != nil {
		return nil, cursor, fp.listenErr
	}
	_, _ = fmt.Sscan(cursor, &read)
	return fp.inbox[read:], fmt.Sprint(len(fp.inbox)), nil
}

func (fp *fakeProvider) setTrack(reference string, t notify.Track) {
	fp.mu.Lock()
	defer fp.mu.Unlock()
	fp.states[reference] = t
}

func (fp *fakeProvider) addAnswer(r notify.Answer) {
	fp.mu.Lock()
	defer fp.mu.Unlock()
	r.ID = fmt.Sprint("reply-", len(fp.inbox)+1)
	fp.inbox = append(fp.inbox, r)
}

// messages returns the messages sent for a purpose.
func (fp *fakeProvider) messages(p notify.Purpose) []notify.Message {
	fp.mu.Lock()
	defer fp.mu.Unlock()
	var out []notify.Message
	for _, m := range fp.sent {
		if m.Purpose == p {
			out = append(out, m)
		}
	}
	return out
}

func (fp *fakeProvider) cancelled() int {
	fp.mu.Lock()
	defer fp.mu.Unlock()
	return len(fp.ended)
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
