package bot

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A workspace is where the app is installed.
type workspace struct {
	team       string
	enterprise string // the organisation that it belongs to; "" if none
	url        string // ends in a slash
}

// learnTimeout leaves enough time to answer the click.
const learnTimeout = time.Second

// ourWorkspace returns the workspace that we are in. Slack is asked only once.
func (b *Bot) ourWorkspace(ctx context.Context) (workspace, error) {
	if w := b.workspace.Load(); w != nil {
		return *w, nil
	}
	ctx, cancel := context.WithTimeout(ctx, learnTimeout)
	defer cancel()
	answer, err := b.slack.Auth(ctx)
	if err != nil {
		return workspace{}, fmt.Errorf("learn our workspace: %w", err)
	}
	w := workspace{team: answer.TeamID, enterprise: answer.EnterpriseID, url: strings.TrimSuffix(answer.URL, "/") + "/"}
	b.workspace.Store(&w)
	return w, nil
}

// refuseOutsiders refuses people of other organisations, who see our messages in shared
// channels. If Slack doesn't tell who we are, nobody is refused: our own people must be
// able to act.
func (b *Bot) refuseOutsiders(ctx context.Context, u slack.User) error {
	if u.TeamID == "" {
		return nil
	}
	ours, err := b.ourWorkspace(ctx)
	if err != nil {
		b.log.Warn().Err(err).Msg("a click is not held against the workspace it comes from")
		return nil
	}
	if u.TeamID == ours.team || ours.enterprise != "" && b.enterprise(ctx, u.ID) == ours.enterprise {
		return nil
	}
	return oncall.Refuse("Only people of the workspace that runs Watchbill can do this, and nothing was changed.")
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
	return ours.url + "archives/" + at.Channel + "/p" + strings.ReplaceAll(at.TS, ".", "")
}
