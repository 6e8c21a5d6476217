package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
)

// maxPosts is how many posts the status page shows.
const maxPosts = 50

// Publish puts an update about an incident on the status page. An empty title keeps the
// previous one.
func (s *Store) Publish(ctx context.Context, by oncall.Actor, id oncall.IncidentID, title string, u oncall.StatusUpdate, now time.Time) error {
	const known = `SELECT title FROM status_posts WHERE incident_id = $1 FOR UPDATE`
	const post = `
		INSERT INTO status_posts (incident_id, title, opened_at, ended_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (incident_id) DO UPDATE SET title = excluded.title, ended_at = excluded.ended_at`
	const update = `INSERT INTO status_updates (incident_id, at, state, text) VALUES ($1, $2, $3, $4)`
	title, u.Text = strings.TrimSpace(title), strings.TrimSpace(u.Text)
	return s.publishing(ctx, by, id, func(tx pgx.Tx, in oncall.Incident, team oncall.Team) error {
		var before string
		err := tx.QueryRow(ctx, known, id).Scan(&before)
		first := errors.Is(err, pgx.ErrNoRows)
		if err != nil && !first {
			return err
		}
		if err := oncall.CheckStatus(title, u, first); err != nil {
			return err
		}
		if title == "" {
			title = before
		}
		var ended *time.Time
		if u.State == oncall.StatusResolved {
			ended = &now
		}
		if _, err := tx.Exec(ctx, post, id, title, in.OpenedAt, ended); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, update, id, now, u.State, u.Text); err != nil {
			return err
		}
		return record(ctx, tx, by, now, audit.Published(team, id, title, u))
	})
}

// Unpublish takes an incident off the status page, with all that was said of it there.
func (s *Store) Unpublish(ctx context.Context, by oncall.Actor, id oncall.IncidentID, now time.Time) error {
	const remove = `DELETE FROM status_posts WHERE incident_id = $1`
	return s.publishing(ctx, by, id, func(tx pgx.Tx, _ oncall.Incident, team oncall.Team) error {
		done, err := tx.Exec(ctx, remove, id)
		if err != nil || done.RowsAffected() == 0 {
			return err
		}
		return record(ctx, tx, by, now, audit.Withdrawn(team, id))
	})
}

// publishing runs do if the actor may publish updates about the incident: they may act on it, and its team isn't private.
func (s *Store) publishing(ctx context.Context, by oncall.Actor, id oncall.IncidentID, do func(pgx.Tx, oncall.Incident, oncall.Team) error) error {
	g, err := s.gate(ctx, by)
	if err != nil {
		return err
	}
	return wrapAny(s.transact(ctx, func(tx pgx.Tx) error {
		in, err := g.seen(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := g.onIncident(ctx, tx, access.Respond, in); err != nil {
			return err
		}
		team := g.dir.teams[in.TeamID]
		if team.Private {
			return oncall.Refuse("Incident %s is of a private team: nothing of it is published.", in.ID)
		}
		return do(tx, in, team)
	}), "publish incident %d", id)
}

// StatusPost returns what the status page says of an incident; oncall.ErrNotFound: nothing.
func (s *Store) StatusPost(ctx context.Context, by oncall.Actor, id oncall.IncidentID) (oncall.StatusPost, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return oncall.StatusPost{}, err
	}
	var posts []oncall.StatusPost
	err = s.transact(ctx, func(tx pgx.Tx) (err error) {
		if _, err = g.seen(ctx, tx, id); err == nil {
			posts, err = loadPosts(ctx, tx, id, time.Time{})
		}
		return err
	})
	switch {
	case err != nil:
		return oncall.StatusPost{}, wrapAny(err, "load what is published of incident %d", id)
	case len(posts) == 0:
		return oncall.StatusPost{}, oncall.ErrNotFound
	}
	return posts[0], nil
}

// StatusPosts returns what the status page says: what goes on, and what has ended since an instant, the newest first.
func (s *Store) StatusPosts(ctx context.Context, since time.Time) (posts []oncall.StatusPost, err error) {
	err = s.transact(ctx, func(tx pgx.Tx) error {
		posts, err = loadPosts(ctx, tx, 0, since)
		return err
	})
	return posts, wrapAny(err, "load the status page")
}

// loadPosts loads what is said of one incident, or of all for 0.
func loadPosts(ctx context.Context, tx pgx.Tx, id oncall.IncidentID, since time.Time) ([]oncall.StatusPost, error) {
	const load = `
		SELECT p.incident_id, p.title, p.opened_at, p.ended_at, u.at, u.state, u.text
		FROM (
			SELECT incident_id, title, opened_at, ended_at FROM status_posts
			WHERE incident_id = $1 OR $1::bigint = 0 AND (ended_at IS NULL OR ended_at >= $2)
			ORDER BY opened_at DESC, incident_id DESC
			LIMIT $3
		) p
		JOIN status_updates u ON u.incident_id = p.incident_id
		ORDER BY p.opened_at DESC, p.incident_id DESC, u.id DESC`
	type row struct {
		IncidentID oncall.IncidentID
		Title      string
		OpenedAt   time.Time
		EndedAt    *time.Time
		oncall.StatusUpdate
	}
	rows, _ := tx.Query(ctx, load, id, since, maxPosts)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return nil, err
	}
	var out []oncall.StatusPost
	for _, r := range found {
		if n := len(out); n == 0 || out[n-1].Incident != r.IncidentID {
			out = append(out, oncall.StatusPost{Incident: r.IncidentID, Title: r.Title, OpenedAt: r.OpenedAt, EndedAt: r.EndedAt})
		}
		last := &out[len(out)-1]
		last.Updates = append(last.Updates, r.StatusUpdate)
	}
	return out, nil
}
