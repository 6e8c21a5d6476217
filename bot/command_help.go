package bot

import (
	"context"
)

// help shows what can be typed.
func (b *Bot) help(context.Context, request) (string, error) { return helpText, nil }
