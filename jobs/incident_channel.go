package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/oncall"
)

const (
	channelLimit  = 2 * time.Minute  // for one attempt of a job
	channelWithin = 90 * time.Second // for all its calls
)

// keepChannel creates an incident's own channel and keeps it up to date. Nothing else waits for it:
// pages and the incident's message are in their usual places.
func (j *Jobs) keepChannel(ctx context.Context, job *river.Job[oncall.KeepChannel]) error {
	order, due, err := j.store.BeginChannel(ctx, job.Args.Incident, j.clock())
	if errors.Is(err, oncall.ErrNotFound) || err == nil && !due {
		return nil
	}
	if err != nil {
		return err
	}
	calls, cancel := context.WithTimeout(ctx, channelWithin)
	defer cancel()
	became, err := j.workspace.KeepChannel(calls, order)
	why := ""
	refusal, refused := errors.AsType[oncall.Refusal](err)
	switch {
	case refused:
		why = refusal.Error()
	case err != nil:
		why = "Slack gave no answer"
	}
	if err != nil {
		j.outages.Warn().Err(err).Stringer("incident", job.Args.Incident).Msg("could not bring an incident's own channel up to date")
	}
	return j.store.EndChannel(context.WithoutCancel(ctx), order, became, why, refused, j.clock())
}
