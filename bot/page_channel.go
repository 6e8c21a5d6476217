package bot

import (
	"context"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/notify"
)

// Channels pages a Slack channel that a policy step targets, by posting the incident there with its
// buttons. These messages are redrawn like the incident's other messages.
type Channels struct{ Bot *Bot }

// Send posts the incident in the channel.
func (c Channels) Send(ctx context.Context, m notify.Message) notify.Receipt {
	p, failed := c.Bot.pageOf(ctx, m)
	if failed != nil {
		return *failed
	}
	r := c.Bot.sendPage(ctx, m, p.Incident.ID, slackcall.ForPage, c.Bot.inChannel(ctx, p, m.To))
	r.Drawn = p.Incident.Version
	return r
}
