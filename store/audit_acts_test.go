package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// The audit log records what was done to every kind of object outside the set-up file, by whom and how.
func TestAuditLogRecordsActs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE users SET owner = true WHERE id = 'U0ANN'`)
	ctx := t.Context()
	id := w.stored("primary").ID
	day := 24 * time.Hour
	swap, second, third := oncall.SwapID(0), oncall.SwapID(0), oncall.SwapID(0)
	var cover oncall.Cover
	var override schedule.Override
	var off oncall.TimeOff
	var contact oncall.Contact
	var feed store.Feed
	offer := func(to *oncall.SwapID) func(oncall.Actor) error {
		return func(by oncall.Actor) error {
			s, err := w.OfferSwap(ctx, by, w.stint(ann, 1), w.stint(bo, 0), "a wedding", start)
			*to = s.ID
			return err
		}
	}
	update := func(id *oncall.SwapID, act oncall.SwapAct) func(oncall.Actor) error {
		return func(by oncall.Actor) error { _, err := w.UpdateSwap(ctx, by, *id, act, start); return err }
	}
	covers := func(act oncall.CoverActKind) func(oncall.Actor) error {
		return func(by oncall.Actor) error {
			_, err := w.UpdateCover(ctx, by, cover.ID, oncall.CoverAct{Do: act}, start)
			return err
		}
	}
	root := oncall.ByCommandLine("root@db-1")
	for _, c := range []struct {
		act audit.Operation
		by  oncall.Actor
		do  func(by oncall.Actor) error
	}{
		{audit.SwapOffered, oncall.ByUser(ann), offer(&swap)},
		{audit.SwapAccepted, oncall.ByUser(bo), update(&swap, oncall.AcceptSwap)},
		{audit.SwapUndone, oncall.ByUser(ann), update(&swap, oncall.UndoSwap)},
		{audit.SwapOffered, oncall.ByUser(ann), offer(&second)},
		{audit.SwapDeclined, oncall.ByUser(bo), update(&second, oncall.DeclineSwap)},
		{audit.SwapOffered, oncall.ByUser(ann), offer(&third)},
		{audit.SwapTakenBack, oncall.ByUser(ann), update(&third, oncall.WithdrawSwap)},
		{audit.CoverAsked, oncall.ByUser(ann), func(by oncall.Actor) (err error) {
			cover, err = w.AskForCover(ctx, by, w.stint(ann, 1), "a wedding", true, start)
			return err
		}},
		{audit.CoverDeclined, oncall.ByUser(cy), covers(oncall.DeclineCover)},
		{audit.CoverTaken, oncall.ByUser(bo), covers(oncall.TakeCover)},
		{audit.OverrideAdded, oncall.ByUser(cy), func(by oncall.Actor) (err error) {
			override, err = w.AddOverride(ctx, by, id, schedule.Override{
				Kind: schedule.OverrideCover, Users: []oncall.UserID{cy}, Start: start.Add(60 * day), End: start.Add(61 * day), CreatedBy: cy,
			}, start)
			return err
		}},
		{audit.OverrideEnded, root, func(by oncall.Actor) error { _, err := w.CancelOverride(ctx, by, override.ID, start); return err }},
		{audit.ShiftAdded, oncall.ByUser(ann), func(by oncall.Actor) error {
			_, err := w.AddShift(ctx, by, id, schedule.ManualShift{Role: schedule.RoleShadow, Start: start.Add(70 * day), End: start.Add(71 * day), Users: []oncall.UserID{cy}}, start)
			return err
		}},
		{audit.ShiftsDeleted, oncall.ByUser(ann), func(by oncall.Actor) error {
			_, err := w.DeleteShifts(ctx, by, id, schedule.RoleShadow, start.Add(69*day), start.Add(72*day), start)
			return err
		}},
		{audit.TimeOffAdded, oncall.ByUser(ann), func(by oncall.Actor) (err error) {
			off, err = w.AddTimeOff(ctx, by, oncall.TimeOff{UserID: ann, Start: start.Add(80 * day), End: start.Add(81 * day)}, start)
			return err
		}},
		{audit.TimeOffCancelled, oncall.ByUser(ann), func(by oncall.Actor) error { _, err := w.CancelTimeOff(ctx, by, off.ID, start); return err }},
		{audit.ContactAdded, oncall.ByUser(ann), func(by oncall.Actor) (err error) {
			contact, err = w.AddContact(ctx, by, ann, oncall.MethodSMS, "+12025550100", start)
			return err
		}},
		{audit.ContactVerified, oncall.ByUser(ann), func(by oncall.Actor) error {
			proof, err := w.BeginProof(ctx, contact.ID, random(1), start)
			if err != nil {
				return err
			}
			return w.ConfirmContact(ctx, by, ann, contact.ID, proof.Code, start)
		}},
		{audit.RulesChanged, oncall.ByUser(ann), func(by oncall.Actor) error {
			return w.SetPreferences(ctx, by, ann, oncall.Preferences{High: []oncall.Rule{{Contact: contact.ID}}}, start)
		}},
		{audit.ContactRemoved, root, func(by oncall.Actor) error { return w.RemoveContact(ctx, by, ann, contact.ID, start) }},
		{audit.RulesChanged, oncall.ByUser(ann), func(by oncall.Actor) error {
			return w.SetReminders(ctx, by, ann, []time.Duration{time.Hour}, start)
		}},
		{audit.CalendarMade, oncall.ByUser(ann), func(by oncall.Actor) (err error) {
			feed, _, err = w.MakeFeed(ctx, by, store.Feed{UserID: ann, CreatedBy: ann}, start)
			return err
		}},
		{audit.CalendarEnded, root, func(by oncall.Actor) error { return w.RevokeFeed(ctx, by, feed.ID, start) }},
		{audit.LinksEnded, root, func(by oncall.Actor) error { return w.EndLinks(ctx, by, bo, start) }},
		{audit.Muted, root, func(by oncall.Actor) error { return w.MuteIntegration(ctx, by, "grafana", nil, start) }},
		{audit.Unmuted, oncall.ByUser(ann), func(by oncall.Actor) error { _, err := w.UnmuteIntegration(ctx, by, "grafana", start); return err }},
		{audit.KeyRotated, root, func(by oncall.Actor) error {
			_, _, err := w.RotateKey(ctx, by, "grafana", store.Rotation{}, start)
			return err
		}},
		{audit.SecretUsed, oncall.ByTimer(), func(oncall.Actor) error { _, err := w.UseSecrets(ctx, start); return err }},
	} {
		before := w.count(`SELECT coalesce(max(id), 0) FROM audit_log`)
		if err := c.do(c.by); err != nil {
			t.Fatalf("%s: %v", c.act, err)
		}
		entries, _, err := w.History(ctx, root, store.AuditFilter{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries {
			if e.ID > int64(before) {
				got = append(got, fmt.Sprintf("%s %s%s %s", e.Act, e.By.User, e.By.Name, e.By.Via))
			}
		}
		if diff := cmp.Diff([]string{fmt.Sprintf("%s %s%s %s", c.act, c.by.User, c.by.Name, c.by.Via)}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.act, diff)
		}
	}
}
