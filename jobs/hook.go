package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const (
	hookLimit = 50 * time.Second // for one attempt of a job
	hookCalls = 20               // per job; another job does the rest
)

// callHook sends an incident's events to a webhook, one by one. QueueHooks queues failed ones
// again.
func (j *Jobs) callHook(ctx context.Context, job *river.Job[oncall.CallHook]) error {
	if j.hooks == nil {
		return nil
	}
	for range hookCalls {
		call, err := j.store.BeginHook(ctx, job.Args.Hook, j.clock())
		if err != nil || call.Event == 0 {
			return unlessMissing(err)
		}
		end := store.HookEnd{Delivered: true}
		r, gone := j.hooks.Call(ctx, notify.HookCall{
			URL: call.URL, ID: call.Key, Headers: call.Headers, Secrets: call.Secrets, Body: call.Body, At: j.clock(),
		})
		if r.Outcome != notify.Accepted {
			end = store.HookEnd{Gone: gone, Trouble: r.Err.Error()}
			j.outages.Warn().Err(r.Err).Str("webhook", call.Name).Int64("event", call.Event).Msg("can't call a webhook")
		}
		if err := j.store.EndHook(context.WithoutCancel(ctx), call, end, j.clock()); err != nil || !end.Delivered {
			return err
		}
	}
	return nil
}
