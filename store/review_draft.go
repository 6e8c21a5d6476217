package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// QueueReview has the review of an incident drafted, if it is over and the actor may act on it: by a job, which a crash leaves behind.
func (s *Store) QueueReview(ctx context.Context, by oncall.Actor, id oncall.IncidentID, now time.Time) error {
	g, err := s.gate(ctx, by)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		in, err := g.seen(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := in.RefuseReview(); err != nil {
			return err
		}
		if err := g.onIncident(ctx, tx, access.Respond, in); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, now, []oncall.Task{{Args: oncall.DraftReview{Incident: id, By: by.User}}})
	})
	return wrapAny(err, "have the review of incident %d drafted", id)
}
