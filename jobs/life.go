package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/store"
)

const (
	// hardStopLimit is how long cancelled jobs may take to return.
	hardStopLimit = 5 * time.Second
	// claimLimit is how long claiming a name may take, because the database may hang.
	claimLimit = 10 * time.Second
	// rebirthMax is the longest wait before trying to claim a new name again.
	rebirthMax = time.Second
)

// A life is a period of work under one name. It ends when the claim to the name is lost, because other instances then
// take over its jobs. The process continues under another name.
type life struct {
	name     string
	client   *river.Client[pgx.Tx]
	drawing  *drawLoop
	instance *store.Instance
}

// begin claims a name and starts working under it.
func (j *Jobs) begin(ctx context.Context, name string) (*life, error) {
	client, err := j.newClient(name)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, claimLimit)
	defer cancel()
	instance, err := j.store.ClaimInstance(limited, name)
	if err != nil {
		return nil, err
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		instance.Release()
		return nil, fmt.Errorf("start River: %w", err)
	}
	return &life{name: name, client: client, drawing: j.startDrawing(ctx, name), instance: instance}, nil
}

// Start starts working. The end of ctx stops nothing; only Stop does.
func (j *Jobs) Start(ctx context.Context) error {
	first, err := j.begin(ctx, j.name)
	if err != nil {
		return err
	}
	j.life = first
	ctx = context.WithoutCancel(ctx)
	var living context.Context
	living, j.endLives = context.WithCancel(ctx)
	j.livesEnded = make(chan struct{})
	go j.live(living)
	ctx, j.upkeep = context.WithCancel(ctx)
	j.running.Go(func() { j.every(ctx, time.Second, j.urgent()) })
	j.running.Go(func() { j.every(ctx, time.Minute, j.regular()) })
	j.running.Go(func() { j.every(ctx, time.Minute, []chore{{"remove what is old", j.retain}}) })
	j.running.Go(func() {
		j.every(ctx, time.Hour, []chore{{"guard cover", j.store.CheckCoverage}, {"check contact methods", j.store.CheckReach}})
	})
	j.running.Go(func() { j.every(ctx, time.Second, []chore{{"follow messages", j.follow}}) })
	j.running.Go(func() { j.every(ctx, time.Second, []chore{{"watch the canary", j.watchCanary}}) })
	j.running.Go(func() { j.every(ctx, time.Second, []chore{{"queue a pulse", j.queuePulse}}) })
	j.running.Go(func() { j.sendPulses(ctx) })
	j.running.Go(func() { j.every(ctx, bundlesEvery, []chore{{"follow bundles", j.store.FollowBundles}}) })
	for method, sender := range j.senders {
		if sender.Listener != nil {
			j.running.Go(func() { j.listen(ctx, method, sender.Listener) })
		}
	}
	return nil
}

// live begins a new life whenever the previous one is lost, until ctx ends.
func (j *Jobs) live(ctx context.Context) {
	defer close(j.livesEnded)
	for n := 2; ; n++ {
		select {
		case <-j.life.instance.Lost():
		case <-ctx.Done():
			return
		}
		j.log.Error().Str("instance", j.life.name).Msg("lost the claim to this instance's name; it goes on under another")
		if err := j.life.abandon(ctx); err != nil {
			j.log.Error().Err(err).Msg("stop River")
		}
		j.life = nil
		if j.life = j.rebirth(ctx, fmt.Sprintf("%s-%d", j.name, n)); j.life == nil {
			return
		}
		j.log.Info().Str("instance", j.life.name).Msg("works again")
	}
}

// rebirth tries to begin a life until it succeeds or ctx ends, in which case it returns nil.
func (j *Jobs) rebirth(ctx context.Context, name string) *life {
	wait := rebirthMax / 16
	for failing := false; ; wait = min(2*wait, rebirthMax) {
		l, err := j.begin(ctx, name)
		if err == nil {
			return l
		}
		if ctx.Err() != nil {
			return nil
		}
		if !failing {
			j.log.Error().Err(err).Msg("could not work under a new name; still trying")
			failing = true
		}
		pause(ctx, wait)
	}
}

// Stop fetches no more jobs and lets running ones finish. If ctx ends first, or the claim to the name is lost, it
// cancels the running jobs, which then go back to the queue.
func (j *Jobs) Stop(ctx context.Context) error {
	if j.endLives == nil {
		return nil
	}
	j.endLives()
	<-j.livesEnded
	var err error
	if j.life != nil {
		err = j.life.end(ctx)
	}
	j.upkeep()
	j.running.Wait()
	if j.life != nil {
		// Last, because other instances then take over our jobs.
		j.life.instance.Release()
	}
	if err != nil {
		return fmt.Errorf("stop River: %w", err)
	}
	return nil
}

// end lets running jobs finish, as long as ctx lasts and the name is ours.
func (l *life) end(ctx context.Context) error {
	ctx, cancel := whileClaimed(ctx, l.instance)
	defer cancel()
	drawn := make(chan struct{})
	go func() {
		defer close(drawn)
		l.drawing.end(ctx)
	}()
	err := l.client.Stop(ctx)
	if err != nil {
		err = l.cutOff(ctx)
	}
	<-drawn
	return err
}

// whileClaimed returns a context that ends with ctx, or as soon as the claim to the name is lost.
func whileClaimed(ctx context.Context, name *store.Instance) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-name.Lost():
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// abandon cancels running jobs and drawings.
func (l *life) abandon(ctx context.Context) error {
	over, cancel := context.WithCancel(ctx)
	cancel()
	l.drawing.end(over)
	return l.cutOff(ctx)
}

// cutOff cancels running jobs.
func (l *life) cutOff(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hardStopLimit)
	defer cancel()
	return l.client.StopAndCancel(ctx)
}
