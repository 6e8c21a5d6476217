package slackcall

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/watchbill/watchbill"
	"github.com/watchbill/watchbill/slacksim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// waitLimit is how long a test waits for something that should happen soon.
const waitLimit = 20 * time.Second

// newSlack starts a simulated Slack and a client for it.
func newSlack(t *testing.T, o slacksim.Options) (*slacksim.Sim, *Client) {
	t.Helper()
	o.Manifest = slacksim.MustManifest(watchbill.Manifest)
	sim := slacksim.New(o)
	sim.AddUser(slacksim.User{ID: "U0ANN", Name: "ann"})
	sim.AddChannel(slacksim.Channel{ID: "C0PAY", Name: "payments", Members: []string{"U0ANN", slacksim.BotUserID}})
	sim.AddChannel(slacksim.Channel{ID: "C0OPS", Name: "ops", Members: []string{"U0ANN"}})
	if _, err := sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, what := range sim.Violations() {
			t.Error(what)
		}
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := New(Config{BotToken: "xoxb-sim", AppToken: "xapp-sim", APIURL: sim.APIURL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return sim, c
}

// comeBack repeats a call that was turned away, at the time it was given.
func comeBack(do func() error) error {
	for {
		err := do()
		if err == nil || OutcomeOf(err) != Unsent || retryAfter(err) == 0 {
			return err
		}
		timer := time.NewTimer(retryAfter(err))
		<-timer.C
	}
}

// The user token is used to change user groups, and for nothing else.
func TestUserTokenIsOnlyForGroups(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var calls []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.FormValue("token")
		if token == "" {
			token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		}
		mu.Lock()
		calls = append(calls, strings.TrimPrefix(r.URL.Path, "/")+" "+token)
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"ok": true, "usergroups": [], "user": {"id": "U0ANN"}}`))
	}))
	defer server.Close()
	c, err := New(Config{BotToken: "xoxb-1", AppToken: "xapp-1", UserToken: "xoxp-1", APIURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Groups(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.SetGroup(t.Context(), "S1", []string{"U0ANN"}); err != nil {
		t.Error(err)
	}
	if err := c.EnableGroup(t.Context(), "S1", true); err != nil {
		t.Error(err)
	}
	if _, err := c.User(t.Context(), "U0ANN", ForRest); err != nil {
		t.Error(err)
	}
	want := []string{"usergroups.list xoxb-1", "usergroups.users.update xoxp-1", "usergroups.enable xoxp-1", "users.info xoxb-1"}
	if !slices.Equal(calls, want) {
		t.Errorf("calls %q, want %q", calls, want)
	}
	if _, err := New(Config{BotToken: "xoxb-1", AppToken: "xapp-1", UserToken: "xoxb-2"}); err == nil {
		t.Error("New accepted a bot token as the user token, want an error")
	}
}
