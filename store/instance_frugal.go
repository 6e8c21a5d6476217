package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
)

// A RiverNotification is a notification for River.
type RiverNotification struct{ Topic, Payload string }

// queueTopics are the topics that River's workers listen to.
var queueTopics = []string{"river_insert", "river_control", "river_leadership"}

const (
	keptNotices = 256 // unread notifications for River; its workers also look for jobs without them
	frugalLimit = 5 * time.Second
)

// ClaimFrugally claims a name like ClaimInstance, for an instance that may hold only one idle
// connection. The same session also receives every notification, and checks once a second whether
// there is work.
func (s *System) ClaimFrugally(ctx context.Context, name string, clock func() time.Time) (*Instance, error) {
	in := newInstance(ctx)
	in.waiting, in.notices = make(chan Waiting, 1), make(chan RiverNotification, keptNotices)
	cfg := s.pool.Config().ConnConfig
	f := &frugalSession{Instance: in, store: s, woken: true} // something may have arrived before
	cfg.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) { f.heard(n) }
	conn, err := s.claim(ctx, name, cfg)
	if err != nil {
		in.release()
		return nil, err
	}
	if f.prefix, err = listenToAll(ctx, conn); err != nil {
		in.release()
		hangUp(ctx, conn)
		return nil, fmt.Errorf("claim the name %q: %w", name, translate(err))
	}
	f.worker = &inboxWorker{store: s.Store, conn: conn, clock: clock, limit: swiftBatch, noted: map[oncall.IntegrationID]bool{}}
	go f.run()
	return in, nil
}

// A frugalSession is the only connection that an idle instance has. It holds the instance's name, receives
// every notification, looks once a second what work is waiting, and folds signals that come alone.
type frugalSession struct {
	*Instance
	store  *System
	worker *inboxWorker
	prefix string // of River's channel names
	woken  bool   // signals may be in the inbox
	passed int    // how many looks in a row have found signals that this session couldn't fold
}

// listenToAll listens to our channels and River's, and returns the prefix of River's channel names.
func listenToAll(ctx context.Context, conn *pgx.Conn) (prefix string, err error) {
	if err := conn.QueryRow(ctx, `SELECT current_schema() || '.'`).Scan(&prefix); err != nil {
		return "", err
	}
	if _, err := conn.Exec(ctx, foldPlans); err != nil {
		return "", err
	}
	channels := []string{configChannel, inboxChannel}
	for _, topic := range queueTopics {
		channels = append(channels, prefix+topic)
	}
	for _, channel := range channels {
		if _, err := conn.Exec(ctx, `LISTEN `+pgx.Identifier{channel}.Sanitize()); err != nil {
			return "", err
		}
	}
	return prefix, nil
}

// heard passes a notification on.
func (f *frugalSession) heard(n *pgconn.Notification) {
	switch n.Channel {
	case configChannel:
		f.store.cache.drop()
	case inboxChannel:
		f.woken = true
	default:
		select {
		case f.notices <- RiverNotification{n.Channel[min(len(f.prefix), len(n.Channel)):], n.Payload}:
		default:
		}
	}
}

// run runs until the session has ended.
func (f *frugalSession) run() {
	defer close(f.ended)
	defer hangUp(f.life, f.worker.conn)
	f.store.cache.listen(true)
	defer f.store.cache.listen(false)
	for {
		err := f.look()
		if err == nil {
			err = f.serve()
		}
		switch {
		case f.life.Err() != nil:
			return
		case err != nil:
			close(f.lost)
			return
		}
	}
}

// look checks what work is waiting, which also shows that the session is alive.
func (f *frugalSession) look() error {
	ctx, cancel := context.WithTimeout(f.life, frugalLimit)
	defer cancel()
	w, err := waiting(ctx, f.worker.conn, f.worker.clock())
	if err != nil {
		return err
	}
	f.woken = f.woken || w.Inbox
	select { // only the latest result counts
	case <-f.waiting:
	default:
	}
	f.waiting <- w
	return f.store.mustLeave(f.worker.conn)
}

// serve receives notifications and folds signals for a second.
func (f *frugalSession) serve() error {
	second, cancel := context.WithTimeout(f.life, time.Second)
	defer cancel()
	for second.Err() == nil {
		if f.woken {
			if err := f.fold(); err != nil {
				return err
			}
			continue
		}
		err := f.worker.conn.PgConn().WaitForNotification(second)
		if err != nil && (second.Err() == nil || f.worker.conn.IsClosed()) {
			return errors.Join(errors.New("the session is over"), err)
		}
	}
	return nil
}

// ReportWaiting sends what work is waiting, once a second, until the session has ended.
func (in *Instance) ReportWaiting(to chan<- Waiting) {
	for {
		select {
		case <-in.ended:
			return
		case w := <-in.waiting:
			select {
			case to <- w:
			case <-in.ended:
				return
			}
		}
	}
}

// Notices receives River's notifications.
func (in *Instance) Notices() <-chan RiverNotification { return in.notices }

// foldingLevel is the level for logging that this instance has begun to fold. A frugal instance begins
// with every signal, so there it is not worth reporting.
func (s *Store) foldingLevel() zerolog.Level {
	if s.frugal {
		return zerolog.DebugLevel
	}
	return zerolog.InfoLevel
}
