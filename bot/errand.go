package bot

import (
	"context"
	"time"
)

// longestErrand is how long what is done after an answer may take.
const longestErrand = 15 * time.Second

// behind does what takes longer than an answer may, after it. A stop cuts it off: what is
// done here only adds to what the person has been told.
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
