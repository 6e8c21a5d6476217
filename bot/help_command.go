package bot

import (
	"context"

	"github.com/watchbill/watchbill/bot/view"
)

// help shows what can be typed.
func (b *Bot) help(context.Context, request) (string, error) { return view.HelpText, nil }
