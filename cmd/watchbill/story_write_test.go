package main

import (
	"context"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// write PERSON PLACE TEXT [PATTERN]: writes a message there, or in the thread of the newest message that matches the
// pattern. "@watchbill" in it mentions the app.
func (s *story) write(ts *testscript.TestScript, _ bool, args []string) {
	if _, direct := strings.CutPrefix(args[1], "@"); direct {
		ts.Check(s.sim.OpenMessages(person(args[0])))
	}
	thread := ""
	if len(args) > 3 {
		thread = s.newest(ts, args[1], args[3])
	}
	_, err := s.sim.Say(person(args[0]), args[1], thread, args[2])
	ts.Check(err)
	s.settle(ts)
}

// shortcut PERSON NAME [PLACE PATTERN]: uses a shortcut of the app, or with a place that of the newest message that
// matches the pattern. It prints the form that opens, or what only that person is told.
func (s *story) shortcut(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	user, channel, message := person(args[0]), "", ""
	if len(args) > 3 {
		channel, message = args[2], s.newest(ts, args[2], args[3])
	}
	before := s.sim.EphemeralText(user)
	result, err := s.sim.Shortcut(ctx, user, args[1], channel, message)
	ts.Check(err)
	if !result.Acked {
		ts.Fatalf("the shortcut was not acknowledged: %s", result.Error)
	}
	s.settle(ts)
	io.WriteString(ts.Stdout(), s.sim.ViewText(user))
	s.tell(ts, user, before)
}

// newest finds the newest message of a place that matches a pattern.
func (s *story) newest(ts *testscript.TestScript, place, pattern string) string {
	wanted := regexp.MustCompile(pattern)
	for _, m := range slices.Backward(s.sim.Messages(place)) {
		if m.ThreadTS == "" && m.Ephemeral == "" && wanted.MatchString(m.Text) {
			return m.TS
		}
	}
	ts.Fatalf("no message in %s matches %q:\n%s", place, pattern, s.sim.Text(place))
	return ""
}
