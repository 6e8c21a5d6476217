package bot

import (
	"errors"
	"testing"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
)

// A topic is written only if it changes, and the bot joins channels that it isn't a member of.
func TestSetTopicWritesOnlyChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	written := func() (n int) {
		for _, c := range w.sim.Calls() {
			if c.Method == "conversations.setTopic" {
				n++
			}
		}
		return n
	}
	if _, err := w.admin().SetTopicOfConversationContext(w.ctx, "C0PAY", "R&D <b>"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.bot.SetTopic(w.ctx, "#payments", oncall.TopicSegment([]string{"Ann (days)"})); err != nil {
			t.Fatal(err)
		}
	}
	if c, _ := w.sim.FindChannel("#payments"); c.Topic != "R&D <b> | :pager: On call: Ann (days)" || written() != 2 {
		t.Errorf("the topic is %q after %d writes, want the segment added to the existing text in 2", c.Topic, written())
	}
	if err := w.bot.SetTopic(w.ctx, "#ops", oncall.TopicSegment([]string{"Bo (ops)"})); err != nil {
		t.Fatal(err)
	}
	if c, _ := w.sim.FindChannel("#ops"); c.Topic != ":pager: On call: Bo (ops)" {
		t.Errorf("the topic is %q, want %q", c.Topic, ":pager: On call: Bo (ops)")
	}
	err := w.bot.SetTopic(w.ctx, "#nowhere", "x")
	if _, refused := errors.AsType[oncall.Refusal](err); !refused {
		t.Errorf("the topic of an unknown channel: %v, want a Refusal", err)
	}
}
