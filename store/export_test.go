package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// Decide saves what a test decides, which need not be anything that a person can do.
func (s *Store) Decide(ctx context.Context, id oncall.IncidentID, do func(oncall.Incident) (oncall.Change, error)) (oncall.Incident, error) {
	in, _, err := s.decide(ctx, id, func(_ pgx.Tx, in oncall.Incident) (oncall.Change, bool, error) {
		c, err := do(in)
		return c, true, err
	})
	return in, err
}

// LastPagedSQL is the query of LastPaged.
const LastPagedSQL = lastPaged

// Period returns the present period in which signals can be stored.
func (s *Store) Period() string { return *s.arrivals.period }
