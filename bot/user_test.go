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
	if err != nil || u.ID != cy || u.Name != "Cy" || u.TimeZone != "America/New_York" || u.DeactivatedAt != nil {
		t.Errorf("the user is %+v, %v; want Cy, active, in New York", u, err)
	}
	if _, err := w.bot.UserByEmail(w.ctx, "nobody@example.com"); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("an unknown address: %v, want oncall.ErrNotFound", err)
	}
}
