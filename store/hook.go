package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
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

// A HookState is a webhook as people see it: of its address the host, and nothing secret.
type HookState struct {
	ID           oncall.HookID
	Name         string
	TeamID       oncall.TeamID
	Host         string
	Kinds        []oncall.EventKind
	Template     oncall.HookTemplate
	MadeAt       time.Time
	MadeBy       oncall.Actor
	Position     int64
	Tries        int
	NextAt       *time.Time
	ToldAt       *time.Time
	Trouble      string
	StoppedAt    *time.Time
	BeforeEndsAt *time.Time
}

const hookStates = `
	SELECT id, name, coalesce(team_id, 0) AS team_id, host, kinds, template, made_at, made_by, position, tries, next_at, told_at, trouble, stopped_at, before_ends_at
	FROM hooks
	WHERE removed_at IS NULL`

// Hooks lists the webhooks that somebody manages, by name.
func (s *Store) Hooks(ctx context.Context, by oncall.Actor) ([]HookState, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, err
	}
	rows, _ := s.pool.Query(ctx, hookStates+` ORDER BY name`)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[HookState])
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", translate(err))
	}
	return filterOut(all, func(h HookState) bool {
		return g.dir.access.May(by, access.Integrations, access.Object{Team: h.TeamID}) != nil
	}), nil
}

// MakeHook makes a webhook, which is told what happens from now on, and returns the secret that signs, this once.
func (s *Store) MakeHook(ctx context.Context, by oncall.Actor, hook oncall.Hook, now time.Time) (secret string, created HookState, err error) {
	const insert = `
		INSERT INTO hooks (name, team_id, host, url, headers, secret, kinds, template, options, made_at, made_by, position)
		VALUES ($1, nullif($2::bigint, 0), $3, $4, $5, $6, $7, $8, $9, $10, $11, (SELECT coalesce(max(id), 0) FROM incident_events))
		RETURNING id`
	hook.Name = strings.TrimSpace(hook.Name)
	if err := hook.Check(); err != nil {
		return "", created, err
	}
	with := s.secret(now)
	if with == nil {
		return "", created, refusedHook
	}
	g, err := s.gate(ctx, by)
	if err != nil {
		return "", created, err
	}
	if err := g.may(access.Integrations, access.Object{Team: hook.TeamID}); err != nil {
		return "", created, err
	}
	if hook.Options == nil {
		hook.Options = map[string]string{}
	}
	secret = randomHookSecret()
	err = s.transact(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, insert, hook.Name, hook.TeamID, hook.Host(), with.Seal(hook.URL), with.Seal(strings.Join(hook.Headers, "\n")), with.Seal(secret),
			nonNil(hook.Kinds), hook.Template, hook.Options, now, by).Scan(&hook.ID)
		if answer, ok := errors.AsType[*pgconn.PgError](err); ok && answer.ConstraintName == "hooks_name" {
			return oncall.Refuse("There is a webhook %q already; choose another name.", hook.Name)
		}
		if err != nil {
			return err
		}
		if err := record(ctx, tx, by, now, audit.MadeHook(hook, g.dir.teams[hook.TeamID].Name)); err != nil {
			return err
		}
		created, err = hookState(ctx, tx, hook.Name)
		return err
	})
	if err != nil {
		return "", created, wrapAny(err, "make the webhook %q", hook.Name)
	}
	return secret, created, nil
}

var refusedHook = oncall.Refuse("No webhook can be made: WATCHBILL_SECRET has to be set first, to what `watchbill serve` has (`watchbill secret new` makes one).")

func randomHookSecret() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(random[:])
}

func hookState(ctx context.Context, q querier, name string) (HookState, error) {
	rows, _ := q.Query(ctx, hookStates+` AND name = $1 FOR UPDATE`, name)
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[HookState])
}

// RotateHook gives a webhook another secret, which comes back this once. For a day the one before signs as well.
func (s *Store) RotateHook(ctx context.Context, by oncall.Actor, name string, now time.Time) (secret string, until time.Time, err error) {
	const save = `UPDATE hooks SET secret_before = secret, before_ends_at = $3, secret = $2 WHERE id = $1`
	with := s.secret(now)
	if with == nil {
		return "", until, refusedHook
	}
	secret, until = randomHookSecret(), now.Add(OldKeyLives)
	err = s.manageHook(ctx, by, name, now, func(tx pgx.Tx, h HookState) (audit.Entry, error) {
		_, err := tx.Exec(ctx, save, h.ID, with.Seal(secret), until)
		return audit.RotatedHook(h.hook(), until), err
	})
	return secret, until, wrapAny(err, "rotate the secret of the webhook %q", name)
}

// ResumeHook calls a webhook again that wanted no more, or whose calls fail, from where it was.
func (s *Store) ResumeHook(ctx context.Context, by oncall.Actor, name string, now time.Time) error {
	const save = `UPDATE hooks SET stopped_at = NULL, next_at = NULL, tries = 0, trouble = '' WHERE id = $1`
	return wrapAny(s.manageHook(ctx, by, name, now, func(tx pgx.Tx, h HookState) (audit.Entry, error) {
		_, err := tx.Exec(ctx, save, h.ID)
		return audit.ResumedHook(h.hook()), err
	}), "resume the webhook %q", name)
}

// RemoveHook ends a webhook.
func (s *Store) RemoveHook(ctx context.Context, by oncall.Actor, name string, now time.Time) error {
	const save = `UPDATE hooks SET removed_at = $2, url = '', headers = '', secret = '', secret_before = '' WHERE id = $1`
	return wrapAny(s.manageHook(ctx, by, name, now, func(tx pgx.Tx, h HookState) (audit.Entry, error) {
		_, err := tx.Exec(ctx, save, h.ID, now)
		return audit.RemovedHook(h.hook()), err
	}), "remove the webhook %q", name)
}

func (h HookState) hook() oncall.Hook { return oncall.Hook{ID: h.ID, Name: h.Name, TeamID: h.TeamID} }

// manageHook does something with a webhook, of which the audit log is told. One that somebody may not see is not there.
func (s *Store) manageHook(ctx context.Context, by oncall.Actor, name string, now time.Time, do func(pgx.Tx, HookState) (audit.Entry, error)) error {
	g, err := s.gate(ctx, by)
	if err != nil {
		return err
	}
	return s.transact(ctx, func(tx pgx.Tx) error {
		h, err := hookState(ctx, tx, name)
		if err != nil {
			return err
		}
		if g.dir.teams[h.TeamID].Private && g.dir.access.May(by, access.See, access.Object{Team: h.TeamID}) != nil {
			return oncall.ErrNotFound
		}
		if err := g.may(access.Integrations, access.Object{Team: h.TeamID}); err != nil {
			return err
		}
		entry, err := do(tx, h)
		if err != nil {
			return err
		}
		return record(ctx, tx, by, now, entry)
	})
}
