package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"
)

// A RiverNotification is one to River's.
type RiverNotification struct{ Topic, Payload string }

// queueTopics are those that River's workers listen to.
var queueTopics = []string{"river_insert", "river_control", "river_leadership"}

const (
	keptNotices = 256 // of River's that were not read yet; its workers look by themselves, too
	frugalLimit = 5 * time.Second
)

// ClaimFrugally claims a name like ClaimInstance, for an instance of which one idle connection is all that it may hold: the session
// also hears every notification, and asks each second what waits.
func (s *System) ClaimFrugally(ctx context.Context, name string, clock func() time.Time) (*Instance, error) {
	in := newInstance(ctx)
	in.waiting, in.notices = make(chan Waiting, 1), make(chan RiverNotification, keptNotices)
	cfg := s.pool.Config().ConnConfig
	prefix := ""
	cfg.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) { s.heard(in, prefix, n) }
	conn, err := s.claim(ctx, name, cfg)
	if err != nil {
		in.release()
		return nil, err
	}
	if prefix, err = listenToAll(ctx, conn); err != nil {
		in.release()
		hangUp(ctx, conn)
		return nil, fmt.Errorf("claim the name %q: %w", name, translate(err))
	}
	go in.watchFrugally(conn, s, clock)
	return in, nil
}

// listenToAll listens to our channels and to River's, and returns what begins the names of the latter.
func listenToAll(ctx context.Context, conn *pgx.Conn) (prefix string, err error) {
	if err := conn.QueryRow(ctx, `SELECT current_schema() || '.'`).Scan(&prefix); err != nil {
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
func (s *System) heard(in *Instance, prefix string, n *pgconn.Notification) {
	switch n.Channel {
	case configChannel:
		s.cache.drop()
	case inboxChannel:
		s.WakeInbox()
	default:
		select {
		case in.notices <- RiverNotification{n.Channel[min(len(prefix), len(n.Channel)):], n.Payload}:
		default:
		}
	}
}

// watchFrugally returns when the session is over.
func (in *Instance) watchFrugally(conn *pgx.Conn, s *System, clock func() time.Time) {
	defer close(in.ended)
	defer hangUp(in.life, conn)
	s.cache.listen(true)
	defer s.cache.listen(false)
	for {
		err := in.look(conn, s, clock())
		if in.life.Err() != nil {
			return
		}
		if err == nil {
			err = in.hear(conn)
		}
		switch {
		case in.life.Err() != nil:
			return
		case err != nil:
			close(in.lost)
			return
		}
	}
}

// look asks what waits, which also shows that the session lives.
func (in *Instance) look(conn *pgx.Conn, s *System, now time.Time) error {
	ctx, cancel := context.WithTimeout(in.life, frugalLimit)
	defer cancel()
	w, err := waiting(ctx, conn, now)
	if err != nil {
		return err
	}
	select { // only the latest counts
	case <-in.waiting:
	default:
	}
	in.waiting <- w
	return s.mustLeave(conn)
}

// hear hears notifications for a second.
func (in *Instance) hear(conn *pgx.Conn) error {
	second, cancel := context.WithTimeout(in.life, time.Second)
	defer cancel()
	for {
		err := conn.PgConn().WaitForNotification(second)
		switch {
		case second.Err() != nil && !conn.IsClosed():
			return nil
		case err != nil:
			return errors.Join(errors.New("the session is over"), err)
		}
	}
}

// Tell sends what waits, once a second, until the session is over.
func (in *Instance) Tell(to chan<- Waiting) {
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

// foldingLevel is the level at which it is logged that this instance folds: where it begins to with every signal, it is nothing to
// report.
func (s *Store) foldingLevel() zerolog.Level {
	if s.frugal {
		return zerolog.DebugLevel
	}
	return zerolog.InfoLevel
}
