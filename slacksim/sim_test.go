package slacksim_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
	"go.uber.org/goleak"

	"github.com/watchbill/watchbill/slacksim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

//go:embed testdata/manifest.yaml
var manifest string

// bench returns a simulator with Ann, Bo and #ops, and a context that ends with the test.
func bench(t *testing.T, opt slacksim.Options) (context.Context, *slacksim.Sim) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	opt.Manifest = slacksim.MustManifest(manifest)
	sim := slacksim.New(opt)
	sim.AddUser(slacksim.User{ID: "U0ANN", Name: "ann", RealName: "Ann Example", Email: "ann@example.com", TZ: "Europe/Berlin"})
	sim.AddUser(slacksim.User{ID: "U0BO", Name: "bo", RealName: "Bo Example", Email: "bo@example.com"})
	sim.AddChannel(slacksim.Channel{ID: "C0OPS", Name: "ops", Members: []string{"U0ANN", "U0BO", slacksim.BotUserID}})
	if _, err := sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, call := range sim.Calls() {
			if call.Undocumented {
				t.Errorf("%s answered %s, which Slack does not document for it", call.Method, call.Error)
			}
		}
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return ctx, sim
}

func client(sim *slacksim.Sim) *slack.Client {
	transport := &http.Transport{DisableKeepAlives: true}
	return slack.New("xoxb-sim", slack.OptionAppLevelToken("xapp-sim"), slack.OptionAPIURL(sim.APIURL()),
		slack.OptionHTTPClient(&http.Client{Transport: transport, Timeout: 30 * time.Second}))
}

// app runs handle for every envelope until the test ends, over real sockets.
func app(ctx context.Context, t *testing.T, sim *slacksim.Sim, handle func(*socketmode.Client, socketmode.Event)) *slack.Client {
	t.Helper()
	api := client(sim)
	before := sim.Sockets()
	ctx, cancel := context.WithCancel(ctx)
	sm := socketmode.New(api)
	done := make(chan struct{}, 2)
	go func() { _ = sm.RunContext(ctx); done <- struct{}{} }()
	go func() {
		defer func() { done <- struct{}{} }()
		for {
			select {
			case event := <-sm.Events:
				handle(sm, event)
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done; <-done })
	wait(ctx, t, sim, "a socket", func(s *slacksim.Sim) bool { return s.Sockets() > before })
	return api
}

func wait(ctx context.Context, t *testing.T, sim *slacksim.Sim, what string, cond func(*slacksim.Sim) bool) {
	t.Helper()
	if err := sim.WaitFor(ctx, cond); err != nil {
		t.Fatalf("waiting for %s: %v\n#ops:\n%s", what, err, sim.Text("#ops"))
	}
}

func button(action, label string) *slack.ActionBlock {
	return slack.NewActionBlock("", slack.NewButtonBlockElement(action, "7", slack.NewTextBlockObject("plain_text", label, false, false)))
}

func section(text string) *slack.SectionBlock {
	return slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", text, false, false), nil, nil)
}

func modal(title string) slack.ModalViewRequest {
	plain := func(s string) *slack.TextBlockObject { return slack.NewTextBlockObject("plain_text", s, false, false) }
	return slack.ModalViewRequest{
		Type: "modal", Title: plain(title), Submit: plain("Send"), CallbackID: "page",
		Blocks: slack.Blocks{BlockSet: []slack.Block{
			slack.NewInputBlock("why", plain("Why"), nil, slack.NewPlainTextInputBlockElement(nil, "reason")),
		}},
	}
}

// pager returns a small app: it answers commands, updates the clicked message, opens and validates a modal, and
// draws the home tab.
func pager(t *testing.T, ctx context.Context, api func() *slack.Client) func(*socketmode.Client, socketmode.Event) {
	must := func(err error) {
		if err != nil && ctx.Err() == nil {
			t.Errorf("the app stopped with %v, want it to run until the test ends", err)
		}
	}
	interaction := func(sm *socketmode.Client, event socketmode.Event, in slack.InteractionCallback) {
		switch {
		case in.Type == slack.InteractionTypeViewSubmission:
			if in.View.State.Values["why"]["reason"].Value == "no" {
				must(sm.AckCtx(ctx, event.Request.EnvelopeID, slack.NewErrorsViewSubmissionResponse(map[string]string{"why": "Say more."})))
				return
			}
			must(sm.AckCtx(ctx, event.Request.EnvelopeID, nil))
		case in.Type == slack.InteractionTypeBlockActions && in.ActionCallback.BlockActions[0].ActionID == "more":
			_, err := api().OpenViewContext(ctx, in.TriggerID, modal("Page"))
			must(err)
			must(sm.AckCtx(ctx, event.Request.EnvelopeID, nil))
		default:
			must(sm.AckCtx(ctx, event.Request.EnvelopeID, nil))
			_, _, _, err := api().UpdateMessageContext(ctx, in.Channel.ID, in.Message.Timestamp,
				slack.MsgOptionText("Acknowledged by <@"+in.User.ID+">", false))
			must(err)
			must(slack.PostWebhookContext(ctx, in.ResponseURL, &slack.WebhookMessage{Text: "Thank you.", ReplaceOriginal: false}))
		}
	}
	return func(sm *socketmode.Client, event socketmode.Event) {
		switch event.Type { //nolint:exhaustive // the others are about connecting
		case socketmode.EventTypeSlashCommand:
			command := event.Data.(slack.SlashCommand)
			must(sm.AckCtx(ctx, event.Request.EnvelopeID, map[string]any{"text": "You said: " + command.Text}))
		case socketmode.EventTypeInteractive:
			interaction(sm, event, event.Data.(slack.InteractionCallback))
		case socketmode.EventTypeEventsAPI:
			must(sm.AckCtx(ctx, event.Request.EnvelopeID, nil))
			outer := event.Data.(slackevents.EventsAPIEvent)
			if opened, ok := outer.InnerEvent.Data.(*slackevents.AppHomeOpenedEvent); ok {
				_, err := api().PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: opened.User, View: slack.HomeTabViewRequest{
					Type: "home", Blocks: slack.Blocks{BlockSet: []slack.Block{section("You are *on call*.")}},
				}})
				must(err)
			}
		}
	}
}

func TestCommandAndPressMakeARoundTrip(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{})
	api := client(sim)
	app(ctx, t, sim, pager(t, ctx, func() *slack.Client { return api }))
	who, err := api.AuthTestContext(ctx)
	if err != nil || who.UserID != slacksim.BotUserID {
		t.Fatalf("auth.test: %+v, %v; want the bot", who, err)
	}

	r, err := sim.Slash(ctx, "U0ANN", "#ops", "/oncall page @bo now")
	if err != nil || !r.Acked {
		t.Fatalf("the command: %+v, %v; want it acknowledged", r, err)
	}
	if r.Text != "You said: page <@U0BO|bo> now" || !r.Ephemeral {
		t.Fatalf("the command: %+v; want an ephemeral answer that echoes it", r)
	}
	if len(sim.Messages("#ops")) != 0 {
		t.Error("an ephemeral answer is in the channel's history, want it only for Ann")
	}

	_, ts, err := api.PostMessageContext(ctx, "#ops", slack.MsgOptionText("Database down", false),
		slack.MsgOptionBlocks(section("*Database* down <@U0ANN>"), button("ack", "Acknowledge"), button("more", "More")))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sim.Text("#ops"), "oncall: *Database* down @ann\n    [Acknowledge]\n    [More]\n"; got != want {
		t.Errorf("channel before the click:\n%swant:\n%s", got, want)
	}
	if _, err := sim.Click(ctx, "U0ANN", "#ops", ts, "nothing"); err == nil {
		t.Error("a click on a missing button was accepted, want an error")
	}
	if res, err := sim.Click(ctx, "U0ANN", "#ops", "", "more"); err != nil || !res.Acked {
		t.Fatalf("the click: %+v, %v; want it acknowledged", res, err)
	}
	modalRound(ctx, t, sim)

	if res, err := sim.Click(ctx, "U0ANN", "#ops", ts, "ack"); err != nil || !res.Acked {
		t.Fatalf("the click: %+v, %v; want it acknowledged", res, err)
	}
	wait(ctx, t, sim, "the update and the thanks", func(s *slacksim.Sim) bool {
		return strings.Contains(s.EphemeralText("U0ANN"), "Thank you.")
	})
	if got, want := sim.Text("#ops"), "oncall: Acknowledged by @ann (edited)\n"; got != want {
		t.Errorf("channel after the click:\n%swant:\n%s", got, want)
	}

	if err := sim.OpenHome("U0ANN"); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, sim, "the home tab", func(s *slacksim.Sim) bool { return s.HomeText("U0ANN") == "You are *on call*.\n" })
}

// modalRound submits a modal with errors, and then successfully.
func modalRound(ctx context.Context, t *testing.T, sim *slacksim.Sim) {
	t.Helper()
	wait(ctx, t, sim, "the modal", func(s *slacksim.Sim) bool { return len(s.Views("U0ANN")) == 1 })
	empty, err := sim.Submit(ctx, "U0ANN", nil)
	if err != nil || empty.Errors["why"] == "" || empty.Envelope != "" {
		t.Errorf("submitting an empty required input: %+v, %v; want an error at it and no envelope", empty, err)
	}
	refused, err := sim.Submit(ctx, "U0ANN", map[string]any{"reason": "no"})
	if err != nil || refused.Errors["why"] != "Say more." || refused.Open != 1 {
		t.Errorf("a refused submission: %+v, %v; want the app's error and the modal open", refused, err)
	}
	if text := sim.ViewText("U0ANN"); !strings.Contains(text, "Why: [no]\n! Say more.") {
		t.Errorf("the modal lacks the input with its error:\n%s", text)
	}
	accepted, err := sim.Submit(ctx, "U0ANN", map[string]any{"why": "the database"})
	if err != nil || !accepted.Acked || accepted.Open != 0 {
		t.Errorf("a valid submission: %+v, %v; want the modal closed", accepted, err)
	}
}

func TestReconnectAndRedelivery(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{AckTimeout: 2 * time.Second, RetryDelays: []time.Duration{50 * time.Millisecond}})
	app(ctx, t, sim, pager(t, ctx, func() *slack.Client { return client(sim) }))

	sim.DisconnectAll("refresh_requested")
	wait(ctx, t, sim, "the new socket", func(s *slacksim.Sim) bool { return s.Sockets() == 1 })
	sim.DropSockets()
	wait(ctx, t, sim, "the socket after the cut", func(s *slacksim.Sim) bool { return s.Sockets() == 1 })

	sim.LoseNextAck()
	if _, err := sim.Say("U0ANN", "@oncall", "", "hello"); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, sim, "the second delivery", func(s *slacksim.Sim) bool {
		list := messageEnvelopes(s)
		return len(list) == 2 && list[1].Acked
	})
	list := messageEnvelopes(sim)
	if list[0].ID != list[1].ID || !list[0].Failed || list[1].Attempt != 1 {
		t.Errorf("the envelopes are %+v, want the failed one delivered again with the same id", list)
	}
	if again, err := sim.Redeliver(ctx, list[1].ID, true); err != nil || !again {
		t.Errorf("Redeliver: acknowledged %v, %v; want it acknowledged", again, err)
	}

	sim.LoseNextAck()
	lost, err := sim.Slash(ctx, "U0ANN", "#ops", "/oncall who")
	if err != nil || lost.Acked || !strings.Contains(lost.Text, "operation_timeout") {
		t.Errorf("a command whose acknowledgement was lost: %+v, %v; want operation_timeout", lost, err)
	}
}

func messageEnvelopes(sim *slacksim.Sim) []slacksim.Envelope {
	return slices.DeleteFunc(sim.Envelopes(), func(e slacksim.Envelope) bool { return e.Name != "message" })
}

func TestEventsWithoutASocketComeLater(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{RetryDelays: slices.Repeat([]time.Duration{200 * time.Millisecond}, 100)})
	if r, err := sim.Slash(ctx, "U0ANN", "#ops", "/oncall"); err != nil || r.Acked || !strings.Contains(r.Text, "dispatch_failed") {
		t.Errorf("a command without an app: %+v, %v; want dispatch_failed", r, err)
	}
	if err := sim.OpenHome("U0ANN"); err != nil {
		t.Fatal(err)
	}
	app(ctx, t, sim, pager(t, ctx, func() *slack.Client { return client(sim) }))
	wait(ctx, t, sim, "the home tab", func(s *slacksim.Sim) bool { _, ok := s.Home("U0ANN"); return ok })
}

func TestFaultsMakeCallsFail(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{})
	api := client(sim)
	post := func() error {
		_, _, err := api.PostMessageContext(ctx, "C0OPS", slack.MsgOptionText("hello", false))
		return err
	}
	for _, c := range []struct {
		fault slacksim.Fault
		posts int
		check func(error) bool
	}{
		{slacksim.Fault{Kind: slacksim.FaultBefore}, 0, func(err error) bool { var e slack.StatusCodeError; return errors.As(err, &e) && e.Code == 500 }},
		{slacksim.Fault{Kind: slacksim.FaultAfter}, 1, func(err error) bool { var e slack.StatusCodeError; return errors.As(err, &e) && e.Code == 500 }},
		{slacksim.Fault{Kind: slacksim.FaultReset}, 0, func(err error) bool { return err != nil }},
		{slacksim.Fault{Kind: slacksim.FaultLost}, 1, func(err error) bool { return err != nil }},
		{slacksim.Fault{Kind: slacksim.FaultLimit, RetryAfter: 7 * time.Second}, 0, func(err error) bool {
			var e *slack.RateLimitedError
			return errors.As(err, &e) && e.RetryAfter == 7*time.Second
		}},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "fatal_error"}, 0, func(err error) bool { return err != nil && err.Error() == "fatal_error" }},
		{slacksim.Fault{Kind: slacksim.FaultDelay, Delay: 10 * time.Millisecond}, 1, func(err error) bool { return err == nil }},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "x", Method: "views.*"}, 1, func(err error) bool { return err == nil }},
	} {
		sim.Fail(c.fault)
		before := len(sim.Messages("#ops"))
		err := post()
		if !c.check(err) {
			t.Errorf("%s: the client got %v, want the error of the fault", c.fault.Kind, err)
		}
		if got := len(sim.Messages("#ops")) - before; got != c.posts {
			t.Errorf("%s: %d messages posted, want %d", c.fault.Kind, got, c.posts)
		}
		sim.ClearFaults()
		if err := post(); err != nil {
			t.Errorf("a post after %s: %v, want no error", c.fault.Kind, err)
		}
	}
}

func TestLimitsFollowSlacksTiers(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	ctx, sim := bench(t, slacksim.Options{Limits: true, Now: func() time.Time { return now }})
	api := client(sim)
	var limited *slack.RateLimitedError
	for i := range 21 {
		_, err := api.GetUserGroupsContext(ctx)
		if limits := errors.As(err, &limited); limits != (i == 20) {
			t.Fatalf("call %d of a tier 2 method: %v, want a 429 from the 21st on", i+1, err)
		}
	}
	if limited.RetryAfter != 3*time.Second {
		t.Errorf("retry after %s, want 3s", limited.RetryAfter)
	}
	for range 6 {
		if _, _, err := api.PostMessageContext(ctx, "C0OPS", slack.MsgOptionText("x", false)); err != nil {
			t.Fatal(err)
		}
	}
	hidden := 0
	for _, m := range sim.Messages("#ops") {
		if m.Hidden {
			hidden++
		}
	}
	if hidden != 2 {
		t.Errorf("%d of 6 messages in a burst are hidden, want 2", hidden)
	}
	data, _ := json.Marshal(sim.Calls()[0])
	if strings.Contains(string(data), "xoxb") {
		t.Error("the record of calls has a token, want none")
	}
}
