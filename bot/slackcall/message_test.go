package slackcall

import (
	"fmt"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/slacksim"
)

func inPayments(text string) Message {
	return Message{Channel: "C0PAY", Delivery: text, Priority: ForPage}
}

// Slack accepts a reply to a message that is gone, and shows it to the whole channel.
func TestReplyToDeletedMessageIsDeleted(t *testing.T) {
	t.Parallel()
	sim, c := newSlack(t, slacksim.Options{})
	root, err := c.Post(t.Context(), inPayments("root"), "root", nil)
	if err != nil {
		t.Fatal(err)
	}
	reply := inPayments("reply")
	reply.Thread = root.TS
	if _, err := c.Post(t.Context(), reply, "reply", nil); err != nil {
		t.Fatal(err)
	}
	reply.Thread = "1.000001"
	if _, err := c.Post(t.Context(), reply, "lost reply", nil); OutcomeOf(err) != Gone {
		t.Errorf("a reply to a deleted message: %v (%v), want %s", OutcomeOf(err), err, Gone)
	}
	if n := len(sim.Messages("#payments")); n != 2 {
		t.Errorf("%d messages, want 2 because the reply was deleted:\n%s", n, sim.Text("#payments"))
	}
}

func TestRefusedEditsAreFinal(t *testing.T) {
	t.Parallel()
	sim, c := newSlack(t, slacksim.Options{})
	at, err := c.Post(t.Context(), inPayments("root"), "root", nil)
	if err != nil {
		t.Fatal(err)
	}
	edit := func() notify.Outcome {
		return OutcomeOf(c.Update(t.Context(), at, "new", nil, Edit{Priority: ForUpdate}))
	}
	if err := sim.ArchiveChannel("#payments", true); err != nil {
		t.Fatal(err)
	}
	if got := edit(); got != Frozen {
		t.Errorf("an edit in an archived channel: %s, want %s", got, Frozen)
	}
	if err := sim.ArchiveChannel("#payments", false); err != nil {
		t.Fatal(err)
	}
	sim.Fail(slacksim.Fault{Method: "chat.update", Kind: slacksim.FaultError, Code: "edit_window_closed"})
	if got := edit(); got != Frozen {
		t.Errorf("an edit after the workspace's edit window: %s, want %s", got, Frozen)
	}
	reply := inPayments("reply")
	reply.Thread = at.TS
	if _, err := c.Post(t.Context(), reply, "reply", nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if got := edit(); got != Gone {
		t.Errorf("an edit of a deleted message's tombstone: %s, want %s", got, Gone)
	}
}

func TestAllPagesOfChannelsAreListed(t *testing.T) {
	t.Parallel()
	sim, c := newSlack(t, slacksim.Options{})
	for i := range 220 {
		sim.AddChannel(slacksim.Channel{Name: fmt.Sprintf("c%d", i), Archived: i > 0 && i < 199})
	}
	sim.AddChannel(slacksim.Channel{ID: "C0PRIVATE", Name: "private", Private: true, Members: []string{slacksim.BotUserID}})
	if id, err := c.Conversation(t.Context(), "#c219", ForRest); err != nil || id == "" {
		t.Errorf("the id of the last of 220 channels is %q, %v; want it found", id, err)
	}
	if id, err := c.Conversation(t.Context(), "#private", ForRest); err != nil || id != "C0PRIVATE" {
		t.Errorf("the id of a private channel is %q, %v; want C0PRIVATE", id, err)
	}
	sim.SetScopes([]string{"channels:read"})
	c.ids = ids{}
	if id, err := c.Conversation(t.Context(), "#payments", ForRest); err != nil || id != "C0PAY" {
		t.Errorf("without groups:read the id of #payments is %q, %v; want C0PAY", id, err)
	}
	all, err := c.Channels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, found := range all {
		seen[found.ID] = true
	}
	if n := len(all); n != len(seen) || n != 222 {
		t.Errorf("%d channels with %d different ids, want 222 of each", n, len(seen))
	}
}

// For a thread in a channel without the bot, Slack answers that there is no such channel.
func TestFindJoinsForAThread(t *testing.T) {
	t.Parallel()
	_, c := newSlack(t, slacksim.Options{})
	began := time.Now()
	root, err := c.Post(t.Context(), Message{Channel: "C0OPS", Priority: ForPage}, "root", nil)
	if err != nil {
		t.Fatal(err)
	}
	reply := Message{Channel: "C0OPS", Thread: root.TS, Delivery: "reply-1", Priority: ForThread}
	posted, err := c.Post(t.Context(), reply, "reply", nil)
	if err != nil {
		t.Fatal(err)
	}
	if at, found, err := c.Find(t.Context(), reply, began); err != nil || !found || at != posted {
		t.Errorf("found %t at %+v, %v; want the reply at %+v", found, at, err, posted)
	}
}
