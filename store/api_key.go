package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
)

// apiKeyPrefix is the prefix of API keys, by which scanners recognise leaked ones.
const apiKeyPrefix = "wb_"

// An APIKeyState is an API key as its managers see it.
type APIKeyState struct {
	oncall.APIKey
	MadeAt   time.Time
	MadeBy   oncall.Actor
	OldHint  string     // hint of the key that it replaced
	OldUntil *time.Time // until when the replaced key is valid; nil: there is none
	UsedAt   *time.Time // up to a minute behind; nil: never
	Uses     int64
}

// APIKeys lists the keys that somebody manages, by name: their own and those of teams that they manage; all for an
// admin.
func (s *Store) APIKeys(ctx context.Context, by oncall.Actor) ([]APIKeyState, error) {
	const load = `
		SELECT id, name, coalesce(team_id, 0) AS team_id, owner, scopes, hint, expires_at, issuer, made_at, made_by, old_hint, old_until, used_at, uses
		FROM api_keys
		WHERE revoked_at IS NULL
		ORDER BY name`
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, err
	}
	rows, _ := s.pool.Query(ctx, load)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[APIKeyState])
	if err != nil {
		return nil, fmt.Errorf("list API keys: %w", translate(err))
	}
	var out []APIKeyState
	for _, k := range all {
		if g.sees(k.APIKey) {
			out = append(out, k)
		}
	}
	return out, nil
}

// sees reports whether the actor manages a key, without counting a refusal.
func (g gate) sees(k oncall.APIKey) bool {
	act, on := keyAct(g.by, k)
	return g.dir.access.May(g.by, act, on) == nil
}

// keyAct returns the permission that managing a key requires: it depends on whether the key is the actor's own, a team's, the
// installation's, or somebody else's.
func keyAct(by oncall.Actor, k oncall.APIKey) (access.Permission, access.Object) {
	switch {
	case k.Owner != "" && k.Owner == by.User && by.Key == 0:
		return access.OwnThings, access.Object{}
	case k.TeamID != 0:
		return access.APIKeys, access.Object{Team: k.TeamID}
	case k.Owner != "":
		return access.OthersThings, access.Object{}
	}
	return access.APIKeys, access.Object{}
}

// mayManageKey checks whether the actor may manage a key. API keys may not: they could make keys that outlive them.
func (g gate) mayManageKey(k oncall.APIKey) error {
	if g.by.Key != 0 {
		return oncall.Refuse("API keys are managed by people, not with an API key; nothing was changed.")
	}
	act, on := keyAct(g.by, k)
	return g.may(act, on)
}

// CreateAPIKey makes a key and returns it. Only its hash is stored, so it can't be shown again. A name can be used again
// once its key is revoked.
func (s *Store) CreateAPIKey(ctx context.Context, by oncall.Actor, k oncall.APIKey, now time.Time) (key string, made oncall.APIKey, err error) {
	const insert = `
		INSERT INTO api_keys (name, team_id, owner, scopes, hash, hint, made_at, made_by, expires_at)
		VALUES ($1, nullif($2::bigint, 0), $3, $4, $5, $6, $7, $8, $9)
		RETURNING id`
	k.Name = strings.TrimSpace(k.Name)
	if err := k.Check(now); err != nil {
		return "", k, err
	}
	g, err := s.gate(ctx, by)
	if err != nil {
		return "", k, err
	}
	if err := g.mayManageKey(k); err != nil {
		return "", k, err
	}
	if k.Owner != "" {
		if err := g.dir.access.MayBeOnCall(k.Owner); err != nil {
			return "", k, err
		}
	}
	key = randomAPIKey()
	hash := sha256.Sum256([]byte(key))
	k.Hint = hint(key)
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, insert, k.Name, k.TeamID, k.Owner, k.Scopes, hash[:], k.Hint, now, by, k.ExpiresAt).Scan(&k.ID); err != nil {
			return takenName(err, k.Name)
		}
		if err := record(ctx, tx, by, now, audit.MadeAPIKey(k, g.dir.teams[k.TeamID].Name)); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return "", k, wrapAny(err, "make the API key %q", k.Name)
	}
	s.cache.drop()
	s.managed(by, "make API key").Str("key", k.Name).Msg("API key made")
	return key, k, nil
}

func takenName(err error, name string) error {
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok && answer.ConstraintName == "api_keys_name" {
		return oncall.Refuse("There is an API key %q already; choose another name, or rotate it.", name)
	}
	return err
}

func randomAPIKey() string {
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails
	return apiKeyPrefix + hex.EncodeToString(random[:])
}

// RotateAPIKey replaces a key with a new one and returns that. The old key is valid for another day, or ends at once. A
// key that does not exist, or that the actor may not manage, is oncall.ErrNotFound or a Refusal.
func (s *Store) RotateAPIKey(ctx context.Context, by oncall.Actor, name string, atOnce bool, now time.Time) (key string, oldKey APIKeyState, err error) {
	const save = `
		UPDATE api_keys
		SET old_hash = CASE WHEN $5 THEN NULL ELSE hash END, old_hint = CASE WHEN $5 THEN '' ELSE hint END,
		    old_until = CASE WHEN $5 THEN NULL ELSE $4::timestamptz END, hash = $2, hint = $3, rotated_at = $6
		WHERE id = $1`
	key = randomAPIKey()
	hash, until := sha256.Sum256([]byte(key)), now.Add(OldKeyLives)
	if atOnce {
		until = now
	}
	oldKey, err = s.manageAPIKey(ctx, by, name, now, func(tx pgx.Tx, k APIKeyState) (audit.Entry, error) {
		if k.Expired(now) {
			return audit.Entry{}, oncall.Refuse("The API key %q has expired; make a new one.", k.Name)
		}
		if k.Issuer != "" {
			return audit.Entry{}, oncall.Refuse("%q stands for the tokens of a service, which its issuer renews.", k.Name)
		}
		_, err := tx.Exec(ctx, save, k.ID, hash[:], hint(key), until, atOnce, now)
		return audit.RotatedAPIKey(k.APIKey, hint(key), until), err
	})
	if err != nil {
		return "", oldKey, wrapAny(err, "rotate the API key %q", name)
	}
	oldKey.OldHint, oldKey.OldUntil, oldKey.Hint = oldKey.Hint, &until, hint(key)
	s.managed(by, "rotate API key").Str("key", name).Bool("at_once", atOnce).Msg("API key rotated")
	return key, oldKey, nil
}

// RevokeAPIKey ends a key at once, together with the one that it replaced.
func (s *Store) RevokeAPIKey(ctx context.Context, by oncall.Actor, name string, now time.Time) error {
	const save = `UPDATE api_keys SET revoked_at = $2, old_hash = NULL, old_until = NULL WHERE id = $1`
	_, err := s.manageAPIKey(ctx, by, name, now, func(tx pgx.Tx, k APIKeyState) (audit.Entry, error) {
		_, err := tx.Exec(ctx, save, k.ID, now)
		return audit.RevokedAPIKey(k.APIKey), err
	})
	if err != nil {
		return wrapAny(err, "revoke the API key %q", name)
	}
	s.managed(by, "revoke API key").Str("key", name).Msg("API key revoked")
	return nil
}

// manageAPIKey locks a key that the actor may manage, calls do, and writes its entry to the audit log.
func (s *Store) manageAPIKey(
	ctx context.Context, by oncall.Actor, name string, now time.Time, do func(pgx.Tx, APIKeyState) (audit.Entry, error),
) (k APIKeyState, err error) {
	const lock = `
		SELECT id, name, coalesce(team_id, 0) AS team_id, owner, scopes, hint, expires_at, issuer, made_at, made_by, old_hint, old_until, used_at, uses
		FROM api_keys
		WHERE name = $1 AND revoked_at IS NULL
		FOR UPDATE`
	g, err := s.gate(ctx, by)
	if err != nil {
		return k, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, lock, name)
		if k, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[APIKeyState]); err != nil {
			return err
		}
		if g.by.Key == 0 && !g.sees(k.APIKey) && (k.Owner != "" || g.dir.teams[k.TeamID].Private) {
			return oncall.ErrNotFound
		}
		if err := g.mayManageKey(k.APIKey); err != nil {
			return err
		}
		entry, err := do(tx, k)
		if err != nil {
			return err
		}
		if err := record(ctx, tx, by, now, entry); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err == nil {
		s.cache.drop()
	}
	return k, err
}
