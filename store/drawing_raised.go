package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// A RaiserCopy is the message in which somebody who raised an incident sees what becomes of it.
type RaiserCopy struct {
	Place            // its channel, or the person's id, until it is posted
	Thread    string // the message to which it replies; empty: none
	User      oncall.UserID
	Drawn     int64      // the version that it shows
	TriedAt   *time.Time // an attempt to post it may have succeeded
	Delivered bool       // it is posted
}

func raiserCopies(ctx context.Context, q querier, id oncall.IncidentID) ([]RaiserCopy, error) {
	const load = `
		SELECT channel, ts, thread, user_id AS "user", drawn, tried_at, ts <> '' AS delivered
		FROM raised
		WHERE incident_id = $1 AND NOT ended
		ORDER BY raised_at, user_id`
	rows, _ := q.Query(ctx, load, id)
	return pgx.CollectRows(rows, pgx.RowToStructByName[RaiserCopy])
}

// RaiserTried notes, before it is sent, that the message for who raised an incident is about to be posted, or with
// no instant that it was surely not.
func (s *System) RaiserTried(ctx context.Context, id oncall.IncidentID, user oncall.UserID, at *time.Time) error {
	const note = `UPDATE raised SET tried_at = $3 WHERE incident_id = $1 AND user_id = $2 AND ts = ''`
	return s.noteDrawing(ctx, id, note, id, user, at)
}

// RaiserDrawn notes where that message is, and which version it shows.
func (s *System) RaiserDrawn(ctx context.Context, id oncall.IncidentID, user oncall.UserID, at Place, version int64) error {
	const note = `UPDATE raised SET channel = $3, ts = $4, drawn = $5 WHERE incident_id = $1 AND user_id = $2`
	return s.noteDrawing(ctx, id, note, id, user, at.Channel, at.TS, version)
}

// RaiserEnded notes that the message can't be shown, or is gone: it is drawn no more.
func (s *System) RaiserEnded(ctx context.Context, id oncall.IncidentID, user oncall.UserID) error {
	const note = `UPDATE raised SET ended = true WHERE incident_id = $1 AND user_id = $2`
	return s.noteDrawing(ctx, id, note, id, user)
}
