package bot

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// slackbot is the only bot that Slack doesn't mark as one.
const slackbot = "USLACKBOT"

// UserByEmail finds the person to whom Slack knows an address. The error is
// oncall.ErrNotFound if there is none.
func (b *Bot) UserByEmail(ctx context.Context, email string) (oncall.User, error) {
	u, err := b.slack.UserByEmail(ctx, email)
	switch {
	case slackcall.NoUser(err):
		return oncall.User{}, fmt.Errorf("look up %s in Slack: %w", email, oncall.ErrNotFound)
	case err != nil:
		return oncall.User{}, fmt.Errorf("look up %s in Slack: %w", email, err)
	}
	return b.person(u), nil
}

// Meet looks up in Slack who has an address, and saves what Slack says of them. Nobody there is oncall.ErrNotFound; a bot
// is a Refusal.
func (b *Bot) Meet(ctx context.Context, email string) error {
	if _, err := b.ourWorkspace(ctx); err != nil { // without it nobody could be told from a stranger
		return err
	}
	asking, cancel := context.WithTimeout(ctx, learnTimeout)
	defer cancel()
	found, err := b.slack.UserByEmail(asking, email)
	switch {
	case slackcall.NoUser(err):
		return oncall.ErrNotFound
	case err != nil:
		return fmt.Errorf("look up in Slack who signs in: %w", err)
	}
	_, err = b.saveFound(ctx, found)
	return err
}

// person is what Watchbill keeps of a Slack user.
func (b *Bot) person(u *slack.User) oncall.User {
	p := oncall.User{
		ID: oncall.UserID(u.ID), Name: u.RealName, Email: u.Profile.Email, TimeZone: u.TZ,
		Standing: b.standing(u), Owner: u.IsOwner || u.IsPrimaryOwner,
	}
	if p.Name == "" {
		p.Name = u.Name
	}
	if u.Deleted {
		now := b.clock()
		p.DeactivatedAt = &now
	}
	return p
}

// standing is what somebody is in our workspace.
func (b *Bot) standing(u *slack.User) oncall.Standing {
	ours := b.workspace.Load()
	switch {
	case u.IsStranger:
		return oncall.Stranger
	case ours == nil && u.TeamID != "":
		return oncall.UnknownStanding
	case ours != nil && u.TeamID != "" && u.TeamID != ours.Team && (ours.Enterprise == "" || u.Enterprise.EnterpriseID != ours.Enterprise):
		return oncall.Stranger
	case u.IsRestricted || u.IsUltraRestricted:
		return oncall.GuestMember
	}
	return oncall.FullMember
}

// user returns a person, from Slack if the store doesn't know what they are in the workspace, or did not
// lately where they may do little. While Slack doesn't answer, what is stored counts. For a bot the error
// is a Refusal.
func (b *Bot) user(ctx context.Context, id oncall.UserID) (oncall.User, error) {
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	if err != nil {
		return oncall.User{}, fmt.Errorf("load the directory: %w", err)
	}
	known, is := directory.Users[id]
	known.ID = id
	sure := is && known.TimeZone != "" && known.Standing != oncall.UnknownStanding
	switch {
	case sure && known.Standing == oncall.FullMember && known.DeactivatedAt == nil:
		return known, nil
	case !b.learner.may(b.clock()), sure && !b.learner.again(id, b.clock()):
		return known, nil
	}
	if _, err := b.ourWorkspace(ctx); err != nil {
		b.log.Warn().Err(err).Msg("which workspace somebody comes from can't be held against ours")
		if !b.learner.may(b.clock()) {
			return known, nil
		}
	}
	asking, cancel := context.WithTimeout(ctx, learnTimeout)
	defer cancel()
	found, err := b.slack.User(asking, string(id), slackcall.ForAnswer)
	switch {
	case slackcall.NoUser(err):
		return oncall.User{}, oncall.Refuse("There is nobody with the Slack id %s in this workspace.", view.Name(string(id)))
	case err != nil:
		b.learner.failed(b.clock())
		b.log.Warn().Err(err).Str("user", string(id)).Msg("somebody can't be looked up; going by what is known of them")
		return known, nil
	}
	return b.saveFound(ctx, found)
}

// saveFound saves what Slack says of a person. For a bot the error is a Refusal.
func (b *Bot) saveFound(ctx context.Context, found *slack.User) (oncall.User, error) {
	id := oncall.UserID(found.ID)
	if found.IsBot || id == slackbot {
		return oncall.User{}, oncall.Refuse("%s is a bot and can't be on call.", id)
	}
	u := b.person(found)
	if err := b.store.SaveUser(ctx, u, b.clock()); err != nil {
		return oncall.User{}, fmt.Errorf("save user %s: %w", id, err)
	}
	return u, nil
}

const (
	// learnAtOnce is how many people are looked up in one go.
	learnAtOnce = 20
	// learnDaily is how often each of them is, for an event of Slack's may be missed.
	learnDaily = 24 * time.Hour
)

// LearnPeople asks Slack again what those are in the workspace whom the set-up names, a few at a time.
// Nothing pages people of other organisations. Those of whom it has never told, learnUnknowns looks up.
func (b *Bot) LearnPeople(ctx context.Context) error {
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	if err != nil {
		return fmt.Errorf("load the directory: %w", err)
	}
	if !b.learner.may(b.clock()) {
		return nil
	}
	if _, err := b.ourWorkspace(ctx); err != nil || b.workspace.Load() == nil {
		return err
	}
	known := slices.DeleteFunc(directory.PeopleNamed(), func(id oncall.UserID) bool {
		return directory.Users[id].Standing == oncall.UnknownStanding
	})
	for _, id := range b.learner.due(known, b.clock()) {
		found, err := b.slack.User(ctx, string(id), slackcall.ForRest)
		switch {
		case slackcall.NoUser(err):
			continue // doctor says so
		case err != nil:
			b.learner.failed(b.clock())
			return fmt.Errorf("look up %s: %w", id, err)
		case found.IsBot:
			continue
		}
		if err := b.store.SaveStanding(ctx, b.person(found), b.clock()); err != nil {
			return fmt.Errorf("keep what %s is: %w", id, err)
		}
	}
	return nil
}

// userChanged saves what Slack tells about a person, unless it is known already: Slack
// also tells of every new status message.
func (b *Bot) userChanged(ctx context.Context, changed *slack.User) error {
	if changed.IsBot || changed.ID == slackbot {
		return nil
	}
	u := b.person(changed)
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	if err != nil {
		return fmt.Errorf("load the directory: %w", err)
	}
	old, known := directory.Users[u.ID]
	if u.Standing == oncall.UnknownStanding {
		u.Standing = old.Standing
	}
	u.InTeam = old.InTeam // Slack knows nothing of it
	if known && (old.DeactivatedAt == nil) == (u.DeactivatedAt == nil) {
		u.DeactivatedAt = old.DeactivatedAt
		if u == old {
			return nil
		}
	}
	if err := b.store.SaveUser(ctx, u, b.clock()); err != nil {
		return fmt.Errorf("save user %s: %w", u.ID, err)
	}
	return nil
}

// zoneOf returns the zone in which a person reads times.
func zoneOf(u oncall.User) (*schedule.Zone, *time.Location) {
	zone, err := schedule.LoadZone(u.TimeZone)
	if err == nil {
		if location, err := time.LoadLocation(u.TimeZone); err == nil {
			return zone, location
		}
	}
	zone, _ = schedule.LoadZone("UTC") // always there
	return zone, time.UTC
}
