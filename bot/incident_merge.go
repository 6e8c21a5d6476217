package bot

import (
	"context"
	"errors"
	"fmt"

	"github.com/watchbill/watchbill/oncall"
)

var readMerged = readOther(oncall.ActMerge, "merge", "into")

// mergeCommand answers `/oncall merge 12 into 9` with a form that names both and explains the
// consequences, because a merge can't be undone.
func (b *Bot) mergeCommand(ctx context.Context, r request, id oncall.IncidentID) (string, error) {
	s, err := b.incidentOverview(ctx, id, r.user.ID)
	if err != nil {
		return "", err
	}
	in := s.Picture.Incident
	if err := b.store.CheckRespond(ctx, r.by(), in); err != nil {
		return "", err
	}
	if len(r.words) == 0 {
		return "", b.openModal(ctx, r.trigger, s.MergeForm())
	}
	acts, err := readMerged(b, ctx, r)
	if err != nil {
		return "", err
	}
	other, err := b.store.Incident(ctx, r.by(), acts[0].Other)
	switch {
	case errors.Is(err, oncall.ErrNotFound):
		return "", noIncident(acts[0].Other)
	case err != nil:
		return "", fmt.Errorf("load incident %s: %w", acts[0].Other, err)
	}
	if err := in.RefuseMerge(other); err != nil {
		return "", err
	}
	if err := b.store.CheckRespond(ctx, r.by(), other); err != nil {
		return "", err
	}
	s.Into = &other
	return "", b.openModal(ctx, r.trigger, s.MergeForm())
}
