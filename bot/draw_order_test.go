package bot

import (
	"fmt"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
)

// Of a thousand incidents of fifty teams that wait, each channel has its worst first, at once; and no channel has more than
// it can take.
func TestEachChannelHasItsWorstFirst(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{})
	const teams, each = 50, 20
	var waiting []store.WaitingDraw
	for n := range teams * each {
		w := store.WaitingDraw{
			Job: int64(n + 1), Incident: oncall.IncidentID(n + 1), Severity: oncall.High, Team: fmt.Sprint(n % teams),
			Channel: fmt.Sprint("C", n%teams), First: true, Since: noon.Add(time.Duration(n) * time.Millisecond),
		}
		if n/teams == each-1 { // found last
			w.Severity = oncall.Critical
		}
		waiting = append(waiting, w)
	}
	chosen := f.bot.Choose(f.ctx, waiting, teams)
	seen := map[string]bool{}
	for _, w := range chosen {
		if w.Severity != oncall.Critical || seen[w.Channel] {
			t.Errorf("%s has incident %d, %s", w.Channel, w.Incident, w.Severity)
		}
		seen[w.Channel] = true
	}
	if len(seen) != teams {
		t.Errorf("%d channels have something, want %d", len(seen), teams)
	}
	perChannel := map[string]int{}
	for _, w := range f.bot.Choose(f.ctx, waiting, len(waiting)) {
		perChannel[w.Channel]++
	}
	for channel, n := range perChannel {
		if n > 3 {
			t.Errorf("%s has %d messages at once", channel, n)
		}
	}
}
