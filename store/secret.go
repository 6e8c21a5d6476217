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

// settleIn is how long every instance has to learn of a new secret, or, if it is the first, to be replaced
// by one of a release that knows secrets. Until then what went before signs and hashes.
const settleIn = 15 * time.Minute

// errNoSecret means that something new can't be signed or hashed, because there is no secret.
var errNoSecret = fmt.Errorf("WATCHBILL_SECRET is not set")

// refusedWithoutSecret is what people are told then.
var refusedWithoutSecret = oncall.Refuse("No code can be sent: an admin has to set WATCHBILL_SECRET first (`watchbill secret new` makes one).")

// A secretUse is since when the secrets of this process are known to all instances.
type secretUse struct {
	settled []time.Time // of each secret
	first   time.Time   // of the first that the installation has ever had
}

// A SecretState is what an admin should know of the secrets at the start.
type SecretState int

// The states of the secrets.
const (
	SecretSet     SecretState = iota
	SecretMissing             // there never was one
	SecretGone                // there was one, and what it has made is void without it
	SecretOther               // the one set is new, and none that was used before is listed beside it
)

// UseSecrets notes which secrets this process has, so that it uses a new one only when all instances
// have had the time to learn of it. It comes before anything is signed.
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
			settled = now.Add(settleIn)
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
		if known, err = knownSecrets(ctx, tx); err != nil { // also what another instance has noted meanwhile
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
			_, err := tx.Exec(ctx, forget) // all that they have signed has expired
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

// A SecretLook is how the secrets of a process compare with those that the instances have noted.
type SecretLook struct {
	State   SecretState
	Settled []time.Time // from when on each is used, in the order of the setting; zero: no instance has noted it
	Newer   time.Time   // from when on one is used that an instance has noted later, and this process hasn't; zero: none
}

// LookAtSecrets compares secrets as UseSecrets does, without noting anything.
func (s *System) LookAtSecrets(ctx context.Context) (SecretLook, error) {
	known, err := knownSecrets(ctx, s.pool)
	if err != nil {
		return SecretLook{}, fmt.Errorf("look at the secrets: %w", translate(err))
	}
	look := SecretLook{State: s.secretState(known), Settled: make([]time.Time, len(s.secrets))}
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

// keysOpen reports whether a token may still have been signed with a key in the database.
func (u *secretUse) keysOpen(now time.Time) bool { return now.Before(u.first.Add(oncall.TokenLives)) }

// keysOpen reports whether the signing keys in the database count: without a secret, and until all
// that was signed with them before there was one has expired.
func (s *Store) keysOpen(now time.Time) bool {
	use := s.secretUse.Load()
	return len(s.secrets) == 0 || use != nil && use.keysOpen(now)
}

// secret returns the secret to sign and hash with; nil: none yet, so that it is done as by the release
// before.
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
	return s.secrets[0] // the others were taken away at once, because they are known to somebody
}

// codeHash is what is stored of a proof that is made now.
func (s *Store) codeHash(id oncall.ContactID, code string, now time.Time) []byte {
	if secret := s.secret(now); secret != nil {
		return secret.CodeHash(id, code)
	}
	return plainHash(id, code)
}

// codeFits reports whether a proof has this hash.
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

// plainHash is the hash of the release before, which had no secret.
func plainHash(id oncall.ContactID, code string) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s", id, strings.ToLower(strings.TrimSpace(code))))
	return sum[:]
}

// seal hides a code that has to be stored until it is told.
func (s *Store) seal(text string, now time.Time) string {
	if secret := s.secret(now); secret != nil {
		return secret.Seal(text)
	}
	return text
}
