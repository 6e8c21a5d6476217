package bot

import (
	"context"
	"errors"
	"fmt"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

var readMerged = readOther(oncall.ActMerge, "merge", "into")

// mergeCommand answers `/oncall merge 12 into 9` with a form that names both and explains the
// consequences.
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

// unmergeCommand answers `/oncall unmerge 12`.
func (b *Bot) unmergeCommand(ctx context.Context, r request, id oncall.IncidentID) (string, error) {
	return b.actAndShow(ctx, r, id, oncall.Act{Do: oncall.ActUnmerge})
}

// submitMerge merges or links two incidents. A merge is answered with a button to take it back.
func (b *Bot) submitMerge(ctx context.Context, s submission) (modalResponse, error) {
	done, err := submitActs(readMerge)(b, ctx, s)
	if err != nil {
		return done, err
	}
	id, _ := readIncidentValue(s.meta())
	if acts, wrong := readMerge(s.form, b.clock()); len(wrong) == 0 && len(acts) > 0 && acts[0].Do == oncall.ActMerge {
		return replace(view.Merged(id, acts[0].Other)), nil
	}
	return done, nil
}
