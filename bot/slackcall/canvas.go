package slackcall

import (
	"context"

	"github.com/slack-go/slack"
)

// CreateCanvas creates a canvas of its own, which only the bot sees, and returns its id. Free plans and some workspaces
// have none: Refused reports that.
func (c *Client) CreateCanvas(ctx context.Context, title, markdown string) (id string, err error) {
	err = c.do(ctx, call{method: "canvases.create"}, func(ctx context.Context) error {
		id, err = c.api.CreateCanvasContext(ctx, title, slack.DocumentContent{Type: "markdown", Markdown: markdown})
		if err == nil && id == "" {
			return errNoAnswer
		}
		return err
	})
	return id, err
}

// ShareCanvas lets the members of a channel edit a canvas.
func (c *Client) ShareCanvas(ctx context.Context, id, channel string) error {
	return c.do(ctx, call{method: "canvases.access.set"}, func(ctx context.Context) error {
		return c.api.SetCanvasAccessContext(ctx, slack.SetCanvasAccessParams{CanvasID: id, AccessLevel: "write", ChannelIDs: []string{channel}})
	})
}
