package slacksim_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/watchbill/watchbill/slacksim"
)

func request(t *testing.T, url, auth, kind, body string) map[string]any {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	r.Header.Set("Content-Type", kind)
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	out := map[string]any{"status": answer.StatusCode, "header": answer.Header}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		out["text"] = string(text)
	}
	return out
}

// newTrigger returns the trigger of a command that stays unanswered, as no app is connected.
func newTrigger(t *testing.T, sim *slacksim.Sim) string {
	t.Helper()
	if _, err := sim.Slash(context.Background(), "U0ANN", "#ops", "/oncall"); err != nil {
		t.Fatal(err)
	}
	return lastPayload(t, sim)["trigger_id"].(string)
}

func lastPayload(t *testing.T, sim *slacksim.Sim) map[string]any {
	t.Helper()
	list := sim.Envelopes()
	var payload map[string]any
	if err := json.Unmarshal(list[len(list)-1].Payload, &payload); err != nil {
		t.Fatal(err)
	}
	return payload
}

// lastEvent returns the payload of the latest event of a type. Events that no app received are delivered again once one
// connects, and may come last.
func lastEvent(t *testing.T, sim *slacksim.Sim, name string) map[string]any {
	t.Helper()
	for _, e := range slices.Backward(sim.Envelopes()) {
		var payload map[string]any
		if err := json.Unmarshal(e.Payload, &payload); err != nil {
			t.Fatal(err)
		}
		if event, ok := payload["event"].(map[string]any); ok && event["type"] == name {
			return payload
		}
	}
	t.Fatalf("no event %s was sent", name)
	return nil
}

// clock is a clock that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

func newClock() *clock { return &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)} }

func TestTokensAndScopes(t *testing.T) {
	t.Parallel()
	_, sim := bench(t, slacksim.Options{})
	form := "application/x-www-form-urlencoded"
	for _, c := range []struct{ name, method, auth, kind, body, want string }{
		{"token in the header", "auth.test", "Bearer xoxb-sim", form, "", ""},
		{"token in the form", "auth.test", "", form, "token=xoxb-sim", ""},
		{"token in JSON", "auth.test", "", "application/json", `{"token":"xoxb-sim"}`, ""},
		{"no token", "auth.test", "", form, "", "not_authed"},
		{"another token", "auth.test", "Bearer xoxb-other", form, "", "invalid_auth"},
		{"app token for a bot method", "auth.test", "Bearer xapp-sim", form, "", "not_allowed_token_type"},
		{"app token in the header", "apps.connections.open", "Bearer xapp-sim", form, "", ""},
		{"app token in the form", "apps.connections.open", "", form, "token=xapp-sim", "invalid_auth"},
		{"unknown method", "chat.sing", "Bearer xoxb-sim", form, "", "unknown_method"},
		{"missing argument", "chat.postMessage", "Bearer xoxb-sim", form, "text=x", "invalid_arguments"},
		{"not JSON", "chat.postMessage", "Bearer xoxb-sim", "application/json", "{", "invalid_json"},
	} {
		answer := request(t, sim.APIURL()+c.method, c.auth, c.kind, c.body)
		if got, _ := answer["error"].(string); got != c.want {
			t.Errorf("%s: error %q, want %q", c.name, got, c.want)
		}
	}
	sim.SetScopes([]string{"chat:write", "users:read"})
	answer := call(t, sim, "usergroups.list", "{}")
	if answer["error"] != "missing_scope" || answer["needed"] != "usergroups:read" || answer["provided"] != "chat:write,users:read" {
		t.Errorf("a call without its scope: %v, want missing_scope with the needed and provided scopes", answer)
	}
	if got := call(t, sim, "auth.test", "{}")["header"].(http.Header).Get("X-OAuth-Scopes"); got != "chat:write,users:read" {
		t.Errorf("scopes header %q, want %q", got, "chat:write,users:read")
	}
}

func TestChannelsAreJoinedAndListedAsInSlack(t *testing.T) {
	t.Parallel()
	_, sim := bench(t, slacksim.Options{})
	sim.AddChannel(slacksim.Channel{ID: "C0OTHER", Name: "other"})
	sim.AddChannel(slacksim.Channel{ID: "C0SECRET", Name: "secret", Private: true, Members: []string{"U0ANN"}})
	sim.AddChannel(slacksim.Channel{ID: "C0OLD", Name: "old", Archived: true, Members: []string{slacksim.BotUserID}})
	post := func(channel string) map[string]any {
		return call(t, sim, "chat.postMessage", `{"channel":"`+channel+`","text":"x"}`)
	}
	for channel, want := range map[string]any{
		"C0OPS": "C0OPS", "#ops": "C0OPS", "ops": "C0OPS", "#other": "C0OTHER", "C0SECRET": "channel_not_found",
		"C0OLD": "is_archived", "#nowhere": "channel_not_found", "U0NOBODY": "channel_not_found",
	} {
		answer := post(channel)
		if answer["error"] != want && answer["channel"] != want {
			t.Errorf("post to %s: %v, want %v", channel, answer, want)
		}
	}
	if dm, _ := post("U0ANN")["channel"].(string); !strings.HasPrefix(dm, "D") {
		t.Errorf("a post to a person went to %q, want a direct message", dm)
	}
	if len(sim.Messages("@ann")) != 1 {
		t.Errorf("Ann's messages are %v, want one", sim.Messages("@ann"))
	}
	if got := call(t, sim, "conversations.history", `{"channel":"C0OTHER"}`)["error"]; got != "not_in_channel" {
		t.Errorf("history of a channel without the bot: %v, want %v", got, "not_in_channel")
	}
	if call(t, sim, "conversations.join", `{"channel":"C0OTHER"}`)["ok"] != true || call(t, sim, "conversations.history", `{"channel":"C0OTHER"}`)["ok"] != true {
		t.Error("the bot can't join a public channel and read it, want both allowed")
	}
	sim.SetScopes([]string{"chat:write"})
	sim.AddChannel(slacksim.Channel{ID: "C0THIRD", Name: "third"})
	if got := post("#third")["error"]; got != "not_in_channel" {
		t.Errorf("post without chat:write.public: %v, want %v", got, "not_in_channel")
	}
}

func TestMessagesAreKeptAsSlackKeepsThem(t *testing.T) {
	t.Parallel()
	_, sim := bench(t, slacksim.Options{Now: newClock().Now}) // the clock stands still
	first := call(t, sim, "chat.postMessage", `{"channel":"C0OPS","text":"one","blocks":[{"type":"divider"}],"metadata":{"event_type":"page","event_payload":{"delivery_id":"7"}}}`)
	second := call(t, sim, "chat.postMessage", `{"channel":"C0OPS","text":"two"}`)
	ts, next := first["ts"].(string), second["ts"].(string)
	if ts >= next {
		t.Errorf("the timestamps are %s and %s, want them to grow", ts, next)
	}
	history := func(extra string) []any {
		list, _ := call(t, sim, "conversations.history", `{"channel":"C0OPS"`+extra+`}`)["messages"].([]any)
		return list
	}
	if list := history(""); len(list) != 2 || list[0].(map[string]any)["text"] != "two" || cmp.Diff(list[1].(map[string]any)["metadata"], map[string]any{"event_type": "page"}) != "" {
		t.Errorf("the history is %v, want two messages, newest first, with the metadata's type only", list)
	}
	if list := history(`,"oldest":"` + ts + `","inclusive":true,"latest":"` + ts + `","include_all_metadata":true`); len(list) != 1 ||
		cmp.Diff(list[0].(map[string]any)["metadata"], map[string]any{"event_type": "page", "event_payload": map[string]any{"delivery_id": "7"}}) != "" {
		t.Errorf("the history with metadata is %v, want one message with the payload", list)
	}
	update := func(body string) any {
		return call(t, sim, "chat.update", `{"channel":"C0OPS","ts":"`+ts+`",`+body+`}`)["error"]
	}
	if got := update(`"text":"` + strings.Repeat("x", 4001) + `"`); got != "msg_too_long" {
		t.Errorf("long update: %v, want %v", got, "msg_too_long")
	}
	if got := update(`"blocks":[{"type":"divider"}]`); got != nil || sim.Messages("#ops")[0].Edited {
		t.Errorf("an update of the blocks alone: %v, edited %t; want it accepted without the mark", got, sim.Messages("#ops")[0].Edited)
	}
	if got := update(`"text":"new"`); got != nil {
		t.Errorf("the update: %v, want it accepted", got)
	}
	m := sim.Messages("#ops")[0]
	if m.Text != "new" || m.Blocks != nil {
		t.Errorf("after an update of the text the message is %+v, want the new text and no blocks", m)
	}
	if !m.Edited || m.Metadata == nil {
		t.Errorf("after an update of the text the message is %+v, want it marked as edited, with its metadata", m)
	}
	anns, err := sim.Say("U0ANN", "#ops", "", "a <b> & c")
	if err != nil || sim.Messages("#ops")[2].Text != "a &lt;b&gt; &amp; c" {
		t.Errorf("Ann's message is in %+v, %v; want its text escaped", sim.Messages("#ops"), err)
	}
	for method, want := range map[string]string{"chat.update": "cant_update_message", "chat.delete": "cant_delete_message"} {
		if got := call(t, sim, method, `{"channel":"C0OPS","ts":"`+anns+`","text":"x"}`)["error"]; got != want {
			t.Errorf("%s of another's message: %v, want %v", method, got, want)
		}
	}
	if got := call(t, sim, "chat.postMessage", `{"channel":"C0OPS","thread_ts":"`+ts+`","text":"reply"}`); got["ok"] != true {
		t.Errorf("the reply: %v, want it accepted", got)
	}
	if got, want := sim.Text("ops"), "oncall: new (edited)\n  oncall: reply\noncall: two\nann: a <b> & c\n"; got != want {
		t.Errorf("text:\n%swant:\n%s", got, want)
	}
}

func TestTriggersAndViewStack(t *testing.T) {
	t.Parallel()
	c := newClock()
	_, sim := bench(t, slacksim.Options{Now: c.Now})
	view := `"view":{"type":"modal","title":{"type":"plain_text","text":"Page"},"submit":{"type":"plain_text","text":"Go"},"blocks":[{"type":"input","block_id":"b","label":{"type":"plain_text","text":"Why"},"element":{"type":"plain_text_input","action_id":"a"}}]}`
	open := func(method, trigger string) map[string]any {
		return call(t, sim, method, `{"trigger_id":"`+trigger+`",`+view+`}`)
	}
	trigger := newTrigger(t, sim)
	opened := open("views.open", trigger)
	if opened["ok"] != true {
		t.Fatalf("views.open: %v, want ok", opened)
	}
	if got := open("views.push", trigger)["error"]; got != "exchanged_trigger_id" {
		t.Errorf("a trigger used twice: %v, want %v", got, "exchanged_trigger_id")
	}
	late := newTrigger(t, sim)
	c.add(3100 * time.Millisecond)
	if got := open("views.push", late)["error"]; got != "expired_trigger_id" {
		t.Errorf("a late trigger: %v, want %v", got, "expired_trigger_id")
	}
	for i, want := range []any{nil, nil, "push_limit_reached"} {
		if got := open("views.push", newTrigger(t, sim))["error"]; got != want {
			t.Errorf("push %d: %v, want %v", i+1, got, want)
		}
	}
	if len(sim.Views("ann")) != 3 {
		t.Errorf("%d views are open, want 3", len(sim.Views("ann")))
	}
	if err := sim.Fill("ann", map[string]any{"a": "typed"}); err != nil {
		t.Fatal(err)
	}
	top := sim.Views("ann")[2]
	if got := call(t, sim, "views.update", `{"view_id":"`+top.ID+`","hash":"old",`+view+`}`)["error"]; got != "hash_conflict" {
		t.Errorf("update with an old hash: %v, want %v", got, "hash_conflict")
	}
	if got := call(t, sim, "views.update", `{"view_id":"`+top.ID+`","hash":"`+top.Hash+`",`+view+`}`); got["ok"] != true {
		t.Errorf("the update: %v, want it accepted", got)
	}
	if got := sim.Views("ann")[2].State["b"]["a"]["value"]; got != "typed" {
		t.Errorf("an update lost what was typed: %v, want %v", got, "typed")
	}
	if _, err := sim.CloseView(context.Background(), "ann", false); err != nil || len(sim.Views("ann")) != 2 {
		t.Errorf("after Cancel %d views are open, %v; want 2", len(sim.Views("ann")), err)
	}
	if _, err := sim.CloseView(context.Background(), "ann", true); err != nil || len(sim.Views("ann")) != 0 {
		t.Errorf("after the x %d views are open, %v; want none", len(sim.Views("ann")), err)
	}
}

func TestResponseURL(t *testing.T) {
	t.Parallel()
	c := newClock()
	_, sim := bench(t, slacksim.Options{Now: c.Now})
	newTrigger(t, sim)
	url := lastPayload(t, sim)["response_url"].(string)
	for i := range 6 {
		answer := request(t, url, "", "application/json", `{"text":"x","blocks":null,"metadata":{"event_type":"","event_payload":null}}`)
		if (answer["ok"] == true) != (i < 5) {
			t.Errorf("use %d of the response_url: %v, want five to be accepted", i+1, answer)
		}
	}
	newTrigger(t, sim)
	url = lastPayload(t, sim)["response_url"].(string)
	c.add(31 * time.Minute)
	if answer := request(t, url, "", "application/json", `{"text":"x"}`); answer["error"] != "expired_url" {
		t.Errorf("the response_url after 31 minutes: %v, want expired_url", answer)
	}
}

func TestSocketsShareTheCommands(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{})
	for range 10 {
		app(ctx, t, sim, func(sm *socketmode.Client, e socketmode.Event) {
			if e.Request != nil && e.Request.EnvelopeID != "" {
				_ = sm.AckCtx(ctx, e.Request.EnvelopeID, nil)
			}
		})
	}
	for range 20 {
		if r, err := sim.Slash(ctx, "U0ANN", "#ops", "/oncall"); err != nil || !r.Acked {
			t.Fatalf("the command: %+v, %v; want it acknowledged", r, err)
		}
	}
	used := map[int]int{}
	for _, e := range sim.Envelopes() {
		if e.Type == "slash_commands" {
			used[e.Socket]++
		}
	}
	if len(used) != 10 {
		t.Errorf("20 commands used %d of 10 sockets, want all: %v", len(used), used)
	}
}

func TestAssumptionsAreListed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, line := range slacksim.Assumptions() {
		if line == "" || seen[line] {
			t.Errorf("the assumption %q is empty or listed twice", line)
		}
		seen[line] = true
	}
	if len(seen) < 20 {
		t.Errorf("%d assumptions are listed, want at least 20", len(seen))
	}
}

func TestExternalSelectAndEphemeral(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{})
	chosen := make(chan slack.InteractionCallback, 1)
	pick := slack.NewActionBlock("b", slack.NewOptionsSelectBlockElement("external_select", slack.NewTextBlockObject("plain_text", "Team", false, false), "team"))
	app(ctx, t, sim, func(sm *socketmode.Client, e socketmode.Event) {
		in, ok := e.Data.(slack.InteractionCallback)
		var answer any
		switch {
		case e.Type == socketmode.EventTypeSlashCommand:
			answer = map[string]any{"text": "x", "blocks": []slack.Block{pick}}
		case !ok:
			return
		case in.Type == slack.InteractionTypeBlockSuggestion:
			answer = slack.OptionsResponse{Options: []*slack.OptionBlockObject{
				slack.NewOptionBlockObject("9", slack.NewTextBlockObject("plain_text", "Team "+in.Value, false, false), nil),
			}}
		default:
			chosen <- in
		}
		if err := sm.AckCtx(ctx, e.Request.EnvelopeID, answer); err != nil {
			t.Error(err)
		}
	})
	if res, err := sim.Slash(ctx, "U0ANN", "#ops", "/oncall x"); err != nil || !res.Ephemeral {
		t.Fatalf("the command: %+v, %v; want an ephemeral answer", res, err)
	}
	if len(sim.Messages("#ops")) != 0 || len(sim.Ephemerals("bo")) != 0 {
		t.Error("an ephemeral message is visible to others, want it hidden")
	}
	if _, err := sim.Choose(ctx, "U0ANN", "#ops", "", "team", "9"); err == nil {
		t.Error("an option that was never offered was accepted, want an error")
	}
	if _, err := sim.Suggest(ctx, "U0ANN", "#ops", "", "team", "Pay"); err != nil {
		t.Fatal(err)
	}
	if res, err := sim.Choose(ctx, "U0ANN", "#ops", "", "team", "Team Pay"); err != nil || !res.Acked {
		t.Fatalf("choosing an offered option: %+v, %v; want it acknowledged", res, err)
	}
	in := <-chosen
	if got := in.ActionCallback.BlockActions[0].SelectedOption.Value; got != "9" || !in.Container.IsEphemeral {
		t.Errorf("the app got %q, ephemeral %v; want 9, true", got, in.Container.IsEphemeral)
	}
	if err := slack.PostWebhookContext(ctx, in.ResponseURL, &slack.WebhookMessage{DeleteOriginal: true}); err != nil || len(sim.Ephemerals("ann")) != 0 {
		t.Errorf("delete_original: %v, %d messages left, want none", err, len(sim.Ephemerals("ann")))
	}
}
