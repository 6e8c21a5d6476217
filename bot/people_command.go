package bot

import (
	"context"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// teams answers `/oncall teams [name]`.
func (b *Bot) teams(_ context.Context, r request) (string, error) {
	teams := r.directory.Teams
	if name := unescape(strings.Join(r.words, " ")); name != "" {
		teams = slices.DeleteFunc(slices.Clone(teams), func(t oncall.Team) bool { return !strings.EqualFold(t.Name, name) })
		if len(teams) == 0 {
			return "", unknownName(r.directory, name, "team")
		}
	}
	if len(teams) == 0 && r.directory.Hides {
		return "There are no teams" + r.noneVisible() + ".", nil
	}
	return view.Teams(teams, r.directory.Members, r.directory.Schedules), nil
}

// people answers `/oncall users [name]`.
func (b *Bot) people(ctx context.Context, r request) (string, error) {
	if len(r.words) == 0 {
		return view.People(r.directory.Users), nil
	}
	id, n, err := b.findPerson(ctx, r, r.words)
	switch {
	case err != nil:
		return "", err
	case n != len(r.words):
		return "", r.nobody(strings.Join(r.words, " "), "/oncall users ann")
	}
	return b.whoIs(ctx, r, id, nil)
}
