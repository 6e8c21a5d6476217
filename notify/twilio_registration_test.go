package notify_test

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/twiliosim"
)

// How far registrations are is read from Twilio, rather than said for ever to everybody.
func TestCheckReportsRegistrations(t *testing.T) {
	t.Parallel()
	const service = "MG00000000000000000000000000000001"
	for name, c := range map[string]struct {
		number  string
		service bool
		set     twiliosim.Registration
		bad     string
		note    string
		ok      string
	}{
		"long code alone":     {set: twiliosim.Registration{Profile: "twilio-approved"}, note: "must be registered before carriers take their SMS"},
		"campaign verified":   {service: true, set: twiliosim.Registration{Campaign: "VERIFIED", Profile: "twilio-approved"}, ok: "the A2P 10DLC campaign is verified"},
		"campaign waits":      {service: true, set: twiliosim.Registration{Campaign: "IN_PROGRESS"}, note: "the A2P 10DLC campaign is not verified yet"},
		"campaign failed":     {service: true, set: twiliosim.Registration{Campaign: "FAILED"}, bad: "the A2P 10DLC campaign is failed: carriers in the US block its SMS"},
		"service without one": {service: true, set: twiliosim.Registration{}, note: "must be registered"},
		"toll-free verified":  {number: "+18885550100", set: twiliosim.Registration{TollFree: "TWILIO_APPROVED"}, ok: "the toll-free number is verified"},
		"toll-free waits":     {number: "+18885550100", set: twiliosim.Registration{TollFree: "IN_REVIEW"}, note: "the toll-free number is not verified yet"},
		"toll-free rejected":  {number: "+18885550100", set: twiliosim.Registration{TollFree: "TWILIO_REJECTED"}, bad: "was rejected: carriers take none of its SMS"},
		"toll-free, nothing":  {number: "+18885550100", set: twiliosim.Registration{}, bad: "the toll-free number is not verified: carriers take none of its SMS"},
		"elsewhere":           {number: "+4930555010", set: twiliosim.Registration{Profile: "twilio-approved"}, ok: "sends SMS"},
		"no profile":          {number: "+4930555010", set: twiliosim.Registration{Profile: "draft"}, note: "no customer profile is approved"},
	} {
		l := newTwilioFixture(t)
		if c.number != "" {
			sim := twiliosim.New(twiliosim.Options{Number: c.number, Now: l.clock.Now})
			address, err := sim.Start("127.0.0.1:0")
			l.must(err)
			t.Cleanup(func() { sim.Close() })
			l.sim, l.conf.API, l.conf.From = sim, address, c.number
		}
		if c.service {
			l.sim.SetService(twiliosim.Service{SID: service, Defers: true})
		}
		l.sim.SetRegistration(c.set)
		var bad, notes, fine []string
		for _, f := range l.sms().Check(t.Context()) {
			switch {
			case f.Note:
				notes = append(notes, f.Text)
			case f.OK:
				fine = append(fine, f.Text)
			default:
				bad = append(bad, f.Text)
			}
			if !f.OK && f.Remedy == "" {
				t.Errorf("%s: no remedy for %q", name, f.Text)
			}
		}
		for what, pair := range map[string][2]string{
			"bad": {strings.Join(bad, "; "), c.bad}, "notes": {strings.Join(notes, "; "), c.note}, "fine": {strings.Join(fine, "; "), c.ok},
		} {
			if got, want := pair[0], pair[1]; !strings.Contains(got, want) || what == "bad" && (got == "") != (want == "") {
				t.Errorf("%s, %s: got %q, want it with %q", name, what, got, want)
			}
		}
	}
}

// A Standard key can't see that the account is on trial, but its texts say so.
func TestCheckRecognisesATrialAccount(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	l.sim.SetRegistration(twiliosim.Registration{Trial: true, Profile: "twilio-approved"})
	s := l.sms()
	since := l.clock.Now()
	if track := l.tracked(s, annPhone); track.State != notify.Delivered || !strings.HasPrefix(track.Remedy, "upgrade the account") {
		t.Errorf("the track is %+v, want delivered with a remedy about the account", track)
	}
	m := page(annPhone, "page 8")
	want(t, s.Send(t.Context(), m), notify.Accepted)
	if _, found, err := s.Find(t.Context(), m, since); err != nil || !found {
		t.Errorf("found %v, %v, want no error and found", found, err)
	}
	verify := notify.Message{Purpose: notify.ForVerify, Key: "code 1", To: boPhone, Verify: "482913"}
	want(t, s.Send(t.Context(), verify), notify.Accepted)
	if _, found, err := s.Find(t.Context(), verify, since); err != nil || !found {
		t.Errorf("the code: found %v, %v, want no error and found", found, err)
	}
	var bad []string
	for _, f := range s.Check(t.Context()) {
		if !f.OK && !f.Note {
			bad = append(bad, f.Text)
		}
	}
	if len(bad) != 1 || bad[0] != "the account is on trial: its texts say so" {
		t.Errorf("found %q, want 1 and \"the account is on trial: its texts say so\"", bad)
	}
}
