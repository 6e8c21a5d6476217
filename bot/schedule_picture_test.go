package bot

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/slacksim"
)

// Slack may say yes to a file and share nothing: then there are words.
func TestPictureThatIsNotThere(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{})
	f.listen(1)
	f.sim.Fail(slacksim.Fault{Method: "conversations.history", Kind: slacksim.FaultError, Code: "channel_not_found"})
	f.command(ann, "/oncall schedule payments days")
	f.eventually("Ann has words", func() bool {
		return strings.Contains(f.sim.Text("@ann"), "Slack didn't take the picture of the schedule: it answered channel_not_found. In words:")
	})
}
