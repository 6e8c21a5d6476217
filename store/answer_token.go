package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

const (
	// tokenLives is for how long a page can be answered by its link.
	tokenLives = 48 * time.Hour
	// signFor is how long a key signs; it opens what it has signed for a month more.
	signFor = 30 * 24 * time.Hour
	keepKey = 2 * signFor
)

// keyring remembers the signing keys. Keys are never changed, only added.
type keyring struct {
	mu   sync.Mutex
	keys []signingKey // newest first
}

type signingKey struct {
	Secret    []byte
	CreatedAt time.Time
}

// Token makes the token by which a person can answer a page; 0 stands for a message that is none. A
// new signing key is made of random bytes, if one is needed.
func (s *Store) Token(ctx context.Context, page oncall.PageID, user oncall.UserID, random [32]byte, now time.Time) (string, error) {
	keys, err := s.signingKeys(ctx, false)
	if err != nil {
		return "", err
	}
	if len(keys) == 0 || now.Sub(keys[0].CreatedAt) > signFor {
		if err := s.addSigningKey(ctx, random, now); err != nil {
			return "", err
		}
		if keys, err = s.signingKeys(ctx, true); err != nil {
			return "", err
		}
	}
	return oncall.SignToken(keys[0].Secret, oncall.Claim{Page: page, User: user, Expires: now.Add(tokenLives)}), nil
}

func (s *Store) addSigningKey(ctx context.Context, random [32]byte, now time.Time) error {
	const lock = `LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE`
	const insert = `
		INSERT INTO signing_keys (secret, created_at)
		SELECT $1, $2
		WHERE NOT EXISTS (SELECT FROM signing_keys WHERE created_at >= $3)`
	const forget = `DELETE FROM signing_keys WHERE created_at < $1`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insert, random[:], now, now.Add(-signFor)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, forget, now.Add(-keepKey))
		return err
	})
	if err != nil {
		return fmt.Errorf("make a signing key: %w", err)
	}
	return nil
}

// signingKeys returns the keys, newest first; anew, if another instance may have made one.
func (s *Store) signingKeys(ctx context.Context, anew bool) ([]signingKey, error) {
	const load = `SELECT secret, created_at FROM signing_keys ORDER BY id DESC`
	s.keyring.mu.Lock()
	defer s.keyring.mu.Unlock()
	if len(s.keyring.keys) > 0 && !anew {
		return s.keyring.keys, nil
	}
	rows, _ := s.pool.Query(ctx, load)
	keys, err := pgx.CollectRows(rows, pgx.RowToStructByName[signingKey])
	if err != nil {
		return nil, fmt.Errorf("load the signing keys: %w", translate(err))
	}
	s.keyring.keys = keys
	return keys, nil
}

// openToken reads a token.
func (s *Store) openToken(ctx context.Context, token string, now time.Time) (oncall.Claim, error) {
	for _, anew := range []bool{false, true} {
		keys, err := s.signingKeys(ctx, anew)
		if err != nil {
			return oncall.Claim{}, err
		}
		secrets := make([][]byte, len(keys))
		for i, k := range keys {
			secrets[i] = k.Secret
		}
		claim, err := oncall.OpenToken(secrets, token, now)
		if err == nil || anew {
			return claim, err
		}
	}
	return oncall.Claim{}, oncall.ErrNotFound
}

// ReadToken tells what a token is about: whose it is, and the incidents that the page told of.
func (s *Store) ReadToken(ctx context.Context, token string, now time.Time) (oncall.Claim, error) {
	const lead = `SELECT coalesce(nullif(bundle, 0), id) FROM pages WHERE id = $1 AND user_id = $2`
	claim, err := s.openToken(ctx, token, now)
	if err != nil {
		return oncall.Claim{}, wrap(err, "open a token")
	}
	if claim.Page == 0 {
		return claim, nil
	}
	var page oncall.PageID
	if err := s.pool.QueryRow(ctx, lead, claim.Page, claim.User).Scan(&page); err != nil {
		return oncall.Claim{}, fmt.Errorf("find the page of a token: %w", translate(err))
	}
	if claim.Incidents, err = s.told(ctx, page); err != nil {
		return oncall.Claim{}, fmt.Errorf("find the incidents of a token: %w", err)
	}
	asked, _, err := s.paged(ctx, message{Page: page, User: claim.User}, claim.Incidents)
	if err != nil {
		return oncall.Claim{}, fmt.Errorf("find the pages of a token: %w", err)
	}
	claim.Asked = len(claim.Incidents) > 0
	for _, in := range claim.Incidents {
		claim.Asked = claim.Asked && asked[in.ID]
	}
	return claim, nil
}
