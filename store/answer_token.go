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
func (s *System) Token(ctx context.Context, page oncall.PageID, user oncall.UserID, random [32]byte, now time.Time) (string, error) {
	key, err := s.signWith(ctx, random, now)
	if err != nil {
		return "", fmt.Errorf("make a signing key: %w", err)
	}
	return oncall.SignToken(key.Secret, oncall.Claim{Page: page, User: user, Expires: now.Add(tokenLives)}), nil
}

// signWith returns the key to sign with. It makes a new one if there is none, or the newest is too
// old.
func (s *Store) signWith(ctx context.Context, random [32]byte, now time.Time) (signingKey, error) {
	const lock = `LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE`
	const insert = `
		INSERT INTO signing_keys (secret, created_at)
		SELECT $1, $2
		WHERE NOT EXISTS (SELECT FROM signing_keys WHERE created_at >= $3)`
	const forget = `DELETE FROM signing_keys WHERE created_at < $1`
	if keys := s.keyring.known(); len(keys) > 0 && now.Sub(keys[0].CreatedAt) <= signFor {
		return keys[0], nil
	}
	var keys []signingKey
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		if keys, err = loadKeys(ctx, tx); err != nil || len(keys) > 0 && now.Sub(keys[0].CreatedAt) <= signFor {
			return err
		}
		if _, err := tx.Exec(ctx, lock); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insert, random[:], now, now.Add(-signFor)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, forget, now.Add(-keepKey)); err != nil {
			return err
		}
		keys, err = loadKeys(ctx, tx)
		return err
	})
	if err != nil {
		return signingKey{}, err
	}
	s.keyring.keep(keys)
	return keys[0], nil
}

// loadKeys loads the signing keys, newest first.
func loadKeys(ctx context.Context, q querier) ([]signingKey, error) {
	const load = `SELECT secret, created_at FROM signing_keys ORDER BY id DESC`
	rows, _ := q.Query(ctx, load)
	return pgx.CollectRows(rows, pgx.RowToStructByName[signingKey])
}

// known returns the keys that were loaded last.
func (k *keyring) known() []signingKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys
}

func (k *keyring) keep(keys []signingKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = keys
}

// openToken reads a token. If none of the known keys fits, another instance may have signed it with a
// new one, so they are loaded again.
func (s *Store) openToken(ctx context.Context, q querier, token string, now time.Time) (oncall.Claim, error) {
	claim, err := openWith(s.keyring.known(), token, now)
	if err == nil {
		return claim, nil
	}
	keys, err := loadKeys(ctx, q)
	if err != nil {
		return oncall.Claim{}, fmt.Errorf("load the signing keys: %w", err)
	}
	s.keyring.keep(keys)
	return openWith(keys, token, now)
}

func openWith(keys []signingKey, token string, now time.Time) (oncall.Claim, error) {
	secrets := make([][]byte, len(keys))
	for i, k := range keys {
		secrets[i] = k.Secret
	}
	return oncall.OpenToken(secrets, token, now)
}

// ReadToken returns the message that a token was made for. If that is a probe it has no incidents.
func (s *Store) ReadToken(ctx context.Context, token string, now time.Time) (oncall.AnsweredMessage, error) {
	const lead = `SELECT coalesce(nullif(bundle, 0), id) FROM pages WHERE id = $1 AND user_id = $2`
	m := oncall.AnsweredMessage{Named: true}
	err := s.transact(ctx, func(tx pgx.Tx) error {
		claim, err := s.openToken(ctx, tx, token, now)
		if m.User = claim.User; err != nil || claim.Page == 0 {
			return err
		}
		if err := tx.QueryRow(ctx, lead, claim.Page, claim.User).Scan(&m.Lead); err != nil {
			return err
		}
		return loadMessage(ctx, tx, &m, func(ctx context.Context, tx pgx.Tx, ids []oncall.IncidentID) ([]oncall.Incident, error) {
			return incidents(ctx, tx, ids)
		})
	})
	if err != nil {
		return oncall.AnsweredMessage{}, wrap(err, "read a token")
	}
	return m, nil
}
