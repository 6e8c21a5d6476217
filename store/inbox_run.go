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
	lookEvery     = time.Second    // so long a lost notification or a free lock may go unnoticed
	blockedEvery  = lookEvery / 10 // nothing tells us that an incident was unlocked
	foldLimit     = 30 * time.Second
	backoffMax    = time.Second
)

// Run keeps the directory fresh and folds the inbox, if no other instance does, until ctx ends. It
// survives the loss of the database and reconnects within a second.
func (s *System) Run(ctx context.Context, clock func() time.Time) error {
	backoff := backoffMax / 16
	for lost := false; ; {
		err := s.watchInbox(ctx, clock, func() {
			if lost {
				s.log.Info().Msg("the database is back")
			}
			backoff, lost = backoffMax/16, false
		})
		s.cache.listen(false)
		s.folding.Store(false)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the end that was asked for
		}
		if !lost {
			s.log.Error().Err(err).Msg("lost the database; reconnecting")
			lost = true
		}
		pause := time.NewTimer(backoff) // a timer, not a clock: nothing tells us that the database is back
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
		backoff = min(2*backoff, backoffMax)
	}
}

// An inboxWatch is one connection: it hears of changes and of signals, and folds for as long as it
// holds the lock, which ends with the connection and not before.
type inboxWatch struct {
	*inboxWorker
	woken bool     // signals have arrived since we last looked
	seen  sighting // of the session that folds, while that is another instance's
}

// watchInbox lives as long as one connection. It says up when that connection works.
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
	s.cache.listen(true)
	up()
	for {
		if err := w.foldIfOurs(ctx); err != nil {
			return err
		}
		if err := s.mustLeave(conn); err != nil {
			return err
		}
		if err := w.hear(ctx); err != nil {
			return err
		}
	}
}

// listen makes a connection that tells heard the channel of each notification, also of those that
// come in the middle of a query.
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
		`LISTEN watchbill_config`, `LISTEN watchbill_inbox`,
		// Plans are made while the inbox is nearly empty, and must be right when it is full.
		`SET enable_seqscan = off`,
	} {
		if _, err := conn.Exec(ctx, begin); err != nil {
			hangUp(ctx, conn)
			return nil, fmt.Errorf("listen: %w", err)
		}
	}
	return conn, nil
}

// foldIfOurs folds whatever there is, if this instance holds the lock or can take it.
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
		w.store.log.Info().Msg("this instance folds the inbox")
	}
	w.woken = false
	if err := w.drain(ctx); err != nil {
		return err
	}
	released, err := w.releaseHeld(ctx)
	w.woken = w.woken || released > 0
	return err
}

// hear waits for a notification, but not for long: one may be lost, and the lock may come free.
func (w *inboxWatch) hear(ctx context.Context) error {
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
