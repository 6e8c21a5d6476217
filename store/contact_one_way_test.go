package store_test

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// Once a text has come from a sender name, the next one doesn't ask for an answer. Once it comes from
// our number again, it does.
func TestOneWaySenderIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	c := w.addContact(ann, oncall.MethodSMS, "+12025550107")
	w.check(w.SetPreferences(ctx, oncall.ByTimer(), ann, oncall.Preferences{High: []oncall.Rule{{Contact: c.ID}}}, start))
	at, before := start, false
	for i, named := range []*bool{new(true), nil, new(false), nil} {
		page := oncall.PageID(i + 1)
		w.storm(string(rune('a' + i)))
		if order := w.begin(page, at); !order.Send || order.OneWay != before {
			t.Errorf("page %d: %+v; want it sent, one-way %t", page, order, before)
		}
		w.check(w.RecordPage(ctx, page, oncall.PageAccepted{Ref: "SM1", Track: true}, at))
		w.check(w.RecordReceipt(ctx, page, oncall.PageReceipt{State: oncall.ReceiptDelivered, Final: true, Named: named}, at))
		if named != nil {
			before = *named
		}
		if reach := must[oncall.ContactSettings](t)(w.ContactSettings(ctx, oncall.ByTimer(), ann)); reach.Contacts[0].OneWay() != before {
			t.Errorf("after page %d: one-way %t, want %t: %+v", page, !before, before, reach.Contacts[0])
		}
		at = at.Add(time.Minute)
	}
}

// Nobody is asked for an answer that can't arrive, and its absence is reported to nobody.
func TestCoverSkipsUnreachablePeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addContact(bo, oncall.MethodSMS, "+8613800000000") // Bo's next shift begins in a week
	w.addContact(bo, oncall.MethodVoice, "+8613800000000")
	named := w.addContact(bo, oncall.MethodSMS, "+12025550107")
	w.exec(`UPDATE contacts SET named_sender = true WHERE id = $1`, named.ID)
	w.exec(`UPDATE contacts SET confirmed_at = $1`, start.AddDate(0, -2, 0))
	w.check(w.CheckReach(t.Context(), start.Add(24*time.Hour)))
	if got := w.strings(`SELECT c.method FROM checks k JOIN contacts c ON c.id = k.contact_id`); len(got) != 1 || got[0] != "voice" {
		t.Errorf(`asked by %q; want only "voice"`, got)
	}
}
