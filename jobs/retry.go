package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/watchbill/watchbill/store"
)

// backoff waits 1, 2, 4, 8, 16 and then always 30 seconds, so that after an outage of hours every job catches up
// within half a minute.
type backoff struct{ clock func() time.Time }

const maxWait = 30 * time.Second

// NextRetry returns when a failed job runs again.
func (b backoff) NextRetry(job *rivertype.JobRow) time.Time {
	return b.clock().Add(retryAfter(job.Attempt))
}

func retryAfter(attempt int) time.Duration {
	return min(maxWait, time.Second<<min(max(attempt-1, 0), 10))
}

// errorHandler logs failed jobs, once per attempt.
type errorHandler struct{ jobs *Jobs }

// HandleError logs a job that returned an error.
func (h errorHandler) HandleError(_ context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	h.jobs.metrics.failures.WithLabelValues(job.Kind).Inc()
	log := h.jobs.log
	if errors.Is(err, store.ErrUnavailable) { // otherwise an outage would log every job
		log = h.jobs.outages
	}
	log.Warn().Err(err).Str("kind", job.Kind).RawJSON("args", job.EncodedArgs).
		Int("attempt", job.Attempt).Msg("job failed; it will be tried again")
	return nil
}

// HandlePanic logs a job that panicked. River retries it.
func (h errorHandler) HandlePanic(_ context.Context, job *rivertype.JobRow, cause any, trace string) *river.ErrorHandlerResult {
	h.jobs.metrics.failures.WithLabelValues(job.Kind).Inc()
	h.jobs.log.Error().Interface("panic", cause).Str("kind", job.Kind).RawJSON("args", job.EncodedArgs).
		Int("attempt", job.Attempt).Str("trace", trace).Msg("job panicked; it will be tried again")
	return nil
}
