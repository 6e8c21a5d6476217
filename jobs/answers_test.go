package jobs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
)

// pagedBySMS lets SMS be the first to reach Ann, and returns when it has.
func (w *world) pagedBySMS(voice *fakeProvider) {
	w.t.Helper()
	voice.answer = func(notify.Message, int) notify.Receipt {
		return notify.Receipt{Outcome: notify.Rejected, Err: errors.New("a landline")}
	}
	w.sender.answer = func(context.Context, notify.Message, int) notify.Receipt {
		return notify.Receipt{Outcome: notify.Rejected, Err: errors.New("user_not_found")}
	}
	w.signal("db-1")
	w.until("an SMS is sent", func() bool { return len(w.events(1, oncall.EventPageDelivered)) == 1 })
}

// An answer that can never be carried out doesn't block those after it, and is given up.
func TestBadAnswerDoesNotStopOthers(t *testing.T) {
	t.Parallel()
	d, clock, sms, voice := newSMSWorld(t)
	d.start(d.sender)
	d.pagedBySMS(voice)
	if _, err := d.store.Pool().Exec(t.Context(), `ALTER TABLE replies ADD CHECK (address <> '+12025550199')`); err != nil {
		t.Fatal(err)
	}
	sms.addAnswer(notify.Answer{From: "+12025550199", Text: "1a"}) // the database takes none from there
	sms.addAnswer(notify.Answer{From: annPhone, Text: "1a"})
	d.until("it is acknowledged", func() bool { return len(d.events(1, oncall.EventAcknowledged)) == 1 })
	cursor := func() (c string) {
		c, err := d.store.AnswerCursor(d.t.Context(), oncall.MethodSMS)
		if err != nil {
			d.t.Fatal(err)
		}
		return c
	}
	if c := cursor(); c != "" && c != "0" {
		t.Errorf("the cursor is %q, want \"\" or \"0\": the bad answer is tried again", c)
	}
	clock.Advance(2 * time.Minute)
	d.until("the bad answer is given up", func() bool { return cursor() == "2" })
	if n := len(d.events(1, oncall.EventAcknowledged)); n != 1 {
		t.Errorf("acknowledged %d times, want 1", n)
	}
}

// If a provider's answers can't be read for a minute, the admins are told, because people's answers
// have no effect.
func TestUnreadableAnswersAlarmAdmins(t *testing.T) {
	t.Parallel()
	d, clock, sms, voice := newSMSWorld(t)
	sms.listenErr = errors.New("409 Conflict: terminated by other getUpdates request")
	metrics := prometheus.NewRegistry()
	j := d.instance(d.open(), d.sender, metrics)
	t.Cleanup(func() { stop(t, j) })
	d.pagedBySMS(voice)
	asked := func() int {
		sms.mu.Lock()
		defer sms.mu.Unlock()
		return sms.listened
	}
	d.until("answers are asked for", func() bool { return asked() > 0 })
	notices := func() (n int) {
		err := d.store.Pool().QueryRow(t.Context(), `SELECT count(*) FROM notices
			WHERE kind = 'delivery_blocked' AND facts::text LIKE '%what people answer has not been read%409 Conflict%'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := notices(); n != 0 {
		t.Errorf("told %d times at once, want 0", n)
	}
	clock.Advance(time.Minute)
	d.until("it is told", func() bool { return notices() == 1 })
	if n := methodGauge(t, metrics, "watchbill_answers_unread", "sms"); n != 1 {
		t.Errorf("the metric is %v, want %v", n, 1)
	}
	sms.mu.Lock()
	sms.listenErr = nil
	sms.mu.Unlock()
	sms.addAnswer(notify.Answer{From: annPhone, Text: "1a"})
	d.until("it is acknowledged", func() bool { return len(d.events(1, oncall.EventAcknowledged)) == 1 })
	d.until("the metric is 0", func() bool { return methodGauge(t, metrics, "watchbill_answers_unread", "sms") == 0 })
}

// methodGauge returns the value of a metric for a contact method.
func methodGauge(t *testing.T, from *prometheus.Registry, name, method string) float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && len(m.GetLabel()) == 1 && m.GetLabel()[0].GetValue() == method {
				return m.GetGauge().GetValue()
			}
		}
	}
	return -1
}

// Admins are told what they have to fix, whether the provider refused a message or reported failure
// long after accepting it, once for each cause.
func TestAdminsAreToldWhatToFix(t *testing.T) {
	t.Parallel()
	d, clock, sms, voice := newSMSWorld(t)
	d.start(d.sender)
	d.pagedBySMS(voice)
	notices := func(what string) (n int) {
		err := d.store.Pool().QueryRow(t.Context(), `SELECT count(*) FROM notices
			WHERE kind = 'delivery_blocked' AND facts::text LIKE '%' || $1 || '%'`, what).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	sms.setTrack("ref-1", notify.Track{State: notify.Failed, Final: true, Err: errors.New("error 30034"), Remedy: "register the number"})
	clock.Advance(10 * time.Second)
	d.until("admins are told", func() bool { return notices("register the number") == 1 })
	sms.answer = func(notify.Message, int) notify.Receipt {
		return notify.Receipt{Outcome: notify.Rejected, Err: errors.New("error 21408"), Remedy: "allow the country"}
	}
	clock.Advance(10 * time.Minute)
	d.signal("db-2")
	clock.Advance(10 * time.Minute)
	d.until("admins are told of the country", func() bool { return notices("allow the country") == 1 })
}
