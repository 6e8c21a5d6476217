package jobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// PostNotice implements jobs.Messenger.
func (m *fakeMessenger) PostNotice(ctx context.Context, n oncall.Notice) (at store.MessageRef, err error) {
	err = m.call(ctx, "post notice", func() {
		at = store.MessageRef{Channel: n.To, TS: n.Key}
		m.notices = append(m.notices, n)
	})
	return at, err
}

// RedrawNotice implements jobs.Messenger.
func (m *fakeMessenger) RedrawNotice(ctx context.Context, _ store.WaitingDraw, _ store.MessageRef, n oncall.Notice) error {
	return m.call(ctx, "redraw notice", func() { m.notices = append(m.notices, n) })
}

// FindNotice implements jobs.Messenger.
func (m *fakeMessenger) FindNotice(ctx context.Context, n oncall.Notice, _ time.Time) (at store.MessageRef, found bool, err error) {
	err = m.call(ctx, "find notice", func() {
		for _, o := range m.notices {
			if o.Key == n.Key {
				at, found = store.MessageRef{Channel: n.To, TS: n.Key}, true
			}
		}
	})
	return at, found, err
}

// noticeStates returns the states in which notices with a key were shown, in order.
func (m *fakeMessenger) noticeStates(key string) (states []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.notices {
		if n.Key == key {
			states = append(states, n.Detail.State)
		}
	}
	return states
}

const testNotice oncall.NoticeKind = "test"

// askAnn opens an incident that Ann has acknowledged, so that she is asked whether she is still on
// it.
func (w *world) askAnn() oncall.IncidentID {
	w.t.Helper()
	doc := setup.Setup{
		Users: []setup.User{{Name: "Ann", Slack: ann, Email: "ann@example.com", TimeZone: "Europe/Berlin"}},
		Teams: []setup.Team{{Name: "Payments", Channel: "C0PAY", Members: []string{"Ann"}}},
		Policies: []setup.Policy{{Name: "Payments", Team: "Payments", AckTimeout: "1h", Steps: []setup.Step{
			{Page: []string{"user Ann"}, Wait: "1h"},
		}}},
	}
	if _, err := w.store.Apply(w.t.Context(), doc, store.ApplyOptions{Write: true}, w.clock()); err != nil {
		w.t.Fatal(err)
	}
	id := w.signal("db-1")[0]
	w.ack(id, ann)
	in, err := w.store.Incident(w.t.Context(), oncall.ByTimer(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	if due, err := w.store.RunIncidentTimer(w.t.Context(), id, in.Seq, w.clock()); err != nil || !due {
		w.t.Fatalf("nobody is asked: %t, %v, want no error and it due", due, err)
	}
	return id
}

func TestNoticeIsPostedOnceAndUpdated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	w.start(w.sender)
	id := w.askAnn()
	n := oncall.Notice{
		Key: "once", To: "C0PAY", Kind: oncall.NoticeStillOn, About: int64(id), Detail: oncall.NoticeDetail{Lines: []string{"hello"}},
	}
	for range 3 {
		if err := w.store.Notify(t.Context(), w.clock(), n); err != nil {
			t.Fatal(err)
		}
	}
	w.until("it is told", func() bool { return len(w.messenger.noticeStates("once")) == 1 && w.queueEmpty("tell") })
	_, err := w.store.Act(t.Context(), id, oncall.ByUser(ann), oncall.Act{Do: oncall.ActStillOn}, w.clock())
	if err != nil {
		t.Fatal(err)
	}
	w.until("it is redrawn", func() bool { s := w.messenger.noticeStates("once"); return len(s) == 2 && s[1] == oncall.StillOnYes })
	w.until("no job is left", func() bool { return w.queueEmpty("tell") })
	if got := w.messenger.noticeStates("once"); len(got) != 2 {
		t.Errorf("shown %d times: %q, want 2", len(got), got)
	}
}

func TestNoticeWithUnknownOutcomeIsAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	lost := false
	w.messenger.fail(func(_ context.Context, act string, posted bool) error {
		if act == "post notice" && posted && !lost {
			lost = true
			return errors.New("the answer was lost")
		}
		return nil
	})
	w.start(w.sender)
	if err := w.store.Notify(t.Context(), w.clock(), oncall.Notice{Key: "lost", To: "C0PAY", Kind: testNotice}); err != nil {
		t.Fatal(err)
	}
	w.until("it is adopted", func() bool { return len(w.messenger.noticeStates("lost")) == 2 && w.queueEmpty("tell") })
}

func TestLateNoticeIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	over := w.clock().Add(-time.Minute)
	if err := w.store.Notify(t.Context(), w.clock(),
		oncall.Notice{Key: "late", To: "C0PAY", Kind: testNotice, Until: &over},
		oncall.Notice{Key: "in time", To: "C0PAY", Kind: testNotice}); err != nil {
		t.Fatal(err)
	}
	w.start(w.sender)
	w.until("the other is told", func() bool { return len(w.messenger.noticeStates("in time")) == 1 && w.queueEmpty("tell") })
	if got := w.messenger.noticeStates("late"); len(got) != 0 {
		t.Errorf("a late notice was told %d times, want 0", len(got))
	}
}

type refusalError struct{ error }

// ChannelRefuses implements what jobs ask of Slack's errors.
func (refusalError) ChannelRefuses() string { return "channel_not_found" }

// A person who has left gets no notices, and one for whom Slack refuses messages isn't tried over
// and over.
func TestRefusedNoticesAreNotRetriedForDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	w.messenger.fail(func(_ context.Context, act string, posted bool) error {
		if act != "post notice" || posted {
			return nil
		}
		return refusalError{errors.New("chat.postMessage: channel_not_found")}
	})
	gone := w.clock().Add(-time.Hour)
	if err := w.store.SaveUser(t.Context(), oncall.User{ID: bo, Name: "Bo", DeactivatedAt: &gone}, w.clock()); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Notify(t.Context(), w.clock(), oncall.Notice{Key: "left", To: string(bo), Kind: testNotice}); err != nil {
		t.Fatal(err)
	}
	w.start(w.sender)
	state := func(key string) (state string, soon bool) {
		err := w.store.Pool().QueryRow(context.Background(), `
			SELECT state, scheduled_at < $2 FROM river_job
			WHERE kind = 'tell' AND args->>'notice' = (SELECT id::text FROM notices WHERE key = $1)`,
			key, w.clock().Add(50*time.Minute)).Scan(&state, &soon)
		if err != nil {
			t.Fatal(err)
		}
		return state, soon
	}
	w.until("nobody tells who has left", func() bool { s, _ := state("left"); return s == "cancelled" })
	// Had it been tried, the refusal would be the error. Others are told meanwhile that Bo has left.
	var why string
	if err := w.store.Pool().QueryRow(t.Context(), `
		SELECT array_to_string(ARRAY(SELECT e ->> 'error' FROM unnest(errors) e), '; ') FROM river_job
		WHERE kind = 'tell' AND args->>'notice' = (SELECT id::text FROM notices WHERE key = 'left')`).Scan(&why); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(why, "the person has left") || strings.Contains(why, "channel_not_found") {
		t.Errorf("got the error %q, want only that the person has left", why)
	}
	if err := w.store.Notify(t.Context(), w.clock(), oncall.Notice{Key: "refused", To: string(ann), Kind: testNotice}); err != nil {
		t.Fatal(err)
	}
	w.until("it waits for an hour", func() bool { s, soon := state("refused"); return s == "scheduled" && !soon })
}
