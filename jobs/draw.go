package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const (
	// passes bounds how often one job draws an incident that keeps moving.
	passes = 10
	// drawLimit bounds one run.
	drawLimit = 2 * time.Minute
	// passLimit ends a pass while its lease of 30 seconds still holds: after that
	// another job may draw, and ours could overwrite its newer drawing.
	passLimit = 25 * time.Second
	// copiesLimit is when a pass begins no further direct message.
	copiesLimit = 15 * time.Second
	// boardLag is how long Slack may take to show a message whose posting got no answer.
	boardLag = 2 * time.Second
	// patience is how many direct messages may fail before a pass gives up.
	patience = 3
)

// drawer brings an incident's Slack messages up to date. It draws whatever is
// stored when it looks, until that no longer moves; so it doesn't matter which of
// an incident's jobs does it, and one that finds another at work may leave.
type drawer struct{ jobs *Jobs }

// draw draws until still.
func (w drawer) draw(ctx context.Context, job *river.Job[oncall.Draw]) error {
	err := w.untilStill(ctx, job.Args.Incident, job.ID)
	if err == nil {
		return nil
	}
	if d := delay(err); d > 0 {
		err = river.JobSnooze(d)
	}
	// A snooze is an error too. Others needn't wait until the lease runs out.
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
	defer cancel()
	// With ctx's error, River knows a stop and lets another instance go on at once.
	err = errors.Join(err, ctx.Err(), w.jobs.store.ReleaseDraw(release, job.Args.Incident, job.ID))
	return unlessMissing(fmt.Errorf("draw: %w", err))
}

func (w drawer) untilStill(ctx context.Context, id oncall.IncidentID, job int64) error {
	told := int64(-1) // the newest event that this run has drawn
	for range passes {
		now := w.jobs.clock()
		d, err := w.jobs.store.BeginDraw(ctx, id, job, now)
		if err != nil || d.Busy {
			return err
		}
		in := d.Picture.Incident
		// Under a storm the count moves faster than anyone can draw. It waits for the
		// redraw that is planned anyway; everything else adds an event and doesn't.
		if newest(d.Picture) == told && in.RedrawAt != nil && in.RedrawAt.After(now) {
			return river.JobSnooze(in.RedrawAt.Sub(now))
		}
		complete, err := w.pass(ctx, d)
		if err != nil {
			return err
		}
		if !complete {
			continue
		}
		done, err := w.jobs.store.EndDraw(ctx, id, job, in.Version)
		if err != nil || done {
			return err
		}
		told = newest(d.Picture)
	}
	return river.JobSnooze(time.Second)
}

func newest(p oncall.Picture) int64 {
	if len(p.Events) == 0 {
		return 0
	}
	return p.Events[len(p.Events)-1].ID
}

// pass draws the picture wherever it is not drawn yet. It reports false when there
// is more to do than fits under one lease. What is drawn is written down at once,
// so that nothing is drawn twice.
func (w drawer) pass(ctx context.Context, d store.Drawing) (complete bool, err error) {
	full, cancel := context.WithTimeout(ctx, passLimit)
	defer cancel()
	soon, stop := context.WithTimeout(full, copiesLimit)
	defer stop()

	// A broken channel must not leave people with a button that lies, so the direct
	// messages don't depend on the root.
	root, rootErr := w.root(full, d)
	complete, copyErr := w.copies(soon, full, d)
	err = errors.Join(rootErr, copyErr)
	there := root != (store.Place{})
	if err == nil && there {
		there, err = w.thread(full, d, root)
	}
	if err != nil && full.Err() != nil && ctx.Err() == nil {
		// It waits for its turn at Slack. That is no failure, and a new pass renews the lease.
		return false, nil
	}
	return complete && there, err
}

// root posts the incident's message or brings it up to date. No place and no error
// means that the message has been deleted and is to be posted anew.
func (w drawer) root(ctx context.Context, d store.Drawing) (store.Place, error) {
	in := d.Picture.Incident
	if d.Root == (store.Place{}) {
		found, err := w.adopt(ctx, d)
		if err != nil {
			return store.Place{}, err
		}
		if found == (store.Place{}) {
			return w.post(ctx, d)
		}
		d.Root, d.RootDrawn = found, 0
	}
	if d.RootDrawn >= in.Version {
		return d.Root, nil
	}
	ok, err := w.redraw(ctx, d.Picture, d.Root, "", "")
	if err != nil || !ok {
		return store.Place{}, err
	}
	return d.Root, nil
}

// adopt looks for a root that an earlier attempt may have posted. It returns no
// place when there is none.
func (w drawer) adopt(ctx context.Context, d store.Drawing) (store.Place, error) {
	id := d.Picture.Incident.ID
	if d.RootTried == nil {
		return store.Place{}, nil
	}
	if left := boardLag - w.jobs.clock().Sub(*d.RootTried); left > 0 {
		return store.Place{}, river.JobSnooze(left)
	}
	place, found, err := w.jobs.board.FindRoot(ctx, d.Picture, d.Delivery, *d.RootTried)
	if err != nil {
		return store.Place{}, fmt.Errorf("look for a message that may have been posted: %w", err)
	}
	if !found {
		return store.Place{}, nil
	}
	if err := w.jobs.store.RootPosted(ctx, id, place, w.jobs.clock()); err != nil {
		return store.Place{}, err
	}
	return place, nil
}

func (w drawer) post(ctx context.Context, d store.Drawing) (store.Place, error) {
	in := d.Picture.Incident
	if err := w.jobs.store.RootTried(ctx, in.ID, w.jobs.clock()); err != nil {
		return store.Place{}, err
	}
	place, err := w.jobs.board.PostRoot(ctx, d.Picture, d.Delivery)
	if delay(err) > 0 && d.RootTried == nil { // surely not posted: there is nothing to look for
		err = errors.Join(err, w.jobs.store.RootUnsent(ctx, in.ID))
	}
	if err != nil {
		return store.Place{}, fmt.Errorf("post the message: %w", err)
	}
	if err := w.jobs.store.RootPosted(ctx, in.ID, place, w.jobs.clock()); err != nil {
		return store.Place{}, err
	}
	if err := w.jobs.store.Drawn(ctx, in.ID, place, in.Version); err != nil {
		return store.Place{}, err
	}
	return place, nil
}

// copies brings the direct messages up to date. It begins none after soon ends.
func (w drawer) copies(soon, ctx context.Context, d store.Drawing) (complete bool, err error) {
	var errs []error
	for _, c := range d.Copies {
		if c.Drawn >= d.Picture.Incident.Version {
			continue
		}
		if soon.Err() != nil {
			return false, errors.Join(errs...)
		}
		if _, err := w.redraw(ctx, d.Picture, c.Place, c.User, c.Why); err != nil {
			if errs = append(errs, err); len(errs) == patience || delay(err) > 0 {
				break
			}
		}
	}
	return true, errors.Join(errs...)
}

// redraw edits one message. It forgets a message that no longer exists and reports
// false.
func (w drawer) redraw(ctx context.Context, p oncall.Picture, at store.Place, to oncall.UserID, why string) (bool, error) {
	err := w.jobs.board.Redraw(ctx, at, p, to, why)
	if errors.Is(err, store.ErrGone) {
		if err := w.jobs.store.ForgetPlace(ctx, p.Incident.ID, at); err != nil {
			return false, err
		}
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("edit message %s: %w", at.TS, err)
	}
	if err := w.jobs.store.Drawn(ctx, p.Incident.ID, at, p.Incident.Version); err != nil {
		return false, err
	}
	return true, nil
}

// thread tells under the root what has happened since the last reply. It reports false
// when the root is no longer there.
func (w drawer) thread(ctx context.Context, d store.Drawing, root store.Place) (ok bool, err error) {
	var events []oncall.Event
	for _, e := range d.Picture.Events {
		if e.ID > d.ThreadTo && e.Public() {
			events = append(events, e)
		}
	}
	if len(events) == 0 {
		return true, nil
	}
	last := events[len(events)-1].ID
	delivery := fmt.Sprintf("%s/%d", d.Delivery, last)
	err = w.jobs.board.PostThread(ctx, root, d.Picture, events, delivery)
	if errors.Is(err, store.ErrGone) {
		return false, w.jobs.store.ForgetPlace(ctx, d.Picture.Incident.ID, root)
	}
	if err != nil {
		return false, fmt.Errorf("reply in the thread: %w", err)
	}
	return true, w.jobs.store.Threaded(ctx, d.Picture.Incident.ID, last)
}

// delay returns how long the board asks to wait, for what it has surely not done; 0 if it
// doesn't ask.
func delay(err error) time.Duration {
	type delayed interface {
		error
		RetryAfter() time.Duration
	}
	if e, ok := errors.AsType[delayed](err); ok {
		return e.RetryAfter()
	}
	return 0
}
