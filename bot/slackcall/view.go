package slackcall

import (
	"context"
	"slices"

	"github.com/slack-go/slack"
)

// OpenView opens a modal for a person who has just typed a command or pressed a button.
func (c *Client) OpenView(ctx context.Context, trigger string, v slack.ModalViewRequest) error {
	return c.do(ctx, call{method: "views.open"}, func(ctx context.Context) error {
		_, err := c.api.OpenViewContext(ctx, trigger, v)
		return err
	})
}

// PushView opens a modal on top of the one in which a button was pressed.
func (c *Client) PushView(ctx context.Context, trigger string, v slack.ModalViewRequest) error {
	return c.do(ctx, call{method: "views.push"}, func(ctx context.Context) error {
		_, err := c.api.PushViewContext(ctx, trigger, v)
		return err
	})
}

// UpdateView redraws an open view, unless the view has changed since the person's action.
func (c *Client) UpdateView(ctx context.Context, old slack.View, v slack.ModalViewRequest) error {
	return c.do(ctx, call{method: "views.update"}, func(ctx context.Context) error {
		_, err := c.api.UpdateViewContext(ctx, v, "", old.Hash, old.ID)
		return err
	})
}

// PublishHome draws a person's home tab.
func (c *Client) PublishHome(ctx context.Context, user string, v slack.HomeTabViewRequest) error {
	return c.do(ctx, call{method: "views.publish"}, func(ctx context.Context) error {
		_, err := c.api.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: user, View: v})
		return err
	})
}

// TooLate reports whether a view could not be shown because the person's click was too long ago, or the view has
// changed.
func TooLate(err error) bool {
	return slices.Contains([]string{"expired_trigger_id", "exchanged_trigger_id", "hash_conflict", "not_found"}, CodeOf(err))
}
