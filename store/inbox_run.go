package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/watchbill/watchbill/oncall"
)

const (
	configChannel = "watchbill_config"
	inboxChannel  = "watchbill_inbox"
	lookEvery     = time.Second    // how long a lost notification or a free lock may go unnoticed
	blockedEvery  = lookEvery / 10 // PostgreSQL sends no notification when a row lock is released
	foldLimit     = 30 * time.Second
	backoffMax    = time.Second
)

// Run keeps the directory fresh, and folds the inbox if no other instance does, until ctx ends. It survives an
// outage of the database and reconnects within a second of its end.
func (s *System) Run(ctx context.Context, clock func() time.Time) error {
	backoff := backoffMax / 16
	for lost := false; ; {
		if s.frugal && !lost && !s.awaitSignals(ctx) {
			return nil
		}
		err := s.watchInbox(ctx, clock, func() {
			if lost {
				s.log.Info().Msg("the database is back")
			}
			backoff, lost = backoffMax/16, false
		})
		s.listenForConfig(false)
		s.folding.Store(false)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the caller ended it
		}
		if err == nil { // nothing has arrived for a while
			continue
		}
		if !lost {
			s.log.Error().Err(err).Msg("lost the database; reconnecting")
			lost = true
		}
		pause := time.NewTimer(backoff) // real time on purpose: there is no event to wait for
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
		backoff = min(2*backoff, backoffMax)
	}
}

// An inboxWatch is one database connection. It listens for changes and signals, and folds while it holds the fold
// lock. The lock is released when the connection ends, and not before.
type inboxWatch struct {
	*inboxWorker
	woken bool     // signals have arrived since we last looked
	seen  sighting // of the session that folds, if another instance holds the lock
}

// watchInbox runs as long as one connection lasts or, if the System is frugal, as long as signals
// arrive. It calls up once the connection works.
func (s *Store) watchInbox(ctx context.Context, clock func() time.Time, up func()) error {
	w := &inboxWatch{}
	conn, err := s.listen(ctx, func(channel string) {
		if channel == configChannel {
			s.cache.drop()
		} else {
			w.woken = true
		}
	})
	if err != nil {
		return err
	}
	defer hangUp(ctx, conn)
	w.inboxWorker = &inboxWorker{store: s, conn: conn, clock: clock, limit: foldBatch, noted: map[oncall.IntegrationID]bool{}}
	s.listenForConfig(true)
	up()
	for quietSince := clock(); ; {
		if w.woken {
			quietSince = clock()
		}
		if err := w.foldIfOurs(ctx); err != nil {
			return err
		}
		if err := s.mustLeave(conn); err != nil {
			return err
		}
		if s.frugal && !w.woken && len(w.blocked) == 0 && clock().Sub(quietSince) > frugalLinger {
			return nil
		}
		if err := w.waitForNotification(ctx); err != nil {
			return err
		}
	}
}

// frugalLinger is how long a connection for folding stays open after the last signal when connections
// are scarce.
const frugalLinger = 3 * time.Second

// frugalLook is how often such a connection is opened without a notification.
const frugalLook = time.Minute

// awaitSignals waits until something may be in the inbox. It reports false when ctx has ended.
func (s *System) awaitSignals(ctx context.Context) bool {
	anyway := time.NewTimer(frugalLook) // in case nobody wakes us
	defer anyway.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-s.inboxWoken:
	case <-anyway.C:
	}
	return true
}

// listenForConfig sets whether this session listens for changes of the set-up. A frugal instance's
// session always does.
func (s *Store) listenForConfig(listening bool) {
	if !s.frugal {
		s.cache.listen(listening)
	}
}

// foldPlans makes plans good for a full inbox, although they are made while it is nearly empty.
const foldPlans = `SET enable_seqscan = off`

// listen opens a connection that calls heard with the channel of each notification, including those that arrive
// during a query.
func (s *Store) listen(ctx context.Context, heard func(channel string)) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, foldLimit)
	defer cancel()
	cfg := s.pool.Config().ConnConfig
	cfg.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) { heard(n.Channel) }
	conn, err := s.connect(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	for _, begin := range []string{
		`LISTEN watchbill_config`, `LISTEN watchbill_inbox`, foldPlans,
	} {
		if _, err := conn.Exec(ctx, begin); err != nil {
			hangUp(ctx, conn)
			return nil, fmt.Errorf("listen: %w", err)
		}
	}
	return conn, nil
}

// foldIfOurs folds the inbox if this instance holds the lock or can take it.
func (w *inboxWatch) foldIfOurs(ctx context.Context) error {
	if !w.store.folding.Load() {
		var ours bool
		try, cancel := context.WithTimeout(ctx, foldLimit)
		defer cancel()
		if err := w.conn.QueryRow(try, `SELECT pg_try_advisory_lock($1)`, foldLock).Scan(&ours); err != nil {
			return fmt.Errorf("try to take the lock on the inbox: %w", err)
		}
		if !ours {
			w.woken = false
			return w.depose(ctx)
		}
		w.store.folding.Store(true)
		w.store.log.WithLevel(w.store.foldingLevel()).Msg("this instance folds the inbox")
	}
	w.woken = false
	if err := w.drain(ctx); err != nil {
		return err
	}
	released, err := w.releaseHeld(ctx)
	w.woken = w.woken || released > 0
	return err
}

// waitForNotification waits briefly for a notification. The wait is short because a notification may
// get lost, and because the lock may become free.
func (w *inboxWatch) waitForNotification(ctx context.Context) error {
	if w.woken {
		return nil
	}
	every := lookEvery
	if len(w.blocked) > 0 {
		every = blockedEvery
	}
	wait, cancel := context.WithTimeout(ctx, every)
	defer cancel()
	err := w.conn.PgConn().WaitForNotification(wait)
	if err != nil && wait.Err() == nil || ctx.Err() != nil {
		return fmt.Errorf("wait for notifications: %w", err)
	}
	return nil
}
