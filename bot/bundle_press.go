package bot

import (
	"context"
	"fmt"
	"strconv"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// bundleLinks returns permalinks to the incidents of a bundle that have a message.
func (b *Bot) bundleLinks(ctx context.Context, n oncall.Notice) map[oncall.IncidentID]string {
	ids := n.Detail.Incidents[:min(len(n.Detail.Lines), len(n.Detail.Incidents))]
	roots, err := b.store.Roots(ctx, ids)
	if err != nil {
		b.log.Warn().Err(err).Msg("could not link to a bundle's incidents")
		return nil
	}
	links := map[oncall.IncidentID]string{}
	for id, at := range roots {
		links[id] = b.permalink(ctx, at)
	}
	return links
}

// bundlePress returns the handler of a button that acts on all incidents of a bundle.
func bundlePress(do oncall.ActKind) func(b *Bot, ctx context.Context, p press) (string, error) {
	return func(b *Bot, ctx context.Context, p press) (string, error) {
		id, err := strconv.ParseInt(p.value, 10, 64)
		if err != nil {
			return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
		}
		dir, err := b.store.DirectoryFor(ctx, p.by())
		if err != nil {
			return "", err
		}
		out, err := b.store.ActOnMessage(ctx, p.by(), oncall.PageID(id), do, b.clock())
		if err != nil {
			return "", fmt.Errorf("%s the bundle of page %d: %w", do, id, err)
		}
		return view.Foreign(oncall.SayActed(out.Acted).Shown(dir.Name), view.MaxText), nil
	}
}
