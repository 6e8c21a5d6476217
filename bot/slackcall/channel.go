package slackcall

import (
	"context"

	"github.com/slack-go/slack"
)

// CreateChannel creates a channel and returns its id. After an Unknown outcome it may exist; NameTaken recognises the
// error of another attempt.
func (c *Client) CreateChannel(ctx context.Context, name string, private bool) (id string, err error) {
	err = c.do(ctx, call{method: "conversations.create"}, func(ctx context.Context) error {
		made, err := c.api.CreateConversationContext(ctx, slack.CreateConversationParams{ChannelName: name, IsPrivate: private})
		switch {
		case err != nil:
			return err
		case made == nil || made.ID == "":
			return errNoAnswer
		}
		id = made.ID
		return nil
	})
	return id, err
}

// NameTaken reports whether a channel was not created because another one has its name.
func NameTaken(err error) bool { return CodeOf(err) == "name_taken" }

// Invite adds a person to a channel. It is no error if they are there already.
func (c *Client) Invite(ctx context.Context, channel, user string) error {
	err := c.do(ctx, call{method: "conversations.invite"}, func(ctx context.Context) error {
		_, err := c.api.InviteUsersToConversationContext(ctx, channel, user)
		return err
	})
	if CodeOf(err) == "already_in_channel" {
		return nil
	}
	return err
}

// Archive archives a channel. It is no error if it is archived or gone.
func (c *Client) Archive(ctx context.Context, channel string) error {
	err := c.do(ctx, call{method: "conversations.archive"}, func(ctx context.Context) error {
		return c.api.ArchiveConversationContext(ctx, channel)
	})
	if code := CodeOf(err); code == "already_archived" || code == channelNotFound {
		return nil
	}
	return err
}

// Bookmarks returns the addresses that a channel has bookmarks of.
func (c *Client) Bookmarks(ctx context.Context, channel string) (links []string, err error) {
	err = c.do(ctx, call{method: "bookmarks.list"}, func(ctx context.Context) error {
		found, err := c.api.ListBookmarksContext(ctx, channel)
		for _, b := range found {
			links = append(links, b.Link)
		}
		return err
	})
	return links, err
}

// AddBookmark adds a bookmark to a channel.
func (c *Client) AddBookmark(ctx context.Context, channel, title, link string) error {
	return c.do(ctx, call{method: "bookmarks.add"}, func(ctx context.Context) error {
		_, err := c.api.AddBookmarkContext(ctx, channel, slack.AddBookmarkParameters{Title: title, Type: "link", Link: link})
		return err
	})
}
