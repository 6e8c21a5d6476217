package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// requestsKept is for how long a request is known again.
const requestsKept = 24 * time.Hour

// An APIRequest is a request that a program names, so that it is not carried out twice.
type APIRequest struct {
	Token string            // the program's own name for it
	Hash  [sha256.Size]byte // of what it asks
}

// BeginRequest notes that a request of a key is being carried out. One that was before comes back with its answer; one
// that is being carried out, or asks for something else under the same name, is a Refusal.
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

// EndRequest keeps how a request was answered.
func (s *Store) EndRequest(ctx context.Context, by oncall.Actor, r APIRequest, answer []byte) error {
	const save = `UPDATE api_requests SET answer = $3 WHERE key_id = $1 AND token = $2`
	_, err := s.pool.Exec(ctx, save, by.Key, r.Token, answer)
	return wrapAny(translate(err), "keep the answer to a request")
}

// ForgetRequest lets a request that came to nothing be made again.
func (s *Store) ForgetRequest(ctx context.Context, by oncall.Actor, r APIRequest) error {
	const forget = `DELETE FROM api_requests WHERE key_id = $1 AND token = $2 AND answer IS NULL`
	_, err := s.pool.Exec(ctx, forget, by.Key, r.Token)
	return wrapAny(translate(err), "forget a request")
}
