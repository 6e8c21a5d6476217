package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/watchbill/watchbill/store"
)

// raiserCopies updates the messages in which the people who raised an incident can follow it.
func (dr drawer) raiserCopies(ctx context.Context, d store.Drawing) error {
	var errs []error
	for _, c := range d.Raisers {
		if c.Drawn >= d.Picture.Incident.Version {
			continue
		}
		if err := dr.raiserCopy(ctx, d, c); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// raiserCopy posts or edits one such message. If it can't be shown, or its reader deleted it, it is
// given up, because the incident doesn't depend on it.
func (dr drawer) raiserCopy(ctx context.Context, drawing store.Drawing, copied store.RaiserCopy) error {
	in := drawing.Picture.Incident
	if !copied.Delivered {
		at, err := dr.postRaiser(ctx, drawing, copied)
		if channelRefuses(err) != "" || errors.Is(err, store.ErrGone) {
			dr.jobs.log.Warn().Err(err).Int64("incident", int64(in.ID)).Str("user", string(copied.User)).Msg("who raised an incident can't be shown what becomes of it")
			return dr.jobs.store.RaiserEnded(ctx, in.ID, copied.User)
		}
		if err != nil {
			return fmt.Errorf("show %s what they raised: %w", copied.User, err)
		}
		return dr.jobs.store.RaiserDrawn(ctx, in.ID, copied.User, at, in.Version)
	}
	err := dr.jobs.messenger.RedrawRaiser(ctx, dr.waiting, drawing.Picture, copied)
	if errors.Is(err, store.ErrGone) || errors.Is(err, store.ErrFrozen) {
		return dr.jobs.store.RaiserEnded(ctx, in.ID, copied.User)
	}
	if err != nil {
		return fmt.Errorf("show %s what became of what they raised: %w", copied.User, err)
	}
	return dr.jobs.store.RaiserDrawn(ctx, in.ID, copied.User, copied.MessageRef, in.Version)
}

// postRaiser posts the message, unless an earlier attempt already did.
func (dr drawer) postRaiser(ctx context.Context, drawing store.Drawing, copied store.RaiserCopy) (store.MessageRef, error) {
	id, now := drawing.Picture.Incident.ID, dr.jobs.clock()
	delivery := fmt.Sprintf("%s/raised/%s", drawing.Delivery, copied.User)
	if copied.TriedAt != nil {
		if left := postLag - now.Sub(*copied.TriedAt); left > 0 {
			return store.MessageRef{}, laterError{left}
		}
		if at, found, err := dr.jobs.messenger.FindRaiser(ctx, copied, delivery, *copied.TriedAt); err != nil || found {
			return at, err
		}
	}
	if err := dr.jobs.store.RaiserTried(ctx, id, copied.User, &now); err != nil {
		return store.MessageRef{}, err
	}
	at, err := dr.jobs.messenger.PostRaiser(ctx, dr.waiting, drawing.Picture, copied, delivery)
	if wasNotDone(err) {
		err = errors.Join(err, dr.jobs.store.RaiserTried(ctx, id, copied.User, nil))
	}
	return at, err
}
