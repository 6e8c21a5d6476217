package slackcall

import (
	"context"

	"github.com/slack-go/slack"
)

// Auth returns who the bot is and in which workspace.
func (c *Client) Auth(ctx context.Context) (*slack.AuthTestResponse, error) {
	return c.auth(ctx, c.api)
}

// TryUserToken makes a call with the user token, to see whether it is good.
func (c *Client) TryUserToken(ctx context.Context) error {
	_, err := c.auth(ctx, c.groups)
	return err
}

// HasUserToken reports whether user groups are changed with a token of their own.
func (c *Client) HasUserToken() bool { return c.groups != c.api }

func (c *Client) auth(ctx context.Context, api *slack.Client) (answer *slack.AuthTestResponse, err error) {
	err = c.do(ctx, call{method: "auth.test"}, func(ctx context.Context) (err error) {
		answer, err = api.AuthTestContext(ctx)
		if err == nil && (answer.TeamID == "") {
			return errNoAnswer
		}
		return err
	})
	return answer, err
}

// User returns what Slack knows of a person or bot. NoUser tells that there is none.
func (c *Client) User(ctx context.Context, id string, p Priority) (u *slack.User, err error) {
	err = c.do(ctx, call{method: "users.info", priority: p}, func(ctx context.Context) (err error) {
		u, err = c.api.GetUserInfoContext(ctx, id)
		return orNoAnswer(u, err)
	})
	return u, err
}

// orNoAnswer is err, or says that an answer names nobody.
func orNoAnswer(u *slack.User, err error) error {
	if err == nil && u.ID == "" {
		return errNoAnswer
	}
	return err
}

// Users returns the people of the workspace, also who has left, but of a large one only the first two
// thousand.
func (c *Client) Users(ctx context.Context) (all []slack.User, err error) {
	page := c.api.GetUsersPaginated(slack.GetUsersOptionLimit(perList))
	for range maxPages {
		err := c.do(ctx, call{method: "users.list"}, func(ctx context.Context) (err error) {
			page, err = page.Next(ctx)
			return page.Failure(err)
		})
		if err != nil {
			return nil, err
		}
		if all = append(all, page.Users...); page.Cursor == "" {
			break
		}
	}
	return all, nil
}

// UserByEmail returns the person with an address. NoUser tells that there is none.
func (c *Client) UserByEmail(ctx context.Context, email string) (u *slack.User, err error) {
	err = c.do(ctx, call{method: "users.lookupByEmail"}, func(ctx context.Context) (err error) {
		u, err = c.api.GetUserByEmailContext(ctx, email)
		return orNoAnswer(u, err)
	})
	return u, err
}

// Groups returns every user group with its members, also the disabled ones.
func (c *Client) Groups(ctx context.Context) (groups []slack.UserGroup, err error) {
	err = c.do(ctx, call{method: "usergroups.list"}, func(ctx context.Context) (err error) {
		groups, err = c.api.GetUserGroupsContext(ctx, slack.GetUserGroupsOptionIncludeUsers(true), slack.GetUserGroupsOptionIncludeDisabled(true))
		return err
	})
	return groups, err
}

// SetGroup makes these people a user group's members.
func (c *Client) SetGroup(ctx context.Context, id string, users []string) error {
	return c.do(ctx, call{method: "usergroups.users.update"}, func(ctx context.Context) error {
		_, err := c.groups.UpdateUserGroupMembersListContext(ctx, id, users)
		return err
	})
}

// EnableGroup enables or disables a user group.
func (c *Client) EnableGroup(ctx context.Context, id string, enabled bool) error {
	method := "usergroups.disable"
	if enabled {
		method = "usergroups.enable"
	}
	return c.do(ctx, call{method: method}, func(ctx context.Context) (err error) {
		if enabled {
			_, err = c.groups.EnableUserGroupContext(ctx, id)
		} else {
			_, err = c.groups.DisableUserGroupContext(ctx, id)
		}
		return err
	})
}
