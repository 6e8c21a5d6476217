package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// pick PERSON OPTION PLACE: chooses from the menu of the newest incident, and prints the form that
// opens, or what only that person is told.
func (s *story) pick(ts *testscript.TestScript, _ bool, args []string) {
	user := person(args[0])
	before := s.sim.EphemeralText(user)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	result, err := s.sim.Choose(ctx, user, args[2], "", "incident_menu", args[1])
	ts.Check(err)
	if !result.Acked {
		ts.Fatalf("the choice was not acknowledged: %s", result.Error)
	}
	s.settle(ts)
	io.WriteString(ts.Stdout(), s.sim.ViewText(user))
	s.tell(ts, user, before)
}

// until PLACE PATTERN: lets time pass, as fast as Slack's limits do, until the place shows the pattern. Slack
// accepts one post a second in each channel, so a thread may lag behind.
func (s *story) passUntil(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	s.settle(ts)
	last := time.Now()
	s.until(ts, fmt.Sprintf("%s to show %q", args[0], args[1]), func() bool {
		if time.Since(last) >= time.Second/storyFaster { // Slack's limits apply in real time
			last = time.Now()
			s.advance(ts, false, []string{"1s"})
		}
		return pattern.MatchString(s.sim.Text(args[0]))
	})
}
