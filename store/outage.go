package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// An OutagePage is a message that told a person about waiting alerts while the database was unavailable.
type OutagePage struct {
	Key       string        `json:"key"`
	Team      oncall.TeamID `json:"team"`
	User      oncall.UserID `json:"user"`
	Method    oncall.Method `json:"method"`
	Outage    time.Time     `json:"outage"` // start of the outage
	Waiting   int           `json:"waiting"`
	Title     string        `json:"title"`
	Attempts  int           `json:"attempts"`
	TriedAt   time.Time     `json:"tried_at,omitzero"`
	Outcome   string        `json:"outcome,omitempty"`
	Reference string        `json:"reference,omitempty"`
	Error     string        `json:"error,omitempty"`
}

// SaveOutagePages stores the messages that were sent during an outage. Storing the same ones again does no harm.
func (s *System) SaveOutagePages(ctx context.Context, pages []OutagePage) error {
	const save = `
		INSERT INTO outage_pages (key, team_id, user_id, method, outage_at, waiting, title, attempts, tried_at, outcome, reference, error)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (key) DO UPDATE
		SET attempts = excluded.attempts, tried_at = excluded.tried_at, outcome = excluded.outcome,
		    reference = excluded.reference, error = excluded.error`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		for _, p := range pages {
			_, err := tx.Exec(ctx, save, p.Key, p.Team, p.User, p.Method, p.Outage, p.Waiting, oncall.Storable(p.Title), p.Attempts,
				p.TriedAt, p.Outcome, oncall.Storable(p.Reference), oncall.Storable(p.Error))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write down what was sent without the database: %w", err)
	}
	return nil
}
