package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const (
	silencesLimit  = time.Minute      // for one attempt of a job
	silencesWithin = 40 * time.Second // for all calls of a job; the rest waits a minute
	silencesPause  = 2 * time.Second  // until a step that another instance began should have ended
)

// matchSilences brings the silences in Alertmanagers in line with what people did with an incident.
// QueueSilences retries failed steps every minute. They never delay a page.
func (j *Jobs) matchSilences(ctx context.Context, job *river.Job[oncall.MatchSilences]) error {
	if j.silencer == nil {
		return nil
	}
	order, err := j.store.PlanSilences(ctx, job.Args.Incident, job.Args.At, j.clock())
	switch {
	case errors.Is(err, oncall.ErrNotFound):
		return nil // the incident was removed because it was too old
	case err != nil:
		return err
	}
	if len(order.Steps) > 0 || order.Unfit > 0 {
		outcomes := j.silenceAll(ctx, order)
		if err := j.store.RecordSilences(ctx, order, outcomes, j.clock()); err != nil {
			return err
		}
	}
	if order.Busy {
		return river.JobSnooze(silencesPause)
	}
	return nil
}

// silenceAll carries out the steps. An Alertmanager that doesn't answer is not asked again in this run.
func (j *Jobs) silenceAll(ctx context.Context, order store.SilenceOrder) []oncall.SilenceOutcome {
	ctx, cancel := context.WithTimeout(ctx, silencesWithin)
	defer cancel()
	away := map[string]string{}
	outcomes := make([]oncall.SilenceOutcome, len(order.Steps))
	for i, s := range order.Steps {
		o := &outcomes[i]
		o.Silence, o.Why = s, away[s.URL]
		if o.Why != "" && s.Do != oncall.SilenceOver {
			continue
		}
		if err := j.silence(ctx, order, o); err != nil {
			o.Why, away[s.URL] = err.Error(), err.Error()
			j.outages.Warn().Err(err).Stringer("incident", s.IncidentID).Msg("can't update the silences in Alertmanager")
		}
	}
	return outcomes
}

// silence carries out one step.
func (j *Jobs) silence(ctx context.Context, order store.SilenceOrder, o *oncall.SilenceOutcome) (err error) {
	word := map[oncall.SilenceCause]string{oncall.SilenceOnAck: "acknowledged", oncall.SilenceOnSnooze: "snoozed"}[o.Cause]
	by := order.Names[o.By]
	s := notify.Silence{
		ID: o.Remote, Doubt: o.Tried, Labels: o.Labels, From: j.clock(), Until: o.EndsAt, By: by, Token: o.Token,
		Says: fmt.Sprintf("Watchbill incident %s, %s by %s (%s)", o.IncidentID, word, by, o.Token),
	}
	switch o.Do {
	case oncall.SilenceMake:
		var id string
		if id, err = j.silencer.Silence(ctx, o.URL, s); err == nil {
			o.Remote = id
		}
	case oncall.SilenceLook:
		o.Fires, err = j.silencer.IsFiring(ctx, o.URL, o.Labels)
	case oncall.SilenceEnd:
		err = j.silencer.EndSilence(ctx, o.URL, s)
	case oncall.SilenceKeep, oncall.SilenceOver:
	}
	return err
}
