package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// oldKeyLives is how long the key that was replaced is good beside the new one.
const oldKeyLives = 24 * time.Hour

// An IntegrationKey is a key of an integration, without the key itself.
type IntegrationKey struct {
	Integration string
	Team        string
	Hint        string // its last four characters
	MadeAt      time.Time
	EndsAt      *time.Time // nil: it is in force
	UsedAt      *time.Time // up to a minute late; nil: never
	Uses        int64      // requests, also those that were refused after its end
	MutedAt     *time.Time // the integration
}

// IntegrationKeys lists the keys of all integrations, by name, the one in force first.
func (s *System) IntegrationKeys(ctx context.Context) ([]IntegrationKey, error) {
	const load = `
		SELECT i.name AS integration, t.name AS team, i.key_hint AS hint, coalesce(k.made_at, i.created_at) AS made_at,
		       NULL::timestamptz AS ends_at, k.used_at, coalesce(k.uses, 0) AS uses, i.muted_at
		FROM integrations i
		JOIN teams t ON t.id = i.team_id
		LEFT JOIN integration_keys k ON k.hash = i.key_hash
		WHERE i.removed_at IS NULL
		UNION ALL
		SELECT i.name, t.name, k.hint, k.made_at, k.ends_at, k.used_at, k.uses, i.muted_at
		FROM integration_keys k
		JOIN integrations i ON i.id = k.integration_id AND i.removed_at IS NULL AND i.key_hash <> k.hash
		JOIN teams t ON t.id = i.team_id
		WHERE k.ends_at IS NOT NULL
		ORDER BY integration, ends_at DESC NULLS FIRST`
	rows, _ := s.pool.Query(ctx, load)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[IntegrationKey])
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", translate(err))
	}
	return found, nil
}

// RotateKey gives an integration a new key, which is not kept, and returns the time until which the old one is
// good: a day, or none if it is to end at once. One that was replaced before ends. An integration that does not
// exist is oncall.ErrNotFound.
func (s *System) RotateKey(ctx context.Context, name string, atOnce bool, now time.Time) (made NewKey, old IntegrationKey, err error) {
	const lock = `SELECT id, key_hash, key_hint, created_at FROM integrations WHERE name = $1 AND removed_at IS NULL FOR UPDATE`
	made.Integration = name
	made.Key = randomKey()
	until := now.Add(oldKeyLives)
	if atOnce {
		until = now
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		var id oncall.IntegrationID
		var hash []byte
		var since time.Time
		if err := tx.QueryRow(ctx, lock, name).Scan(&id, &hash, &old.Hint, &since); err != nil {
			return err
		}
		if err := replaceKey(ctx, tx, id, made.Key, until, now); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return NewKey{}, IntegrationKey{}, wrap(err, "rotate the key of %q", name)
	}
	s.cache.drop()
	old.Integration, old.EndsAt = name, &until
	return made, old, nil
}

func randomKey() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	return oncall.KeyFromBytes(random)
}

// replaceKey gives an integration another key; the old one is good until the instant given.
func replaceKey(ctx context.Context, tx pgx.Tx, id oncall.IntegrationID, key string, until, now time.Time) error {
	const end = `UPDATE integration_keys SET ends_at = $2 WHERE integration_id = $1 AND ends_at > $2`
	const keep = `
		INSERT INTO integration_keys (hash, integration_id, hint, made_at, ends_at)
		SELECT key_hash, id, key_hint, created_at, $2
		FROM integrations
		WHERE id = $1
		ON CONFLICT (hash) DO UPDATE SET ends_at = $2, integration_id = excluded.integration_id`
	const insert = `
		INSERT INTO integration_keys (hash, integration_id, hint, made_at)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (hash) DO UPDATE SET ends_at = NULL, integration_id = excluded.integration_id`
	const rekey = `UPDATE integrations SET key_hash = $2, key_hint = $3 WHERE id = $1`
	hash := sha256.Sum256([]byte(key))
	if _, err := tx.Exec(ctx, end, id, now); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, keep, id, until); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insert, hash[:], id, hint(key), now); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, rekey, id, hash[:], hint(key))
	return err
}

// replaced reports whether a key was replaced by another: it is not to come back.
func replaced(ctx context.Context, tx pgx.Tx, key string) (is bool, err error) {
	hash := sha256.Sum256([]byte(key))
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM integration_keys WHERE hash = $1 AND ends_at IS NOT NULL)`, hash[:]).Scan(&is)
	return is, err
}

// Mute lets an integration's signals page nobody, or page again. One that does not exist is oncall.ErrNotFound.
func (s *System) Mute(ctx context.Context, name string, mute bool, now time.Time) error {
	const save = `
		UPDATE integrations
		SET muted_at = CASE WHEN $2 THEN coalesce(muted_at, $3) END
		WHERE name = $1 AND removed_at IS NULL
		RETURNING id`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, save, name, mute, now).Scan(nil); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return wrap(err, "mute %q", name)
	}
	s.cache.drop()
	return nil
}

// A rotatedKey is one that was replaced.
type rotatedKey struct {
	integration oncall.IntegrationID
	until       time.Time
}

// keyUses counts how often keys were used, until SaveKeyUses writes it down. A write for each request would
// cost more than the signal.
type keyUses struct {
	mu   sync.Mutex
	uses map[keyHash]keyUse
}

type keyUse struct {
	last time.Time
	n    int64
}

func (k *keyUses) note(hash keyHash, n int64, at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.uses == nil {
		k.uses = map[keyHash]keyUse{}
	}
	use := k.uses[hash]
	use.n += n
	if at.After(use.last) {
		use.last = at
	}
	k.uses[hash] = use
}

func (k *keyUses) take() map[keyHash]keyUse {
	k.mu.Lock()
	defer k.mu.Unlock()
	taken := k.uses
	k.uses = nil
	return taken
}

// SaveKeyUses writes down how often keys were used since the last time.
func (s *System) SaveKeyUses(ctx context.Context, _ time.Time) error {
	const save = `
		WITH used AS (
			SELECT hash, n, at FROM unnest($1::bytea[], $2::bigint[], $3::timestamptz[]) AS u (hash, n, at)
		), old AS (
			UPDATE integration_keys k
			SET uses = k.uses + used.n, used_at = greatest(k.used_at, used.at)
			FROM used
			WHERE k.hash = used.hash
			RETURNING k.hash
		)
		INSERT INTO integration_keys (hash, integration_id, hint, made_at, used_at, uses)
		SELECT i.key_hash, i.id, i.key_hint, i.created_at, used.at, used.n
		FROM used
		JOIN integrations i ON i.key_hash = used.hash AND i.removed_at IS NULL
		WHERE used.hash NOT IN (SELECT hash FROM old)
		ON CONFLICT (hash) DO UPDATE
		SET uses = integration_keys.uses + excluded.uses, used_at = greatest(integration_keys.used_at, excluded.used_at)`
	taken := s.keyUses.take()
	if len(taken) == 0 {
		return nil
	}
	var hashes [][]byte
	var ns []int64
	var ats []time.Time
	for hash, use := range taken {
		hashes, ns, ats = append(hashes, hash[:]), append(ns, use.n), append(ats, use.last)
	}
	if _, err := s.pool.Exec(ctx, save, hashes, ns, ats); err != nil {
		for hash, use := range taken {
			s.keyUses.note(hash, use.n, use.last)
		}
		return fmt.Errorf("count the uses of keys: %w", translate(err))
	}
	return nil
}

// IntegrationByKey returns the integration that a key belongs to, or oncall.ErrNotFound. Any other
// error says nothing about the key. That nobody has a key only the database can say: what we
// remember may be older than the key, or the database gone without our knowing yet.
func (s *System) IntegrationByKey(ctx context.Context, key string, now time.Time) (oncall.Integration, error) {
	const find = `
		SELECT EXISTS (SELECT FROM integrations WHERE key_hash = $1 AND removed_at IS NULL)
		    OR EXISTS (SELECT FROM integration_keys WHERE hash = $1 AND ends_at > $2)`
	hash := sha256.Sum256([]byte(key))
	dir, err := s.directory(ctx)
	if err != nil {
		return oncall.Integration{}, err
	}
	if in, known, err := s.keyIn(dir, hash, now); known {
		return in, err
	}
	var exists bool
	if err := s.door.QueryRow(ctx, find, hash[:], now).Scan(&exists); err != nil {
		return oncall.Integration{}, fmt.Errorf("look for a key: %w", translate(err))
	}
	if !exists {
		return oncall.Integration{}, oncall.ErrNotFound
	}
	s.cache.drop()
	if dir, err = s.directory(ctx); err != nil {
		return oncall.Integration{}, err
	}
	if in, known, err := s.keyIn(dir, hash, now); known {
		return in, err
	}
	return oncall.Integration{}, oncall.ErrNotFound // removed a moment ago
}

// keyIn looks a key up in a directory, and counts its use if it is known: one whose time is over is known as well.
func (s *Store) keyIn(dir *Directory, hash keyHash, now time.Time) (oncall.Integration, bool, error) {
	in, current := dir.keys[hash]
	old, rotated := dir.rotated[hash]
	if !current && !rotated {
		return oncall.Integration{}, false, nil
	}
	s.keyUses.note(hash, 1, now)
	switch {
	case current:
		return in, true, nil
	case now.Before(old.until):
		return dir.integrations[old.integration], true, nil
	}
	return oncall.Integration{}, true, oncall.ErrNotFound
}

// loadRotatedKeys loads the keys that were replaced.
func (d *Directory) loadRotatedKeys(ctx context.Context, tx pgx.Tx) error {
	const load = `
		SELECT k.hash, k.integration_id, k.ends_at
		FROM integration_keys k
		JOIN integrations i ON i.id = k.integration_id AND i.removed_at IS NULL
		WHERE k.ends_at IS NOT NULL`
	d.rotated = map[keyHash]rotatedKey{}
	var hash []byte
	var key rotatedKey
	rows, _ := tx.Query(ctx, load)
	_, err := pgx.ForEachRow(rows, []any{&hash, &key.integration, &key.until}, func() error {
		if len(hash) != sha256.Size {
			return errors.New("a key's hash has another length")
		}
		d.rotated[keyHash(hash)] = key
		return nil
	})
	return err
}
