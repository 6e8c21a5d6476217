package bot

import (
	"context"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// web answers `/oncall web` with a sign-in link to the web pages.
func (b *Bot) web(ctx context.Context, r request) (string, error) {
	switch {
	case b.pages == "":
		return "", oncall.Refuse("The pages for browsers are switched off. Whoever runs Watchbill sets `WATCHBILL_WEB=true`.")
	case r.asker.Via == oncall.ViaChannel:
		return "", oncall.Refuse("Everybody here would read it, and could sign in as you. Ask with the command, which answers only you.")
	}
	secret, err := b.store.MakeSignInLink(ctx, r.by(), r.now)
	if err != nil {
		return "", err
	}
	return view.SignInLink(b.pages, b.pages+"/sign-in/link/"+secret, b.localURL), nil
}
