package store

import (
	"context"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// TryIntegration lets an integration's alert fire as if its monitor had sent one, for a person who manages it. It goes
// the way of all others.
func (s *Store) TryIntegration(ctx context.Context, by oncall.Actor, id oncall.IntegrationID, now time.Time) (IntegrationState, error) {
	in, err := s.ManagedIntegration(ctx, by, id)
	if err != nil {
		return in, err
	}
	return in, s.accept(ctx, id, []oncall.Signal{oncall.TrySignal(in.Name, now)}, now)
}
