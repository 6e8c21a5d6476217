package bot

import (
	"context"
	"fmt"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/oncall"
)

// Groups returns every user group with its members, including disabled groups.
func (b *Bot) Groups(ctx context.Context) ([]oncall.SlackGroup, error) {
	found, err := b.slack.Groups(ctx)
	if err != nil {
		return nil, fmt.Errorf("list user groups: %w", groupRefusal(err))
	}
	groups := make([]oncall.SlackGroup, len(found))
	for i, g := range found {
		groups[i] = oncall.SlackGroup{ID: g.ID, Handle: g.Handle, Disabled: g.DateDelete != 0}
		for _, u := range g.Users {
			groups[i].Users = append(groups[i].Users, oncall.UserID(u))
		}
	}
	return groups, nil
}

// SetGroup sets a group's members, and returns those that Slack refuses.
func (b *Bot) SetGroup(ctx context.Context, id string, users []oncall.UserID) (refused []oncall.UserID, err error) {
	for len(users) > 0 {
		ids := make([]string, len(users))
		for i, u := range users {
			ids[i] = string(u)
		}
		err := b.slack.SetGroup(ctx, id, ids)
		if err == nil {
			return refused, nil
		}
		if code := slackcall.CodeOf(err); code != "invalid_users" && code != "failed_for_some_users" {
			return nil, fmt.Errorf("set user group %s: %w", id, groupRefusal(err))
		}
		// Slack doesn't report whom it refuses.
		var good, bad []oncall.UserID
		for _, u := range users {
			fit, err := b.fitsGroup(ctx, u)
			if err != nil {
				return nil, fmt.Errorf("set user group %s: %w", id, err)
			}
			if fit {
				good = append(good, u)
			} else {
				bad = append(bad, u)
			}
		}
		if len(bad) == 0 {
			return nil, fmt.Errorf("set user group %s: %w", id, err)
		}
		users, refused = good, append(refused, bad...)
	}
	return refused, nil
}

// fitsGroup asks Slack whether a person can be in a user group.
func (b *Bot) fitsGroup(ctx context.Context, id oncall.UserID) (bool, error) {
	u, err := b.slack.User(ctx, string(id), slackcall.ForRest)
	if err != nil {
		if slackcall.NoUser(err) {
			err = nil
		}
		return false, err
	}
	return !u.Deleted && !u.IsBot && !u.IsRestricted && !u.IsUltraRestricted, nil
}

// EnableGroup enables or disables a group.
func (b *Bot) EnableGroup(ctx context.Context, id string, enabled bool) error {
	if err := b.slack.EnableGroup(ctx, id, enabled); err != nil {
		return fmt.Errorf("switch user group %s: %w", id, groupRefusal(err))
	}
	return nil
}

// groupRefusal turns an error that an admin of the workspace can fix into a Refusal.
func groupRefusal(err error) error {
	switch slackcall.CodeOf(err) {
	case "paid_teams_only", "plan_upgrade_required":
		return oncall.Refuse("User groups can't follow who is on call: Slack has them on paid plans only. Take user_groups out of the set-up, or upgrade.")
	case "permission_denied":
		return oncall.Refuse("User groups can't follow who is on call: this workspace doesn't let apps change them. An owner can allow it " +
			"(Settings & permissions, User groups: everyone), or give Watchbill an admin's token as SLACK_USER_TOKEN.")
	case "missing_scope":
		return oncall.Refuse("User groups can't follow who is on call: the Slack app lacks the scopes usergroups:read and usergroups:write. " +
			"Add them under OAuth & Permissions and reinstall the app.")
	}
	return err
}
