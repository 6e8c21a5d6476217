package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// leaseTime is for how long a job that has gone silent keeps others from drawing.
const leaseTime = 30 * time.Second

// A Place is a message in Slack. The zero Place is none.
type Place struct{ Channel, TS string }

// A Copy is a direct message that shows an incident.
type Copy struct {
	Place
	Drawn int64 // the version that it shows
	User  oncall.UserID
	Why   oncall.Sentence // that person was paged
}

// A Drawing is an incident as it is to be shown, and where it is shown already.
type Drawing struct {
	Picture   oncall.Picture
	Busy      bool       // another job is drawing, and will see this version too: nothing to do
	Root      Place      // the message in the team's channel; zero: not posted
	RootTried *time.Time // when it was first tried: it may be there although we don't know where
	Delivery  string     // names that message for good, to find it by
	RootDrawn int64      // the version that it shows
	Copies    []Copy
	ThreadTo  int64 // the last event that the thread shows

	ThreadTried   int64      // up to which event a reply was tried that may be there; 0: none was
	ThreadTriedAt *time.Time // when

	Line FlapLine

	Raisers []RaiserCopy // for those who raised it by hand
}

// A FlapLine is the reply in the thread that says how the incident comes and goes, and is edited in place.
type FlapLine struct {
	Since   *time.Time // of which flapping it tells; nil: there is none
	TS      string     // empty: it is not posted
	Drawn   string     // oncall.Flap.State, as it shows it
	TriedAt *time.Time // it may be there although we don't know where
}

// BeginDraw gives the drawing of an incident to a job, until EndDraw, PutDrawBack, or 30 s of silence. The
// same job may begin again. A job that finds another one drawing can stop: EndDraw keeps the other going
// until it has drawn the newest version.
func (s *System) BeginDraw(ctx context.Context, id oncall.IncidentID, job int64, now time.Time) (Drawing, error) {
	dir, err := s.directory(ctx)
	if err != nil {
		return Drawing{}, err
	}
	var d Drawing
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if d, err = lease(ctx, tx, id, job, now); err != nil || d.Busy {
			return err
		}
		if d.Picture, err = picture(ctx, tx, dir, id); err != nil {
			return err
		}
		if d.Copies, err = copies(ctx, tx, id); err != nil || !d.Picture.Incident.Raised() {
			return err
		}
		d.Raisers, err = raiserCopies(ctx, tx, id)
		return err
	})
	if err != nil {
		return Drawing{}, fmt.Errorf("begin to draw incident %d: %w", id, err)
	}
	// The time makes it another name in another database that counts from 1 as well.
	d.Delivery = fmt.Sprintf("incident-%d-%d", id, d.Picture.Incident.OpenedAt.Unix())
	return d, nil
}

// lease gives the drawing of an incident to a job, unless another has it.
func lease(ctx context.Context, tx pgx.Tx, id oncall.IncidentID, job int64, now time.Time) (Drawing, error) {
	const create = `
		INSERT INTO drawings (incident_id, channel, ts, drawn, thread_to)
		SELECT id, '', '', 0, 0 FROM incidents WHERE id = $1
		ON CONFLICT (incident_id) DO NOTHING`
	// Waits for an EndDraw that has looked at the version and not yet committed. The UPDATE alone
	// would not: the row that it sees is still another's.
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

// RootTried notes, before it is sent, that the message in the channel is about to be posted.
func (s *System) RootTried(ctx context.Context, id oncall.IncidentID, now time.Time) error {
	const note = `UPDATE drawings SET tried_at = coalesce(tried_at, $2) WHERE incident_id = $1`
	return s.noteDrawing(ctx, id, note, id, now)
}

// RootUnsent takes back RootTried: the message has surely not been posted.
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

// ChannelClosed tells the admins of the teams whose channel it is, once a day, that Slack takes no
// messages there any more.
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

// maxReopened bounds how many messages of a channel are drawn again, the latest.
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
			tasks[i].Do = oncall.Draw{Incident: incident}
		}
		return s.enqueue(ctx, tx, now, tasks)
	})
	if err != nil {
		return fmt.Errorf("draw what is in a channel again: %w", err)
	}
	return nil
}

// RootPosted notes where the message in the channel is.
func (s *System) RootPosted(ctx context.Context, id oncall.IncidentID, at Place, now time.Time) error {
	const note = `
		UPDATE drawings
		SET channel = $2, ts = $3, tried_at = coalesce(tried_at, $4)
		WHERE incident_id = $1`
	return s.noteDrawing(ctx, id, note, id, at.Channel, at.TS, now)
}

// Drawn notes which version a message shows.
func (s *System) Drawn(ctx context.Context, id oncall.IncidentID, at Place, version int64) error {
	const note = `
		WITH root AS (
			UPDATE drawings SET drawn = $4 WHERE incident_id = $1 AND channel = $2 AND ts = $3
		)
		UPDATE drawing_copies SET drawn = $4 WHERE incident_id = $1 AND channel = $2 AND ts = $3`
	return s.noteDrawing(ctx, id, note, id, at.Channel, at.TS, version)
}

// Threaded notes the last event that the thread shows.
func (s *System) Threaded(ctx context.Context, id oncall.IncidentID, to int64) error {
	const note = `UPDATE drawings SET thread_to = $2, thread_tried = 0, thread_tried_at = NULL WHERE incident_id = $1`
	return s.noteDrawing(ctx, id, note, id, to)
}

// ThreadTried notes, before it is sent, that a reply about everything up to an event is about to be
// posted.
func (s *System) ThreadTried(ctx context.Context, id oncall.IncidentID, to int64, now time.Time) error {
	const note = `UPDATE drawings SET thread_tried = $2, thread_tried_at = $3 WHERE incident_id = $1`
	return s.noteDrawing(ctx, id, note, id, to, now)
}

// ThreadUnsent takes back ThreadTried: the reply has surely not been posted.
func (s *System) ThreadUnsent(ctx context.Context, id oncall.IncidentID) error {
	const note = `UPDATE drawings SET thread_tried = 0, thread_tried_at = NULL WHERE incident_id = $1`
	return s.noteDrawing(ctx, id, note, id)
}

// NoteLine notes where the line about an incident's flapping is, or may be, and what it shows.
func (s *System) NoteLine(ctx context.Context, id oncall.IncidentID, l FlapLine) error {
	const note = `
		UPDATE drawings
		SET flap_since = $2, flap_ts = $3, flap_drawn = $4, flap_tried_at = $5
		WHERE incident_id = $1`
	return s.noteDrawing(ctx, id, note, id, l.Since, l.TS, l.Drawn, l.TriedAt)
}

// ForgetPlace drops a message that no longer exists. The one in the channel will be posted anew,
// and its thread from the beginning.
func (s *System) ForgetPlace(ctx context.Context, id oncall.IncidentID, at Place) error {
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

// Roots returns the messages of incidents in their teams' channels, where there are any.
func (s *Store) Roots(ctx context.Context, ids []oncall.IncidentID) (map[oncall.IncidentID]Place, error) {
	const load = `SELECT incident_id, channel, ts FROM drawings WHERE incident_id = ANY ($1) AND ts <> ''`
	rows, _ := s.pool.Query(ctx, load, ids)
	out := map[oncall.IncidentID]Place{}
	var id oncall.IncidentID
	var at Place
	_, err := pgx.ForEachRow(rows, []any{&id, &at.Channel, &at.TS}, func() error {
		out[id] = at
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find the messages of incidents: %w", translate(err))
	}
	return out, nil
}
