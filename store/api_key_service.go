package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
)

// ServiceKey returns the API key that stands for a service, which has shown a good token. One is made when the service
// asks for the first time, and whenever its token has other scopes or another team, so that timelines, limits and the
// audit log know it, and people can revoke it. A service whose key was revoked is refused.
func (s *Store) ServiceKey(ctx context.Context, of oncall.Service, now time.Time) (oncall.APIKey, error) {
	dir, err := s.directory(ctx)
	if err != nil {
		return oncall.APIKey{}, err
	}
	key := oncall.APIKey{Name: of.KeyName(), Scopes: of.Scopes, Hint: "jwt", Issuer: of.Issuer}
	if of.Team != "" {
		for _, t := range dir.Teams {
			if strings.EqualFold(t.Name, of.Team) {
				key.TeamID = t.ID
			}
		}
		if key.TeamID == 0 {
			return key, oncall.Refuse("The team that this token names does not exist.")
		}
	}
	hash := serviceHash(of, key)
	if known, good := dir.apiKeyOf(hash, now); good {
		s.apiUses.note(hash, 1, now)
		return known, nil
	}
	if err := s.makeServiceKey(ctx, key, hash, dir.teams[key.TeamID].Name, now); err != nil {
		return key, wrapAny(err, "make the API key of a service")
	}
	s.cache.drop()
	if dir, err = s.directory(ctx); err != nil {
		return key, err
	}
	known, good := dir.apiKeyOf(hash, now)
	if !good {
		return key, oncall.ErrNotFound // revoked meanwhile
	}
	s.apiUses.note(hash, 1, now)
	return known, nil
}

// serviceHash stands where others have the hash of their key. Nothing that begins with apiKeyPrefix has it.
func serviceHash(of oncall.Service, k oncall.APIKey) keyHash {
	text := []string{"jwt", of.Issuer, of.Subject, strconv.FormatInt(int64(k.TeamID), 10)}
	for _, scope := range k.Scopes {
		text = append(text, string(scope))
	}
	return sha256.Sum256([]byte(strings.Join(text, "\x00")))
}

func (s *Store) makeServiceKey(ctx context.Context, key oncall.APIKey, hash keyHash, team string, now time.Time) error {
	const find = `SELECT revoked_at IS NOT NULL FROM api_keys WHERE hash = $1`
	const insert = `
		INSERT INTO api_keys (name, team_id, owner, scopes, hash, hint, made_at, made_by, issuer)
		VALUES ($1, nullif($2::bigint, 0), '', $3, $4, $5, $6, $7, $8)
		ON CONFLICT DO NOTHING
		RETURNING id`
	by := oncall.Actor{Name: key.Issuer, Via: oncall.ViaAPI}
	return s.transact(ctx, func(tx pgx.Tx) error {
		var revoked bool
		switch err := tx.QueryRow(ctx, find, hash[:]).Scan(&revoked); {
		case err == nil && revoked:
			return oncall.Refuse("The key %q, which stands for this token, was revoked.", key.Name)
		case err == nil:
			return nil // by another instance, just now
		case !errors.Is(err, pgx.ErrNoRows):
			return err
		}
		err := tx.QueryRow(ctx, insert, key.Name, key.TeamID, key.Scopes, hash[:], key.Hint, now, by, key.Issuer).Scan(&key.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			// Another instance has made it since, or it is another issuer's, of before.
			if err = tx.QueryRow(ctx, find, hash[:]).Scan(&revoked); errors.Is(err, pgx.ErrNoRows) {
				return oncall.Refuse("There is a key %q of another issuer; it has to be revoked first.", key.Name)
			}
			return err
		}
		if err != nil {
			return fmt.Errorf("insert: %w", err)
		}
		if err := record(ctx, tx, by, now, audit.MadeAPIKey(key, team)); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
}
