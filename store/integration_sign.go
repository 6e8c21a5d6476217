package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
)

// OldSigningSecretLives is how long a replaced signing secret stays valid.
const OldSigningSecretLives = 24 * time.Hour

// SignIntegration gives an integration a new signing secret for its monitor. It returns until when the previous secret
// is valid; nil: there was none. Only a manager of the team may do so. The set-up file says whether unsigned requests
// are refused. The error is oncall.ErrNotFound if the integration does not exist or the actor may not see it.
func (s *Store) SignIntegration(ctx context.Context, by oncall.Actor, name, secret string, now time.Time) (until *time.Time, err error) {
	const save = `
		UPDATE integrations i
		SET sign_secret = $2, sign_before = old.sign_secret, before_ends_at = CASE WHEN old.sign_secret <> '' THEN $3::timestamptz END
		FROM (SELECT id, sign_secret FROM integrations WHERE id = $1) AS old
		WHERE i.id = old.id
		RETURNING i.before_ends_at`
	with := s.secret(now)
	if with == nil {
		return nil, oncall.Refuse("No secret can be kept for %q: WATCHBILL_SECRET has to be set first, to what `watchbill serve` has (`watchbill secret new` makes one).", name)
	}
	err = s.manageIntegration(ctx, by, name, func(tx pgx.Tx, in lockedIntegration) error {
		if err := tx.QueryRow(ctx, save, in.id, with.Seal(secret), now.Add(OldSigningSecretLives)).Scan(&until); err != nil {
			return err
		}
		return record(ctx, tx, by, now, audit.Signing(name, in.team, until))
	})
	if err != nil {
		return nil, wrapAny(err, "keep a secret for %q", name)
	}
	s.managed(by, "sign").Str("integration", name).Msg("signing secret replaced")
	return until, nil
}

// ResealSigning encrypts signing secrets with the current secret of the installation, so that the previous one is no
// longer needed.
func (s *System) ResealSigning(ctx context.Context, now time.Time) error {
	const load = `
		SELECT id, sign_secret, sign_before
		FROM integrations
		WHERE sign_secret <> ''`
	const save = `UPDATE integrations SET sign_secret = $2, sign_before = $3 WHERE id = $1 AND sign_secret = $4`
	with := s.secret(now)
	if with == nil {
		return nil
	}
	anew := func(sealed string) string { return s.reseal(with, sealed) }
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, load)
		type sealed struct {
			ID                     oncall.IntegrationID
			SignSecret, SignBefore string
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByName[sealed])
		if err != nil {
			return err
		}
		changed := false
		for _, one := range all {
			secret, before := anew(one.SignSecret), anew(one.SignBefore)
			if secret == one.SignSecret && before == one.SignBefore {
				continue
			}
			changed = true
			if _, err := tx.Exec(ctx, save, one.ID, secret, before, one.SignSecret); err != nil {
				return err
			}
		}
		if !changed {
			return nil
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("seal signing secrets anew: %w", err)
	}
	return nil
}
