package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/setup"
)

// OldKeyLives is how long a replaced key stays valid next to the new one.
const OldKeyLives = 24 * time.Hour

// An IntegrationKey describes a key of an integration without revealing it.
type IntegrationKey struct {
	Integration string
	Team        string
	Hint        string // its last four characters
	MadeAt      time.Time
	EndsAt      *time.Time // nil: the current key
	UsedAt      *time.Time // up to a minute late; nil: never
	Uses        int64      // requests, including those refused after its end
	Mute
}

// A Mute says since when, and until when, an integration pages nobody.
type Mute struct {
	MutedAt    *time.Time
	MutedUntil *time.Time // nil: until somebody unmutes it
	MutedBy    oncall.UserID
}

// Muted reports whether the mute is in force at an instant.
func (m Mute) Muted(at time.Time) bool {
	return m.MutedAt != nil && (m.MutedUntil == nil || at.Before(*m.MutedUntil))
}

// IntegrationKeys lists the keys of all integrations, sorted by name. Each integration's current key comes first.
func (s *System) IntegrationKeys(ctx context.Context) ([]IntegrationKey, error) {
	return s.integrationKeys(ctx)
}

func (s *Store) integrationKeys(ctx context.Context) ([]IntegrationKey, error) {
	const load = `
		SELECT i.name AS integration, t.name AS team, i.key_hint AS hint, coalesce(k.made_at, i.created_at) AS made_at,
		       NULL::timestamptz AS ends_at, k.used_at, coalesce(k.uses, 0) AS uses, i.muted_at, i.muted_until, i.muted_by
		FROM integrations i
		JOIN teams t ON t.id = i.team_id
		LEFT JOIN integration_keys k ON k.hash = i.key_hash
		WHERE i.removed_at IS NULL
		UNION ALL
		SELECT i.name, t.name, k.hint, k.made_at, k.ends_at, k.used_at, k.uses, i.muted_at, i.muted_until, i.muted_by
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

// An IntegrationState is an integration with the details that `/oncall integrations` shows.
type IntegrationState struct {
	oncall.Integration
	Mute    Mute
	Team    string
	Policy  string
	Keys    []IntegrationKey // the current key, then the replaced ones, newest first
	Manages bool             // the actor may rotate its key and mute it
}

// Integrations returns the integrations that the actor may see, sorted by name.
func (s *Store) Integrations(ctx context.Context, by oncall.Actor) ([]IntegrationState, error) {
	dir, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	return s.integrationsOf(ctx, dir, by)
}

func (s *Store) integrationsOf(ctx context.Context, dir *Directory, by oncall.Actor) ([]IntegrationState, error) {
	keys, err := s.integrationKeys(ctx)
	if err != nil {
		return nil, err
	}
	byName := map[string][]IntegrationKey{}
	for _, k := range keys {
		byName[k.Integration] = append(byName[k.Integration], k)
	}
	var out []IntegrationState
	for _, in := range dir.For(by).Integrations {
		own := byName[in.Name]
		if len(own) == 0 {
			continue // removed just now
		}
		out = append(out, IntegrationState{
			Integration: in, Mute: own[0].Mute, Team: dir.teams[in.TeamID].Name, Policy: dir.Policies[in.PolicyID].Name, Keys: own,
			Manages: dir.access.May(by, access.Integrations, access.Object{Team: in.TeamID}) == nil,
		})
	}
	return out, nil
}

// ManagedIntegration returns an integration to an actor who may rotate its key and mute it. The error is
// oncall.ErrNotFound if the integration does not exist or the actor may not see it.
func (s *Store) ManagedIntegration(ctx context.Context, by oncall.Actor, id oncall.IntegrationID) (IntegrationState, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return IntegrationState{}, err
	}
	all, err := s.integrationsOf(ctx, g.dir, by)
	if err != nil {
		return IntegrationState{}, err
	}
	for _, in := range all {
		if in.ID == id {
			return in, g.may(access.Integrations, access.Object{Team: in.TeamID})
		}
	}
	return IntegrationState{}, oncall.ErrNotFound
}

// A Rotation says how a key is replaced.
type Rotation struct {
	AtOnce bool   // the old key ends at once instead of after a day
	Seen   string // last four characters of the key to replace; empty: the current key
}

// RotateKey gives an integration a new key, of which only the hash is stored, and returns a description of the old
// key, which is valid until its EndsAt. A key that was replaced earlier ends now. The error is oncall.ErrNotFound if
// the integration does not exist or the actor may not see it.
func (s *Store) RotateKey(
	ctx context.Context, by oncall.Actor, name string, how Rotation, now time.Time,
) (created NewKey, old IntegrationKey, err error) {
	created.Integration, created.Key = name, randomKey()
	until := now.Add(OldKeyLives)
	if how.AtOnce {
		until = now
	}
	err = s.manageIntegration(ctx, by, name, func(tx pgx.Tx, in lockedIntegration) error {
		created.Format, old.Hint = in.format, in.hint
		if how.Seen != "" && how.Seen != old.Hint {
			return oncall.Refuse("The key of %q was rotated a moment ago, so nothing was changed: the one in force ends with %s. Please look again.", name, old.Hint)
		}
		if err := replaceKey(ctx, tx, in.id, created.Key, until, now); err != nil {
			return err
		}
		return record(ctx, tx, by, now, audit.RotatedKey(name, in.team, old.Hint, hint(created.Key), until))
	})
	if err != nil {
		return NewKey{}, IntegrationKey{}, wrapAny(err, "rotate the key of %q", name)
	}
	s.managed(by, "rotate").Str("integration", name).Bool("at_once", how.AtOnce).Msg("key rotated")
	old.Integration, old.EndsAt = name, &until
	return created, old, nil
}

// A lockedIntegration is an integration whose row this transaction has locked.
type lockedIntegration struct {
	id     oncall.IntegrationID
	team   oncall.TeamID
	format oncall.Format
	hint   string // of the current key
}

// manageIntegration runs a function on a locked integration, if the actor is a manager of its team.
func (s *Store) manageIntegration(ctx context.Context, by oncall.Actor, name string, do func(pgx.Tx, lockedIntegration) error) error {
	const lock = `SELECT id, team_id, kind, key_hint FROM integrations WHERE name = $1 AND removed_at IS NULL FOR UPDATE`
	g, err := s.gate(ctx, by)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		var in lockedIntegration
		if err := tx.QueryRow(ctx, lock, name).Scan(&in.id, &in.team, &in.format, &in.hint); err != nil {
			return err
		}
		if g.may(access.See, access.Object{Team: in.team}) != nil {
			return oncall.ErrNotFound
		}
		if err := g.may(access.Integrations, access.Object{Team: in.team}); err != nil {
			return err
		}
		if err := do(tx, in); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err == nil {
		s.cache.drop()
	}
	return err
}

// managed counts a manager's action on an integration, and begins its log line.
func (s *Store) managed(by oncall.Actor, act string) *zerolog.Event {
	s.metrics.managed.WithLabelValues(act).Inc()
	return s.log.Info().Stringer("by", by).Str("via", by.Via)
}

func randomKey() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	return setup.KeyFromBytes(random)
}

// replaceKey gives an integration another key. The old key is valid until the given instant.
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

// replaced reports whether a key was replaced. A replaced key must not be used again.
func replaced(ctx context.Context, tx pgx.Tx, key string) (ok bool, err error) {
	hash := sha256.Sum256([]byte(key))
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM integration_keys WHERE hash = $1 AND ends_at IS NOT NULL)`, hash[:]).Scan(&ok)
	return ok, err
}

// MuteIntegration keeps an integration's signals from paging until an instant, or until somebody unmutes it if the
// instant is nil. If the integration is already muted, the end of the mute changes. The error is oncall.ErrNotFound
// if the integration does not exist or the actor may not see it.
func (s *Store) MuteIntegration(ctx context.Context, by oncall.Actor, name string, until *time.Time, now time.Time) error {
	const save = `
		UPDATE integrations
		SET muted_at = CASE WHEN muted_until <= $2 THEN $2 ELSE coalesce(muted_at, $2) END, muted_until = $3, muted_by = $4
		WHERE id = $1`
	if err := oncall.CheckMute(until, now); err != nil {
		return err
	}
	err := s.manageIntegration(ctx, by, name, func(tx pgx.Tx, in lockedIntegration) error {
		if _, err := tx.Exec(ctx, save, in.id, now, until, by.User); err != nil {
			return err
		}
		return record(ctx, tx, by, now, audit.MutedIntegration(name, in.team, until))
	})
	if err != nil {
		return wrapAny(err, "mute %q", name)
	}
	line := s.managed(by, "mute").Str("integration", name)
	if until != nil {
		line = line.Time("until", *until)
	}
	line.Msg("integration muted")
	return nil
}

// UnmuteIntegration lets an integration page again, and reports whether it was muted.
func (s *Store) UnmuteIntegration(ctx context.Context, by oncall.Actor, name string, now time.Time) (wasMuted bool, err error) {
	const save = `
		UPDATE integrations i
		SET muted_at = NULL, muted_until = NULL, muted_by = ''
		FROM (SELECT id, muted_at IS NOT NULL AND (muted_until IS NULL OR muted_until > $2) AS muted FROM integrations WHERE id = $1) AS old
		WHERE i.id = old.id
		RETURNING old.muted`
	err = s.manageIntegration(ctx, by, name, func(tx pgx.Tx, in lockedIntegration) error {
		if err := tx.QueryRow(ctx, save, in.id, now).Scan(&wasMuted); err != nil || !wasMuted {
			return err
		}
		return record(ctx, tx, by, now, audit.UnmutedIntegration(name, in.team))
	})
	if err != nil {
		return false, wrapAny(err, "unmute %q", name)
	}
	s.managed(by, "unmute").Str("integration", name).Msg("integration unmuted")
	return wasMuted, nil
}

// EndMutes clears mutes that are over. Only the previous release needs this; this one compares the mute's end.
func (s *System) EndMutes(ctx context.Context, now time.Time) error {
	const end = `
		UPDATE integrations
		SET muted_at = NULL, muted_until = NULL, muted_by = ''
		WHERE muted_until <= $1`
	return s.transact(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, end, now)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return announce(ctx, tx)
	})
}

// A KnownKey is the hash of an integration's key.
type KnownKey struct {
	Hash        [sha256.Size]byte
	Integration oncall.Integration
	Until       time.Time // end of a replaced key; zero: no end
}

// Keys lists the keys of all integrations.
func (d *Directory) Keys() []KnownKey {
	keys := make([]KnownKey, 0, len(d.keys)+len(d.rotated))
	for hash, in := range d.keys {
		keys = append(keys, KnownKey{Hash: hash, Integration: in})
	}
	for hash, old := range d.rotated {
		keys = append(keys, KnownKey{Hash: hash, Integration: d.integrations[old.integration], Until: old.until})
	}
	return keys
}
