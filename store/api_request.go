package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// requestsKept is how long an idempotency key is remembered.
const requestsKept = 24 * time.Hour

// An APIRequest is a request with an idempotency key, so that it is not carried out twice.
type APIRequest struct {
	Token string            // the idempotency key
	Hash  [sha256.Size]byte // of the request
}

// BeginRequest notes that a request is being carried out. If it was carried out before, its answer is returned. A request
// that is still being carried out, or a different one with the same idempotency key, is refused.
func (s *Store) BeginRequest(ctx context.Context, by oncall.Actor, r APIRequest, now time.Time) (answer []byte, known bool, err error) {
	const forget = `DELETE FROM api_requests WHERE made_at < $1`
	const insert = `
		INSERT INTO api_requests (key_id, token, hash, made_at)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (key_id, token) DO NOTHING
		RETURNING key_id`
	const load = `SELECT hash, answer FROM api_requests WHERE key_id = $1 AND token = $2`
	if by.Key == 0 {
		return nil, false, errors.New("only requests of API keys have names")
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, forget, now.Add(-requestsKept)); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, insert, by.Key, r.Token, r.Hash[:], now).Scan(nil)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		var hash []byte
		if err := tx.QueryRow(ctx, load, by.Key, r.Token).Scan(&hash, &answer); err != nil {
			return err
		}
		switch {
		case string(hash) != string(r.Hash[:]):
			return oncall.Refuse("This Idempotency-Key was used for another request; nothing was changed.")
		case answer == nil:
			return oncall.Refuse("The request of this Idempotency-Key is being carried out, or was cut off: look what has become of it.")
		}
		known = true
		return nil
	})
	return answer, known, wrapAny(err, "begin a request")
}

// EndRequest stores the answer to a request.
func (s *Store) EndRequest(ctx context.Context, by oncall.Actor, r APIRequest, answer []byte) error {
	const save = `UPDATE api_requests SET answer = $3 WHERE key_id = $1 AND token = $2`
	_, err := s.pool.Exec(ctx, save, by.Key, r.Token, answer)
	return wrapAny(translate(err), "keep the answer to a request")
}

// ForgetRequest lets a failed request be made again.
func (s *Store) ForgetRequest(ctx context.Context, by oncall.Actor, r APIRequest) error {
	const forget = `DELETE FROM api_requests WHERE key_id = $1 AND token = $2 AND answer IS NULL`
	_, err := s.pool.Exec(ctx, forget, by.Key, r.Token)
	return wrapAny(translate(err), "forget a request")
}
