package bot

import (
	"context"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
)

// sendOutage tells a person that the database is unavailable, without using the database.
func (b *Bot) sendOutage(ctx context.Context, m notify.Message) notify.Receipt {
	return b.sendPage(ctx, m, 0, pagePriority(oncall.Severity(m.Severity)), view.Outage(m.Title, m.Lines))
}
