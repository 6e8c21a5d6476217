package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// An apiHash is the key that a hash belongs to, and until when the hash is valid; zero: as long as the key.
type apiHash struct {
	id    oncall.APIKeyID
	until time.Time
}

// APIKeyBy returns the API key with the given text, or oncall.ErrNotFound if it is unknown, revoked, replaced more than a
// day ago, or expired. Any other error says nothing about the key. Its use is counted.
func (s *Store) APIKeyBy(ctx context.Context, key string, now time.Time) (oncall.APIKey, error) {
	const find = `SELECT EXISTS (SELECT FROM api_keys WHERE revoked_at IS NULL AND (hash = $1 OR old_hash = $1 AND old_until > $2))`
	if !strings.HasPrefix(key, apiKeyPrefix) {
		return oncall.APIKey{}, oncall.ErrNotFound
	}
	hash := keyHash(sha256.Sum256([]byte(key)))
	dir, err := s.directory(ctx)
	if err != nil {
		return oncall.APIKey{}, err
	}
	if k, known := dir.apiKeyOf(hash, now); known {
		s.apiUses.note(hash, 1, now)
		return k, nil
	}
	var exists bool // the key may be newer than the cached directory
	if err := s.pool.QueryRow(ctx, find, hash[:], now).Scan(&exists); err != nil {
		return oncall.APIKey{}, fmt.Errorf("look for an API key: %w", translate(err))
	}
	if !exists {
		return oncall.APIKey{}, oncall.ErrNotFound
	}
	s.cache.drop()
	if dir, err = s.directory(ctx); err != nil {
		return oncall.APIKey{}, err
	}
	if k, known := dir.apiKeyOf(hash, now); known {
		s.apiUses.note(hash, 1, now)
		return k, nil
	}
	return oncall.APIKey{}, oncall.ErrNotFound
}

// apiKeyOf finds the key with a hash, if it is valid at an instant.
func (d *Directory) apiKeyOf(hash keyHash, now time.Time) (oncall.APIKey, bool) {
	found, known := d.apiHashes[hash]
	k := d.apiKeys[found.id]
	good := known && !k.Expired(now) && (found.until.IsZero() || now.Before(found.until))
	return k, good
}

// loadAPIKeys loads the keys that are not revoked and whose team was not removed.
func (d *Directory) loadAPIKeys(ctx context.Context, tx pgx.Tx) error {
	const load = `
		SELECT k.id, k.name, coalesce(k.team_id, 0) AS team_id, k.owner, k.scopes, k.hint, k.expires_at, k.issuer, k.hash, k.old_hash, k.old_until
		FROM api_keys k
		LEFT JOIN teams t ON t.id = k.team_id
		WHERE k.revoked_at IS NULL AND t.removed_at IS NULL`
	type row struct {
		oncall.APIKey
		Hash, OldHash []byte
		OldUntil      *time.Time
	}
	d.apiKeys, d.apiHashes = map[oncall.APIKeyID]oncall.APIKey{}, map[keyHash]apiHash{}
	rows, _ := tx.Query(ctx, load)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	for _, k := range found {
		if len(k.Hash) != sha256.Size || k.OldHash != nil && len(k.OldHash) != sha256.Size {
			return errors.New("an API key's hash has another length")
		}
		d.apiKeys[k.ID] = k.APIKey
		d.apiHashes[keyHash(k.Hash)] = apiHash{id: k.ID}
		if k.OldHash != nil && k.OldUntil != nil {
			d.apiHashes[keyHash(k.OldHash)] = apiHash{id: k.ID, until: *k.OldUntil}
		}
	}
	return err
}

// SaveAPIKeyUses stores how often API keys were used since the last call.
func (s *System) SaveAPIKeyUses(ctx context.Context, _ time.Time) error {
	const save = `
		UPDATE api_keys k
		SET uses = k.uses + used.n, used_at = greatest(k.used_at, used.at)
		FROM (SELECT a.id, sum(u.n) AS n, max(u.at) AS at
		      FROM unnest($1::bytea[], $2::bigint[], $3::timestamptz[]) AS u (hash, n, at)
		      JOIN api_keys a ON u.hash IN (a.hash, a.old_hash)
		      GROUP BY a.id) AS used
		WHERE k.id = used.id`
	taken := s.apiUses.take()
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
			s.apiUses.note(hash, use.n, use.last)
		}
		return fmt.Errorf("count the uses of API keys: %w", translate(err))
	}
	return nil
}
