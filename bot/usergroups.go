package bot

import (
	"context"
	"errors"
	"fmt"
	"html"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// Groups returns every user group with its members, also the disabled ones.
func (b *Bot) Groups(ctx context.Context) ([]oncall.SlackGroup, error) {
	var found []slack.UserGroup
	err := b.call(ctx, call{method: "usergroups.list", priority: forRest}, func(ctx context.Context) error {
		var err error
		found, err = b.api.GetUserGroupsContext(ctx, slack.GetUserGroupsOptionIncludeUsers(true), slack.GetUserGroupsOptionIncludeDisabled(true))
		return err
	})
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

// SetGroup makes these people a group's members, but for those whom Slack refuses, which it
// returns.
func (b *Bot) SetGroup(ctx context.Context, id string, users []oncall.UserID) (refused []oncall.UserID, err error) {
	for len(users) > 0 {
		err := b.writeGroup(ctx, id, users)
		if err == nil {
			return refused, nil
		}
		if code := codeOf(err); code != "invalid_users" && code != "failed_for_some_users" {
			return nil, fmt.Errorf("set user group %s: %w", id, groupRefusal(err))
		}
		// Slack doesn't say whom it means.
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

func (b *Bot) writeGroup(ctx context.Context, id string, users []oncall.UserID) error {
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = string(u)
	}
	return b.call(ctx, call{method: "usergroups.users.update", priority: forRest}, func(ctx context.Context) error {
		_, err := b.groups.UpdateUserGroupMembersListContext(ctx, id, ids)
		return err
	})
}

// fitsGroup asks Slack whether somebody can be in a user group.
func (b *Bot) fitsGroup(ctx context.Context, id oncall.UserID) (bool, error) {
	var u *slack.User
	err := b.call(ctx, call{method: "users.info", priority: forRest}, func(ctx context.Context) error {
		var err error
		u, err = b.api.GetUserInfoContext(ctx, string(id))
		return err
	})
	switch {
	case codeOf(err) == "user_not_found" || codeOf(err) == "user_not_visible":
		return false, nil
	case err != nil:
		return false, err
	}
	return !u.Deleted && !u.IsBot && !u.IsRestricted && !u.IsUltraRestricted, nil
}

// EnableGroup enables or disables a group.
func (b *Bot) EnableGroup(ctx context.Context, id string, enabled bool) error {
	method := "usergroups.disable"
	if enabled {
		method = "usergroups.enable"
	}
	err := b.call(ctx, call{method: method, priority: forRest}, func(ctx context.Context) (err error) {
		if enabled {
			_, err = b.groups.EnableUserGroupContext(ctx, id)
		} else {
			_, err = b.groups.DisableUserGroupContext(ctx, id)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, id, groupRefusal(err))
	}
	return nil
}

// groupRefusal says of an error what an admin of the workspace can do about it, if anything.
func groupRefusal(err error) error {
	switch codeOf(err) {
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

// SetTopic puts a segment into a channel's topic, if it isn't there yet. What people have
// written around it stays.
func (b *Bot) SetTopic(ctx context.Context, channel, segment string) error {
	id, err := b.channelID(ctx, channel)
	if err != nil {
		return fmt.Errorf("set the topic of %s: %w", channel, topicRefusal(err))
	}
	var found *slack.Channel
	err = b.call(ctx, call{method: "conversations.info", priority: forRest}, func(ctx context.Context) (err error) {
		found, err = b.api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
		return err
	})
	if err != nil {
		return fmt.Errorf("read the topic of %s: %w", channel, topicRefusal(err))
	}
	old := html.UnescapeString(found.Topic.Value)
	topic := oncall.SetTopicSegment(old, segment)
	if topic == old {
		return nil
	}
	err = b.writeTopic(ctx, id, topic)
	if codeOf(err) == "not_in_channel" {
		if err = b.join(ctx, id); err == nil {
			err = b.writeTopic(ctx, id, topic)
		}
	}
	if err != nil {
		return fmt.Errorf("set the topic of %s: %w", channel, topicRefusal(err))
	}
	return nil
}

func (b *Bot) writeTopic(ctx context.Context, id, topic string) error {
	return b.call(ctx, call{method: "conversations.setTopic", priority: forRest}, func(ctx context.Context) error {
		_, err := b.api.SetTopicOfConversationContext(ctx, id, topic)
		return err
	})
}

// topicRefusal turns what trying again won't mend into a Refusal.
func topicRefusal(err error) error {
	if o := became(err); o != rejected && o != misconfigured {
		return err
	}
	if e, ok := errors.AsType[*apiError](err); ok && e.needed != "" {
		return oncall.Refuse("The Slack app lacks the scope %s.", strings.ReplaceAll(e.needed, ",", " or "))
	}
	return oncall.Refuse("Slack refuses it: %s.", codeOf(err))
}

// drawTrouble tells an admin what is wrong with a user group.
func drawTrouble(n oncall.Notice) drawing {
	text := ":warning: " + strings.Join(n.Facts.Lines, "\n")
	return drawing{text: text, blocks: []slack.Block{section(text)}}
}
