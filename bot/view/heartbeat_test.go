package view

import (
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// The list has everything that people need to know of a heartbeat, and those that are down come first.
func TestHeartbeatsAreListed(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) *time.Time { return new(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).Add(d)) }
	nasty := "<!channel> *x* `y` <https://example.com|z>"
	line := func(name string, state oncall.HeartbeatState) HeartbeatLine {
		return HeartbeatLine{Name: name, Integration: "cron", Team: "payments", State: state, Every: 24 * time.Hour, Grace: time.Hour, Heard: at(0)}
	}
	down, late, running, muted := line("down", oncall.HeartbeatDown), line("late", oncall.HeartbeatLate), line("running", oncall.HeartbeatUp), line("muted", oncall.HeartbeatUp)
	down.Down, down.Why, down.Body = at(time.Hour), nasty, strings.Repeat("x", 5000)+nasty
	late.Due, running.Running = at(2*time.Hour), at(time.Minute)
	muted.Muted, muted.MutedUntil, muted.MutedBy = true, at(time.Hour), "U0ANN"
	fresh := line("fresh", oncall.HeartbeatNew)
	fresh.Heard = nil
	for text, wants := range map[string][]string{
		Heartbeats([]HeartbeatLine{fresh, late, running, muted, down}, time.UTC): {
			"*fresh* of cron, team payments: new, nothing has come yet; every 1 day, grace 1 hour", "*late* of cron, team payments: late, and down at Mon 2 Mar 14:00",
			"*running* of cron, team payments: up, running since Mon 2 Mar 12:01", "*muted until Mon 2 Mar 13:00* by <@U0ANN>", "• :red_circle: *down* of cron, team payments: *down* since Mon 2 Mar 13:00: ",
		},
		Heartbeat(down, time.UTC).Text: {"With its latest ping came:\n```", "xxxx"},
	} {
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
		if strings.Contains(text, "<!channel>") || strings.Contains(text, "<https:") || len(text) > MaxAnswer*2 {
			t.Errorf("want no mention, no link and at most %d bytes, got:\n%s", MaxAnswer*2, text)
		}
	}
	if !strings.HasPrefix(Heartbeats([]HeartbeatLine{fresh, down}, time.UTC), "• :red_circle:") {
		t.Error("the first heartbeat is not the one that is down")
	}
}
