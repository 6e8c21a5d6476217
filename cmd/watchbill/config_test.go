package main

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// settled runs a command with these variables. Kong reads the process's own, so such tests don't
// run in parallel.
func settled(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	for name, value := range env {
		t.Setenv(name, value)
	}
	var out, errs bytes.Buffer
	p := process{ctx: t.Context(), out: &out, errOut: &errs, getenv: os.Getenv, clock: time.Now}
	return p.run(args), out.String(), errs.String()
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfigShowNamesTheSource(t *testing.T) {
	database := file(t, "database", "postgres://watchbill:hush-1@db.example.com/watchbill\n")
	config := file(t, "watchbill.yaml", `
database_url_file: `+database+`
slack_bot_token: xoxb-hush-2
slack_app_token: xapp-hush-3
listen: 127.0.0.1:9
log_level: debug
admins: [U0ANN, bo@example.com]
webhook_private: false
twilio_edge: dublin
`)
	token := file(t, "token", "xoxb-hush-4\n")
	code, out, errs := settled(t, map[string]string{
		"WATCHBILL_CONFIG": config, "SLACK_BOT_TOKEN_FILE": token, "WATCHBILL_LOG_LEVEL": "warn", "TWILIO_EDGE": "",
	}, "config", "show", "--keep-audit", "3y")
	if code != 0 {
		t.Fatalf("%d: %s, want 0", code, errs)
	}
	for name, want := range map[string][2]string{
		"DATABASE_URL":              {"postgres://watchbill:xxxxx@db.example.com/watchbill", config + ": " + database},
		"SLACK_BOT_TOKEN":           {"(hidden)", "SLACK_BOT_TOKEN_FILE: " + token},
		"SLACK_APP_TOKEN":           {"(hidden)", config},
		"WATCHBILL_LISTEN":          {"127.0.0.1:9", config},
		"WATCHBILL_LOG_LEVEL":       {"warn", "environment"},
		"WATCHBILL_ADMINS":          {"U0ANN,bo@example.com", config},
		"WATCHBILL_WEBHOOK_PRIVATE": {"false", config},
		"WATCHBILL_KEEP_AUDIT":      {"3y", "--keep-audit"},
		"WATCHBILL_KEEP_INCIDENTS":  {"730d", "default"},
		"TWILIO_EDGE":               {"dublin", config}, // an empty variable counts as unset
		"WATCHBILL_SECRET":          {"-", "default"},
	} {
		line := ""
		for l := range strings.Lines(out) {
			if strings.HasPrefix(l, name+" ") {
				line = strings.TrimSpace(strings.TrimPrefix(l, name))
			}
		}
		if !strings.HasPrefix(line, want[0]+"  ") || !strings.HasSuffix(line, " "+want[1]) {
			t.Errorf("%s: got %q, want %q", name, line, want)
		}
	}
	if strings.Contains(out+errs, "hush") {
		t.Errorf("a secret is shown:\n%s%s, want out+errs not to contain \"hush\"", out, errs)
	}
}

func TestUnreadableSettingsAreReported(t *testing.T) {
	for name, tt := range map[string]struct {
		config string
		env    map[string]string
		want   string
	}{
		"a misspelt key":    {config: "lisen: :8080", want: `there is no setting "lisen"; "listen"?`},
		"an unknown key":    {config: "colour_of_the_bike_shed: 1", want: `there is no setting "colour_of_the_bike_shed"`},
		"a map":             {config: "listen: {port: 8080}", want: "listen: takes one value, or a list of texts"},
		"a list of lists":   {config: "admins: [[U0ANN]]", want: "admins: takes one value"},
		"no YAML":           {config: "listen: 'hush", want: "watchbill.yaml: "},
		"not a map":         {config: "- hush", want: "where mapping is expected: write `name: value`"},
		"a shell's file":    {config: "LISTEN=:8080", want: "where mapping is expected: write `name: value`"},
		"a nameless admin":  {env: map[string]string{"WATCHBILL_ADMINS": "U0ANN,@ann"}, want: `WATCHBILL_ADMINS has "@ann", which is neither`},
		"a bracket":         {env: map[string]string{"WATCHBILL_ADMINS": "[ann@example.com"}, want: `WATCHBILL_ADMINS has "[ann@example.com"`},
		"an example":        {env: map[string]string{"SLACK_BOT_TOKEN": "xoxb-…"}, want: "SLACK_BOT_TOKEN is still the example"},
		"an app's example":  {env: map[string]string{"SLACK_APP_TOKEN": "xapp-..."}, want: "SLACK_APP_TOKEN is still the example"},
		"no such file":      {env: map[string]string{"WATCHBILL_CONFIG": "/nowhere/watchbill.yaml"}, want: "WATCHBILL_CONFIG: open /nowhere"},
		"no such secret":    {env: map[string]string{"WATCHBILL_SECRET_FILE": "/nowhere/secret"}, want: "WATCHBILL_SECRET_FILE: open /nowhere/secret"},
		"a secret too long": {env: map[string]string{"WATCHBILL_SECRET_FILE": "long"}, want: "larger than 64 KB"},
		"a wrong value":     {config: "listen: '8080'", want: "WATCHBILL_LISTEN is"},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{"DATABASE_URL": "postgres://localhost/x", "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
			if tt.config != "" {
				env["WATCHBILL_CONFIG"] = file(t, "watchbill.yaml", tt.config)
			}
			for k, v := range tt.env {
				if v == "long" {
					v = file(t, "long", strings.Repeat("x", 65<<10))
				}
				env[k] = v
			}
			code, _, errs := settled(t, env, "config", "check")
			if code != 2 || !strings.Contains(errs, tt.want) || strings.Contains(errs, "hush") {
				t.Errorf(`got %d, %s; want code 2, errs to contain %q and errs not to contain "hush"`, code, errs, tt.want)
			}
		})
	}
}

// Help and the version work whatever the configuration file contains.
func TestHelpNeedsNoSettings(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}} {
		if code, out, errs := settled(t, map[string]string{"WATCHBILL_CONFIG": "/nowhere"}, args...); code != 0 || !strings.Contains(out, "Usage:") {
			t.Errorf(`%v: %d, %s; want the exit status 0 and output with "Usage:"`, args, code, errs)
		}
	}
}

func TestHealthcheckAsksTheInstanceOnThisMachine(t *testing.T) {
	ready := http.StatusOK
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(ready)
		_, _ = w.Write([]byte("as it is\n"))
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("alive\n")) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	env := map[string]string{"WATCHBILL_LISTEN": listener.Addr().String(), "HTTP_PROXY": "http://127.0.0.1:9"}
	if code, out, errs := settled(t, env, "healthcheck"); code != 0 || out != "as it is\n" {
		t.Errorf("got %d, %s%s; want the exit status 0 and the output %q", code, out, errs, "as it is\n")
	}
	ready = http.StatusServiceUnavailable
	if code, _, errs := settled(t, env, "healthcheck"); code != 1 || !strings.Contains(errs, "as it is") {
		t.Errorf(`got %d, %s; want code 1 and errors with "as it is"`, code, errs)
	}
	if code, out, errs := settled(t, env, "healthcheck", "--alive"); code != 0 || out != "alive\n" {
		t.Errorf("got %d, %s%s; want the exit status 0 and the output %q", code, out, errs, "alive\n")
	}
	server.Close()
	if code, _, _ := settled(t, env, "healthcheck"); code != 1 {
		t.Errorf("nobody listens: got %d, want 1", code)
	}
}
