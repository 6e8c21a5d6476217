package slackcall

import (
	"context"

	"github.com/slack-go/slack"
)

// Auth returns the bot's user and workspace.
func (c *Client) Auth(ctx context.Context) (*slack.AuthTestResponse, error) {
	return c.auth(ctx, c.api)
}

// TryUserToken makes a call with the user token, to check that the token works.
func (c *Client) TryUserToken(ctx context.Context) error {
	_, err := c.auth(ctx, c.groups)
	return err
}

// HasUserToken reports whether user groups are changed with a separate token.
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

// User returns Slack's profile of a person or bot. If there is none, NoUser recognises the error.
func (c *Client) User(ctx context.Context, id string, p Priority) (u *slack.User, err error) {
	err = c.do(ctx, call{method: "users.info", priority: p}, func(ctx context.Context) (err error) {
		u, err = c.api.GetUserInfoContext(ctx, id)
		return orNoAnswer(u, err)
	})
	return u, err
}

// orNoAnswer returns err, or an error for an answer that names no user.
func orNoAnswer(u *slack.User, err error) error {
	if err == nil && u.ID == "" {
		return errNoAnswer
	}
	return err
}

// Users returns the people of the workspace, including those who left. Of a large workspace it returns only the first
// two thousand.
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

// UserByEmail returns the person with a mail address. If there is none, NoUser recognises the error.
func (c *Client) UserByEmail(ctx context.Context, email string) (u *slack.User, err error) {
	err = c.do(ctx, call{method: "users.lookupByEmail"}, func(ctx context.Context) (err error) {
		u, err = c.api.GetUserByEmailContext(ctx, email)
		return orNoAnswer(u, err)
	})
	return u, err
}

// Groups returns every user group with its members, disabled groups included.
func (c *Client) Groups(ctx context.Context) (groups []slack.UserGroup, err error) {
	err = c.do(ctx, call{method: "usergroups.list"}, func(ctx context.Context) (err error) {
		groups, err = c.api.GetUserGroupsContext(ctx, slack.GetUserGroupsOptionIncludeUsers(true), slack.GetUserGroupsOptionIncludeDisabled(true))
		return err
	})
	return groups, err
}

// SetGroup sets the members of a user group.
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
