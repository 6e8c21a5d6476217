package slacksim_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/slacksim"
)

// The workspace has a limit in addition to those of the conversations. Requests to a response_url count
// against it, and not against the limit of edits.
func TestWorkspaceLimit(t *testing.T) {
	t.Parallel()
	c := newClock()
	ctx, sim := bench(t, slacksim.Options{Limits: true, Now: c.Now})
	api := client(sim)
	var limited *slack.RateLimitedError
	post := func(channel string) error {
		_, _, err := api.PostMessageContext(ctx, channel, slack.MsgOptionText("x", false))
		return err
	}
	newTrigger(t, sim)
	url := lastPayload(t, sim)["response_url"].(string)
	answer := func() map[string]any { return request(t, url, "", "application/json", `{"text":"x"}`) }
	for n := range 299 {
		channel := fmt.Sprintf("C0N%d", n/8)
		sim.AddChannel(slacksim.Channel{ID: channel, Name: strings.ToLower(channel)})
		if err := post(channel); err != nil {
			t.Fatalf("post %d: %v", n+1, err)
		}
	}
	if got := answer(); got["ok"] != true {
		t.Fatalf("the 300th post, to a response_url: %v, want it accepted", got)
	}
	if got := answer(); got["error"] != "ratelimited" {
		t.Errorf("the 301st post, to a response_url: %v, want ratelimited", got)
	}
	if err := post("U0ANN"); !errors.As(err, &limited) || limited.RetryAfter != time.Minute {
		t.Errorf("the 301st post in a minute: %v, want a 429 with one minute", err)
	}
	old := sim.Messages("#c0n0")[0]
	for n := range 51 {
		_, _, _, err := api.UpdateMessageContext(ctx, old.Channel, old.TS, slack.MsgOptionText("y", false))
		if limits := errors.As(err, &limited); limits != (n == 50) {
			t.Fatalf("edit %d: %v, want a 429 from the 51st on", n+1, err)
		}
	}
	c.add(time.Minute)
	if err := post("U0ANN"); err != nil {
		t.Errorf("a post a minute later: %v, want it accepted", err)
	}
}

// Messages in an archived channel can't be edited.
func TestArchivedChannelIsFrozen(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{})
	api := client(sim)
	_, ts, err := api.PostMessageContext(ctx, "C0OPS", slack.MsgOptionText("x", false))
	if err != nil {
		t.Fatal(err)
	}
	sim.AddChannel(slacksim.Channel{ID: "C0OPS", Name: "ops", Members: []string{slacksim.BotUserID}, Archived: true})
	if _, _, _, err := api.UpdateMessageContext(ctx, "C0OPS", ts, slack.MsgOptionText("y", false)); err == nil || err.Error() != "is_inactive" {
		t.Errorf("an edit in an archived channel: %v, want is_inactive", err)
	}
}
