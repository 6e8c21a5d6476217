package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/notify"
)

// backgroundLimit bounds work that continues after the person has been answered.
const backgroundLimit = 15 * time.Second

const (
	// maxLate is how many answers may wait at the same time, and lateLimit is how long an answer is
	// useful.
	maxLate   = 128
	lateLimit = 10 * time.Minute
	// lateAttempts limits the attempts to post an answer, with latePause between them.
	lateAttempts = 20
	latePause    = 2 * time.Second
)

// inBackground runs work that would delay the answer too much. A shutdown cancels it, so nothing may
// depend on it.
func (b *Bot) inBackground(ctx context.Context, what string, do func(context.Context) error) {
	b.inBackgroundFor(ctx, backgroundLimit, what, do)
}

func (b *Bot) inBackgroundFor(ctx context.Context, limit time.Duration, what string, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
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

// postLater posts an answer later if Slack doesn't accept it now, and reports false if too many
// answers are waiting already. A shutdown drops it, which loses nothing but the confirmation.
func (b *Bot) postLater(ctx context.Context, m slackcall.Message, d view.Drawing) bool {
	if b.late.Add(1) > maxLate {
		b.late.Add(-1)
		return false
	}
	b.inBackgroundFor(ctx, lateLimit, "an answer to a message", func(ctx context.Context) error {
		defer b.late.Add(-1)
		var err error
		for range lateAttempts {
			if !sleep(ctx, latePause) {
				break
			}
			if _, err = b.post(ctx, m, d); err == nil || !unposted(err) {
				return err
			}
		}
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			b.log.Warn().Err(err).Msg("an answer to a message is too old to be posted")
		}
		return fmt.Errorf("give up: %w", err)
	})
	return true
}

// unposted reports whether a message was certainly not posted, so that another attempt can't duplicate
// it.
func unposted(err error) bool {
	o := slackcall.OutcomeOf(err)
	return o == slackcall.Unsent || o == notify.Throttled
}
