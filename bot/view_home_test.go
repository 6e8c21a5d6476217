package bot

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

func TestHomeWithNothingSetUp(t *testing.T) {
	t.Parallel()
	h := homeTab{zone: time.UTC, now: noon}
	if n := len(drawHome(h).Blocks.BlockSet); n < 5 || n > 100 {
		t.Errorf("%d blocks", n)
	}
	s, err := schedule.Compile(weekly())
	if err != nil {
		t.Fatal(err)
	}
	h.overrides = func(oncall.OverrideID) (schedule.Override, bool) { return schedule.Override{}, false }
	for range 201 {
		h.schedules = append(h.schedules, s)
	}
	if n := len(drawHome(h).Blocks.BlockSet); n > 100 {
		t.Errorf("%d blocks", n)
	}
}
