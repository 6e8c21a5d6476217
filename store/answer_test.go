package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// pagedBySMS gives a person a phone as their only contact method.
func (w *world) pagedBySMS(user oncall.UserID, number string) {
	w.t.Helper()
	c := w.addContact(user, oncall.MethodSMS, number)
	w.check(w.SetPreferences(w.t.Context(), oncall.ByTimer(), user, oncall.Preferences{High: []oncall.Rule{{Contact: c.ID}}}, start))
}

// A token identifies its person and its message for two days.
func TestTokensAreReadByEveryInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	ctx := t.Context()
	read := func(s *store.System, token string, at time.Time) oncall.AnsweredMessage {
		return must[oncall.AnsweredMessage](t)(s.ReadToken(ctx, token, at))
	}
	token := must[string](t)(w.Token(ctx, 1, ann, [32]byte{1}, start))
	m := read(w.System, token, start)
	if m.User != ann || m.ToHelp() {
		t.Errorf("message: %+v; want one to %s, as a person on call", m, ann)
	}
	if len(m.Incidents) != 1 || m.Incidents[0].ID != 1 {
		t.Errorf("message: %+v; want it about incident 1 alone", m)
	}
	_, err := w.ReadToken(ctx, token+"x", start)
	refused(t, err, "This link or button is not valid.")
	_, err = w.ReadToken(ctx, token, start.Add(49*time.Hour))
	refused(t, err, "This link or button has expired.")

	read(w.another(), token, start)
}

// Anybody can write to the topic from which answers are read. Anything that we haven't signed leaves
// no trace.
func TestForgedAnswersLeaveNoTrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	token := must[string](t)(w.Token(t.Context(), 1, ann, [32]byte{1}, start))
	act := oncall.Intent{Kind: oncall.IntentAct, Act: oncall.ActAck}
	forged := oncall.SignToken([]byte("a guess"), oncall.Claim{Page: 1, User: ann, Expires: start.Add(time.Hour)})
	for i, bad := range []string{"x", token + "A", forged} {
		a := oncall.Answer{Method: oncall.MethodNtfy, ID: fmt.Sprint(i), Token: bad, Intent: act}
		if out := must[store.AnswerRecord](t)(w.Answer(t.Context(), a, start)); out.Result != oncall.AnswerRefused {
			t.Errorf("%s: %+v, want Result %v", bad, out, oncall.AnswerRefused)
		}
	}
	if n := w.count(`SELECT count(*) FROM replies`); n != 0 {
		t.Errorf("%d rows, want 0", n)
	}
	a := oncall.Answer{Method: oncall.MethodNtfy, ID: "good", Token: token, Intent: act}
	if out := must[store.AnswerRecord](t)(w.Answer(t.Context(), a, start)); out.Result != oncall.AnswerActed {
		t.Errorf("ours: %+v, want Result %v", out, oncall.AnswerActed)
	}
}

// Answers that a process of the previous release is handling are left to it for a while.
func TestAnswerIsLeftToPreviousRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	w.pagedBySMS(ann, "+12025550100")
	const noted = `INSERT INTO replies (method, id, address, at, done, acted) VALUES ('sms', $1, '', $2, $3, $3)`
	w.exec(noted, "begun", start, false)
	w.exec(noted, "done", start, true)
	a := oncall.Answer{Method: oncall.MethodSMS, ID: "begun", From: "+12025550100", Intent: oncall.Intent{Kind: oncall.IntentOther}}
	if _, err := w.Answer(t.Context(), a, start.Add(time.Second)); !errors.Is(err, store.ErrUnderWay) {
		t.Errorf("while it is being done: %v, want the error %v", err, store.ErrUnderWay)
	}
	if out := must[store.AnswerRecord](t)(w.Answer(t.Context(), a, start.Add(16*time.Second))); out.Again || out.Result != oncall.AnswerUnclear {
		t.Errorf("when that has died: %+v; want it handled anew, with the result %v", out, oncall.AnswerUnclear)
	}
	a.ID = "done"
	if out := must[store.AnswerRecord](t)(w.Answer(t.Context(), a, start)); !out.Again || out.Result != "" {
		t.Errorf(`when it was done: %+v; want it known already, without a result`, out)
	}
}

// People who share a phone get different codes, even when they are paged at the same moment.
func TestPeopleWithOnePhoneGetDifferentCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pagedBySMS(ann, "+12025550100")
	w.open()
	for _, who := range []oncall.UserID{bo, cy} {
		w.pagedBySMS(who, "+12025550100")
		_, err := w.Act(t.Context(), 1, oncall.ByUser(ann), oncall.Act{Do: oncall.ActAsk, User: who}, w.clock())
		w.check(err)
	}
	orders := make([]oncall.PageOrder, w.count(`SELECT count(*) FROM pages WHERE method = 'sms'`))
	var all sync.WaitGroup
	for i := range orders {
		all.Go(func() {
			var err error
			if orders[i], err = w.BeginPage(t.Context(), oncall.SendPage{Page: oncall.PageID(i + 1)}, int64(i+1), w.clock()); err != nil {
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
