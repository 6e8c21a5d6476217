package slackcall

import (
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/slacksim"
)

// A channel that refuses messages gets one attempt at a time, with pauses, until it accepts a message.
func TestRefusingChannelIsTriedSeldom(t *testing.T) {
	t.Parallel()
	var b channelBackoff
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	refused := Classify(slack.SlackErrorResponse{Err: "is_archived"})
	tries := 0
	for at := now; at.Before(now.Add(10 * time.Minute)); at = at.Add(time.Second) {
		for range 30 { // messages wait for the channel
			err := b.allow("C1", at)
			if err == nil {
				tries++
				b.record("C1", refused, at)
				continue
			}
			if got := OutcomeOf(err); got != Unsent {
				t.Fatalf("a message to a refusing channel: outcome %s (%v), want %s", got, err, Unsent)
			}
			if d := retryAfter(err); d <= 0 || d > maxBackoff {
				t.Fatalf("a message to a refusing channel comes back after %s, want at most %s", d, maxBackoff)
			}
		}
	}
	if tries < 10 || tries > 15 {
		t.Errorf("%d attempts in ten minutes, want 10 to 15", tries)
	}
	later := now.Add(time.Hour)
	if err := b.allow("C1", later); err != nil {
		t.Errorf("after the pause: %v, want an attempt", err)
	}
	if err := b.allow("C1", later); err == nil {
		t.Error("a second attempt while the first is under way: allowed, want it refused")
	}
	b.record("C1", nil, later)
	if err := b.allow("C1", later); err != nil {
		t.Errorf("after an accepted message: %v, want an attempt", err)
	}
	if err := b.allow("C2", now); err != nil {
		t.Errorf("another channel: %v, want an attempt", err)
	}
}

func TestErrorsThatBackOffAChannel(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"is_archived": true, "channel_not_found": true, "not_in_channel": true, "account_inactive": true,
		"restricted_action": true, "restricted_action_read_only_channel": true, "some_new_code": true,
		"msg_too_long": false, "invalid_blocks": false, "no_text": false, "ratelimited": false,
		"fatal_error": false, "message_not_found": false,
	} {
		var b channelBackoff
		now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
		b.record("C1", Classify(slack.SlackErrorResponse{Err: code}), now)
		if got := b.active("C1", now); got != want {
			t.Errorf("after %s the channel backs off: %t, want %t", code, got, want)
		}
	}
}

// Each name is looked up once, and a name that doesn't exist doesn't cost a call each time.
func TestIDsAreCached(t *testing.T) {
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
			t.Errorf("#payments is %s, #ops %s, #nowhere %q; want C0PAY, C0OPS and nothing", pay, ops, none)
		}
		if ann := look("U0ANN"); ann[0] != 'D' {
			t.Errorf("Ann's conversation is %q, want a direct message", ann)
		}
	}
	sim.AddUser(slacksim.User{ID: "U0BO", Name: "bo"})
	at, err := c.Post(t.Context(), Message{Channel: "U0BO"}, "x", nil)
	if err != nil {
		t.Fatal(err)
	}
	if bo := look("U0BO"); bo != at.Channel {
		t.Errorf("Bo's conversation is %q, want the message's, %q", bo, at.Channel)
	}
	calls := map[string]int{}
	for _, k := range sim.Calls() {
		calls[k.Method]++
	}
	if calls["conversations.list"] != 1 || calls["conversations.open"] != 1 {
		t.Errorf("the calls are %v, want conversations.list and conversations.open once each", calls)
	}
}
