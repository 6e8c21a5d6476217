package notify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/twiliosim"
)

// Studio accepts every call, and says nothing of why it could not make one: that stands in an alert about
// the execution or about the call.
func TestVoiceTrackExplainsAFailedCall(t *testing.T) {
	t.Parallel()
	for outcome, c := range map[twiliosim.Outcome]struct {
		dead        bool
		why, remedy string
	}{
		twiliosim.OutcomeInvalid:    {dead: true, why: "21211"},
		twiliosim.OutcomeForbidden:  {why: "21215", remedy: "allow the country in Twilio's Console under Voice, Geo permissions (error 21215)"},
		twiliosim.OutcomeTrial:      {why: "21219", remedy: "upgrade the account: on trial, or without an approved Primary Customer Profile, it reaches only numbers verified in Twilio's Console (error 21219)"},
		twiliosim.OutcomeCallLimit:  {why: "10004", remedy: "have the account's limit of calls at once raised: it grows with an approved Primary Customer Profile (error 10004)"},
		twiliosim.OutcomeUnassigned: {why: "13224"},
	} {
		for _, flow := range []bool{true, false} {
			l := newTwilioFixture(t)
			v := l.voice()
			if !flow {
				l.conf.Flow = ""
				v = notify.Voice{Twilio: notify.NewTwilio(l.conf)}
			}
			l.sim.AddPhone(twiliosim.Phone{Number: annPhone, Outcome: outcome})
			r := v.Send(t.Context(), page(annPhone, "page 7"))
			if !flow && outcome != twiliosim.OutcomeUnassigned {
				if r.Outcome == notify.Accepted || r.Dead != c.dead || !strings.Contains(r.Err.Error(), c.why) {
					t.Errorf("%s without a flow: got %+v, want it not accepted, dead %t, because of %q", outcome, r, c.dead, c.why)
				}
				continue
			}
			want(t, r, notify.Accepted)
			track, err := v.Track(t.Context(), r.Reference)
			if err != nil {
				t.Fatalf("%s, flow %v: got the error %v, want none", outcome, flow, err)
			}
			wantTrack(t, fmt.Sprintf("%s, flow %v", outcome, flow), track,
				notify.Track{State: notify.Failed, Final: true, Dead: c.dead, Remedy: c.remedy}, "error "+c.why)
			l.sim.AddPhone(twiliosim.Phone{Number: annPhone})
			want(t, v.Send(t.Context(), page(annPhone, "page 8")), notify.Accepted)
		}
	}
}

// Our own number may have been given back, which concerns everybody.
func TestVoiceTrackFromAForeignNumber(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	l.voice()
	l.conf.From = boPhone
	v := notify.Voice{Twilio: notify.NewTwilio(l.conf)}
	r := v.Send(t.Context(), page(annPhone, "page 7"))
	want(t, r, notify.Accepted)
	track, err := v.Track(t.Context(), r.Reference)
	if err != nil {
		t.Fatalf("got the error %v, want none", err)
	}
	wantTrack(t, "a foreign number", track,
		notify.Track{State: notify.Failed, Final: true, Remedy: "set TWILIO_FROM to a number of the account (error 21210)"}, "21210")
}

// The alert may be late, and then it is waited for, but not for long, and not if nobody may see it.
func TestVoiceTrackWithoutAnExplanation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(l *twilioFixture)
		waits  bool
		why    string
	}{
		"late":   {func(l *twilioFixture) { l.sim.SetListLag(8 * time.Second) }, true, "21215"},
		"never":  {func(l *twilioFixture) { l.sim.SetListLag(time.Hour) }, true, "the call could not be made"},
		"hidden": {func(l *twilioFixture) { l.sim.HideAlerts() }, false, "the call could not be made"},
		"broken": {func(l *twilioFixture) { l.sim.Fail(twiliosim.Fault{Path: "/Alerts", Kind: twiliosim.FaultHTML}) }, false, "the call could not be made"},
	} {
		l := newTwilioFixture(t)
		v := l.voice()
		l.sim.AddPhone(twiliosim.Phone{Number: annPhone, Outcome: twiliosim.OutcomeForbidden})
		c.before(l)
		r := v.Send(t.Context(), page(annPhone, "page 7"))
		want(t, r, notify.Accepted)
		track, err := v.Track(t.Context(), r.Reference)
		if err != nil || (track.State == notify.Pending) != c.waits {
			t.Errorf("%s: got %+v, %v, want it pending: %v", name, track, err, c.waits)
		}
		if c.waits {
			l.clock.advance(11 * time.Second)
			track, err = v.Track(t.Context(), r.Reference)
		}
		if err != nil || track.State != notify.Failed || !strings.Contains(track.Err.Error(), c.why) {
			t.Errorf("%s: %+v, %v, want no error and State %v with %v", name, track, err, notify.Failed, c.why)
		}
	}
}

// What others' alerts say is none of ours.
func TestVoiceTrackIgnoresAlertsOfOtherCalls(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	v := l.voice()
	l.sim.AddPhone(twiliosim.Phone{Number: boPhone, Outcome: twiliosim.OutcomeInvalid})
	want(t, v.Send(t.Context(), page(boPhone, "page 6")), notify.Accepted)
	l.sim.AddPhone(twiliosim.Phone{Number: annPhone, Outcome: twiliosim.OutcomeForbidden})
	r := v.Send(t.Context(), page(annPhone, "page 7"))
	want(t, r, notify.Accepted)
	want(t, v.Send(t.Context(), page(boPhone, "page 8")), notify.Accepted)
	if track, err := v.Track(t.Context(), r.Reference); err != nil || track.Dead || !strings.Contains(track.Err.Error(), "21215") {
		t.Errorf("%+v, %v, want no error and the address kept, with \"21215\"", track, err)
	}
}

// A person may press a key and hang up while Studio is at something else, and the execution stays active:
// the next call must not wait for it.
func TestVoiceEndsAnAnsweredCallThatStaysActive(t *testing.T) {
	t.Parallel()
	for name, look := range map[string]func(l *twilioFixture, v notify.Voice, reference string){
		"followed": func(l *twilioFixture, v notify.Voice, reference string) {
			track, err := v.Track(l.Context(), reference)
			if err != nil || track.State != notify.Answered || track.Final {
				l.Errorf("at once: %+v, %v, want no error, State %v and Final false", track, err, notify.Answered)
			}
			l.clock.advance(31 * time.Second)
			if track, err = v.Track(l.Context(), reference); err != nil || track.State != notify.Answered || !track.Final {
				l.Errorf("later: %+v, %v, want no error, State %v and Final true", track, err, notify.Answered)
			}
		},
		"listened to": func(l *twilioFixture, v notify.Voice, _ string) {
			replies, cursor, err := v.Listen(l.Context(), "")
			if err != nil || len(replies) != 1 {
				l.Errorf("at once: %+v, %v, want no error and 1 reply", replies, err)
			}
			l.clock.advance(31 * time.Second)
			if replies, _, err = v.Listen(l.Context(), cursor); err != nil || len(replies) != 0 {
				l.Errorf("later: %+v, %v, want no error and 0 replies", replies, err)
			}
		},
		"in the way": func(l *twilioFixture, v notify.Voice, _ string) {
			want(l.T, v.Send(l.Context(), page(annPhone, "page 8")), notify.Throttled)
			l.clock.advance(31 * time.Second)
		},
	} {
		l := newTwilioFixture(t)
		v := l.voice()
		l.sim.AddPhone(twiliosim.Phone{Number: annPhone, Outcome: twiliosim.OutcomeQuickHangUp})
		r := v.Send(t.Context(), page(annPhone, "page 7"))
		want(t, r, notify.Accepted)
		_, err := l.sim.Answer(annPhone)
		l.must(err)
		_, err = l.sim.Press(t.Context(), annPhone, "1")
		l.must(err)
		look(l, v, r.Reference)
		r = v.Send(t.Context(), page(annPhone, "page 9"))
		want(t, r, notify.Accepted)
		if !strings.HasPrefix(r.Reference, "FN") {
			t.Errorf("%s: the next call is plain, %s, want it beginning with \"FN\"", name, r.Reference)
		}
	}
}

// A call that rings is in no execution: it is looked for, and cancelled; one in progress is completed.
func TestVoiceCancelEndsByStatus(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(l *twilioFixture)
		want   string
	}{
		"rings":       {func(*twilioFixture) {}, "canceled"},
		"in progress": {func(l *twilioFixture) { _, err := l.sim.Answer(annPhone); l.must(err) }, "completed"},
		"hung up":     {func(l *twilioFixture) { l.must(l.sim.HangUp(annPhone)) }, "busy"},
	} {
		for _, flow := range []bool{true, false} {
			l := newTwilioFixture(t)
			v := l.voice()
			if !flow {
				l.conf.Flow = ""
				v = notify.Voice{Twilio: notify.NewTwilio(l.conf)}
			}
			want(t, v.Send(t.Context(), page(annPhone, "page 6")), notify.Accepted)
			l.must(l.sim.HangUp(annPhone))
			l.clock.advance(time.Minute)
			r := v.Send(t.Context(), page(annPhone, "page 7"))
			want(t, r, notify.Accepted)
			c.before(l)
			l.must(v.Cancel(t.Context(), r.Reference))
			if calls := l.sim.Calls(annPhone); len(calls) != 2 || calls[1].Status != c.want {
				t.Errorf("%s, flow %v: got %+v, want 2 calls and Status %v", name, flow, calls, c.want)
			}
		}
	}
}

// A call that is not listed yet is ended as soon as it is.
func TestVoiceCancelWaitsForTheList(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	v := l.voice()
	l.sim.SetListLag(5 * time.Second)
	r := v.Send(t.Context(), page(annPhone, "page 7"))
	want(t, r, notify.Accepted)
	if err := v.Cancel(t.Context(), r.Reference); err == nil {
		t.Error("it is said to be ended")
	}
	l.clock.advance(5 * time.Second)
	l.must(v.Cancel(t.Context(), r.Reference))
	if calls := l.sim.Calls(annPhone); calls[0].Status != "canceled" {
		t.Errorf("the call is %s, want %s", calls[0].Status, "canceled")
	}
	l.clock.advance(time.Minute)
	l.must(v.Cancel(t.Context(), r.Reference))
}

// People who add a number learn at once that it can't be called.
func TestVoiceProofToAnInvalidNumberIsDead(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	v := l.voice()
	l.sim.AddPhone(twiliosim.Phone{Number: annPhone, Outcome: twiliosim.OutcomeInvalid})
	m := notify.Message{Purpose: notify.ForVerify, Key: "code 1", To: annPhone, Verify: "4711"}
	if r := v.Send(t.Context(), m); r.Outcome != notify.Rejected || !r.Dead {
		t.Errorf("the receipt is %+v, want rejected and dead", r)
	}
}
