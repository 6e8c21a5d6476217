package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// Somebody who has not answered for a month is asked once before their next shift, and the others are
// told if no answer comes.
func TestPeopleAreAskedBeforeAShift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.addContact(bo, oncall.MethodSMS, "+12025550101") // Bo's next shift begins in a week
	asked := func() int { return w.jobs("check_reach") }
	at := start.Add(24 * time.Hour)
	w.check(w.CheckReach(ctx, at))
	if n := asked(); n != 0 {
		t.Errorf("asked %d times although it was confirmed yesterday, want 0", n)
	}
	w.exec(`UPDATE contacts SET confirmed_at = $1`, start.AddDate(0, -2, 0))
	for range 2 {
		w.check(w.CheckReach(ctx, at))
	}
	if n := asked(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	w.check(w.CheckReach(ctx, at.Add(24*time.Hour)))
	if n := w.count(`SELECT count(*) FROM notices WHERE kind = 'contact_silent'`); n != 0 {
		t.Errorf("%d notices long before the shift, want 0", n)
	}
	silent := start.Add(6*24*time.Hour + time.Hour)
	for range 2 {
		w.check(w.CheckReach(ctx, silent))
	}
	if got := w.strings(`SELECT recipient FROM notices WHERE kind = 'contact_silent' ORDER BY id`); !cmp.Equal(got, []string{"U0BO", "#payments"}) {
		t.Errorf("told: %q, want %q", got, []string{"U0BO", "#payments"})
	}
	ok := oncall.Answer{Method: oncall.MethodSMS, ID: "1", From: "+12025550101", Intent: oncall.Intent{Kind: oncall.IntentOther}}
	if out := must[store.AnswerRecord](t)(w.Answer(ctx, ok, silent)); out.Result != oncall.AnswerReached {
		t.Errorf("the answer: %+v, want Result %v", out, oncall.AnswerReached)
	}
}
