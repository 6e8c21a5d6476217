package bot

import (
	"errors"
	"testing"

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
