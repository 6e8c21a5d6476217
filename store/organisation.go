package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
)

// An OrganisationState says whether an organisation is served.
type OrganisationState string

// The states of an organisation. While it is moving, nobody serves it, and senders are asked to try
// again later.
const (
	OrganisationActive    OrganisationState = "active"
	OrganisationSuspended OrganisationState = "suspended"
	OrganisationMoving    OrganisationState = "moving"
)

// An Organisation is one of several that a process serves. It has its own database, Slack app and
// keys.
type Organisation struct {
	Name      string
	Host      string            // of its public address; "" if it has none
	Settings  map[string]string // by environment variable, including the database's address
	State     OrganisationState
	Version   int64 // increases with every change
	CreatedAt time.Time
	ChangedAt time.Time
}

var (
	// ErrOrganisationTaken means that another organisation has the name or the host.
	ErrOrganisationTaken = errors.New("another organisation has this name or this public address")
	// errUnsealed means that settings can't be stored, because no secret is set to encrypt them.
	errUnsealed = errors.New("the settings of organisations are encrypted by WATCHBILL_SECRET, which is not set")
	// errOtherSecret means that settings can't be decrypted.
	errOtherSecret = errors.New("its settings were encrypted by another WATCHBILL_SECRET than the ones that are set")
)

// AddOrganisation adds an organisation to be served.
func (s *System) AddOrganisation(ctx context.Context, by oncall.Actor, org Organisation, now time.Time) error {
	const add = `INSERT INTO organisations (name, host, settings, state, created_at, changed_at) VALUES ($1, nullif($2, ''), $3, $4, $5, $5)`
	sealed, err := s.sealSettings(org.Settings)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if err := s.ownApp(ctx, tx, org); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, add, org.Name, org.Host, sealed, org.State, now); err != nil {
			return err
		}
		return record(ctx, tx, by, now, audit.ChangedOrganisation(org.Name, audit.Added, "", string(org.State), nil, org.Settings))
	})
	return organisationError("add the organisation "+org.Name, err)
}

// UpdateOrganisation changes an organisation. Instances that serve it restart it with the new
// settings.
func (s *System) UpdateOrganisation(ctx context.Context, by oncall.Actor, name string, now time.Time, change func(*Organisation) error) error {
	const save = `
		UPDATE organisations
		SET host = nullif($2, ''), settings = $3, state = $4, changed_at = $5, version = version + 1
		WHERE name = $1`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, listOrganisations+` WHERE name = $1 FOR UPDATE`, name)
		org, err := pgx.CollectExactlyOneRow(rows, s.scanOrganisation)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("%w: there is no organisation %q", oncall.ErrNotFound, name)
		}
		if err != nil {
			return err
		}
		if org.Settings == nil {
			return fmt.Errorf("%s: %w", name, errOtherSecret)
		}
		was, before := maps.Clone(org.Settings), org.State
		if err := change(&org); err != nil {
			return err
		}
		if resumed := before == OrganisationSuspended && org.State == OrganisationActive; resumed || otherApp(was, org.Settings) {
			if err := s.ownApp(ctx, tx, org); err != nil {
				return err
			}
		}
		sealed, err := s.sealSettings(org.Settings)
		if err != nil {
			return err
		}
		if _, err = tx.Exec(ctx, save, name, org.Host, sealed, org.State, now); err != nil {
			return err
		}
		return record(ctx, tx, by, now, audit.ChangedOrganisation(name, audit.Changed, string(before), string(org.State), was, org.Settings))
	})
	return organisationError("change the organisation "+name, err)
}

const listOrganisations = `SELECT name, coalesce(host, ''), settings, state, version, created_at, changed_at FROM organisations`

// Organisations lists the organisations by name. If an organisation's settings can't be decrypted,
// they are nil.
func (s *System) Organisations(ctx context.Context) ([]Organisation, error) {
	rows, _ := s.pool.Query(ctx, listOrganisations+` ORDER BY name`)
	all, err := pgx.CollectRows(rows, s.scanOrganisation)
	if err != nil {
		return nil, fmt.Errorf("list the organisations: %w", translate(err))
	}
	return all, nil
}

// ResealOrganisations encrypts settings again with the first secret if an earlier one encrypted them.
func (s *System) ResealOrganisations(ctx context.Context) error {
	const save = `UPDATE organisations SET settings = $2 WHERE name = $1 AND settings = $3`
	return s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `SELECT name, settings FROM organisations`)
		var name, old string
		anew := map[string][2]string{}
		if _, err := pgx.ForEachRow(rows, []any{&name, &old}, func() error {
			if plain, ok := oncall.Unseal(s.secrets, old); ok && len(s.secrets) > 0 {
				anew[name] = [2]string{old, s.secrets[0].Seal(plain)}
			}
			return nil
		}); err != nil {
			return fmt.Errorf("list the organisations: %w", err)
		}
		for name, both := range anew {
			if both[0] == both[1] {
				continue
			}
			if _, err := tx.Exec(ctx, save, name, both[1], both[0]); err != nil {
				return fmt.Errorf("encrypt the settings of %s: %w", name, err)
			}
		}
		return nil
	})
}

func (s *System) scanOrganisation(row pgx.CollectableRow) (org Organisation, err error) {
	var sealed string
	if err := row.Scan(&org.Name, &org.Host, &sealed, &org.State, &org.Version, &org.CreatedAt, &org.ChangedAt); err != nil {
		return org, err
	}
	plain, ok := oncall.Unseal(s.secrets, sealed)
	if !ok {
		return org, nil
	}
	if err := json.Unmarshal([]byte(plain), &org.Settings); err != nil {
		return org, fmt.Errorf("read the settings of %s: %w", org.Name, err)
	}
	return org, nil
}

func (s *System) sealSettings(settings map[string]string) (string, error) {
	if len(s.secrets) == 0 {
		return "", errUnsealed
	}
	plain, err := json.Marshal(settings)
	if err != nil {
		return "", fmt.Errorf("write the settings: %w", err)
	}
	return s.secrets[0].Seal(string(plain)), nil
}

// organisationError says what failed, and whether a name or a host is taken.
func organisationError(what string, err error) error {
	if err == nil {
		return nil
	}
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok && answer.Code == "23505" {
		return fmt.Errorf("%s: %w", what, ErrOrganisationTaken)
	}
	return fmt.Errorf("%s: %w", what, translate(err))
}

// CreateDatabase creates an empty database on the server.
func (s *System) CreateDatabase(ctx context.Context, name string) error {
	if _, err := s.pool.Exec(ctx, `CREATE DATABASE `+pgx.Identifier{name}.Sanitize()); err != nil {
		return fmt.Errorf("create the database %s: %w", name, translate(err))
	}
	return nil
}

// HasKey reports whether an integration or a program has a key, so that a request can be routed to the
// right organisation. If fresh is false, it never waits for the database, and may miss a key that was
// just made.
func (s *System) HasKey(ctx context.Context, key string, fresh bool, now time.Time) (bool, error) {
	const find = `
		SELECT EXISTS (SELECT FROM integrations WHERE key_hash = $1 AND removed_at IS NULL)
		    OR EXISTS (SELECT FROM integration_keys WHERE hash = $1 AND ends_at > $2)
		    OR EXISTS (SELECT FROM api_keys WHERE revoked_at IS NULL AND (hash = $1 OR old_hash = $1 AND old_until > $2))`
	hash := keyHash(sha256.Sum256([]byte(key)))
	if !fresh {
		return s.cache.last().hasKey(hash), nil
	}
	var exists bool
	if err := s.intakePool.QueryRow(ctx, find, hash[:], now).Scan(&exists); err != nil {
		return false, fmt.Errorf("look for a key: %w", translate(err))
	}
	return exists, nil
}
