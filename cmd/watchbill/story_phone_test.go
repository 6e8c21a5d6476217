package main

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store/storetest"
	"github.com/watchbill/watchbill/twiliosim"
)

// has PERSON METHOD NUMBER: the person has added that contact method and entered its code.
func (s *story) has(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	p := process{ctx: ctx, clock: s.clock.Now}
	_, err := provePhone(ctx, p, s.app, s.phone, oncall.UserID(person(args[0])), oncall.Method(args[1]), args[2])
	ts.Check(err)
	s.settle(ts)
}

// line NUMBER FATE: from now on the phone is busy, unreachable, a landline, and so on.
func (s *story) line(_ *testscript.TestScript, _ bool, args []string) {
	s.phone.AddPhone(twiliosim.Phone{Number: args[0], Outcome: twiliosim.Outcome(args[1])})
}

// rings NUMBER: waits until the phone rings.
func (s *story) rings(ts *testscript.TestScript, _ bool, args []string) {
	s.until(ts, args[0]+" to ring", func() bool {
		calls := s.phone.Calls(args[0])
		return len(calls) > 0 && calls[len(calls)-1].Status == "ringing"
	})
}

// pickup NUMBER [KEY]: answers the phone, presses a key, and prints what was heard.
func (s *story) pickup(ts *testscript.TestScript, neg bool, args []string) {
	s.rings(ts, neg, args)
	heard, err := s.phone.Answer(args[0])
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), heard)
	if len(args) > 1 {
		heard, err = s.phone.Press(context.Background(), args[0], args[1])
		ts.Check(err)
		fmt.Fprintln(ts.Stdout(), heard)
	}
}

// decline NUMBER: declines the call, and waits until Watchbill knows, some seconds later.
func (s *story) decline(ts *testscript.TestScript, neg bool, args []string) {
	s.rings(ts, neg, args)
	ts.Check(s.phone.HangUp(args[0]))
	s.advance(ts, false, []string{"10s"})
	s.until(ts, "the refusal to be known", func() (known bool) {
		ts.Check(s.app.store.Pool().QueryRow(context.Background(),
			`SELECT NOT EXISTS (SELECT FROM pages WHERE method = 'voice' AND state = 'delivered')`).Scan(&known))
		return known
	})
}

// gets NUMBER PATTERN: waits until the phone shows it.
func (s *story) gets(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	pause := storetest.NewPause()
	for deadline := time.Now().Add(20 * time.Second); !pattern.MatchString(s.phone.Text(args[0])); pause() {
		if time.Now().After(deadline) {
			ts.Fatalf("%s never showed %q:\n%s", args[0], args[1], s.phone.Text(args[0]))
		}
	}
}

// account: lets the `watchbill twilio` commands find the telephone network.
func (s *story) account(ts *testscript.TestScript, _ bool, _ []string) {
	s.phone = twiliosim.New(twiliosim.Options{Now: time.Now})
	ts.Defer(func() { s.phone.Close() })
	base, err := s.phone.Start("127.0.0.1:0")
	ts.Check(err)
	for name, value := range map[string]string{
		"TWILIO_ACCOUNT_SID": twiliosim.Account, "TWILIO_AUTH_TOKEN": twiliosim.Token, "WATCHBILL_TWILIO_API_URL": base,
	} {
		ts.Setenv(name, value)
	}
}

// demoreplies NUMBER: the number has the webhook that Twilio gives to new numbers.
func (s *story) demoReplies(*testscript.TestScript, bool, []string) {
	s.phone.SetSMSURL("https://demo.twilio.com/welcome/sms/reply/")
}

// forbid COUNTRY…: Twilio allows neither SMS nor calls there.
func (s *story) forbid(_ *testscript.TestScript, _ bool, args []string) {
	for _, iso := range args {
		s.phone.Forbid(iso, true, true)
	}
}
