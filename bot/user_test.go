package bot

import (
	"errors"
	"testing"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
)

func TestUserByEmail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	u, err := w.bot.UserByEmail(w.ctx, "cy@example.com")
	if err != nil {
		t.Fatalf("got the error %v, want none", err)
	}
	if u.ID != cy || u.Name != "Cy" {
		t.Errorf("got the user %s called %q, want %s called Cy", u.ID, u.Name, cy)
	}
	if u.TimeZone != "America/New_York" || u.DeactivatedAt != nil {
		t.Errorf("got the zone %s, deactivated at %v, want America/New_York and active", u.TimeZone, u.DeactivatedAt)
	}
	if _, err := w.bot.UserByEmail(w.ctx, "nobody@example.com"); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("an unknown address: %v, want oncall.ErrNotFound", err)
	}
}

// A wrong token is an error in the log, and where nothing is stored the log doesn't say that it is used.
func TestWrongTokenOnAFreshDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.sim.Fail(slacksim.Fault{Method: "auth.test", Kind: slacksim.FaultError, Code: "invalid_auth"})
	if _, err := w.bot.ourWorkspace(w.ctx); err == nil {
		t.Fatal("the workspace is known, want an error")
	}
	if !w.log.has(`"level":"error"`) || !w.log.has("none is stored yet") || w.log.has("using the stored one") {
		t.Error("the log lacks an error that no workspace is stored, or says that the stored one is used")
	}
}

func TestWrongAppTokenIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.bot.logConnectError(&socket{}, slack.SlackErrorResponse{Err: "invalid_auth"})
	if !w.log.has(`"level":"error"`) || !w.log.has("invalid_auth") {
		t.Error("the log has no error about the app token, want one")
	}
}
