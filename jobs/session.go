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
	// renewWaitMax is the longest wait before another attempt to claim a new name.
	renewWaitMax = time.Second
)

// A session is a period of work under one name. It ends when the claim to the name is lost, because other instances then
// take over its jobs. The process continues under another name.
type session struct {
	name     string
	client   *river.Client[pgx.Tx]
	drawing  *drawLoop
	instance *store.Instance
}

// beginSession claims a name and starts working under it.
func (j *Jobs) beginSession(ctx context.Context, name string) (*session, error) {
	var listener sessionListener
	client, err := j.newClient(name, &listener)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, claimLimit)
	defer cancel()
	instance, err := j.claim(limited, name)
	if err != nil {
		return nil, err
	}
	listener.instance.Store(instance)
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		instance.Release()
		return nil, fmt.Errorf("start River: %w", err)
	}
	return &session{name: name, client: client, drawing: j.startDrawing(ctx, name), instance: instance}, nil
}

// claim claims a name.
func (j *Jobs) claim(ctx context.Context, name string) (*store.Instance, error) {
	if !j.store.Frugal() {
		return j.store.ClaimInstance(ctx, name)
	}
	instance, err := j.store.ClaimFrugally(ctx, name, j.clock)
	if err != nil {
		return nil, err
	}
	go instance.ReportWaiting(j.whatWaits)
	return instance, nil
}

// Start starts working. When ctx ends, nothing stops; only Stop stops the work.
func (j *Jobs) Start(ctx context.Context) error {
	first, err := j.beginSession(ctx, j.name)
	if err != nil {
		return err
	}
	j.session = first
	ctx = context.WithoutCancel(ctx)
	var living context.Context
	living, j.endSessions = context.WithCancel(ctx)
	j.sessionsEnded = make(chan struct{})
	go j.keepSession(living)
	ctx, j.upkeep = context.WithCancel(ctx)
	if j.store.Frugal() {
		j.running.Go(func() { j.frugalChores(ctx) })
	} else {
		j.running.Go(func() { j.every(ctx, time.Second, j.urgentChores()) })
		j.running.Go(func() { j.every(ctx, bundlesEvery*time.Second, []chore{j.followBundles()}) })
	}
	j.running.Go(func() { j.every(ctx, time.Minute, j.regularChores()) })
	j.running.Go(func() { j.every(ctx, time.Minute, []chore{{name: "remove what is old", do: j.retain}}) })
	j.running.Go(func() {
		j.every(ctx, time.Hour, []chore{{name: "guard cover", do: j.store.CheckCoverage}, {name: "check contact methods", do: j.store.CheckReach}})
	})
	j.running.Go(func() { j.every(ctx, time.Second, []chore{{name: "follow messages", do: j.trackMessages}}) })
	j.running.Go(func() { j.every(ctx, time.Second, []chore{{name: "watch the canary", do: j.watchCanary}}) })
	j.running.Go(func() { j.every(ctx, time.Second, []chore{{name: "queue a pulse", do: j.queuePulse}}) })
	j.running.Go(func() { j.sendPulses(ctx) })
	for method, sender := range j.senders {
		if sender.Listener != nil {
			j.running.Go(func() { j.listen(ctx, method, sender.Listener) })
		}
	}
	return nil
}

// keepSession begins a new session whenever the previous one is lost, until ctx ends.
func (j *Jobs) keepSession(ctx context.Context) {
	defer close(j.sessionsEnded)
	for n := 2; ; n++ {
		select {
		case <-j.session.instance.Lost():
		case <-ctx.Done():
			return
		}
		j.log.Error().Str("instance", j.session.name).Msg("lost the claim to this instance's name; it goes on under another")
		if err := j.session.abandon(ctx); err != nil {
			j.log.Error().Err(err).Msg("stop River")
		}
		j.session = nil
		if j.session = j.renewSession(ctx, fmt.Sprintf("%s-%d", j.name, n)); j.session == nil {
			return
		}
		j.log.Info().Str("instance", j.session.name).Msg("works again")
	}
}

// renewSession tries to begin a session until it succeeds or ctx ends, in which case it returns nil.
func (j *Jobs) renewSession(ctx context.Context, name string) *session {
	wait := renewWaitMax / 16
	for failing := false; ; wait = min(2*wait, renewWaitMax) {
		s, err := j.beginSession(ctx, name)
		if err == nil {
			return s
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

// Stop fetches no more jobs and lets running ones finish. If ctx ends first, or the claim to the name
// is lost, it cancels the running jobs, which then go back to the queue.
func (j *Jobs) Stop(ctx context.Context) error {
	if j.endSessions == nil {
		return nil
	}
	j.endSessions()
	<-j.sessionsEnded
	var err error
	if j.session != nil {
		err = j.session.end(ctx)
	}
	j.upkeep()
	j.running.Wait()
	if j.session != nil {
		// This comes last, because other instances then take over our jobs.
		j.session.instance.Release()
	}
	if err != nil {
		return fmt.Errorf("stop River: %w", err)
	}
	return nil
}

// end lets running jobs finish, as long as ctx lasts and the name is ours.
func (s *session) end(ctx context.Context) error {
	ctx, cancel := whileClaimed(ctx, s.instance)
	defer cancel()
	drawn := make(chan struct{})
	go func() {
		defer close(drawn)
		s.drawing.end(ctx)
	}()
	err := s.client.Stop(ctx)
	if err != nil {
		err = s.cutOff(ctx)
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
func (s *session) abandon(ctx context.Context) error {
	over, cancel := context.WithCancel(ctx)
	cancel()
	s.drawing.end(over)
	return s.cutOff(ctx)
}

// cutOff cancels running jobs.
func (s *session) cutOff(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hardStopLimit)
	defer cancel()
	return s.client.StopAndCancel(ctx)
}
