package bot

import (
	"context"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

var oneAction = incidentCommand("action", "12 @bo fix the alert", (*Bot).actionCommand)

// actionsCommand answers `/oncall actions` with the person's own action items, `/oncall actions @bo`
// with Bo's, and `/oncall actions payments` with those from a team's incidents. With a number or text
// it works like `/oncall action`.
func (b *Bot) actionsCommand(ctx context.Context, r request) (view.Drawing, error) {
	words := r.words
	for len(words) > 1 && oneOf(words, 0, "of", "for", "by", "from", "list", "show", "open", "team") {
		words = words[1:]
	}
	if len(words) == 0 || len(words) == 1 && oneOf(words, 0, "mine", "my", "me", "list", "open") {
		return b.ownActions(ctx, r)
	}
	f, known, err := b.readActionFilter(ctx, r, words)
	switch {
	case err != nil:
		return view.Drawing{}, err
	case !known:
		return oneAction.run(b, ctx, r)
	case f.User == r.user.ID:
		return b.ownActions(ctx, r)
	}
	found, more, err := b.store.OpenReviewActions(ctx, r.by(), f)
	if err != nil {
		return view.Drawing{}, err
	}
	team, _ := r.directory.Team(f.Team)
	return view.OpenActions(found, more, f.User, team.Name, r.directory.Users), nil
}

func (b *Bot) ownActions(ctx context.Context, r request) (view.Drawing, error) {
	mine, err := b.store.OwnReviewActions(ctx, r.by())
	if err != nil {
		return view.Drawing{}, err
	}
	return view.OwnActions(mine, r.location), nil
}

// readActionFilter parses whose actions are wanted: a team's, a person's, or everybody's. It reports
// false if the words mean something else.
func (b *Bot) readActionFilter(ctx context.Context, r request, words []string) (store.ReviewActionFilter, bool, error) {
	f := store.ReviewActionFilter{Limit: store.MostListed}
	if len(words) == 1 && oneOf(words, 0, "all", "everybody", "everyone", "everything") {
		return f, true, nil
	}
	var q incidentSearch
	if r.takeTeam(words, &q) == len(words) {
		f.Team = q.team.ID
		return f, true, nil
	}
	whose := slices.Clone(words)
	last := len(whose) - 1
	for _, end := range []string{"'s", "\u2019s"} {
		whose[last] = strings.TrimSuffix(whose[last], end)
	}
	user, n, err := b.findPerson(ctx, r, whose)
	f.User = user
	return f, err == nil && n == len(whose) && user != oncall.UserID(""), err
}
