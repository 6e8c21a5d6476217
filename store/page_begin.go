package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// BeginPage lets the rules decide whether a page is sent now. If it is, BeginPage records the
// beginning of the attempt before anything is sent. The order says what to send, or when to try again.
// Pages that wait for the same recipient join the message, and the rest of the page's batch gets the
// next job.
func (s *System) BeginPage(ctx context.Context, what oncall.SendPage, job int64, now time.Time) (oncall.PageOrder, error) {
	id := what.Page
	dir, err := s.directory(ctx)
	if err != nil {
		return oncall.PageOrder{}, err
	}
	var order oncall.PageOrder
	err = s.transact(ctx, func(tx pgx.Tx) error {
		// After a storm, many jobs find that another message already covers their page, so they needn't wait
		// for the recipient's lock. The job of a batch must wait, because other pages may be about to join.
		var p oncall.PageStatus
		err := tx.QueryRow(ctx, `SELECT state, bundle FROM pages WHERE id = $1`, id).Scan(&p.State, &p.Bundle)
		if err != nil || p.Over() && what.Batch == 0 {
			return err
		}
		facts, to, err := loadPage(ctx, tx, id, job, now)
		if err != nil {
			return err
		}
		facts.Person = dir.Users[to.User]
		decision := facts.Begin(now)
		order = decision.Order
		if err := s.savePages(ctx, tx, &pgx.Batch{}, to, decision.PageUpdate, now); err != nil {
			return err
		}
		if decision.Rests != nil {
			if err := s.saveNotices(ctx, tx, now, []oncall.Notice{*decision.Rests}); err != nil {
				return err
			}
		}
		switch {
		case decision.Deferred:
			order.OtherJob, err = s.deferBatch(ctx, tx, to, what, order, now)
		case what.Batch != 0 && decision.Batch != oncall.BatchWaits:
			err = s.moveBatch(ctx, tx, to, what.Batch, decision.Batch, now)
		}
		return err
	})
	if err != nil {
		return oncall.PageOrder{}, fmt.Errorf("begin page %d: %w", id, err)
	}
	order.Team = dir.teams[order.Incident.TeamID].Name
	return order, nil
}

// ResumePage records that a page whose attempt had no known outcome is sent again. Lost means that the
// earlier attempt certainly sent nothing.
func (s *System) ResumePage(ctx context.Context, order oncall.PageOrder, lost bool, now time.Time) (oncall.PageOrder, error) {
	const attempt = `
		UPDATE pages
		SET attempt = attempt + 1, attempted_at = $2,
		    doubt_at = CASE WHEN $3 THEN $2 ELSE coalesce(doubt_at, $2) END
		WHERE id = $1
		RETURNING attempt`
	if err := s.pool.QueryRow(ctx, attempt, order.Page.ID, now, lost).Scan(&order.Attempt); err != nil {
		return oncall.PageOrder{}, fmt.Errorf("resume page %d: %w", order.Page.ID, translate(err))
	}
	if lost {
		order.Doubt, order.DoubtSince = nil, now
	}
	return order, nil
}
