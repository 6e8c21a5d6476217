package bot

import (
	"context"
	"fmt"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// admit refuses deactivated people and people from other organisations, who see our messages in shared
// channels. It stores everybody else with their status in the workspace. A new person whom Slack can't
// confirm counts as a guest.
func (b *Bot) admit(ctx context.Context, u slack.User) error {
	if u.TeamID != "" {
		ours, err := b.ourWorkspace(ctx)
		if err == nil && ours.Enterprise == "" && u.TeamID != ours.Team {
			return oncall.Refuse("Only people of the workspace that runs Watchbill can do this, and nothing was changed.")
		}
	}
	id := oncall.UserID(u.ID)
	if _, err := b.user(ctx, id); err != nil {
		return err
	}
	directory, err := b.store.DirectoryFor(ctx, oncall.ByUser(id))
	if err != nil {
		return fmt.Errorf("load the directory: %w", err)
	}
	return b.store.May(directory, oncall.ByUser(id), access.OwnThings, access.Object{})
}
