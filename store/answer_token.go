package store

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

const (
	// signFor is how long a key signs tokens. It is kept just as long again to check them.
	signFor = 30 * 24 * time.Hour
	keepKey = 2 * signFor
	// keySlack is how far the clocks of two instances may differ.
	keySlack = time.Hour
	// renewOften is the shortest time between two loads of the keys, and renewLimit is the longest time
	// that a load may take.
	renewOften = time.Second
	renewLimit = 5 * time.Second
)

// keyring caches the signing keys. Keys are never changed, only added.
type keyring struct {
	mu      sync.Mutex
	keys    []signingKey // newest first
	next    *renewal     // the renewal that begins when cooling ends; nil: nobody waits for one
	cooling bool         // a renewal began within renewOften
}

// A renewal is one load of the keys for everybody who asked before it began.
type renewal struct {
	load func(context.Context) ([]signingKey, error)
	done chan struct{} // closed when keys or err is set
	keys []signingKey
	err  error
}

type signingKey struct {
	Secret    []byte
	CreatedAt time.Time
}

// Token makes the token by which a person can answer a page; page 0 is for messages that aren't pages.
// It is signed with the configured secret. If no secret is set, or while an older release may still be
// running, it is signed with a key from the database. A new such key is made from the random bytes,
// but only if a secret is set.
func (s *System) Token(ctx context.Context, page oncall.PageID, user oncall.UserID, random [32]byte, now time.Time) (string, error) {
	var key []byte
	if secret := s.secret(now); secret != nil {
		key = secret.TokenKey()
	} else {
		stored, err := s.signWith(ctx, random, now)
		if err != nil {
			return "", fmt.Errorf("make a signing key: %w", err)
		}
		key = stored.Secret
	}
	return oncall.SignToken(key, oncall.Claim{Page: page, User: user, Expires: now.Add(oncall.TokenLives)}), nil
}

// signWith returns the key from the database to sign with. It makes a new one if there is none or the newest is too old.
func (s *Store) signWith(ctx context.Context, random [32]byte, now time.Time) (signingKey, error) {
	const lock = `LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE`
	const insert = `
		INSERT INTO signing_keys (secret, created_at)
		SELECT $1, $2
		WHERE NOT EXISTS (SELECT FROM signing_keys WHERE created_at >= $3)`
	const forget = `DELETE FROM signing_keys WHERE created_at < $1`
	if keys := s.keyring.known(); s.signs(keys, now) {
		return keys[0], nil
	}
	var keys []signingKey
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		if keys, err = loadKeys(ctx, tx); err != nil || s.signs(keys, now) {
			return err
		}
		if len(s.secrets) == 0 {
			return errNoSecret
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
	s.keyring.set(keys)
	return keys[0], nil
}

// signs reports whether the newest key may still sign. Without a secret, it may until it expires.
func (s *Store) signs(keys []signingKey, now time.Time) bool {
	return len(keys) > 0 && (now.Sub(keys[0].CreatedAt) <= signFor || len(s.secrets) == 0)
}

// loadKeys loads the signing keys, newest first.
func loadKeys(ctx context.Context, q querier) ([]signingKey, error) {
	const load = `SELECT secret, created_at FROM signing_keys ORDER BY id DESC`
	rows, _ := q.Query(ctx, load)
	return pgx.CollectRows(rows, pgx.RowToStructByName[signingKey])
}

// known returns the cached keys.
func (k *keyring) known() []signingKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys
}

func (k *keyring) set(keys []signingKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = keys
}

// renew returns keys that were loaded after it was called. No matter how many callers there are, keys
// are loaded at most once every renewOften. That limits load, so it goes by the machine's clock.
func (k *keyring) renew(ctx context.Context, load func(context.Context) ([]signingKey, error)) ([]signingKey, error) {
	k.mu.Lock()
	mine := k.next
	if mine == nil {
		mine = &renewal{load: load, done: make(chan struct{})}
		k.next = mine
	}
	if !k.cooling {
		k.begin()
	}
	k.mu.Unlock()
	select {
	case <-mine.done:
		return mine.keys, mine.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// begin starts the next renewal, if anybody waits for one. The caller holds the lock.
func (k *keyring) begin() {
	r := k.next
	k.next, k.cooling = nil, r != nil
	if r == nil {
		return
	}
	time.AfterFunc(renewOften, func() { //nolint:forbidigo // a pause between two loads, not a time
		k.mu.Lock()
		defer k.mu.Unlock()
		k.begin()
	})
	go func() {
		defer close(r.done)
		ctx, cancel := context.WithTimeout(context.Background(), renewLimit) //nolint:forbidigo // for all who wait, whoever began it
		defer cancel()
		if r.keys, r.err = r.load(ctx); r.err == nil {
			k.set(r.keys)
		}
	}()
}

// openToken checks a token. If no cached key fits, another instance may have signed it with a newer
// one. So the keys are loaded again, but only if the newest cached key is too old to sign. It must not
// be called within a transaction, because it may wait for another connection.
func (s *Store) openToken(ctx context.Context, token string, now time.Time) (oncall.Claim, error) {
	t, err := oncall.ParseToken(token, now)
	if err != nil {
		return oncall.Claim{}, err
	}
	claim, err := t.Open(s.tokenKeys(now), now)
	if err == nil || !s.keysOpen(now) || !mayBeOld(s.keyring.known(), now) {
		return claim, err
	}
	_, err = s.keyring.renew(ctx, func(ctx context.Context) ([]signingKey, error) { return loadKeys(ctx, s.pool) })
	if err != nil {
		return oncall.Claim{}, fmt.Errorf("load the signing keys: %w", translate(err))
	}
	return t.Open(s.tokenKeys(now), now)
}

// mayBeOld reports whether another instance may have made a newer key than these.
func mayBeOld(keys []signingKey, now time.Time) bool {
	return len(keys) == 0 || now.Sub(keys[0].CreatedAt) > signFor-keySlack
}

// tokenKeys returns the secrets' keys and the cached keys, with which tokens are checked.
func (s *Store) tokenKeys(now time.Time) [][]byte {
	var keys [][]byte
	for _, secret := range s.secrets {
		keys = append(keys, secret.TokenKey())
	}
	if s.keysOpen(now) {
		for _, k := range s.keyring.known() {
			keys = append(keys, k.Secret)
		}
	}
	return keys
}

// TokenIsKnown reports whether the cached keys show that a token is valid, without asking the
// database.
func (s *Store) TokenIsKnown(token string, now time.Time) bool {
	t, err := oncall.ParseToken(token, now)
	if err == nil {
		_, err = t.Open(s.tokenKeys(now), now)
	}
	return err == nil
}

// ReadToken returns the message that a token was made for. A probe has no incidents.
func (s *Store) ReadToken(ctx context.Context, token string, now time.Time) (oncall.AnsweredMessage, error) {
	const lead = `SELECT coalesce(nullif(bundle, 0), id) FROM pages WHERE id = $1 AND user_id = $2`
	claim, err := s.openToken(ctx, token, now)
	m := oncall.AnsweredMessage{Named: true, User: claim.User}
	if err != nil {
		return m, wrap(err, "read a token")
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if err := cmp.Or(mayAnswer(ctx, tx, claim.User), tokenCounts(ctx, tx, claim)); err != nil || claim.Page == 0 {
			return err
		}
		if err := tx.QueryRow(ctx, lead, claim.Page, claim.User).Scan(&m.Lead); err != nil {
			return err
		}
		ids, err := messageIncidents(ctx, tx, m.Lead)
		if err != nil {
			return err
		}
		if m.Incidents, err = incidents(ctx, tx, ids); err != nil {
			return err
		}
		return loadPages(ctx, tx, &m)
	})
	if err != nil {
		return oncall.AnsweredMessage{}, wrap(err, "read a token")
	}
	return m, nil
}
