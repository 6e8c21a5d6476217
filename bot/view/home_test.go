package view

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

func TestHomeWithNothingSetUp(t *testing.T) {
	t.Parallel()
	h := HomeTab{Zone: time.UTC, Now: noon}
	if n := len(h.Draw().Blocks.BlockSet); n < 5 || n > 100 {
		t.Errorf("%d blocks", n)
	}
	s, err := schedule.Compile(weekly())
	if err != nil {
		t.Fatal(err)
	}
	h.Overrides = func(oncall.OverrideID) (schedule.Override, bool) { return schedule.Override{}, false }
	for range 201 {
		h.Schedules = append(h.Schedules, s)
	}
	if n := len(h.Draw().Blocks.BlockSet); n > 100 {
		t.Errorf("%d blocks", n)
	}
}
