package store_test

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// Only installation admins revoke other people's links and feeds; the owners are notified, and the audit log records it.
func TestAdminsRevokeOthersBelongings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	const boss oncall.UserID = "U0BOSS"
	w.person(oncall.User{ID: "U0BOSS", Name: "Boss", TimeZone: "UTC", Standing: oncall.FullMember, Owner: true})
	w.grow(func(s *setup.Setup) { s.Teams[0].Managers = []string{"ann"} })
	phone := w.addContact(bo, oncall.MethodSMS, "+12025550102")
	feed, _ := w.feed(store.Feed{UserID: bo, CreatedBy: bo})
	token := must[string](t)(w.Token(ctx, 0, bo, [32]byte{1}, start))
	acts := []func(by oncall.Actor) error{
		func(by oncall.Actor) error { _, err := w.Belongings(ctx, by, bo); return err },
		func(by oncall.Actor) error { return w.EndLinks(ctx, by, bo, start) },
		func(by oncall.Actor) error { return w.RemoveContact(ctx, by, bo, phone.ID, start) },
		func(by oncall.Actor) error { return w.RevokeFeed(ctx, by, feed.ID, start) },
	}
	for _, act := range acts {
		isRefused(t, act(oncall.ByUser(ann)), "Only admins of Watchbill can do this, and nothing was changed: U0BOSS.")
	}
	if _, err := w.ReadToken(ctx, token, start); err != nil {
		t.Errorf("the link: %v", err)
	}
	for _, act := range acts {
		if err := act(oncall.ByUser(boss)); err != nil {
			t.Error(err)
		}
	}
	_, err := w.ReadToken(ctx, token, start)
	isRefused(t, err, "An admin has ended this link or button, and nothing was changed. Please act in Slack.")
	later := start.Add(time.Minute)
	if _, err := w.ReadToken(ctx, must[string](t)(w.Token(ctx, 0, bo, [32]byte{2}, later)), later); err != nil {
		t.Errorf("a link of a later message: %v", err)
	}
	if n := w.count(`SELECT count(*) FROM notices WHERE kind = 'ended' AND recipient = 'U0BO'`); n != 3 {
		t.Errorf("Bo is told %d times, want 3", n)
	}
	w.check(w.EndLinks(ctx, oncall.ByCommandLine("root@db-1"), bo, later))
	if n := w.count(`SELECT count(*) FROM notices WHERE kind = 'ended' AND recipient = 'U0BO' AND facts::text LIKE '%An admin (root@db-1, at the command line) has ended the links%'`); n != 1 {
		t.Errorf("Bo is told %d times of what the command line has ended, want 1", n)
	}
	if n := w.count(`SELECT count(*) FROM audit_log WHERE actor ->> 'user' = 'U0BOSS' AND about = 'U0BO'`); n != 3 {
		t.Errorf("%d entries in the audit log, want 3", n)
	}
}
