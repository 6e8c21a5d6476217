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
	// tellLimit limits one run.
	tellLimit = 2 * time.Minute
	// tellTurns limits how often one run redraws a notice that keeps changing.
	tellTurns = 10
)

// tell posts a notice and redraws it until its message shows its current state.
func (j *Jobs) tell(ctx context.Context, job *river.Job[oncall.Tell]) error {
	for range tellTurns {
		t, err := j.store.BeginTell(ctx, job.Args.Notice, j.clock())
		if err != nil {
			return unlessMissing(err)
		}
		if t.Done(j.clock()) {
			return nil
		}
		at, err := j.tellOnce(ctx, t)
		switch {
		case errors.Is(err, store.ErrGone):
			return river.JobCancel(err) // somebody deleted it, so they have read it
		case delay(err) > 0:
			return river.JobSnooze(delay(err)) // there is no room now, and others needn't wait behind it
		case err != nil:
			return err
		}
		if err := j.store.NoticeDrawn(ctx, t.Notice.ID, at, t.Notice.Version); err != nil {
			return err
		}
	}
	return river.JobSnooze(time.Second)
}

func (j *Jobs) tellOnce(ctx context.Context, t store.NoticeDrawing) (store.Place, error) {
	if t.Place != (store.Place{}) {
		return t.Place, j.board.RedrawNotice(ctx, store.WaitingDraw{Asked: true}, t.Place, t.Notice)
	}
	if t.TriedAt != nil {
		at, found, err := j.board.FindNotice(ctx, t.Notice, *t.TriedAt)
		if err != nil {
			return store.Place{}, fmt.Errorf("look for notice %d: %w", t.Notice.ID, err)
		}
		if found {
			return at, j.board.RedrawNotice(ctx, store.WaitingDraw{Asked: true}, at, t.Notice)
		}
	}
	return j.board.PostNotice(ctx, t.Notice)
}
