package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// A NoticeDrawing holds a notice and the Slack message that shows it, as a Drawing does for an incident.
type NoticeDrawing struct {
	Notice  oncall.Notice
	Place   MessageRef // zero: not posted yet
	Drawn   int64      // the version that the message shows
	TriedAt *time.Time // an earlier attempt may have posted it
	Person  bool       // a direct message, not one in a channel
	Left    bool       // the person has left the workspace or may no longer see the notice
}

// Done reports whether there is nothing to do, because the message is up to date or it is too late to send it.
func (n NoticeDrawing) Done(now time.Time) bool {
	if n.Place == (MessageRef{}) {
		return n.Notice.Until != nil && now.After(*n.Notice.Until)
	}
	return n.Drawn >= n.Notice.Version
}

// Notify sends notices to people and channels. A notice whose key was already used is not sent again.
func (s *System) Notify(ctx context.Context, now time.Time, notices ...oncall.Notice) error {
	return s.transact(ctx, func(tx pgx.Tx) error { return s.saveNotices(ctx, tx, now, notices) })
}

// saveNotices saves the notices whose key is new, and queues their messages.
func (s *Store) saveNotices(ctx context.Context, tx pgx.Tx, now time.Time, notices []oncall.Notice) error {
	const insert = `
		INSERT INTO notices (key, recipient, kind, about, facts, version, not_after, created_at, channel, ts, drawn)
		VALUES ($1, $2, $3, $4, $5, 1, $6, $7, '', '', 0)
		ON CONFLICT (key) DO NOTHING
		RETURNING id`
	var tasks []oncall.Task
	for _, n := range notices {
		rows, _ := tx.Query(ctx, insert, n.Key, n.To, n.Kind, n.About, n.Detail, n.Until, now)
		ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.NoticeID])
		if err != nil {
			return fmt.Errorf("save notice %s: %w", n.Key, err)
		}
		for _, id := range ids {
			tasks = append(tasks, oncall.Task{Args: oncall.DrawNotice{Notice: id}, At: n.At})
		}
	}
	return s.enqueue(ctx, tx, now, tasks)
}

// renotice changes the detail of one swap's, cover request's or hand-off's notices of the given kinds, and queues
// their redrawing.
func (s *Store) renotice(ctx context.Context, tx pgx.Tx, now time.Time, kinds []oncall.NoticeKind, about int64,
	change func(*oncall.NoticeDetail),
) error {
	const load = `SELECT id, facts AS detail FROM notices WHERE kind = ANY ($1) AND about = $2 ORDER BY id FOR UPDATE`
	const save = `UPDATE notices SET facts = $2, version = version + 1 WHERE id = $1`
	type row struct {
		ID     oncall.NoticeID
		Detail oncall.NoticeDetail
	}
	rows, _ := tx.Query(ctx, load, kinds, about)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return fmt.Errorf("load notices about %d: %w", about, err)
	}
	var tasks []oncall.Task
	for _, n := range found {
		change(&n.Detail)
		if _, err := tx.Exec(ctx, save, n.ID, n.Detail); err != nil {
			return fmt.Errorf("save notice %d: %w", n.ID, err)
		}
		tasks = append(tasks, oncall.Task{Args: oncall.DrawNotice{Notice: n.ID}})
	}
	return s.enqueue(ctx, tx, now, tasks)
}

// BeginNotice loads a notice and records an attempt to post its message, if it wasn't posted yet. The row stays
// unlocked afterwards. Two attempts at the same time may both post; the place of the second message is kept.
func (s *System) BeginNotice(ctx context.Context, id oncall.NoticeID, now time.Time) (NoticeDrawing, error) {
	const load = `
		SELECT n.id, key, recipient, kind, about, facts AS detail, version, not_after, tried_at, channel, ts, drawn,
		       EXISTS (SELECT FROM users u WHERE u.id = recipient) AS person
		FROM notices n
		WHERE n.id = $1
		FOR UPDATE`
	const try = `UPDATE notices SET tried_at = $2 WHERE id = $1 AND tried_at IS NULL AND channel = ''`
	type row struct {
		ID          oncall.NoticeID
		Key         string
		Recipient   string
		Kind        oncall.NoticeKind
		About       int64
		Detail      oncall.NoticeDetail
		Version     int64
		NotAfter    *time.Time
		TriedAt     *time.Time
		Channel, TS string
		Drawn       int64
		Person      bool
	}
	var r row
	var people map[oncall.UserID]oncall.User
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, load, id)
		var err error
		if r, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[row]); err != nil {
			return err
		}
		if people, err = users(ctx, tx, oncall.UserID(r.Recipient)); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, try, id, now)
		return err
	})
	if err != nil {
		return NoticeDrawing{}, fmt.Errorf("load notice %d: %w", id, err)
	}
	if r.Kind == oncall.NoticeProof {
		var ok bool
		if r.Detail.Note, ok = oncall.Unseal(s.secrets, r.Detail.Note); !ok { // the secret was changed since
			return NoticeDrawing{}, fmt.Errorf("load notice %d: its code can't be read with WATCHBILL_SECRET: %w", id, oncall.ErrNotFound)
		}
	}
	return NoticeDrawing{
		Notice: oncall.Notice{
			ID: r.ID, Key: r.Key, To: r.Recipient, Kind: r.Kind, About: r.About, Detail: r.Detail,
			Version: r.Version, Until: r.NotAfter,
		},
		Place: MessageRef{Channel: r.Channel, TS: r.TS}, Drawn: r.Drawn, TriedAt: r.TriedAt,
		Person: r.Person, Left: people[oncall.UserID(r.Recipient)].SkipsNotice(r.Kind),
	}, nil
}

// NoticeDrawn stores where a notice's message is, and which version it shows.
func (s *Store) NoticeDrawn(ctx context.Context, id oncall.NoticeID, at MessageRef, version int64) error {
	const save = `UPDATE notices SET channel = $2, ts = $3, drawn = greatest(drawn, $4) WHERE id = $1`
	if _, err := s.pool.Exec(ctx, save, id, at.Channel, at.TS, version); err != nil {
		return fmt.Errorf("record notice %d as sent: %w", id, translate(err))
	}
	return nil
}

// closeNotices updates notices whose buttons no longer apply.
func (s *Store) closeNotices(ctx context.Context, tx pgx.Tx, now time.Time, closes []oncall.NoticeClose) error {
	for _, closing := range closes {
		err := s.renotice(ctx, tx, now, closing.Kinds, closing.About, func(f *oncall.NoticeDetail) {
			if f.State == "" {
				f.State, f.StateAt, f.By = closing.State, closing.At, closing.By
			}
		})
		if err != nil {
			return fmt.Errorf("close notices about %d: %w", closing.About, err)
		}
	}
	return nil
}

// inZones sets the time zones of the notices' readers.
func inZones(ctx context.Context, tx pgx.Tx, notices []oncall.Notice) error {
	if len(notices) == 0 {
		return nil
	}
	rows, _ := tx.Query(ctx, `SELECT id, time_zone FROM users`)
	zones := map[string]string{}
	var user, zone string
	_, err := pgx.ForEachRow(rows, []any{&user, &zone}, func() error {
		zones[user] = zone
		return nil
	})
	if err != nil {
		return fmt.Errorf("load time zones: %w", err)
	}
	for i, n := range notices {
		notices[i].Detail.TimeZone = zones[n.To]
	}
	return nil
}
