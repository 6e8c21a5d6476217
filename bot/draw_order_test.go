package bot

import (
	"fmt"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
)

// With a thousand waiting incidents of fifty teams, each channel first gets its most severe one, and no channel
// gets more than it can take.
func TestMostSevereIncidentOfEachChannelIsFirst(t *testing.T) {
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
			t.Errorf("%s gets incident %d with severity %s, want one critical incident per channel", w.Channel, w.Incident, w.Severity)
		}
		seen[w.Channel] = true
	}
	if len(seen) != teams {
		t.Errorf("%d channels get an incident, want %d", len(seen), teams)
	}
	perChannel := map[string]int{}
	for _, w := range f.bot.Choose(f.ctx, waiting, len(waiting)) {
		perChannel[w.Channel]++
	}
	for channel, n := range perChannel {
		if n > 3 {
			t.Errorf("%s gets %d messages at once, want at most 3", channel, n)
		}
	}
}
