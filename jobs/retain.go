package jobs

import (
	"context"
	"errors"
	"time"
)

// These limit what is removed per minute and kind, so that old data disappears gradually. Each step is
// short and delays nobody, but together the steps are work for the database.
const (
	retainSteps = 200
	retainFor   = 10 * time.Second
)

// retain removes what is older than its term, in small steps.
func (j *Jobs) retain(ctx context.Context, now time.Time) error {
	var errs []error
	if term := j.terms.Incidents; term > 0 {
		errs = append(errs, j.retainIncidents(ctx, now.Add(-term)),
			j.steps("history", func() (int, bool, error) { return j.store.RemoveHistory(ctx, now.Add(-term)) }))
	}
	if term := j.terms.Audit; term > 0 {
		errs = append(errs, j.steps("audit", func() (int, bool, error) { return j.store.RemoveAudit(ctx, now.Add(-term)) }))
	}
	return errors.Join(errs...)
}

// retainIncidents continues where the last run stopped, and starts over once it has examined all old incidents.
func (j *Jobs) retainIncidents(ctx context.Context, before time.Time) error {
	return j.steps("incidents", func() (int, bool, error) {
		r, err := j.store.RemoveIncidents(ctx, before, j.oldest)
		if j.oldest = r.Last; !r.More {
			j.oldest = 0
		}
		return r.Incidents, r.More, err
	})
}

// steps repeats a step while there is more to remove and time left, and counts the removed rows.
func (j *Jobs) steps(what string, step func() (removed int, more bool, err error)) error {
	began := j.clock()
	for n := 0; n < retainSteps && j.clock().Sub(began) < retainFor; n++ {
		removed, more, err := step()
		j.metrics.removed.WithLabelValues(what).Add(float64(removed))
		if err != nil || !more {
			return err
		}
	}
	return nil
}
