package main

import (
	"context"

	"github.com/rogpeppe/go-internal/testscript"
)

// minute: what every instance looks after once a minute is done now.
func (s *story) minute(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(s.app.store.RemindUnacked(context.Background(), s.clock.Now()))
	s.settle(ts)
}
