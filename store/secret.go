package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
)

// secretSettlesIn is how long every instance has to be restarted with a new secret; until then the previous secret signs and
// hashes. For the very first secret, it is the time to replace instances of releases that know no secrets.
const secretSettlesIn = 15 * time.Minute

// errNoSecret means that nothing can be signed or hashed because there is no secret.
var errNoSecret = fmt.Errorf("WATCHBILL_SECRET is not set")

// refusedWithoutSecret is the refusal that people see for errNoSecret.
var refusedWithoutSecret = oncall.Refuse("No code can be sent: an admin has to set WATCHBILL_SECRET first (`watchbill secret new` makes one).")

// A secretUse says from when on the secrets of this process are known to all instances.
type secretUse struct {
	settled []time.Time // by secret, in the order of the setting
	first   time.Time   // for the first secret that the installation ever had
}

// A SecretState is a condition of the secrets that the log reports at the start.
type SecretState int

// The states of the secrets.
const (
	SecretSet     SecretState = iota
	SecretMissing             // no secret, and there never was one
	SecretGone                // no secret, although there was one; what it signed is now invalid
	SecretOther               // a new secret, without any of the earlier ones listed next to it
)

// UseSecrets stores the fingerprints of this process's secrets, so that a new secret is used only after all instances had
// time to get it. Call it before signing anything.
func (s *System) UseSecrets(ctx context.Context, now time.Time) (SecretState, error) {
	const begun = `SELECT EXISTS (SELECT FROM secrets) OR EXISTS (SELECT FROM signing_keys)`
	const note = `INSERT INTO secrets (fingerprint, settled_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	const forget = `DELETE FROM signing_keys`
	use, state := secretUse{settled: make([]time.Time, len(s.secrets))}, SecretSet
	err := s.transact(ctx, func(tx pgx.Tx) error {
		known, err := knownSecrets(ctx, tx)
		if err != nil {
			return err
		}
		state = s.secretState(known)
		settled := now
		var others bool
		if err := tx.QueryRow(ctx, begun).Scan(&others); err != nil {
			return err
		}
		if others {
			settled = now.Add(secretSettlesIn)
		}
		for _, secret := range s.secrets {
			tag, err := tx.Exec(ctx, note, secret.Fingerprint(), settled)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 {
				continue
			}
			if err := record(ctx, tx, oncall.ByTimer(), now, audit.Secret(secret.Fingerprint(), settled)); err != nil {
				return err
			}
		}
		if known, err = knownSecrets(ctx, tx); err != nil { // includes what another instance has stored in the meantime
			return err
		}
		for i, secret := range s.secrets {
			use.settled[i] = known[string(secret.Fingerprint())]
		}
		for _, at := range known {
			if use.first.IsZero() || at.Before(use.first) {
				use.first = at
			}
		}
		if len(s.secrets) > 0 && !use.keysOpen(now) {
			_, err := tx.Exec(ctx, forget) // everything they signed has expired
			return err
		}
		return nil
	})
	if err != nil {
		return state, fmt.Errorf("note the secrets: %w", err)
	}
	s.secretUse.Store(&use)
	return state, nil
}

// A SecretCheck compares the secrets of a process with the ones that instances have stored.
type SecretCheck struct {
	State   SecretState
	Settled []time.Time // from when on each is used, in the order of the setting; zero: no instance has it
	Newer   time.Time   // from when on a newer secret is used that this process lacks; zero: there is none
}

// CheckSecrets compares secrets as UseSecrets does, without storing anything.
func (s *System) CheckSecrets(ctx context.Context) (SecretCheck, error) {
	known, err := knownSecrets(ctx, s.pool)
	if err != nil {
		return SecretCheck{}, fmt.Errorf("look at the secrets: %w", translate(err))
	}
	look := SecretCheck{State: s.secretState(known), Settled: make([]time.Time, len(s.secrets))}
	for i, secret := range s.secrets {
		look.Settled[i] = known[string(secret.Fingerprint())]
		delete(known, string(secret.Fingerprint()))
	}
	for _, at := range known {
		if len(look.Settled) > 0 && !look.Settled[0].IsZero() && at.After(look.Settled[0]) && at.After(look.Newer) {
			look.Newer = at
		}
	}
	return look, nil
}

// knownSecrets loads from when on each secret is used, by its fingerprint.
func knownSecrets(ctx context.Context, q querier) (map[string]time.Time, error) {
	const load = `SELECT fingerprint, settled_at FROM secrets`
	known := map[string]time.Time{}
	var print []byte
	var at time.Time
	rows, _ := q.Query(ctx, load)
	_, err := pgx.ForEachRow(rows, []any{&print, &at}, func() error {
		known[string(print)] = at
		return nil
	})
	return known, err
}

// secretState compares the secrets of this process with those that were used before.
func (s *Store) secretState(known map[string]time.Time) SecretState {
	switch {
	case len(s.secrets) == 0 && len(known) == 0:
		return SecretMissing
	case len(s.secrets) == 0:
		return SecretGone
	case len(known) == 0:
		return SecretSet
	}
	for _, secret := range s.secrets {
		if _, used := known[string(secret.Fingerprint())]; used {
			return SecretSet
		}
	}
	return SecretOther
}

// keysOpen reports whether a valid token may still exist that was signed with a key in the database.
func (u *secretUse) keysOpen(now time.Time) bool { return now.Before(u.first.Add(oncall.TokenLives)) }

// keysOpen reports whether the signing keys in the database are valid: while there is no secret, and afterwards until all
// tokens signed with those keys have expired.
func (s *Store) keysOpen(now time.Time) bool {
	use := s.secretUse.Load()
	return len(s.secrets) == 0 || use != nil && use.keysOpen(now)
}

// secret returns the secret to sign and hash with. It is nil before the first secret is settled; then signing and hashing
// work as in releases without secrets.
func (s *Store) secret(now time.Time) oncall.Secret {
	use := s.secretUse.Load()
	for i, secret := range s.secrets {
		if use == nil || !now.Before(use.settled[i]) {
			return secret
		}
	}
	if len(s.secrets) == 0 || now.Before(use.first) {
		return nil
	}
	return s.secrets[0] // no other secret is usable: the old ones were removed at once, probably because they leaked
}

// codeHash returns the hash to store for a new code.
func (s *Store) codeHash(id oncall.ContactID, code string, now time.Time) []byte {
	if secret := s.secret(now); secret != nil {
		return secret.CodeHash(id, code)
	}
	return plainHash(id, code)
}

// codeFits reports whether a code has a stored hash.
func (s *Store) codeFits(hash []byte, id oncall.ContactID, code string, now time.Time) bool {
	for _, secret := range s.secrets {
		if bytes.Equal(hash, secret.CodeHash(id, code)) {
			return true
		}
	}
	use := s.secretUse.Load()
	plain := len(s.secrets) == 0 || use != nil && now.Before(use.first.Add(proofLives))
	return plain && bytes.Equal(hash, plainHash(id, code))
}

// plainHash returns the hash used by releases without secrets.
func plainHash(id oncall.ContactID, code string) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s", id, strings.ToLower(strings.TrimSpace(code))))
	return sum[:]
}

// seal encrypts a code that has to be stored until it is sent.
func (s *Store) seal(text string, now time.Time) string {
	if secret := s.secret(now); secret != nil {
		return secret.Seal(text)
	}
	return text
}
