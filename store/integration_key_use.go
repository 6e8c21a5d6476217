package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// A rotatedKey is a key that was replaced.
type rotatedKey struct {
	integration oncall.IntegrationID
	until       time.Time
}

// keyUses counts in memory how often keys were used, until SaveKeyUses stores the counts. A write for each request
// would cost more than the signal.
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

// SaveKeyUses stores how often keys were used since the last call.
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

// IntegrationByKey returns the integration that a key belongs to, or oncall.ErrNotFound. Any other error says nothing
// about the key. Only the database can tell that a key is unknown: our copy of the directory may be older than the
// key, or the database may have become unreachable unnoticed.
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
	if err := s.intakePool.QueryRow(ctx, find, hash[:], now).Scan(&exists); err != nil {
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
	return oncall.Integration{}, oncall.ErrNotFound // removed just now
}

// keyIn looks a key up in a directory, and counts its use. An expired key counts as well.
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

// loadRotatedKeys loads the replaced keys.
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
