package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/oncall"
)

// reviewLimit is for one attempt: a long discussion is read page by page.
const reviewLimit = 2 * time.Minute

// draftReview drafts the review of an incident, and delivers it. Who may not have it any more gets none.
func (j *Jobs) draftReview(ctx context.Context, job *river.Job[oncall.DraftReview]) error {
	err := j.workspace.DraftReview(ctx, job.Args)
	if _, refused := errors.AsType[oncall.Refusal](err); refused {
		return river.JobCancel(err)
	}
	if err != nil {
		return unlessMissing(fmt.Errorf("draft the review of incident %s: %w", job.Args.Incident, err))
	}
	return nil
}
