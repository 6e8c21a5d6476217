package bot

import (
	"context"
	"strconv"

	"github.com/watchbill/watchbill/oncall"
)

// takeHandoff handles the button "I have it".
func (b *Bot) takeHandoff(ctx context.Context, p press) (string, error) {
	number, err := strconv.ParseInt(p.value, 10, 64)
	if err != nil {
		return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	return "", b.store.ConfirmHandoff(ctx, p.by(), number, b.clock())
}
