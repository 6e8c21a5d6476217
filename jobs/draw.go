package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const (
	// maxPasses limits how often one job draws an incident that keeps changing.
	maxPasses = 10
	// drawLimit limits one run of a draw job.
	drawLimit = 2 * time.Minute
	// drawnElsewhereRetry is how long a job leaves an incident alone while another job draws it.
	drawnElsewhereRetry = 300 * time.Millisecond
	// passLimit ends a pass before its lease of 30 seconds expires. After that another job may draw, and
	// this one could overwrite the newer drawing.
	passLimit = 25 * time.Second
	// copiesLimit is the time after which a pass starts no further direct messages.
	copiesLimit = 15 * time.Second
	// postLag is how long Slack may take to show a message after a post that got no response.
	postLag = 2 * time.Second
	// maxFailedCopies is how many direct messages may fail before a pass gives up.
	maxFailedCopies = 3
)

// drawer brings an incident's Slack messages up to date. It draws the stored state, and repeats that
// until the state has stopped changing.
type drawer struct {
	jobs    *Jobs
	waiting store.WaitingDraw
	stop    <-chan struct{} // closed when the drawer should finish soon
}

// draw draws an incident until its state stops changing. If draw returns nil, the messages are up to date and the
// waiting job is done.
func (dr drawer) draw(ctx context.Context) error {
	if dr.waiting.Incident == 0 {
		return dr.bundle(ctx)
	}
	id := dr.waiting.Incident
	drawn := int64(-1) // the newest event drawn in this run
	for range maxPasses {
		now := dr.jobs.clock()
		drawing, err := dr.jobs.store.BeginDraw(ctx, id, dr.waiting.Job, now)
		if err != nil {
			return err
		}
		if drawing.Busy {
			return noRoomError{drawnElsewhereRetry}
		}
		in := drawing.Picture.Incident
		// In a storm the count changes faster than anyone can draw, so it waits for the planned redraw. Every
		// other change adds an event and doesn't wait.
		if newest(drawing.Picture) == drawn && in.RedrawAt != nil && in.RedrawAt.After(now) {
			return laterError{in.RedrawAt.Sub(now)}
		}
		complete, err := dr.pass(ctx, drawing)
		if err != nil {
			return err
		}
		if complete {
			done, err := dr.jobs.store.EndDraw(ctx, dr.waiting, in.Version, dr.jobs.clock())
			if err != nil || done {
				return err
			}
			drawn = newest(drawing.Picture)
		}
		if dr.stopping() {
			return laterError{}
		}
	}
	return laterError{time.Second}
}

// stopping reports whether the process is shutting down, so that nothing new should be started.
func (dr drawer) stopping() bool {
	select {
	case <-dr.stop:
		return true
	default:
		return false
	}
}

// laterError asks for another run after a delay. It does not mean failure.
type laterError struct{ after time.Duration }

func (l laterError) Error() string { return "to be drawn after " + l.after.String() }

// noRoomError is like laterError, but the drawing waits because others go first. Its delay is in real time.
type noRoomError struct{ after time.Duration }

func (n noRoomError) Error() string {
	return "no room for another drawing; try again in " + n.after.String()
}

// RetryAfter returns the delay.
func (n noRoomError) RetryAfter() time.Duration { return n.after }

func newest(p oncall.Picture) int64 {
	if len(p.Events) == 0 {
		return 0
	}
	return p.Events[len(p.Events)-1].ID
}

// pass draws the picture wherever an older one is shown. It reports false if the work doesn't fit into one lease.
// Each drawing is recorded immediately, so that none is made twice.
func (dr drawer) pass(ctx context.Context, drawing store.Drawing) (complete bool, err error) {
	full, cancel := context.WithTimeout(ctx, passLimit)
	defer cancel()
	soon, stop := context.WithTimeout(full, copiesLimit)
	defer stop()

	// A broken channel must not leave people with outdated buttons, so the direct messages don't
	// depend on the root.
	root, rootErr := dr.root(full, drawing)
	none := errors.Is(rootErr, errNoRoot)
	if none {
		rootErr = nil
	}
	complete, copyErr := dr.copies(soon, full, drawing)
	err = errors.Join(rootErr, copyErr, dr.raiserCopies(full, drawing))
	there := root != (store.MessageRef{}) || none
	if err == nil && there && !none {
		there, err = dr.thread(full, drawing, root)
	}
	if err == nil && there && !none {
		err = dr.flapLine(full, drawing, root)
	}
	if err != nil && full.Err() != nil && ctx.Err() == nil {
		// The message was only waiting for its turn at Slack. A new pass renews the lease.
		return false, nil
	}
	return complete && there, err
}

// errNoRoot means that the incident was merged into a storm before its message was posted, and so has
// no message.
var errNoRoot = errors.New("the incident has no message in the channel")

// root posts the incident's message or brings it up to date. If both results are empty, somebody
// deleted the message and it must be posted again.
func (dr drawer) root(ctx context.Context, drawing store.Drawing) (store.MessageRef, error) {
	in := drawing.Picture.Incident
	if drawing.Root == (store.MessageRef{}) {
		if in.AbsorbedByStorm() && drawing.RootTried == nil {
			return store.MessageRef{}, errNoRoot
		}
		found, err := dr.adopt(ctx, drawing)
		if err != nil {
			return store.MessageRef{}, err
		}
		if found == (store.MessageRef{}) {
			return dr.post(ctx, drawing)
		}
		drawing.Root, drawing.RootDrawn = found, 0
	}
	if drawing.RootDrawn >= in.Version {
		return drawing.Root, nil
	}
	ok, err := dr.redraw(ctx, drawing.Picture, drawing.Root, "", nil)
	if err != nil || !ok {
		return store.MessageRef{}, err
	}
	return drawing.Root, nil
}

// adopt looks for a root message that an earlier attempt may have posted. If there is none, it returns an empty
// place.
func (dr drawer) adopt(ctx context.Context, d store.Drawing) (store.MessageRef, error) {
	id := d.Picture.Incident.ID
	if d.RootTried == nil {
		return store.MessageRef{}, nil
	}
	if left := postLag - dr.jobs.clock().Sub(*d.RootTried); left > 0 {
		return store.MessageRef{}, laterError{left}
	}
	place, found, err := dr.jobs.messenger.FindRoot(ctx, d.Picture, d.Delivery, *d.RootTried)
	if err != nil {
		return store.MessageRef{}, fmt.Errorf("look for a message that may have been posted: %w", err)
	}
	if !found {
		return store.MessageRef{}, nil
	}
	if err := dr.jobs.store.RootPosted(ctx, id, place, dr.jobs.clock()); err != nil {
		return store.MessageRef{}, err
	}
	return place, nil
}

func (dr drawer) post(ctx context.Context, d store.Drawing) (store.MessageRef, error) {
	in := d.Picture.Incident
	if err := dr.jobs.store.RootTried(ctx, in.ID, dr.jobs.clock()); err != nil {
		return store.MessageRef{}, err
	}
	place, err := dr.jobs.messenger.PostRoot(ctx, dr.waiting, d.Picture, d.Delivery)
	if wasNotDone(err) { // and we have already looked for the earlier attempts
		err = errors.Join(err, dr.jobs.store.RootUnsent(ctx, in.ID), dr.refused(ctx, d, err))
	}
	if err != nil {
		return store.MessageRef{}, fmt.Errorf("post the message: %w", err)
	}
	if err := dr.jobs.store.RootPosted(ctx, in.ID, place, dr.jobs.clock()); err != nil {
		return store.MessageRef{}, err
	}
	if err := dr.jobs.store.Drawn(ctx, in.ID, place, in.Version); err != nil {
		return store.MessageRef{}, err
	}
	return place, nil
}

// copies brings the direct messages up to date. It starts no message after soon ends.
func (dr drawer) copies(soon, ctx context.Context, d store.Drawing) (complete bool, err error) {
	var errs []error
	for _, c := range d.Copies {
		if c.Drawn >= d.Picture.Incident.StateVersion() {
			continue
		}
		if soon.Err() != nil || dr.stopping() {
			return false, errors.Join(errs...)
		}
		if _, err := dr.redraw(ctx, d.Picture, c.MessageRef, c.User, c.Why); err != nil {
			if errs = append(errs, err); len(errs) == maxFailedCopies || delayOf(err) > 0 {
				break
			}
		}
	}
	return true, errors.Join(errs...)
}

// redraw edits one message. If the message no longer exists, redraw deletes its record and reports false.
func (dr drawer) redraw(ctx context.Context, picture oncall.Picture, at store.MessageRef, to oncall.UserID, why oncall.Sentence) (bool, error) {
	err := dr.jobs.messenger.Redraw(ctx, dr.waiting, at, picture, to, why)
	if errors.Is(err, store.ErrGone) {
		if err := dr.jobs.store.ForgetPlace(ctx, picture.Incident.ID, at); err != nil {
			return false, err
		}
		return false, nil
	}
	if errors.Is(err, store.ErrFrozen) {
		return true, nil // the message stays outdated until its channel accepts edits again
	}
	if err != nil {
		return false, fmt.Errorf("edit message %s: %w", at.TS, err)
	}
	if err := dr.jobs.store.Drawn(ctx, picture.Incident.ID, at, picture.Incident.Version); err != nil {
		return false, err
	}
	return true, nil
}

// thread posts the events since the last reply under the root. It reports false if the root no longer exists.
func (dr drawer) thread(ctx context.Context, drawing store.Drawing, root store.MessageRef) (ok bool, err error) {
	if drawing.ThreadTried > drawing.ThreadTo {
		if drawing, err = dr.adoptReply(ctx, drawing, root); err != nil {
			return false, err
		}
	}
	var events []oncall.Event
	for _, e := range drawing.Picture.Events {
		if e.ID > drawing.ThreadTo && e.InThread() {
			events = append(events, e)
		}
	}
	if len(events) == 0 {
		return true, nil
	}
	id, last := drawing.Picture.Incident.ID, events[len(events)-1].ID
	if err := dr.jobs.store.ThreadTried(ctx, id, last, dr.jobs.clock()); err != nil {
		return false, err
	}
	err = dr.jobs.messenger.PostThread(ctx, root, drawing.Picture, events, replyDelivery(drawing, last))
	if errors.Is(err, store.ErrGone) {
		return false, dr.jobs.store.ForgetPlace(ctx, id, root)
	}
	if wasNotDone(err) {
		err = errors.Join(err, dr.jobs.store.ThreadUnsent(ctx, id))
	}
	if err != nil {
		return false, fmt.Errorf("reply in the thread: %w", err)
	}
	return true, dr.jobs.store.Threaded(ctx, id, last)
}

// replyDelivery returns the delivery id of the reply that reports all events up to the last.
func replyDelivery(d store.Drawing, last int64) string { return fmt.Sprintf("%s/%d", d.Delivery, last) }

// adoptReply looks for a reply that an earlier attempt may have posted.
func (dr drawer) adoptReply(ctx context.Context, drawing store.Drawing, root store.MessageRef) (store.Drawing, error) {
	if left := postLag - dr.jobs.clock().Sub(*drawing.ThreadTriedAt); left > 0 {
		return drawing, laterError{left}
	}
	found, err := dr.jobs.messenger.FindThread(ctx, root, replyDelivery(drawing, drawing.ThreadTried), *drawing.ThreadTriedAt)
	if err != nil {
		return drawing, fmt.Errorf("look for a reply that may have been posted: %w", err)
	}
	if !found {
		return drawing, nil
	}
	drawing.ThreadTo = drawing.ThreadTried
	return drawing, dr.jobs.store.Threaded(ctx, drawing.Picture.Incident.ID, drawing.ThreadTo)
}

// refused tells the team that its channel refuses the incident's message.
func (dr drawer) refused(ctx context.Context, d store.Drawing, err error) error {
	code := channelRefuses(err)
	if code == "" {
		return nil
	}
	return dr.jobs.store.ChannelRefused(ctx, d.Picture.Incident.TeamID, code, dr.jobs.clock())
}

// channelRefuses returns why a channel or person accepts no messages, or nothing if the error has another cause.
func channelRefuses(err error) (code string) {
	type refusal interface {
		error
		ChannelRefuses() (code string)
	}
	if e, ok := errors.AsType[refusal](err); ok {
		return e.ChannelRefuses()
	}
	return ""
}

// wasNotDone reports whether Slack certainly did not carry out a request.
func wasNotDone(err error) bool {
	type sure interface {
		error
		Undone() bool
	}
	e, ok := errors.AsType[sure](err)
	return ok && e.Undone()
}

// delayOf returns how long Slack asks us to wait after a request that it certainly did not carry out; otherwise 0.
func delayOf(err error) time.Duration {
	type delayed interface {
		error
		RetryAfter() time.Duration
	}
	if e, ok := errors.AsType[delayed](err); ok {
		return e.RetryAfter()
	}
	return 0
}
