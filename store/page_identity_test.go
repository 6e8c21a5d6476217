package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
)

// The previous release inserts pages whose key says only what they belong to.
func TestPagesOfThePreviousRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open() // makes page 1, the way this release does
	for _, key := range []string{"1/2/U0ANN/sms:3+2", "1/ask/5/U0BO/slack", "1/2/%23ops%2F7/channel", "1/2", "", "ask/7/8/U0BO"} {
		w.exec(`INSERT INTO pages (incident_id, user_id, method, why, key, contact, recipient, due_at, state, attempt, detail)
			VALUES (1, 'U0ANN', 'sms', '', $1, 0, '', $2, 'waiting', 0, '')`, key, start)
	}
	w.exec(`UPDATE pages SET state = 'waiting', redials = redials + CASE WHEN id = 2 THEN 1 ELSE 0 END WHERE id IN (2, 3)`)
	got := w.strings(`SELECT concat_ws(' ', key, call_seq, asked_version, redial_key) FROM pages ORDER BY id`)
	want := []string{
		"1/1/U0ANN/slack 1 0 ",
		"1/2/U0ANN/sms:3+2 2 0 1/2/U0ANN/sms:3+2~2",
		"1/ask/5/U0BO/slack 0 5 ",
		"1/2/%23ops%2F7/channel 2 0 ",
		"1/2 0 0 ", // none has such a key, but a page must never be refused
		" 0 0 ",
		"ask/7/8/U0BO 0 0 ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Two phone calls of one page have different names, so that the second isn't mistaken for the first. A
// key press in either call is about that page.
func TestSecondCallHasItsOwnKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	c := w.addContact(ann, oncall.MethodVoice, "+12025550107")
	w.check(w.SetPreferences(ctx, oncall.ByTimer(), ann, oncall.Preferences{High: []oncall.Rule{{Contact: c.ID}}}, start))
	w.storm("disk", "fan")
	first := w.begin(1, start)
	w.check(w.RecordPage(ctx, 1, oncall.PageAccepted{Ref: "CA1", Track: true}, start))
	w.check(w.RecordReceipt(ctx, 1, oncall.PageReceipt{State: oncall.ReceiptUnanswered}, start))
	second := w.begin(1, start.Add(time.Minute))
	if !second.Send || second.Page.MessageKey() == first.Page.MessageKey() || len(second.Incidents) != 2 {
		t.Fatalf("the second call: %+v; want it sent with 2 incidents, under another key than the first", second)
	}
	for _, c := range []struct {
		order oncall.PageOrder
		does  oncall.ActKind
		want  oncall.Status
	}{{second, oncall.ActAck, oncall.Acknowledged}, {first, oncall.ActResolve, oncall.Resolved}} {
		answer := oncall.Answer{
			Method: oncall.MethodVoice, Message: oncall.MessageKey{Page: c.order.Page.MessageKey()},
			Intent: oncall.Intent{Kind: oncall.IntentAct, Act: c.does},
		}
		if _, err := w.Answer(ctx, answer, start.Add(2*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if one, two := w.incident(1).Status, w.incident(2).Status; one != c.want || two != c.want {
			t.Errorf("after %s: %s, %s; want one %s and two %s", c.does, one, two, c.want, c.want)
		}
	}
}
