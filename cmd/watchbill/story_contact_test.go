package main

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/twiliosim"
)

// phones: starts a telephone network in which Watchbill has a number. It must come before start.
func (s *story) phones(ts *testscript.TestScript, _ bool, _ []string) {
	s.phone = twiliosim.New(twiliosim.Options{Now: s.clock.Now})
	ts.Defer(func() { s.phone.Close() })
	f, err := startPhones(context.Background(), s.phone, "127.0.0.1:0", s.clock.Now)
	ts.Check(err)
	s.channels = f.twilio(s.clock.Now, "").senders
}

// inbox NUMBER: prints what a phone received and sent.
func (s *story) inbox(ts *testscript.TestScript, _ bool, args []string) {
	s.settle(ts)
	fmt.Fprint(ts.Stdout(), s.phone.Text(args[0]))
}

// code NUMBER: waits for the code sent to a phone, and sets $CODE to it.
func (s *story) code(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	code, err := phoneCode(ctx, s.phone, oncall.MethodSMS, args[0])
	ts.Check(err)
	ts.Setenv("CODE", code)
}

// reply NUMBER TEXT [PATTERN]: sends an SMS from the phone, and waits until it shows the pattern.
// Answers are polled, so that may take some seconds.
func (s *story) reply(ts *testscript.TestScript, _ bool, args []string) {
	_, err := s.phone.Reply(context.Background(), args[0], args[1])
	ts.Check(err)
	if len(args) > 2 {
		pattern := regexp.MustCompile(args[2])
		s.until(ts, args[0]+" to show "+args[2], func() bool { return pattern.MatchString(s.phone.Text(args[0])) })
	}
}
