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
	// noticeLimit limits one run.
	noticeLimit = 2 * time.Minute
	// maxNoticePasses limits how often one run redraws a notice that keeps changing.
	maxNoticePasses = 10
	// maxNoticeRefusals is how many refusals of a person's notice are tolerated before the notice waits, because Slack
	// sometimes refuses temporarily.
	maxNoticeRefusals = 4
	// refusedNoticeRetry is how long a notice waits after Slack refused to deliver it.
	refusedNoticeRetry = time.Hour
)

// errLeft means that the recipient has left this workspace or never belonged to it.
var errLeft = errors.New("the person has left the workspace, or is of another organisation")

// sendNotice posts a notice and redraws it until its message shows its current state.
func (j *Jobs) sendNotice(ctx context.Context, job *river.Job[oncall.DrawNotice]) error {
	for range maxNoticePasses {
		t, err := j.store.BeginNotice(ctx, job.Args.Notice, j.clock())
		if err != nil {
			return unlessMissing(err)
		}
		if t.Done(j.clock()) {
			return nil
		}
		if t.Left {
			return river.JobCancel(errLeft)
		}
		at, err := j.postOrRedrawNotice(ctx, t)
		switch {
		case errors.Is(err, store.ErrGone):
			return river.JobCancel(err) // somebody deleted the message, so they have read it
		case delayOf(err) > 0:
			return river.JobSnooze(delayOf(err)) // the notice waits outside the queue, so that others needn't wait behind it
		case t.Person && channelRefuses(err) != "" && job.Attempt >= maxNoticeRefusals:
			// Slack will refuse the notice again for now, but may accept it later, while it is still useful.
			j.log.Warn().Err(err).Int64("notice", int64(t.Notice.ID)).Msg("notice refused; it is tried again in an hour")
			return river.JobSnooze(refusedNoticeRetry)
		case err != nil:
			return err
		}
		if err := j.store.NoticeDrawn(ctx, t.Notice.ID, at, t.Notice.Version); err != nil {
			return err
		}
	}
	return river.JobSnooze(time.Second)
}

func (j *Jobs) postOrRedrawNotice(ctx context.Context, t store.NoticeDrawing) (store.MessageRef, error) {
	if t.Place != (store.MessageRef{}) {
		return t.Place, j.messenger.RedrawNotice(ctx, store.WaitingDraw{Asked: true}, t.Place, t.Notice)
	}
	if t.TriedAt != nil {
		at, found, err := j.messenger.FindNotice(ctx, t.Notice, *t.TriedAt)
		if err != nil {
			return store.MessageRef{}, fmt.Errorf("look for notice %d: %w", t.Notice.ID, err)
		}
		if found {
			return at, j.messenger.RedrawNotice(ctx, store.WaitingDraw{Asked: true}, at, t.Notice)
		}
	}
	return j.messenger.PostNotice(ctx, t.Notice)
}
