package slackcall

import (
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/slacksim"
)

// A channel that refuses is tried seldom, by one message at a time, and open again once it takes one.
func TestAChannelThatRefusesIsSetAside(t *testing.T) {
	t.Parallel()
	var a aside
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	refused := Classify(slack.SlackErrorResponse{Err: "is_archived"})
	tries := 0
	for at := now; at.Before(now.Add(10 * time.Minute)); at = at.Add(time.Second) {
		for range 30 { // messages wait for it
			err := a.ask("C1", at)
			if err == nil {
				tries++
				a.note("C1", refused, at)
				continue
			}
			if d := retryAfter(err); OutcomeOf(err) != Unsent || d <= 0 || d > longestAside {
				t.Fatalf("turned away with %v, %s", err, d)
			}
		}
	}
	if tries < 10 || tries > 15 {
		t.Errorf("%d tries in ten minutes", tries)
	}
	later := now.Add(time.Hour)
	if err := a.ask("C1", later); err != nil {
		t.Errorf("after the pause: %v", err)
	}
	if err := a.ask("C1", later); err == nil {
		t.Error("a second one goes before the first has an answer")
	}
	a.note("C1", nil, later)
	if err := a.ask("C1", later); err != nil {
		t.Errorf("after it was mended: %v", err)
	}
	if err := a.ask("C2", now); err != nil {
		t.Errorf("another channel: %v", err)
	}
}

func TestWhatSetsAChannelAside(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"is_archived": true, "channel_not_found": true, "not_in_channel": true, "account_inactive": true,
		"restricted_action": true, "restricted_action_read_only_channel": true, "some_new_code": true,
		"msg_too_long": false, "invalid_blocks": false, "no_text": false, "ratelimited": false,
		"fatal_error": false, "message_not_found": false,
	} {
		var a aside
		now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
		a.note("C1", Classify(slack.SlackErrorResponse{Err: code}), now)
		if got := a.ask("C1", now) != nil; got != want {
			t.Errorf("%s sets its channel aside: %t, want %t", code, got, want)
		}
	}
}

// Names are looked up once for all, and one that doesn't exist costs no call each time.
func TestIdsAreRemembered(t *testing.T) {
	t.Parallel()
	sim, c := newSlack(t, slacksim.Options{})
	look := func(to string) string {
		id, err := c.Conversation(t.Context(), to, ForPage)
		if err != nil && CodeOf(err) != "channel_not_found" {
			t.Fatal(err)
		}
		return id
	}
	for range 5 {
		if pay, ops, none := look("#payments"), look("#ops"), look("#nowhere"); pay != "C0PAY" || ops != "C0OPS" || none != "" {
			t.Errorf("#payments is %s, #ops %s, #nowhere %q", pay, ops, none)
		}
		if ann := look("U0ANN"); ann[0] != 'D' {
			t.Errorf("Ann's conversation is %q", ann)
		}
	}
	sim.AddUser(slacksim.User{ID: "U0BO", Name: "bo"})
	at, err := c.Post(t.Context(), Message{Channel: "U0BO"}, "x", nil)
	if err != nil {
		t.Fatal(err)
	}
	if bo := look("U0BO"); bo != at.Channel {
		t.Errorf("Bo's conversation is %q, and the message is in %q", bo, at.Channel)
	}
	calls := map[string]int{}
	for _, k := range sim.Calls() {
		calls[k.Method]++
	}
	if calls["conversations.list"] != 1 || calls["conversations.open"] != 1 {
		t.Errorf("calls: %v", calls)
	}
}
