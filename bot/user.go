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

// UserByEmail looks up a person by e-mail address. The error is oncall.ErrNotFound if there is none.
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

// AddUserByEmail looks up a person by their e-mail address in Slack, and saves them. The error is oncall.ErrNotFound if there is
// none; for a bot it is a Refusal.
func (b *Bot) AddUserByEmail(ctx context.Context, email string) error {
	if _, err := b.ourWorkspace(ctx); err != nil { // without it nobody could be told from a stranger
		return err
	}
	asking, cancel := context.WithTimeout(ctx, lookupTimeout)
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

// person converts a Slack user.
func (b *Bot) person(u *slack.User) oncall.User {
	user := oncall.User{
		ID: oncall.UserID(u.ID), Name: u.RealName, Email: u.Profile.Email, TimeZone: u.TZ,
		Standing: b.standing(u), Owner: u.IsOwner || u.IsPrimaryOwner,
	}
	if user.Name == "" {
		user.Name = u.Name
	}
	if u.Deleted {
		now := b.clock()
		user.DeactivatedAt = &now
	}
	return user
}

// standing returns a user's standing in our workspace.
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

// user returns a person. It asks Slack if the person's standing in the workspace is unknown, or gives them few
// rights and wasn't checked lately. Until Slack answers, the stored data counts. For a bot the error is a
// Refusal.
func (b *Bot) user(ctx context.Context, id oncall.UserID) (oncall.User, error) {
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	if err != nil {
		return oncall.User{}, fmt.Errorf("load the directory: %w", err)
	}
	known, ok := directory.Users[id]
	known.ID = id
	sure := ok && known.TimeZone != "" && known.Standing != oncall.UnknownStanding
	switch {
	case sure && known.Standing == oncall.FullMember && known.DeactivatedAt == nil:
		return known, nil
	case !b.lookups.allowed(b.clock()), sure && !b.lookups.recheck(id, b.clock()):
		return known, nil
	}
	if _, err := b.ourWorkspace(ctx); err != nil {
		b.log.Warn().Err(err).Msg("could not compare a user's workspace with ours")
		if !b.lookups.allowed(b.clock()) {
			return known, nil
		}
	}
	asking, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	found, err := b.slack.User(asking, string(id), slackcall.ForAnswer)
	switch {
	case slackcall.NoUser(err):
		return oncall.User{}, oncall.Refuse("There is nobody with the Slack id %s in this workspace.", view.Name(string(id)))
	case err != nil:
		b.lookups.failed(b.clock())
		b.log.Warn().Err(err).Str("user", string(id)).Msg("could not look up a user; using the stored data")
		return known, nil
	}
	return b.saveFound(ctx, found)
}

// saveFound saves a user returned by Slack. For a bot the error is a Refusal.
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
	// maxLookups is the maximum number of people looked up in one go.
	maxLookups = 20
	// refreshAfter is the interval at which each person is looked up again, because an event of Slack's may be
	// missed.
	refreshAfter = 24 * time.Hour
)

// RefreshUsers looks up the people named in the set-up again, a few at a time, so that nobody from another
// organisation is paged. People without a standing are left to backfillUsers.
func (b *Bot) RefreshUsers(ctx context.Context) error {
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	if err != nil {
		return fmt.Errorf("load the directory: %w", err)
	}
	if !b.lookups.allowed(b.clock()) {
		return nil
	}
	if _, err := b.ourWorkspace(ctx); err != nil || b.workspace.Load() == nil {
		return err
	}
	known := slices.DeleteFunc(directory.PeopleNamed(), func(id oncall.UserID) bool {
		return directory.Users[id].Standing == oncall.UnknownStanding
	})
	for _, id := range b.lookups.due(known, b.clock()) {
		found, err := b.slack.User(ctx, string(id), slackcall.ForRest)
		switch {
		case slackcall.NoUser(err):
			continue // doctor reports it
		case err != nil:
			b.lookups.failed(b.clock())
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

// userChanged saves a changed user, unless nothing stored has changed: Slack also sends an event for every new
// status message.
func (b *Bot) userChanged(ctx context.Context, changed *slack.User) error {
	if changed.IsBot || changed.ID == slackbot {
		return nil
	}
	user := b.person(changed)
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	if err != nil {
		return fmt.Errorf("load the directory: %w", err)
	}
	old, known := directory.Users[user.ID]
	if user.Standing == oncall.UnknownStanding {
		user.Standing = old.Standing
	}
	user.InTeam = old.InTeam // Slack doesn't know it
	if known && (old.DeactivatedAt == nil) == (user.DeactivatedAt == nil) {
		user.DeactivatedAt = old.DeactivatedAt
		if user == old {
			return nil
		}
	}
	if err := b.store.SaveUser(ctx, user, b.clock()); err != nil {
		return fmt.Errorf("save user %s: %w", user.ID, err)
	}
	return nil
}

// zoneOf returns the time zone of a person.
func zoneOf(u oncall.User) (*schedule.Zone, *time.Location) {
	zone, err := schedule.LoadZone(u.TimeZone)
	if err == nil {
		if location, err := time.LoadLocation(u.TimeZone); err == nil {
			return zone, location
		}
	}
	zone, _ = schedule.LoadZone("UTC") // always available
	return zone, time.UTC
}
