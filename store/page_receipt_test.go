package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// Only one caller checks each message with the provider. A message is needed as long as anybody needs
// one of its pages.
func TestMessagesAreFollowedWhileSomebodyNeedsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	send := func(page oncall.PageID, ref string, at time.Time, names ...string) {
		t.Helper()
		w.storm(names...)
		if order := w.begin(page, at); len(order.Incidents) != len(names) {
			t.Fatalf("page %d: %+v, want all %d incidents in its message", page, order, len(names))
		}
		w.check(w.RecordPage(t.Context(), page, oncall.PageAccepted{Ref: ref, Track: true}, at))
	}
	send(1, "three", start, "a", "b", "c")
	send(4, "one", start.Add(time.Minute), "d")
	due := func(at time.Time) []store.TrackedMessage {
		t.Helper()
		methods := []oncall.Method{oncall.MethodSlack}
		out := must[[]store.TrackedMessage](t)(w.DueReceipts(t.Context(), methods, methods, at, 10))
		if again := must[[]store.TrackedMessage](t)(w.DueReceipts(t.Context(), methods, nil, at, 10)); len(again) != 0 {
			t.Errorf("another asks too: %+v, want none", again)
		}
		return out
	}
	three := store.TrackedMessage{Page: 1, Method: oncall.MethodSlack, Key: "1/1/U0ANN/slack", Ref: "three", Due: true}
	one := store.TrackedMessage{Page: 4, Method: oncall.MethodSlack, Key: "4/1/U0ANN/slack", Ref: "one", Due: true}
	ack := func(id oncall.IncidentID) {
		t.Helper()
		must[oncall.Incident](t)(w.Act(t.Context(), id, oncall.ByUser(bo), oncall.Act{Do: oncall.ActAck}, start))
	}
	byPage := cmpopts.SortSlices(func(a, b store.TrackedMessage) bool { return a.Page < b.Page })
	at := start.Add(2 * time.Minute)
	for _, c := range []struct {
		name string
		ack  []oncall.IncidentID
		want []store.TrackedMessage
	}{
		{"all are needed", nil, []store.TrackedMessage{three, one}},
		{"one of three is", []oncall.IncidentID{1, 2}, []store.TrackedMessage{three, one}},
		{"none is", []oncall.IncidentID{3, 4}, []store.TrackedMessage{
			{Page: 1, Method: three.Method, Key: three.Key, Ref: three.Ref}, {Page: 4, Method: one.Method, Key: one.Key, Ref: one.Ref},
		}},
	} {
		for _, id := range c.ack {
			ack(id)
		}
		if diff := cmp.Diff(c.want, due(at), byPage); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		at = at.Add(time.Minute)
	}
}
