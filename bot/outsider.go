package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/store"
)

// learnTimeout leaves enough time to answer the click.
const learnTimeout = time.Second

// ourWorkspace returns the workspace that we are in. Slack is asked only once; while it doesn't answer,
// what it said before counts.
func (b *Bot) ourWorkspace(ctx context.Context) (store.Workspace, error) {
	if w := b.workspace.Load(); w != nil {
		return *w, nil
	}
	asking, cancel := context.WithTimeout(ctx, learnTimeout)
	defer cancel()
	answer, err := b.slack.Auth(asking)
	if err != nil {
		kept, unknown := b.store.Workspace(ctx)
		if unknown != nil || kept.Team == "" {
			return store.Workspace{}, fmt.Errorf("learn our workspace: %w", err)
		}
		b.log.Warn().Err(err).Msg("Slack does not say which workspace this is; going by what it said before")
		return kept, nil
	}
	w := store.Workspace{Team: answer.TeamID, Enterprise: answer.EnterpriseID, URL: strings.TrimSuffix(answer.URL, "/") + "/"}
	if err := b.store.SaveWorkspace(ctx, w); err != nil {
		return store.Workspace{}, fmt.Errorf("learn our workspace: %w", err)
	}
	b.workspace.Store(&w)
	return w, nil
}

// admit refuses people of other organisations, who see our messages in shared channels, and those who
// are deactivated. Whoever passes is known from then on, with what they are in the workspace. Where
// Slack can't be asked about somebody new, they count as a guest.
func (b *Bot) admit(ctx context.Context, u slack.User) error {
	if u.TeamID != "" {
		switch ours, err := b.ourWorkspace(ctx); {
		case err != nil:
			b.log.Warn().Err(err).Msg("which workspace somebody comes from can't be held against ours")
		case u.TeamID != ours.Team && (ours.Enterprise == "" || b.enterprise(ctx, u.ID) != ours.Enterprise):
			return oncall.Refuse("Only people of the workspace that runs Watchbill can do this, and nothing was changed.")
		}
	}
	id := oncall.UserID(u.ID)
	_, err := b.user(ctx, id)
	if _, refused := errors.AsType[oncall.Refusal](err); refused {
		return err
	}
	if err != nil {
		b.log.Warn().Err(err).Str("user", u.ID).Msg("somebody can't be looked up, and counts as a guest")
	}
	directory, err := b.store.DirectoryFor(ctx, oncall.ByUser(id))
	if err != nil {
		return fmt.Errorf("load the directory: %w", err)
	}
	return directory.Access().May(oncall.ByUser(id), access.OwnThings, access.Object{})
}

// enterprise returns the organisation of a person, "" if there is none or Slack doesn't
// say.
func (b *Bot) enterprise(ctx context.Context, user string) string {
	u, err := b.slack.User(ctx, user, slackcall.ForAnswer)
	if err != nil {
		b.log.Warn().Err(err).Msg("the organisation of a person is not known")
		return ""
	}
	return u.Enterprise.EnterpriseID
}

// permalink is the address of a message, "" if it has none yet.
func (b *Bot) permalink(ctx context.Context, at store.Place) string {
	if at == (store.Place{}) {
		return ""
	}
	ours, err := b.ourWorkspace(ctx)
	if err != nil {
		b.log.Warn().Err(err).Msg("a message can't be linked to")
		return ""
	}
	return ours.URL + "archives/" + at.Channel + "/p" + strings.ReplaceAll(at.TS, ".", "")
}
