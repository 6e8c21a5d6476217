package bot

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/slacksim"
)

// After any text pasted behind a command, the answer or the form says what is wrong.
func TestLongInputIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	var texts []string
	for _, unit := range []string{"x", "<&> ", "<@U0ANN|ann> ", "12 "} {
		texts = append(texts, strings.Repeat(unit, 4000/len([]rune(unit))))
	}
	heads := []string{"", "now 2h ", "@bo tomorrow 09:00 to tomorrow 17:00 payments days "}
	for _, c := range commands() {
		for _, head := range heads {
			for _, text := range texts {
				line := "/oncall " + c.name + " " + head
				line = strings.ToValidUTF8(line+text[:min(len(text), 4000-len(line))], "")
				r, err := w.sim.Slash(w.ctx, string(ann), "C0PAY", line)
				if err != nil || !r.Acked {
					t.Errorf("%.100q: %v, acknowledged %t; want it acknowledged", line, err, r.Acked)
				}
				if shown := r.Text + w.sim.ViewText(string(ann)); strings.Contains(shown, "went wrong") {
					t.Errorf("%.100q is answered %.300q; want no failure", line, shown)
				}
				if w.sim.ViewText(string(ann)) == "" {
					continue
				}
				if _, err := w.sim.CloseView(w.ctx, string(ann), true); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if w.log.has("invalid_arguments") {
		t.Error("Slack refused a call as invalid, want none refused")
	}
}
