package bot

import (
	"errors"
	"testing"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
)

// A topic is written only when it changes, and where the bot is no member it joins.
func TestSetTopic(t *testing.T) {
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
		t.Errorf("topic %q after %d writes", c.Topic, written())
	}
	if err := w.bot.SetTopic(w.ctx, "#ops", oncall.TopicSegment([]string{"Bo (ops)"})); err != nil {
		t.Fatal(err)
	}
	if c, _ := w.sim.FindChannel("#ops"); c.Topic != ":pager: On call: Bo (ops)" {
		t.Errorf("topic %q", c.Topic)
	}
	err := w.bot.SetTopic(w.ctx, "#nowhere", "x")
	if _, refused := errors.AsType[oncall.Refusal](err); !refused {
		t.Errorf("an unknown channel: %v", err)
	}
}
