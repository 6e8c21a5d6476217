package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// flapLine updates the thread's reply about flapping. Each period of flapping has one such reply, which is edited in
// place.
func (dr drawer) flapLine(ctx context.Context, drawing store.Drawing, root store.MessageRef) error {
	in, line := drawing.Picture.Incident, drawing.Line
	if in.Flap == nil || in.Flap.Since == nil {
		return nil
	}
	if line.Since == nil || !line.Since.Equal(*in.Flap.Since) {
		line = store.FlapLine{Since: in.Flap.Since}
	}
	if line.TS == "" && line.TriedAt != nil {
		found, err := dr.adoptFlapLine(ctx, drawing, line, root)
		if err != nil {
			return err
		}
		if found.TS != "" {
			line.TS, line.TriedAt = found.TS, nil
		}
	}
	if line.TS == "" {
		return dr.postFlapLine(ctx, drawing, line, root)
	}
	if line.Drawn == in.Flap.State() {
		return nil
	}
	err := dr.jobs.messenger.RedrawFlapLine(ctx, dr.waiting, store.MessageRef{Channel: root.Channel, TS: line.TS}, drawing.Picture)
	switch {
	case errors.Is(err, store.ErrGone): // somebody deleted the reply
		return dr.postFlapLine(ctx, drawing, store.FlapLine{Since: line.Since}, root)
	case errors.Is(err, store.ErrFrozen): // the reply stays outdated until its channel accepts edits again
		return nil
	case err != nil:
		return fmt.Errorf("edit the line about flapping: %w", err)
	}
	line.Drawn = in.Flap.State()
	return dr.jobs.store.SaveFlapLine(ctx, in.ID, line)
}

// postFlapLine posts the reply about flapping.
func (dr drawer) postFlapLine(ctx context.Context, d store.Drawing, line store.FlapLine, root store.MessageRef) error {
	in := d.Picture.Incident
	line.TriedAt = new(dr.jobs.clock())
	if err := dr.jobs.store.SaveFlapLine(ctx, in.ID, line); err != nil {
		return err
	}
	at, err := dr.jobs.messenger.PostFlapLine(ctx, root, d.Picture, flapDelivery(d, *in.Flap))
	if wasNotDone(err) {
		line.TriedAt = nil
		err = errors.Join(err, dr.jobs.store.SaveFlapLine(ctx, in.ID, line))
	}
	if err != nil {
		return fmt.Errorf("reply in the thread about flapping: %w", err)
	}
	line.TS, line.TriedAt, line.Drawn = at.TS, nil, in.Flap.State()
	return dr.jobs.store.SaveFlapLine(ctx, in.ID, line)
}

// adoptFlapLine looks for a reply that an earlier attempt may have posted. The text of that reply is
// unknown.
func (dr drawer) adoptFlapLine(ctx context.Context, d store.Drawing, l store.FlapLine, root store.MessageRef) (store.MessageRef, error) {
	if left := postLag - dr.jobs.clock().Sub(*l.TriedAt); left > 0 {
		return store.MessageRef{}, laterError{left}
	}
	at, _, err := dr.jobs.messenger.FindFlapLine(ctx, root, flapDelivery(d, *d.Picture.Incident.Flap), *l.TriedAt)
	if err != nil {
		return store.MessageRef{}, fmt.Errorf("look for a reply that may have been posted: %w", err)
	}
	return at, nil
}

// flapDelivery returns the delivery id of the reply about one period of flapping.
func flapDelivery(d store.Drawing, fl oncall.Flap) string {
	return fmt.Sprintf("%s/flap-%d", d.Delivery, fl.Since.UnixMilli())
}
