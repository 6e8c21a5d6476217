package slacksim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/slacksim"
)

// The behaviour checked here was seen in recordings of the real service, or is documented.

func TestRepliesToDeletedMessages(t *testing.T) {
	t.Parallel()
	_, sim := bench(t, slacksim.Options{})
	reply := func(ts string) map[string]any {
		return call(t, sim, "chat.postMessage", `{"channel":"C0OPS","text":"reply","thread_ts":"`+ts+`"}`)
	}
	message := func(answer map[string]any) map[string]any { m, _ := answer["message"].(map[string]any); return m }
	if got := reply("1.000001"); got["ok"] != true || message(got)["thread_ts"] != nil {
		t.Errorf("a reply to a deleted message: %v, want it shown in the channel", got)
	}
	root := call(t, sim, "chat.postMessage", `{"channel":"C0OPS","text":"root"}`)["ts"].(string)
	first := reply(root)
	if got := reply(first["ts"].(string)); got["ok"] != true || message(got)["thread_ts"] != root {
		t.Errorf("a reply to a reply: %v, want it in the root's thread", got)
	}
	call(t, sim, "conversations.setTopic", `{"channel":"C0OPS","topic":"x"}`)
	list := call(t, sim, "conversations.history", `{"channel":"C0OPS"}`)["messages"].([]any)
	if got := reply(list[0].(map[string]any)["ts"].(string)); got["error"] != "cannot_reply_to_message" {
		t.Errorf("a reply to a system message: %v, want cannot_reply_to_message", got)
	}
	call(t, sim, "chat.delete", `{"channel":"C0OPS","ts":"`+root+`"}`)
	i := slices.IndexFunc(sim.Messages("#ops"), func(m slacksim.Message) bool { return m.TS == root })
	if i < 0 || sim.Messages("#ops")[i].User != "USLACKBOT" {
		t.Errorf("after the deletion the channel has %+v, want a tombstone", sim.Messages("#ops"))
	}
}

func TestArchivedChannels(t *testing.T) {
	t.Parallel()
	_, sim := bench(t, slacksim.Options{})
	ts := call(t, sim, "chat.postMessage", `{"channel":"C0OPS","text":"x"}`)["ts"].(string)
	if err := sim.ArchiveChannel("#ops", true); err != nil {
		t.Fatal(err)
	}
	for method, want := range map[string]string{"chat.postMessage": "is_archived", "chat.update": "is_inactive"} {
		if got := call(t, sim, method, `{"channel":"C0OPS","text":"y","ts":"`+ts+`"}`)["error"]; got != want {
			t.Errorf("%s in an archived channel: %v, want %s", method, got, want)
		}
	}
	if err := sim.ArchiveChannel("#ops", false); err != nil {
		t.Fatal(err)
	}
	if err := sim.RenameChannel("#ops", "operations"); err != nil {
		t.Fatal(err)
	}
	if err := sim.DeleteChannel("C0OPS"); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, e := range sim.Envelopes() {
		if strings.HasPrefix(e.Name, "channel_") && e.Attempt == 0 {
			seen = append(seen, e.Name)
		}
	}
	if diff := cmp.Diff([]string{"channel_archive", "channel_rename"}, seen); diff != "" {
		t.Errorf("events, of which the manifest subscribes to two (-want +got):\n%s", diff)
	}
}

func TestListingChannels(t *testing.T) {
	t.Parallel()
	_, sim := bench(t, slacksim.Options{})
	sim.AddChannel(slacksim.Channel{Name: "one", Archived: true})
	sim.AddChannel(slacksim.Channel{Name: "two"})
	list := func(body string) map[string]any { return call(t, sim, "conversations.list", body) }
	if got := list(`{"limit":1000}`)["error"]; got != "invalid_limit" {
		t.Errorf("limit 1000: %v, want %v", got, "invalid_limit")
	}
	first := list(`{"limit":2,"exclude_archived":true}`)
	if n := len(first["channels"].([]any)); n != 1 {
		t.Errorf("%d channels, want 1: what is filtered out must be missing from the page", n)
	}
	sim.SetScopes([]string{"channels:read"})
	if got := list(`{"types":"public_channel,private_channel"}`)["error"]; got != "invalid_types" {
		t.Errorf("a type without its scope: %v, want %v", got, "invalid_types")
	}
	if got := list(`{"types":"public_channel"}`); got["ok"] != true {
		t.Errorf("conversations.list answered %v, want ok", got)
	}
	sim.SetScopes([]string{"channels:history"})
	sim.AddChannel(slacksim.Channel{ID: "C0OTHER", Name: "other"})
	if got := call(t, sim, "conversations.replies", `{"channel":"C0OTHER","ts":"1.000001"}`)["error"]; got != "channel_not_found" {
		t.Errorf("replies without membership: %v, want %v", got, "channel_not_found")
	}
	if got := call(t, sim, "users.list", `{"limit":2}`)["error"]; got != "missing_scope" {
		t.Errorf("users.list without its scope: %v, want %v", got, "missing_scope")
	}
}

// Typed text reaches the app with entities and references.
func TestTypedTextIsEscaped(t *testing.T) {
	t.Parallel()
	_, sim := bench(t, slacksim.Options{})
	sim.AddChannel(slacksim.Channel{ID: "C0SECRET", Name: "secret", Private: true, Members: []string{"U0ANN", slacksim.BotUserID}})
	for typed, want := range map[string]string{
		"note 3 see https://run.example/a?b=1&c=2.": "note 3 see <https://run.example/a?b=1&amp;c=2>.",
		"note 3 ask bo@example.com":                 "note 3 ask <mailto:bo@example.com|bo@example.com>",
		"note 3 @bo in #ops":                        "note 3 <@U0BO|bo> in <#C0OPS|ops>",
		"note 3 in #secret":                         "note 3 in <#C0SECRET|>",
		"note 3 a < b & c":                          "note 3 a &lt; b &amp; c",
	} {
		if _, err := sim.Slash(t.Context(), "U0ANN", "#ops", "/oncall "+typed); err != nil {
			t.Fatal(err)
		}
		if got := lastPayload(t, sim)["text"]; got != want {
			t.Errorf("%q arrived as %q, want %q", typed, got, want)
		}
	}
}

// On Enterprise Grid the workspace is one of several in an organisation.
func TestOrganisationHasWorkspaces(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{Enterprise: "E0ORG"})
	sim.AddUser(slacksim.User{ID: "U0EVE", Name: "eve", Team: "T0ELSE", Enterprise: "E0ELSE"})
	sim.AddUser(slacksim.User{ID: "U0FAY", Name: "fay", Team: "T0SISTER", Enterprise: "E0ORG"})
	if got := call(t, sim, "auth.test", "{}")["enterprise_id"]; got != "E0ORG" {
		t.Errorf("auth.test says %v, want %v", got, "E0ORG")
	}
	for id, want := range map[string]string{"U0ANN": "E0ORG", "U0FAY": "E0ORG", "U0EVE": "E0ELSE"} {
		user := call(t, sim, "users.info", `{"user":"`+id+`"}`)["user"].(map[string]any)
		if got := user["enterprise_user"].(map[string]any)["enterprise_id"]; got != want {
			t.Errorf("%s is of %v, want %s", id, got, want)
		}
	}
	if _, err := sim.Slash(ctx, "U0ANN", "#ops", "/oncall"); err != nil {
		t.Fatal(err)
	}
	if got := lastPayload(t, sim)["enterprise_id"]; got != "E0ORG" {
		t.Errorf("a command says %v, want %v", got, "E0ORG")
	}
	call(t, sim, "chat.postMessage", `{"channel":"C0OPS","text":"x","blocks":[{"type":"actions","elements":[{"type":"button","action_id":"go","text":{"type":"plain_text","text":"Go"}}]}]}`)
	if _, err := sim.Click(ctx, "U0FAY", "#ops", "", "go"); err != nil {
		t.Fatal(err)
	}
	click := lastPayload(t, sim)
	if team := click["team"].(map[string]any); team["enterprise_id"] != "E0ORG" || click["enterprise"].(map[string]any)["id"] != "E0ORG" {
		t.Errorf("a click has the team %v and the organisation %v, want E0ORG in both", team, click["enterprise"])
	}
	if got := click["user"].(map[string]any)["team_id"]; got != "T0SISTER" {
		t.Errorf("Fay's click comes from %v, want %v", got, "T0SISTER")
	}
	if err := sim.OpenHome("U0ANN"); err != nil {
		t.Fatal(err)
	}
	event := lastPayload(t, sim)
	if got := event["authorizations"].([]any)[0].(map[string]any)["enterprise_id"]; got != "E0ORG" || event["enterprise_id"] != "E0ORG" {
		t.Errorf("an event has the organisations %v and %v, want E0ORG twice", got, event["enterprise_id"])
	}
}

// A person's message has the blocks that Slack's own clients send.
func TestTypedMessagesHaveBlocks(t *testing.T) {
	t.Parallel()
	_, sim := bench(t, slacksim.Options{})
	if _, err := sim.Say("U0ANN", "#ops", "", "all *well*"); err != nil {
		t.Fatal(err)
	}
	list := call(t, sim, "conversations.history", `{"channel":"C0OPS"}`)["messages"].([]any)
	m := list[0].(map[string]any)
	blocks, _ := m["blocks"].([]any)
	if id, _ := m["client_msg_id"].(string); len(id) != 36 || len(blocks) != 1 || blocks[0].(map[string]any)["type"] != "rich_text" {
		t.Errorf("the message is %v, want a client_msg_id and one rich_text block", m)
	}
}
