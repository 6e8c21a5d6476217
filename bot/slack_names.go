package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

// CheckNames looks up in Slack everything that a set-up names there. It returns a fault for each name that is
// wrong, and a note for what could not be looked up, together with the channels and people that were found.
func (b *Bot) CheckNames(ctx context.Context, n setup.SlackNames) (faults []setup.SlackFault, found []oncall.NamedChannel, known []oncall.User) {
	unseen := func(what string, err error) {
		reason := err.Error()
		if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
			reason = refusal.Error()
		}
		faults = append(faults, setup.SlackFault{
			Where: "slack", What: what + " could not be looked up", Remedy: reason, Note: true,
		})
	}
	if len(n.Channels) > 0 {
		channels, err := b.Channels(ctx)
		if err != nil {
			unseen("channels", err)
		} else {
			faults = append(faults, setup.CheckChannels(n.Channels, channels)...)
			for _, name := range n.Channels {
				c, ok := oncall.LookUpChannel(name.Named, name.Before, channels)
				if ok && (name.Secret || !oncall.IsChannelID(name.Named)) {
					found = append(found, oncall.NamedChannel{Named: name.Named, SlackChannel: c})
				}
			}
		}
	}
	if len(n.People) > 0 {
		people, seen, err := b.peopleNamed(ctx, n.People)
		if err != nil {
			unseen("some people", err)
		}
		for _, p := range people {
			if slices.ContainsFunc(n.People, func(n setup.SlackName) bool { return n.Named == string(p.ID) }) && !p.Bot {
				known = append(known, p.User)
			}
		}
		faults = append(faults, setup.CheckPeople(seen, people)...)
	}
	if len(n.Groups) > 0 {
		groups, err := b.Groups(ctx)
		if err != nil {
			unseen("user groups", err)
		} else {
			faults = append(faults, setup.CheckGroups(n.Groups, groups)...)
		}
	}
	return faults, found, known
}

// peopleNamed returns the people that Slack knows, and the names that were looked up before an error.
func (b *Bot) peopleNamed(ctx context.Context, named []setup.SlackName) (all []setup.SlackPerson, seen []setup.SlackName, err error) {
	if b.workspace.Load() == nil {
		ours, err := b.fetchWorkspace(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("look up the workspace: %w", err)
		}
		b.workspace.Store(&ours)
	}
	users, err := b.slack.Users(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("list people: %w", err)
	}
	for i := range users {
		all = append(all, b.slackPerson(&users[i]))
	}
	for _, n := range named {
		if !slices.ContainsFunc(all, func(p setup.SlackPerson) bool { return string(p.ID) == n.Named }) {
			u, err := b.slack.User(ctx, n.Named, slackcall.ForRest)
			switch {
			case slackcall.NoUser(err):
			case err != nil:
				return all, seen, fmt.Errorf("look up %s: %w", n.Named, err)
			default:
				all = append(all, b.slackPerson(u))
			}
		}
		seen = append(seen, n)
	}
	return all, seen, nil
}

func (b *Bot) slackPerson(u *slack.User) setup.SlackPerson {
	return setup.SlackPerson{User: b.person(u), Bot: u.IsBot || u.ID == slackbot}
}
