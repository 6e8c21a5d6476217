package main

import (
	"context"

	"github.com/rogpeppe/go-internal/testscript"
)

// minute: does now what every instance does once a minute.
func (s *story) minute(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(s.app.store.RemindUnacked(context.Background(), s.clock.Now()))
	s.settle(ts)
}
