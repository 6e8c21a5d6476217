package bot

import (
	"context"
	"time"
)

// backgroundLimit bounds work that continues after the person has been answered.
const backgroundLimit = 15 * time.Second

// inBackground runs work that would take too long before the answer. Shutdown cancels it, so nothing may depend
// on it.
func (b *Bot) inBackground(ctx context.Context, what string, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), backgroundLimit)
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
