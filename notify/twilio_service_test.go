package notify_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/twiliosim"
)

// Answers to a Messaging Service may be dropped, or its name can't be answered: also if only the number
// is set, which a campaign has put into a service.
func TestCheckReportsAServiceWithoutAnswers(t *testing.T) {
	t.Parallel()
	const sid = "MG00000000000000000000000000000001"
	for name, c := range map[string]struct {
		service twiliosim.Service
		bad     string
		note    string
	}{
		"defers":      {service: twiliosim.Service{SID: sid, Defers: true}},
		"drops":       {service: twiliosim.Service{SID: sid}, bad: "drops all answers to the Messaging Service " + sid},
		"elsewhere":   {service: twiliosim.Service{SID: sid, InboundURL: "https://crm.example.com/sms"}, note: "passes answers to another program"},
		"ours":        {service: twiliosim.Service{SID: sid, InboundURL: "https://watchbill.example.com/v1/twilio/sms"}},
		"a name":      {service: twiliosim.Service{SID: sid, Defers: true, Alpha: []string{"EXAMPLE"}}, bad: "sends as EXAMPLE, which nobody can answer"},
		"another SID": {service: twiliosim.Service{SID: "MG00000000000000000000000000000002", Defers: true}, bad: "look at the Messaging Service"},
	} {
		for _, set := range []bool{false, true} {
			if name == "another SID" && !set {
				continue
			}
			l := newTwilioFixture(t)
			l.sim.SetService(c.service)
			l.conf.Public = "https://watchbill.example.com"
			if set {
				l.conf.Service = sid
			}
			var bad, notes []string
			for _, f := range l.sms().Check(t.Context()) {
				switch {
				case f.Note:
					notes = append(notes, f.Text)
				case !f.OK:
					bad = append(bad, f.Text)
				}
				if !f.OK && f.Remedy == "" {
					t.Errorf("%s: no remedy for %q", name, f.Text)
				}
			}
			if (c.bad == "") != (bad == nil) || !strings.Contains(strings.Join(bad, "; "), c.bad) {
				t.Errorf("%s, service set %v: %q, want %q", name, set, bad, c.bad)
			}
			if c.note != "" && !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, c.note) }) {
				t.Errorf("%s, service set %v: notes %q, want %q", name, set, notes, c.note)
			}
		}
	}
}

// tracked follows a message to its end.
func (fx *twilioFixture) tracked(s notify.SMS, to string) (track notify.Track) {
	fx.Helper()
	r := s.Send(fx.Context(), page(to, "page "+to+fx.clock.Now().String()))
	want(fx.T, r, notify.Accepted)
	for !track.Final {
		var err error
		track, err = s.Track(fx.Context(), r.Reference)
		fx.must(err)
	}
	fx.clock.advance(time.Second)
	return track
}

// Problems reported after a message was accepted need an admin, too.
func TestReceiptNamesTheRemedy(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	s := l.sms()
	l.sim.AddPhone(twiliosim.Phone{Number: annPhone, Outcome: twiliosim.OutcomeUnregistered})
	l.sim.AddPhone(twiliosim.Phone{Number: boPhone, Outcome: twiliosim.OutcomeFiltered})
	wantTrack(t, "unregistered", l.tracked(s, annPhone), notify.Track{
		State: notify.Failed, Final: true, Remedy: "register the sending number for A2P 10DLC in Twilio's Console (error 30034)",
	}, "30034: our number is not registered")
	for i := range 3 {
		if track := l.tracked(s, boPhone); track.State != notify.Failed || (track.Remedy != "") != (i == 2) {
			t.Errorf("filtered %d times: got %+v, want it failed, with a remedy: %t", i+1, track, i == 2)
		}
	}
	l.sim.AddPhone(twiliosim.Phone{Number: boPhone})
	wantTrack(t, "delivered", l.tracked(s, boPhone), notify.Track{State: notify.Delivered, Final: true, Named: new(false)}, "")
	l.sim.AddPhone(twiliosim.Phone{Number: boPhone, Outcome: twiliosim.OutcomeFiltered})
	if track := l.tracked(s, boPhone); track.Remedy != "" {
		t.Errorf("filtered once more: got %+v, want Remedy \"\"", track)
	}

	l.sim.SetService(twiliosim.Service{SID: "MG00000000000000000000000000000001", Defers: true, Alpha: []string{"EXAMPLE"}})
	l.conf.Service = "MG00000000000000000000000000000001"
	l.sim.AddPhone(twiliosim.Phone{Number: annPhone})
	track := l.tracked(l.sms(), annPhone)
	if track.State != notify.Delivered || track.Named == nil || !*track.Named {
		t.Errorf("from a name: got %+v, want it delivered and named", track)
	}
	if want := `SMS come from "EXAMPLE", which nobody can answer`; !strings.Contains(track.Remedy, want) {
		t.Errorf("from a name: got the remedy %q, want it with %q", track.Remedy, want)
	}
}

// A country that is not allowed is said to admins, and other countries are still paged.
func TestSMSToAForbiddenCountryIsRejected(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	for code, says := range map[int]string{21408: "Messaging, Geo permissions", 21215: "Voice, Geo permissions", 13227: "Voice, Geo permissions"} {
		l.sim.Fail(twiliosim.Fault{Kind: twiliosim.FaultError, Code: code})
		if r := l.sms().Send(t.Context(), page(annPhone, "x")); r.Outcome != notify.Rejected || r.Dead || !strings.Contains(r.Remedy, says) {
			t.Errorf("%d: got %+v, want the outcome %v, the address kept, and %v in the remedy", code, r, notify.Rejected, says)
		}
	}
	want(t, l.sms().Send(t.Context(), page(boPhone, "y")), notify.Accepted)
}

// On trial, or without an approved profile, nobody is reached until an admin acts.
func TestTwilioAccountLimitsAreRejectedWithARemedy(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	l.conf.Flow = ""
	for _, code := range []int{10002, 10004, 21219, 21607, 21608, 572002, 572005, 573002, 573005} {
		l.sim.Fail(twiliosim.Fault{Kind: twiliosim.FaultError, Code: code})
		want(t, l.sms().Send(t.Context(), page(annPhone, "x")), notify.Misconfigured)
		l.sim.Fail(twiliosim.Fault{Kind: twiliosim.FaultError, Code: code})
		want(t, notify.Voice{Twilio: notify.NewTwilio(l.conf)}.Send(t.Context(), page(annPhone, "x")), notify.Misconfigured)
	}
	for code, says := range map[int]string{30450: "Fraud Guard", 21216: "Voice, Geo permissions"} {
		l.sim.Fail(twiliosim.Fault{Kind: twiliosim.FaultError, Code: code})
		if r := l.sms().Send(t.Context(), page(annPhone, "x")); r.Outcome != notify.Rejected || r.Dead || !strings.Contains(r.Remedy, says) {
			t.Errorf("%d: got %+v, want the outcome %v, the address kept, and %v in the remedy", code, r, notify.Rejected, says)
		}
	}
}

// The account may have numbers of other programs: what is sent to them is no answer to us.
func TestSMSListenIgnoresOtherNumbers(t *testing.T) {
	t.Parallel()
	const service = "MG00000000000000000000000000000001"
	for name, c := range map[string]struct {
		fault       *twiliosim.Fault
		want, later string // the answers, separated by blanks, and those an hour later
	}{
		"as it is":          {nil, "1a", "2a"},
		"not to be seen":    {&twiliosim.Fault{Path: "/PhoneNumbers", Kind: twiliosim.FaultError, Status: 403, Code: 20403, Times: -1}, "ack 1a", "ack 2a"},
		"no answer at once": {&twiliosim.Fault{Path: "/PhoneNumbers", Kind: twiliosim.FaultHTML, Times: 1}, "ack 1a", "2a"},
	} {
		l := newTwilioFixture(t)
		l.conf.Service, l.conf.From = service, ""
		s := l.sms()
		l.sim.ReplyTo(annPhone, "+12025550177", "ack")
		_, err := l.sim.Reply(t.Context(), annPhone, "1a")
		l.must(err)
		if c.fault != nil {
			l.sim.Fail(*c.fault)
		}
		replies, cursor, err := s.Listen(t.Context(), "")
		l.must(err)
		if got := textsOf(replies); got != c.want { // better one too many than one too few
			t.Errorf("%s: got the answers %q, want %q", name, got, c.want)
		}
		l.clock.advance(time.Hour)
		l.sim.ReplyTo(annPhone, "+12025550177", "ack")
		_, err = l.sim.Reply(t.Context(), annPhone, "2a")
		l.must(err)
		replies, _, err = s.Listen(t.Context(), cursor)
		l.must(err)
		if got := textsOf(replies); got != c.later {
			t.Errorf("%s: an hour later got the answers %q, want %q", name, got, c.later)
		}
	}
}

// textsOf returns the texts of answers, separated by blanks.
func textsOf(replies []notify.Answer) string {
	var texts []string
	for _, r := range replies {
		texts = append(texts, r.Text)
	}
	return strings.Join(texts, " ")
}

// With Message Redaction answers come without their words, which nobody sees who doesn't look for it.
func TestSMSListenReportsRedactedTexts(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	s := l.sms()
	if track := l.tracked(s, annPhone); track.Remedy != "" {
		t.Errorf("with words: got %+v, want Remedy \"\"", track)
	}
	for _, f := range s.Check(t.Context()) {
		if strings.Contains(f.Text, "Redaction") {
			t.Errorf("with words: got %+v, want nothing about redaction", f)
		}
	}
	l.sim.Redact()
	if track := l.tracked(s, annPhone); track.State != notify.Delivered || !strings.Contains(track.Remedy, "Message Redaction") {
		t.Errorf("without words: got %+v, want the state %v and a remedy that names Message Redaction", track, notify.Delivered)
	}
	if !slices.ContainsFunc(s.Check(t.Context()), func(f notify.CheckResult) bool {
		return !f.OK && !f.Note && strings.Contains(f.Text, "Message Redaction") && f.Remedy != ""
	}) {
		t.Error("the check says nothing of Message Redaction; want a failure with a remedy")
	}
}
