package main

import (
	"context"
	"io"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// pick PERSON OPTION PLACE: chooses from the menu of the newest incident, and prints the form that
// opens or what only that person is told.
func (s *story) pick(ts *testscript.TestScript, _ bool, args []string) {
	user := person(args[0])
	before := s.sim.EphemeralText(user)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
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
