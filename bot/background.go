package bot

import (
	"context"
	"time"
)

// longestErrand bounds what is done after an answer.
const longestErrand = 15 * time.Second

// behind does in the background what would take too long before an answer. A stop cuts it
// off, so it must only add to the answer.
func (b *Bot) behind(ctx context.Context, what string, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestErrand)
	ended := make(chan struct{})
	b.all.Go(func() {
		defer cancel()
		select {
		case <-b.hungUp:
		case <-ended:
		}
	})
	b.all.Go(func() {
		defer close(ended)
		if err := do(ctx); err != nil && ctx.Err() == nil {
			b.log.Warn().Err(err).Msg("could not send " + what)
		}
	})
}
