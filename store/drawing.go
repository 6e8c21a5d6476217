package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// leaseTime is how long a job that stopped reporting keeps other jobs from drawing its incident.
const leaseTime = 30 * time.Second

// A MessageRef says where a Slack message is. The zero MessageRef means no message.
type MessageRef struct{ Channel, TS string }

// A Copy is a direct message that shows an incident.
type Copy struct {
	MessageRef
	Drawn int64 // the version that the message shows
	User  oncall.UserID
	Why   oncall.Sentence // why the person was paged
}

// A Drawing holds an incident's current picture, and the Slack messages that already show the incident.
type Drawing struct {
	Picture   oncall.Picture
	Busy      bool       // another job is drawing and will draw this version too, so there is nothing to do
	Root      MessageRef // the message in the team's channel; zero: not posted
	RootTried *time.Time // the first attempt to post it; the message may exist although we never learned its ts
	Delivery  string     // a permanent name in that message's metadata, to find the message by
	RootDrawn int64      // the version that the root message shows
	Copies    []Copy
	ThreadTo  int64 // the last event that the thread shows

	ThreadTried   int64      // last event of a reply that may have been posted; 0: no such attempt
	ThreadTriedAt *time.Time // when that reply was tried

	Line FlapLine

	Raisers []RaiserCopy // for the people who raised the incident by hand
}

// A FlapLine is the reply in the thread that reports an incident's flapping. It is edited in place.
type FlapLine struct {
	Since   *time.Time // start of the flapping that the line reports; nil: no line
	TS      string     // empty: not posted
	Drawn   string     // the oncall.Flap.State that the line shows
	TriedAt *time.Time // an attempt to post that may have succeeded
}

// BeginDraw leases the drawing of an incident to a job, until EndDraw, PutDrawBack, or 30 s without a sign of
// life. The same job may begin again. A job that finds another job drawing can stop, because EndDraw keeps the
// other job going until the newest version is drawn.
func (s *System) BeginDraw(ctx context.Context, id oncall.IncidentID, job int64, now time.Time) (Drawing, error) {
	dir, err := s.directory(ctx)
	if err != nil {
		return Drawing{}, err
	}
	var drawing Drawing
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if drawing, err = lease(ctx, tx, id, job, now); err != nil || drawing.Busy {
			return err
		}
		if drawing.Picture, err = picture(ctx, tx, dir, id); err != nil {
			return err
		}
		if drawing.Copies, err = copies(ctx, tx, id); err != nil || !drawing.Picture.Incident.Raised() {
			return err
		}
		drawing.Raisers, err = raiserCopies(ctx, tx, id)
		return err
	})
	if err != nil {
		return Drawing{}, fmt.Errorf("begin to draw incident %d: %w", id, err)
	}
	// The opening time makes the name differ from that of another database's incident with the same number.
	drawing.Delivery = fmt.Sprintf("incident-%d-%d", id, drawing.Picture.Incident.OpenedAt.Unix())
	return drawing, nil
}

// lease gives the drawing of an incident to a job, unless another job holds the lease.
func lease(ctx context.Context, tx pgx.Tx, id oncall.IncidentID, job int64, now time.Time) (Drawing, error) {
	const create = `
		INSERT INTO drawings (incident_id, channel, ts, drawn, thread_to)
		SELECT id, '', '', 0, 0 FROM incidents WHERE id = $1
		ON CONFLICT (incident_id) DO NOTHING`
	// The lock waits for an EndDraw that has compared versions but not yet committed. The UPDATE alone
	// would not wait, because in its snapshot the row still belongs to the other job.
	const lock = `SELECT incident_id FROM drawings WHERE incident_id = $1 FOR UPDATE`
	const take = `
		UPDATE drawings
		SET lease_job = $2, lease_until = $4
		WHERE incident_id = $1
		  AND (lease_job IS NULL OR lease_job = $2 OR lease_until <= $3
		       OR lease_job > 0 AND NOT EXISTS (SELECT FROM river_job WHERE id = lease_job AND finalized_at IS NULL))
		RETURNING channel, ts, tried_at, drawn, thread_to, thread_tried, thread_tried_at,
		          flap_since, flap_ts, flap_drawn, flap_tried_at`
	if _, err := tx.Exec(ctx, create, id); err != nil {
		return Drawing{}, err
	}
	if err := tx.QueryRow(ctx, lock, id).Scan(nil); err != nil {
		return Drawing{}, err
	}
	var d Drawing
	err := tx.QueryRow(ctx, take, id, job, now, now.Add(leaseTime)).
		Scan(&d.Root.Channel, &d.Root.TS, &d.RootTried, &d.RootDrawn, &d.ThreadTo, &d.ThreadTried, &d.ThreadTriedAt,
			&d.Line.Since, &d.Line.TS, &d.Line.Drawn, &d.Line.TriedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return Drawing{Busy: true}, nil
	}
	return d, err
}

func copies(ctx context.Context, q querier, id oncall.IncidentID) ([]Copy, error) {
	const load = `
		SELECT channel, ts, drawn, user_id AS "user", coalesce(reason, jsonb_build_array(why)) AS why
		FROM drawing_copies
		WHERE incident_id = $1
		ORDER BY ts, channel`
	rows, _ := q.Query(ctx, load, id)
	return pgx.CollectRows(rows, pgx.RowToStructByName[Copy])
}

// RootTried records that the message in the channel is about to be posted. It must be called before the request.
func (s *System) RootTried(ctx context.Context, id oncall.IncidentID, now time.Time) error {
	const note = `UPDATE drawings SET tried_at = coalesce(tried_at, $2) WHERE incident_id = $1`
	return s.noteDrawing(ctx, id, note, id, now)
}

// RootUnsent takes RootTried back once it is certain that the message was not posted.
func (s *System) RootUnsent(ctx context.Context, id oncall.IncidentID) error {
	const note = `UPDATE drawings SET tried_at = NULL WHERE incident_id = $1 AND ts = ''`
	return s.noteDrawing(ctx, id, note, id)
}

// ChannelRefused tells a team's admins, once a day, that Slack refuses messages in the team's channel.
// Without admins it tells those who are paged where a policy has nobody, or else all members.
func (s *System) ChannelRefused(ctx context.Context, team oncall.TeamID, why string, now time.Time) error {
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	t, _ := dir.Team(team)
	return s.transact(ctx, func(tx pgx.Tx) error {
		return s.saveNotices(ctx, tx, now, oncall.ChannelNotices(t, why, dir.channelWatchers(t), now))
	})
}

// ChannelClosed tells the admins of the channel's teams, once a day, that Slack no longer accepts messages
// there.
func (s *Store) ChannelClosed(ctx context.Context, id, why string, now time.Time) error {
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	var notices []oncall.Notice
	for _, t := range dir.teams {
		if dir.Channel(t.Channel) == id {
			notices = append(notices, oncall.ChannelNotices(t, why, dir.channelWatchers(t), now)...)
		}
	}
	if len(notices) == 0 {
		return nil
	}
	return s.transact(ctx, func(tx pgx.Tx) error { return s.saveNotices(ctx, tx, now, notices) })
}

// maxReopened bounds how many of a channel's messages are drawn again, latest first.
const maxReopened = 50

// ChannelOpened redraws the outdated messages in a channel, which could not be edited while it was archived.
func (s *Store) ChannelOpened(ctx context.Context, id string, now time.Time) error {
	const behind = `
		SELECT i.id
		FROM drawings d
		JOIN incidents i ON i.id = d.incident_id
		WHERE d.channel = $1 AND d.drawn < i.version
		ORDER BY i.id DESC
		LIMIT $2`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, behind, id, maxReopened)
		found, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
		if err != nil {
			return err
		}
		tasks := make([]oncall.Task, len(found))
		for i, incident := range found {
			tasks[i].Args = oncall.Draw{Incident: incident}
		}
		return s.enqueue(ctx, tx, now, tasks)
	})
	if err != nil {
		return fmt.Errorf("draw what is in a channel again: %w", err)
	}
	return nil
}

// RootPosted stores where the message in the channel was posted.
func (s *System) RootPosted(ctx context.Context, id oncall.IncidentID, at MessageRef, now time.Time) error {
	const note = `
		UPDATE drawings
		SET channel = $2, ts = $3, tried_at = coalesce(tried_at, $4)
		WHERE incident_id = $1`
	return s.noteDrawing(ctx, id, note, id, at.Channel, at.TS, now)
}

// Drawn stores which version a message shows.
func (s *System) Drawn(ctx context.Context, id oncall.IncidentID, at MessageRef, version int64) error {
	const note = `
		WITH root AS (
			UPDATE drawings SET drawn = $4 WHERE incident_id = $1 AND channel = $2 AND ts = $3
		)
		UPDATE drawing_copies SET drawn = $4 WHERE incident_id = $1 AND channel = $2 AND ts = $3`
	return s.noteDrawing(ctx, id, note, id, at.Channel, at.TS, version)
}

// Threaded stores the last event that the thread shows.
func (s *System) Threaded(ctx context.Context, id oncall.IncidentID, to int64) error {
	const note = `UPDATE drawings SET thread_to = $2, thread_tried = 0, thread_tried_at = NULL WHERE incident_id = $1`
	return s.noteDrawing(ctx, id, note, id, to)
}

// ThreadTried records that a reply covering the events up to one is about to be posted. It must be called before
// the request.
func (s *System) ThreadTried(ctx context.Context, id oncall.IncidentID, to int64, now time.Time) error {
	const note = `UPDATE drawings SET thread_tried = $2, thread_tried_at = $3 WHERE incident_id = $1`
	return s.noteDrawing(ctx, id, note, id, to, now)
}

// ThreadUnsent takes ThreadTried back once it is certain that the reply was not posted.
func (s *System) ThreadUnsent(ctx context.Context, id oncall.IncidentID) error {
	const note = `UPDATE drawings SET thread_tried = 0, thread_tried_at = NULL WHERE incident_id = $1`
	return s.noteDrawing(ctx, id, note, id)
}

// SaveFlapLine stores where the line about an incident's flapping is, or may be, and the state that it shows.
func (s *System) SaveFlapLine(ctx context.Context, id oncall.IncidentID, l FlapLine) error {
	const note = `
		UPDATE drawings
		SET flap_since = $2, flap_ts = $3, flap_drawn = $4, flap_tried_at = $5
		WHERE incident_id = $1`
	return s.noteDrawing(ctx, id, note, id, l.Since, l.TS, l.Drawn, l.TriedAt)
}

// ForgetPlace drops a message that no longer exists. A root message will be posted again, and its thread from
// the beginning.
func (s *System) ForgetPlace(ctx context.Context, id oncall.IncidentID, at MessageRef) error {
	const note = `
		WITH root AS (
			UPDATE drawings
			SET channel = '', ts = '', drawn = 0, tried_at = NULL, thread_to = 0, thread_tried = 0, thread_tried_at = NULL,
			    flap_since = NULL, flap_ts = '', flap_drawn = '', flap_tried_at = NULL
			WHERE incident_id = $1 AND channel = $2 AND ts = $3
		)
		DELETE FROM drawing_copies WHERE incident_id = $1 AND channel = $2 AND ts = $3`
	return s.noteDrawing(ctx, id, note, id, at.Channel, at.TS)
}

func (s *Store) noteDrawing(ctx context.Context, id oncall.IncidentID, sql string, args ...any) error {
	if _, err := s.pool.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("note the drawing of incident %d: %w", id, translate(err))
	}
	return nil
}

// Roots returns the incidents' root messages, for the incidents that have one.
func (s *Store) Roots(ctx context.Context, ids []oncall.IncidentID) (map[oncall.IncidentID]MessageRef, error) {
	const load = `SELECT incident_id, channel, ts FROM drawings WHERE incident_id = ANY ($1) AND ts <> ''`
	rows, _ := s.pool.Query(ctx, load, ids)
	out := map[oncall.IncidentID]MessageRef{}
	var id oncall.IncidentID
	var at MessageRef
	_, err := pgx.ForEachRow(rows, []any{&id, &at.Channel, &at.TS}, func() error {
		out[id] = at
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find the messages of incidents: %w", translate(err))
	}
	return out, nil
}
