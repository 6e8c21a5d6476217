package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// A RaiserCopy is the message that shows an incident's progress to the person who raised it.
type RaiserCopy struct {
	MessageRef        // until it is posted, Channel may be the person's id
	Thread     string // ts of the message that it replies to; empty: none
	User       oncall.UserID
	Drawn      int64      // the version that the message shows
	TriedAt    *time.Time // an attempt to post it may have succeeded
	Delivered  bool       // the message was posted
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

// RaiserTried records that the raiser's message is about to be posted. With a nil instant it records that the
// message was certainly not posted.
func (s *System) RaiserTried(ctx context.Context, id oncall.IncidentID, user oncall.UserID, at *time.Time) error {
	const note = `UPDATE raised SET tried_at = $3 WHERE incident_id = $1 AND user_id = $2 AND ts = ''`
	return s.noteDrawing(ctx, id, note, id, user, at)
}

// RaiserDrawn stores where the raiser's message is, and which version it shows.
func (s *System) RaiserDrawn(ctx context.Context, id oncall.IncidentID, user oncall.UserID, at MessageRef, version int64) error {
	const note = `UPDATE raised SET channel = $3, ts = $4, drawn = $5 WHERE incident_id = $1 AND user_id = $2`
	return s.noteDrawing(ctx, id, note, id, user, at.Channel, at.TS, version)
}

// RaiserEnded records that the raiser's message can't be posted or is gone, and stops the drawing of it.
func (s *System) RaiserEnded(ctx context.Context, id oncall.IncidentID, user oncall.UserID) error {
	const note = `UPDATE raised SET ended = true WHERE incident_id = $1 AND user_id = $2`
	return s.noteDrawing(ctx, id, note, id, user)
}
