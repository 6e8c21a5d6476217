package bot

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/slacksim"
)

// If Slack accepts a file and shares nothing, the shifts are sent as text.
func TestUnsharedPictureFallsBackToText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	w.sim.Fail(slacksim.Fault{Method: "conversations.history", Kind: slacksim.FaultError, Code: "channel_not_found"})
	w.command(ann, "/oncall schedule payments days")
	w.until("Ann has words", func() bool {
		return strings.Contains(w.sim.Text("@ann"), "Slack didn't take the picture of the schedule: it answered channel_not_found. In words:")
	})
}
