package slacksim_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/slacksim"
)

// open lists objects whose keys are the app's own, or that were emptied in the recordings.
var open = []string{".blocks", ".attachments", ".files", ".values", ".event_payload", ".response_urls"}

// keys collects the paths of all keys in a JSON value: "message.thread_ts", "channels[].id".
func keys(v any, at string, found map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if inner == nil { // the recordings leave such keys out
				continue
			}
			path := strings.TrimPrefix(at+"."+k, ".")
			found[path] = true
			if !slices.ContainsFunc(open, func(o string) bool { return strings.HasSuffix("."+path, o) }) {
				keys(inner, path, found)
			}
		}
	case []any:
		for _, inner := range v {
			keys(inner, at+"[]", found)
		}
	}
}

func recorded(t *testing.T, name string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "recorded", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	keys(v, "", found)
	return found
}

// read lists the keys that the product reads from Slack's answers and envelopes.
var read = map[string][]string{
	"auth.test":                    {"url", "team", "user", "team_id", "enterprise_id"},
	"apps.connections.open":        {"url"},
	"chat.postMessage":             {"channel", "ts", "message.thread_ts"},
	"conversations.history":        {"messages[].ts", "messages[].metadata.event_type", "messages[].files", "response_metadata.next_cursor"},
	"conversations.replies":        {"messages[].ts", "messages[].metadata.event_type", "response_metadata.next_cursor"},
	"conversations.list":           {"channels[].id", "channels[].name", "channels[].is_archived", "response_metadata.next_cursor"},
	"conversations.info":           {"channel.topic.value"},
	"conversations.open":           {"channel.id"},
	"users.info":                   {"user.id", "user.real_name", "user.name", "user.tz", "user.deleted", "user.is_bot", "user.is_restricted", "user.is_ultra_restricted", "user.profile.email", "user.enterprise_user.enterprise_id"},
	"users.lookupByEmail":          {"user.id", "user.real_name", "user.name", "user.tz", "user.deleted", "user.profile.email"},
	"usergroups.list":              {"usergroups[].id", "usergroups[].handle", "usergroups[].date_delete", "usergroups[].users"},
	"files.completeUploadExternal": {"files"},
	"SlashCommandPayload":          {"text", "user_id", "trigger_id", "channel_id"},
	"BlockActionPayload":           {"user.id", "user.team_id", "trigger_id", "response_url", "channel.id", "actions[].action_id", "actions[].value", "view.id", "view.hash", "view.private_metadata"},
	"ViewSubmissionPayload":        {"user.id", "user.team_id", "trigger_id", "view.state", "view.callback_id", "view.private_metadata"},
	"UserChange":                   {"event.user.id", "event.user.real_name", "event.user.tz", "event.user.deleted", "event.user.is_bot"},
	"AppHomeOpened":                {"event.user", "event.tab"},
	"hello":                        {"num_connections"},
}

// The keys that the product reads occur in Slack's own answers.
func TestReadKeysWereRecorded(t *testing.T) {
	t.Parallel()
	for name, paths := range read {
		has := recorded(t, name)
		for _, p := range paths {
			if !has[p] {
				t.Errorf("%s: no recording has the key %s, which the product reads", name, p)
			}
		}
	}
}

// The simulator answers and sends only keys that Slack was seen to send.
func TestSimulatorInventsNoKeys(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{Enterprise: "E0ORG"})
	person := recorded(t, "users.info") // of an organisation, which the people of other recordings are not
	hold := func(name string, v any) {
		t.Helper()
		has, ours := recorded(t, name), map[string]bool{}
		keys(v, "", ours)
		for k := range ours {
			if person[strings.TrimPrefix(k, "event.")] && strings.Contains(k, ".enterprise_user") {
				continue
			}
			if !has[k] && !slices.ContainsFunc(open, func(o string) bool { return strings.HasSuffix("."+k, o) }) {
				t.Errorf("%s: no recording has the key %s, which the simulator sends", name, k)
			}
		}
	}
	do := func(method, body string) map[string]any {
		t.Helper()
		answer := call(t, sim, method, body)
		for _, own := range []string{"status", "header", "text"} {
			if method != "chat.update" || own != "text" {
				delete(answer, own)
			}
		}
		if answer["ok"] != true {
			t.Errorf("%s answered %v, want ok", method, answer)
			return answer
		}
		hold(method, answer)
		return answer
	}
	do("auth.test", "{}")
	root := do("chat.postMessage", `{"channel":"C0OPS","text":"one","blocks":[{"type":"divider"}],"metadata":{"event_type":"page","event_payload":{"delivery_id":"7"}}}`)["ts"].(string)
	do("chat.postMessage", `{"channel":"C0OPS","text":"reply","thread_ts":"`+root+`"}`)
	do("chat.update", `{"channel":"C0OPS","ts":"`+root+`","text":"two"}`)
	do("conversations.history", `{"channel":"C0OPS","include_all_metadata":true}`)
	do("conversations.replies", `{"channel":"C0OPS","ts":"`+root+`"}`)
	do("conversations.list", `{"limit":1}`)
	do("conversations.info", `{"channel":"C0OPS"}`)
	do("conversations.join", `{"channel":"C0OPS"}`)
	do("conversations.setTopic", `{"channel":"C0OPS","topic":"x"}`)
	do("conversations.open", `{"users":"U0ANN","return_im":true}`)
	do("users.info", `{"user":"U0ANN"}`)
	do("users.lookupByEmail", `{"email":"ann@example.com"}`)
	group := call(t, sim, "usergroups.create", `{"name":"On call","handle":"oncall"}`)["usergroup"].(map[string]any)["id"].(string)
	do("usergroups.users.update", `{"usergroup":"`+group+`","users":"U0ANN"}`)
	do("usergroups.list", `{"include_users":true,"include_disabled":true}`)
	do("usergroups.disable", `{"usergroup":"`+group+`"}`)
	do("usergroups.enable", `{"usergroup":"`+group+`"}`)
	view := `"view":{"type":"modal","title":{"type":"plain_text","text":"Page"},"submit":{"type":"plain_text","text":"Go"},"blocks":[{"type":"input","block_id":"b","label":{"type":"plain_text","text":"Why"},"element":{"type":"plain_text_input","action_id":"a"}}]}`
	opened := do("views.open", `{"trigger_id":"`+newTrigger(t, sim)+`",`+view+`}`)
	do("views.push", `{"trigger_id":"`+newTrigger(t, sim)+`",`+view+`}`)
	do("views.update", `{"view_id":"`+opened["view"].(map[string]any)["id"].(string)+`",`+view+`}`)
	do("views.publish", `{"user_id":"U0ANN","view":{"type":"home","blocks":[]}}`)
	do("chat.delete", `{"channel":"C0OPS","ts":"`+root+`"}`)

	// The envelopes, with no app to receive them.
	call(t, sim, "chat.postMessage", `{"channel":"C0OPS","text":"press","blocks":[{"type":"actions","block_id":"b","elements":[{"type":"button","action_id":"go","text":{"type":"plain_text","text":"Go"},"value":"1"}]}]}`)
	if _, err := sim.Click(ctx, "U0ANN", "#ops", "", "go"); err != nil {
		t.Fatal(err)
	}
	hold("BlockActionPayload", lastPayload(t, sim))
	if _, err := sim.Slash(ctx, "U0ANN", "#ops", "/oncall"); err != nil {
		t.Fatal(err)
	}
	hold("SlashCommandPayload", lastPayload(t, sim))
	if _, err := sim.Submit(ctx, "U0ANN", map[string]any{"a": "because"}); err != nil {
		t.Fatal(err)
	}
	hold("ViewSubmissionPayload", lastPayload(t, sim))
	if err := sim.OpenHome("U0ANN"); err != nil {
		t.Fatal(err)
	}
	hold("AppHomeOpened", lastEvent(t, sim, "app_home_opened"))
	if err := sim.ArchiveChannel("#ops", true); err != nil {
		t.Fatal(err)
	}
	hold("ChannelArchive", lastEvent(t, sim, "channel_archive"))
	_, hello := dial(ctx, t, sim)
	sim.AddDeadConnections(10)
	_, full := dial(ctx, t, sim)
	hold("disconnect", full)
	delete(hello["debug_info"].(map[string]any), "started") // seen in other recordings
	hold("hello", hello)
	sim.AddUser(slacksim.User{ID: "U0ANN", Name: "ann", Email: "ann@example.com"})
	hold("UserChange", lastEvent(t, sim, "user_change"))
	sim.AddUser(slacksim.User{ID: "U0NEW", Name: "new", Email: "new@example.com"})
	hold("TeamJoin", lastEvent(t, sim, "team_join"))
}
