package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/oncall"
)

// reviewLimit limits one attempt. A long discussion is read page by page.
const reviewLimit = 2 * time.Minute

// draftReview drafts the review of an incident and delivers it. People who may no longer read it don't
// get it.
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
