package store_test

import (
	"sync"
	"testing"

	"github.com/watchbill/watchbill/oncall"
)

// One answer may come by a webhook and from the provider's list at the same moment. It escalates
// once.
func TestAnAnswerThatComesTwiceAtOnceActsOnce(t *testing.T) {
	t.Parallel()
	a := newAnswering(t, "disk")
	a.sms()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() { // those that come while it is being done are refused
			_, _ = a.Answer(t.Context(), oncall.Answer{Method: oncall.MethodSMS, From: "+12025550100", Text: "1e", ID: "same"}, a.clock())
		})
	}
	all.Wait()
	if n := a.count(`SELECT count(*) FROM incident_events WHERE kind = 'escalated'`); n != 1 {
		t.Errorf("it was escalated %d times", n)
	}
}

// People with one phone get different codes, also when they are paged at the same moment.
func TestPeopleWithOnePhoneGetDifferentCodes(t *testing.T) {
	t.Parallel()
	a := newAnswering(t, "disk")
	for _, who := range []oncall.UserID{bo, cy} {
		c := a.addContact(who, oncall.MethodSMS, "+12025550100")
		a.check(a.SetPreferences(t.Context(), who, oncall.Preferences{High: []oncall.Rule{{Contact: c.ID}}}))
		_, err := a.Act(t.Context(), 1, oncall.ByUser(ann), oncall.Act{Do: oncall.ActAsk, User: who}, a.clock())
		a.check(err)
	}
	orders := make([]oncall.PageOrder, a.count(`SELECT count(*) FROM pages WHERE method = 'sms'`))
	var all sync.WaitGroup
	for i := range orders {
		all.Go(func() {
			var err error
			if orders[i], err = a.BeginPage(t.Context(), oncall.PageID(i+1), int64(i+1), a.clock()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	seen := map[int]bool{0: true}
	for _, o := range orders {
		if seen[o.Code] {
			t.Errorf("page %d has the code %d", o.Page.ID, o.Code)
		}
		seen[o.Code] = true
	}
}
