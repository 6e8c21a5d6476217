package bot

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/slacksim"
)

func TestCheckWithoutFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	findings := w.bot.Check(w.ctx, -1)
	if len(findings) != 3 || findings[1].Text != fmt.Sprintf("scopes: all %d", len(scopes)) { // the bot, its scopes, the app
		t.Errorf("the findings are %+v, want three: the bot token, its scopes, the app token", findings)
	}
	for _, g := range findings {
		if !g.OK || g.Remedy != "" {
			t.Errorf("the finding is %+v, want it OK", g)
		}
	}
}

func TestCheckNamesEveryFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.sim.SetScopes([]string{"commands", "chat:write", "chat:write.public", "im:history", "users:read"})
	findings := w.bot.Check(w.ctx, -1)
	var missing []string
	for _, g := range findings {
		if !g.OK && !g.Note {
			missing = append(missing, g.Text)
			if !strings.Contains(g.Remedy, "users:read.email") || !strings.Contains(g.Remedy, "reinstall") {
				t.Errorf("the remedy is %q, want it to name the scope and the reinstallation", g.Remedy)
			}
		}
	}
	if !slices.Equal(missing, []string{"scope users:read.email"}) {
		t.Errorf("the missing scopes are %q, want only users:read.email", missing)
	}
	granted := 0
	for _, g := range findings {
		if g.OK && strings.Contains(g.Text, "scope") {
			granted++
		}
	}
	if granted != 1 {
		t.Errorf("%d lines about scopes that are granted, want 1", granted)
	}

	w.sim.Fail(slacksim.Fault{Method: "auth.test", Kind: slacksim.FaultError, Code: "token_revoked"})
	w.sim.Fail(slacksim.Fault{Method: "apps.connections.open", Kind: slacksim.FaultError, Code: "not_allowed_token_type"})
	findings = w.bot.Check(w.ctx, -1)
	if len(findings) != 2 {
		t.Fatalf("got the findings %+v, want two", findings)
	}
	for i, want := range []string{"SLACK_BOT_TOKEN (token_revoked)", "SLACK_APP_TOKEN (not_allowed_token_type)"} {
		if f := findings[i]; f.OK || !strings.Contains(f.Remedy, want) {
			t.Errorf("got OK %t with the remedy %q, want a fault whose remedy names %s", f.OK, f.Remedy, want)
		}
	}
	w.sim.Fail(slacksim.Fault{Method: "apps.connections.open", Kind: slacksim.FaultError, Code: "invalid_auth"})
	if findings = w.bot.Check(w.ctx, -1); !strings.Contains(findings[len(findings)-1].Remedy, "SLACK_APP_TOKEN (invalid_auth)") {
		t.Errorf("findings %+v, want a remedy that names SLACK_APP_TOKEN", findings)
	}
	if err := w.sim.Close(); err != nil {
		t.Fatal(err)
	}
	findings = w.bot.Check(w.ctx, -1)
	if len(findings) != 1 {
		t.Fatalf("without Slack the findings are %+v, want one", findings)
	}
	if f := findings[0]; f.OK || f.Note || !strings.Contains(f.Remedy, "reaches slack.com") {
		t.Errorf("without Slack the finding is %+v, want a fault about reaching slack.com", f)
	}
}

func TestCheckTestsTheUserToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{UserToken: "xoxp-right"})
	for token, right := range map[string]bool{"xoxp-right": true, "xoxp-wrong": false} {
		b, err := New(Config{
			BotToken: "xoxb-sim", AppToken: "xapp-sim", UserToken: token, APIURL: w.sim.APIURL(), Clock: time.Now, Log: zerolog.Nop(),
		})
		if err != nil {
			t.Fatal(err)
		}
		findings := b.Check(w.ctx, -1)
		i := slices.IndexFunc(findings, func(g notify.CheckResult) bool { return g.Text == "user token" })
		if i < 0 {
			t.Fatalf("token %s: the findings are %+v, want one about the user token", token, findings)
		}
		if f := findings[i]; f.OK != right || f.Note {
			t.Errorf("token %s: the finding is %+v, want the user token to be fine: %t", token, f, right)
		}
		if f := findings[i]; !right && !strings.Contains(f.Remedy, "SLACK_USER_TOKEN (invalid_auth)") {
			t.Errorf("token %s: the finding is %+v, want a remedy that names the setting", token, f)
		}
	}
}

// A manifest is the part of Slack's app manifest, version 2, that our manifest uses. Parsing is
// strict, so that a misspelt key is an error here, as it is in Slack.
type manifest struct {
	Metadata struct {
		Major int `yaml:"major_version"`
		Minor int `yaml:"minor_version"`
	} `yaml:"_metadata"`
	Display struct {
		Name        string `yaml:"name"`
		Description string `yaml:"description"`
		Background  string `yaml:"background_color"`
	} `yaml:"display_information"`
	Features struct {
		Home struct {
			Home     bool `yaml:"home_tab_enabled"`
			Messages bool `yaml:"messages_tab_enabled"`
			ReadOnly bool `yaml:"messages_tab_read_only_enabled"`
		} `yaml:"app_home"`
		Bot struct {
			Name   string `yaml:"display_name"`
			Online bool   `yaml:"always_online"`
		} `yaml:"bot_user"`
		Commands []struct {
			Command     string `yaml:"command"`
			Description string `yaml:"description"`
			Hint        string `yaml:"usage_hint"`
			Escape      bool   `yaml:"should_escape"`
		} `yaml:"slash_commands"`
		Shortcuts []struct {
			Name        string `yaml:"name"`
			Type        string `yaml:"type"`
			CallbackID  string `yaml:"callback_id"`
			Description string `yaml:"description"`
		} `yaml:"shortcuts"`
	} `yaml:"features"`
	OAuth struct {
		Scopes struct {
			Bot      []string `yaml:"bot"`
			Optional []string `yaml:"bot_optional"`

			User         []string `yaml:"user"` // of SLACK_USER_TOKEN
			UserOptional []string `yaml:"user_optional"`
		} `yaml:"scopes"`
	} `yaml:"oauth_config"`
	Settings struct {
		Events struct {
			Bot []string `yaml:"bot_events"`
		} `yaml:"event_subscriptions"`
		Interactivity struct {
			Enabled bool `yaml:"is_enabled"`
		} `yaml:"interactivity"`
		Org      bool `yaml:"org_deploy_enabled"`
		Socket   bool `yaml:"socket_mode_enabled"`
		Rotation bool `yaml:"token_rotation_enabled"`
	} `yaml:"settings"`
}

func TestManifestFitsTheAppAndSlacksLimits(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	if err := yaml.UnmarshalWithOptions(text, &m, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	most := func(what, s string, limit int) {
		if n := utf8.RuneCountInString(s); n < 1 || n > limit {
			t.Errorf("%s has %d characters, want 1 to %d, which Slack takes", what, n, limit)
		}
	}
	most("the name", m.Display.Name, 35)
	most("the description", m.Display.Description, 140)
	most("the bot's name", m.Features.Bot.Name, 80)
	if len(m.Features.Commands) != 1 {
		t.Fatalf("%d commands, want 1", len(m.Features.Commands))
	}
	c := m.Features.Commands[0]
	most("the command", c.Command, 32)
	most("the command's description", c.Description, 2000)
	most("the hint", c.Hint, 1000)
	var names []string
	for _, known := range commands() {
		names = append(names, known.name)
	}
	if want := "[" + strings.Join(names, "|") + "]"; c.Hint != want {
		t.Errorf("got the hint %s, want %s", c.Hint, want)
	}
	if c.Command != "/oncall" || !c.Escape {
		t.Errorf("got the command %s, escaping %t, want /oncall with escaping", c.Command, c.Escape)
	}
	if s := m.Settings; !s.Socket || !s.Interactivity.Enabled || s.Rotation {
		t.Errorf("got the settings %+v, want Socket Mode, interactivity and no token rotation", s)
	}
	if h := m.Features.Home; !h.Home || !h.Messages || h.ReadOnly {
		t.Errorf("got the features %+v, want a home tab and a writable messages tab", h)
	}
	for _, s := range m.Features.Shortcuts {
		most("the shortcut's name", s.Name, 24)
		most("the shortcut's description", s.Description, 150)
	}
	want := []string{
		"app_home_opened", "app_mention", "channel_archive", "channel_deleted", "channel_id_changed", "channel_rename", "channel_unarchive",
		"group_archive", "group_deleted", "group_rename", "group_unarchive", "message.im", "team_join", "user_change",
	}
	if !slices.Equal(m.Settings.Events.Bot, want) {
		t.Errorf("the events are %q; want %q", m.Settings.Events.Bot, want)
	}
	var all, optional []string
	for _, s := range scopes {
		all = append(all, s.name)
		if s.optional {
			optional = append(optional, s.name)
		}
	}
	if group := []string{"usergroups:write"}; !slices.Equal(m.OAuth.Scopes.User, group) || !slices.Equal(m.OAuth.Scopes.UserOptional, group) {
		t.Errorf("the user scopes are %q, optional %q; want %q for both", m.OAuth.Scopes.User, m.OAuth.Scopes.UserOptional, group)
	}
	if !slices.Equal(m.OAuth.Scopes.Bot, all) || !slices.Equal(m.OAuth.Scopes.Optional, optional) {
		t.Errorf("the manifest asks for %q, optional %q;\nthe doctor for %q, optional %q",
			m.OAuth.Scopes.Bot, m.OAuth.Scopes.Optional, all, optional)
	}
}

func TestCheckAdmins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.sim.AddUser(slacksim.User{ID: "U0ADM", Name: "admin", Email: "admin@example.com"})
	if found := w.bot.CheckAdmins(w.ctx, []string{"U0ADM", "admin@example.com"}); len(found) != 1 || !found[0].OK {
		t.Errorf("the findings are %+v, want one that is OK", found)
	}
	found := w.bot.CheckAdmins(w.ctx, []string{"admin@example.com", "nobody@example.com", "U0NOBODY"})
	if len(found) != 2 || found[0].OK || !strings.HasSuffix(found[0].Text, "nobody@example.com") || found[1].OK || !strings.HasSuffix(found[1].Text, "U0NOBODY") {
		t.Errorf("the findings are %+v, want the two whom Slack doesn't know", found)
	}
}
