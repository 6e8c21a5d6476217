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
		t.Errorf("the file is %+v, want its name and description", kept)
	}
	var content bytes.Buffer
	if err := api.GetFileContext(ctx, sim.URL()+"/files/"+file.ID+"/week.png", &content); err != nil || content.String() != "png" {
		t.Errorf("the download is %q, %v; want the uploaded content", content.String(), err)
	}
	ann, err := api.GetUserByEmailContext(ctx, "ANN@example.com")
	if err != nil || ann.ID != "U0ANN" || ann.TZ != "Europe/Berlin" {
		t.Errorf("the user by e-mail is %+v, %v; want Ann in Berlin", ann, err)
	}
	if _, err := api.GetUserByEmailContext(ctx, "nobody@example.com"); err == nil || err.Error() != "users_not_found" {
		t.Errorf("an unknown e-mail address: %v, want users_not_found", err)
	}
}

func TestListsArePaged(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{})
	sim.AddChannel(slacksim.Channel{Name: "payments"})
	sim.AddChannel(slacksim.Channel{Name: "war-room"})
	api := client(sim)
	var names []string
	for cursor := ""; len(names) == 0 || cursor != ""; {
		part, next, err := api.GetConversationsContext(ctx, &slack.GetConversationsParameters{Limit: 1, Cursor: cursor})
		if err != nil || len(part) != 1 {
			t.Fatalf("a page has %d channels, %v; want 1", len(part), err)
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
		t.Errorf("after the restart the channel is %q and the home tab %q, want both kept", got, again.HomeText("ann"))
	}
	if got := call(t, again, "chat.update", `{"channel":"C0OPS","ts":"`+ts+`","text":"y"}`); got["ok"] != true {
		t.Errorf("an update of an old message: %v, want ok", got)
	}

	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	third := slacksim.New(slacksim.Options{StateFile: broken})
	if _, err := third.Start("127.0.0.1:0"); err == nil {
		t.Error("a broken state file was accepted, want an error")
	}
	if err := third.Close(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(broken); err != nil || string(text) != "{" {
		t.Errorf("the broken state file is %q, %v; want it unchanged", text, err)
	}
}

func TestPageIsOnlyForThisMachine(t *testing.T) {
	t.Parallel()
	_, sim := bench(t, slacksim.Options{})
	if _, err := slacksim.New(slacksim.Options{}).Start("0.0.0.0:0"); err == nil {
		t.Error("the simulator listens on every address, want only loopback")
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

func TestUserGroupsAreSetAsInSlack(t *testing.T) {
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
		t.Errorf("the group's members are %v, want Ann and Bo", got)
	}
	var names []string
	for _, e := range sim.Envelopes() {
		if strings.HasPrefix(e.Name, "subteam") && e.Attempt == 0 {
			names = append(names, e.Name)
		}
	}
	if diff := cmp.Diff([]string{"subteam_updated", "subteam_members_changed"}, names); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if call(t, sim, "usergroups.disable", `{"usergroup":"`+id+`"}`)["ok"] != true || len(call(t, sim, "usergroups.list", "{}")["usergroups"].([]any)) != 0 {
		t.Error("a disabled group is listed, want it hidden")
	}
}
