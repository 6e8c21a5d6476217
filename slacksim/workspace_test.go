package slacksim_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/slacksim"
)

func TestFilesAndPeople(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{})
	api := client(sim)
	file, err := api.UploadFileContext(ctx, slack.UploadFileParameters{
		Reader: bytes.NewReader([]byte("png")), FileSize: 3, Filename: "week.png", Title: "The week", AltTxt: "A chart", Channel: "C0OPS",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := sim.Text("#ops"); got != "oncall: [file: The week]\n" {
		t.Errorf("channel:\n%s, want %s", got, "oncall: [file: The week]\n")
	}
	if kept, ok := sim.File(file.ID); !ok || kept.Name != "week.png" || kept.AltText != "A chart" {
		t.Errorf("kept is %+v", kept)
	}
	var content bytes.Buffer
	if err := api.GetFileContext(ctx, sim.URL()+"/files/"+file.ID+"/week.png", &content); err != nil || content.String() != "png" {
		t.Errorf("download: %q, %v", content.String(), err)
	}
	ann, err := api.GetUserByEmailContext(ctx, "ANN@example.com")
	if err != nil || ann.ID != "U0ANN" || ann.TZ != "Europe/Berlin" {
		t.Errorf("by e-mail: %+v, %v", ann, err)
	}
	if _, err := api.GetUserByEmailContext(ctx, "nobody@example.com"); err == nil || err.Error() != "users_not_found" {
		t.Errorf("unknown e-mail: %v", err)
	}
}

func TestAListComesInParts(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{})
	sim.AddChannel(slacksim.Channel{Name: "payments"})
	sim.AddChannel(slacksim.Channel{Name: "war-room"})
	api := client(sim)
	var names []string
	for cursor := ""; len(names) == 0 || cursor != ""; {
		part, next, err := api.GetConversationsContext(ctx, &slack.GetConversationsParameters{Limit: 1, Cursor: cursor})
		if err != nil || len(part) != 1 {
			t.Fatalf("%d channels, %v", len(part), err)
		}
		names, cursor = append(names, part[0].Name), next
	}
	if diff := cmp.Diff([]string{"ops", "payments", "war-room"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestStateSurvivesARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.json")
	sim := slacksim.New(slacksim.Options{StateFile: path, Manifest: slacksim.MustManifest(manifest)})
	sim.AddUser(slacksim.User{ID: "U0ANN", Name: "ann"})
	sim.AddChannel(slacksim.Channel{ID: "C0OPS", Name: "ops", Members: []string{"U0ANN", slacksim.BotUserID}})
	if _, err := sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	call(t, sim, "chat.postMessage", `{"channel":"C0OPS","text":"x","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"*kept*"}}]}`)
	call(t, sim, "views.publish", `{"user_id":"U0ANN","view":{"type":"home","blocks":[{"type":"header","text":{"type":"plain_text","text":"Home"}}]}}`)
	ts := sim.Messages("#ops")[0].TS
	if err := sim.Close(); err != nil {
		t.Fatal(err)
	}
	again := slacksim.New(slacksim.Options{StateFile: path, Manifest: slacksim.MustManifest(manifest)})
	defer again.Close()
	if _, err := again.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if got := again.Text("#ops"); got != "oncall: *kept*\n" || again.HomeText("ann") != "Home\n" {
		t.Errorf("after the restart: %q, %q", got, again.HomeText("ann"))
	}
	if got := call(t, again, "chat.update", `{"channel":"C0OPS","ts":"`+ts+`","text":"y"}`); got["ok"] != true {
		t.Errorf("update of an old message: %v", got)
	}

	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	third := slacksim.New(slacksim.Options{StateFile: broken})
	if _, err := third.Start("127.0.0.1:0"); err == nil {
		t.Error("a broken state file was accepted")
	}
	if err := third.Close(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(broken); err != nil || string(text) != "{" {
		t.Errorf("a broken state file was overwritten: %q, %v", text, err)
	}
}

func TestThePageIsGuarded(t *testing.T) {
	t.Parallel()
	_, sim := bench(t, slacksim.Options{})
	if _, err := slacksim.New(slacksim.Options{}).Start("0.0.0.0:0"); err == nil {
		t.Error("listens on every address")
	}
	for _, c := range []struct {
		name, header, value, host string
		want                      int
	}{
		{"own origin", "Origin", sim.URL(), "", 200},
		{"no origin", "X-Nothing", "", "", 200},
		{"foreign origin", "Origin", "https://example.com", "", 403},
		{"foreign site", "Sec-Fetch-Site", "cross-site", "", 403},
		{"a name that points here", "X-Nothing", "", "example.com", 403},
		{"a form", "Content-Type", "text/plain", "", 403},
	} {
		r, err := http.NewRequest(http.MethodPost, sim.URL()+"/sim/read", strings.NewReader(`{"user":"U0ANN","channel":"C0OPS"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Close = true
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(c.header, c.value)
		if c.host != "" {
			r.Host = c.host
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != c.want {
			t.Errorf("%s: status %d, want %d", c.name, answer.StatusCode, c.want)
		}
	}
}

func TestUserGroups(t *testing.T) {
	t.Parallel()
	_, sim := bench(t, slacksim.Options{})
	made := call(t, sim, "usergroups.create", `{"name":"On call","handle":"oncall-ops"}`)
	id := made["usergroup"].(map[string]any)["id"].(string)
	set := func(users string) any {
		return call(t, sim, "usergroups.users.update", `{"usergroup":"`+id+`","users":"`+users+`"}`)["error"]
	}
	for users, want := range map[string]any{"": "no_users_provided", slacksim.BotUserID: "invalid_users", "U0NOBODY": "invalid_users", "U0BO,U0ANN": nil} {
		if got := set(users); got != want {
			t.Errorf("set %q: %v, want %v", users, got, want)
		}
	}
	if got := sim.UserGroups()[0].Users; cmp.Diff(got, []string{"U0ANN", "U0BO"}) != "" {
		t.Errorf("members: %v", got)
	}
	var names []string
	for _, e := range sim.Envelopes() {
		if strings.HasPrefix(e.Name, "subteam") && e.Attempt == 0 {
			names = append(names, e.Name)
		}
	}
	if diff := cmp.Diff([]string{"subteam_updated", "subteam_members_changed"}, names); diff != "" {
		t.Errorf("events: %s", diff)
	}
	if call(t, sim, "usergroups.disable", `{"usergroup":"`+id+`"}`)["ok"] != true || len(call(t, sim, "usergroups.list", "{}")["usergroups"].([]any)) != 0 {
		t.Error("a disabled group is listed")
	}
}
