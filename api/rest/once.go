package rest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/watchbill/watchbill/store"
)

// idempotent carries out a request, unless its idempotency key was used before: then it repeats the
// earlier response. A refused request is not recorded, so that it can be tried again.
func idempotent[I, O any](ctx context.Context, s *server, operation string, in *I, do func() (*O, error)) (*O, error) {
	keyed, ok := any(in).(interface{ idempotencyKey() string })
	if !ok || keyed.idempotencyKey() == "" {
		return do()
	}
	asked, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("read a request: %w", err)
	}
	c := callerOf(ctx)
	r := store.APIRequest{Token: keyed.idempotencyKey(), Hash: sha256.Sum256(append([]byte(operation+"\n"), asked...))}
	kept, known, err := s.Store.BeginRequest(ctx, c.by, r, c.now)
	if err != nil {
		return nil, err
	}
	if known {
		out := new(O)
		if err := json.Unmarshal(kept, out); err != nil {
			return nil, fmt.Errorf("answer a request as before: %w", err)
		}
		return out, nil
	}
	out, failed := do()
	// Record the response even if the caller has gone: that is why they will ask again.
	ctx = context.WithoutCancel(ctx)
	if failed != nil {
		if err := s.Store.ForgetRequest(ctx, c.by, r); err != nil {
			s.outages.Warn().Err(err).Msg("a request that failed can't be tried again for a day")
		}
		return nil, failed
	}
	answer, err := json.Marshal(out)
	if err == nil {
		err = s.Store.EndRequest(ctx, c.by, r, answer)
	}
	if err != nil {
		s.outages.Warn().Err(err).Msg("the answer to a request is not kept")
	}
	return out, nil
}
