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

// listenToAll listens to our channels and River's, and returns the prefix of River's channel names.
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

// watchFrugally runs until the session has ended.
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

// look checks what work is waiting, which also shows that the session is alive.
func (in *Instance) look(conn *pgx.Conn, s *System, now time.Time) error {
	ctx, cancel := context.WithTimeout(in.life, frugalLimit)
	defer cancel()
	w, err := waiting(ctx, conn, now)
	if err != nil {
		return err
	}
	select { // only the latest result counts
	case <-in.waiting:
	default:
	}
	in.waiting <- w
	return s.mustLeave(conn)
}

// hear receives notifications for a second.
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

// Tell sends what work is waiting, once a second, until the session has ended.
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

// foldingLevel is the level for logging that this instance has begun to fold. A frugal instance begins
// with every signal, so there it is not worth reporting.
func (s *Store) foldingLevel() zerolog.Level {
	if s.frugal {
		return zerolog.DebugLevel
	}
	return zerolog.InfoLevel
}
