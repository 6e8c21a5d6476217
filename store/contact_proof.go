package store

import (
	"cmp"
	"context"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
)

// Limits of a proof. They also protect people whose number somebody mistypes.
const (
	proofLives = 10 * time.Minute
	proofTries = 5
)

// A Proof is a code that is being sent to a contact method.
type Proof struct {
	Contact oncall.Contact
	User    oncall.User
	Code    string
	Sealed  string // the code, encrypted, so that it may be stored in a notice
	Expires time.Time
}

// SendProof queues another code for a contact method.
func (s *Store) SendProof(ctx context.Context, by oncall.Actor, user oncall.UserID, id oncall.ContactID, now time.Time) error {
	g, err := s.gate(ctx, by)
	if err == nil {
		err = g.forPerson(user, access.OwnThings)
	}
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		c, err := contact(ctx, tx, user, id)
		if err != nil {
			return err
		}
		if err := g.forPerson(user, PermissionToAdd(c.Method)); err != nil { // they may have left their team
			return err
		}
		return s.queueProof(ctx, tx, c, now)
	})
	return wrapAny(err, "send a code to contact method %d of %s", id, user)
}

func (s *Store) queueProof(ctx context.Context, tx pgx.Tx, c oncall.Contact, now time.Time) error {
	if len(s.secrets) == 0 {
		return refusedWithoutSecret
	}
	if _, err := s.mayProve(ctx, tx, c, now); err != nil {
		return err
	}
	return s.enqueue(ctx, tx, now, []oncall.Task{{Args: oncall.SendProof{Contact: c.ID}}})
}

// mayProve refuses a code that would exceed the limits of its address.
func (s *Store) mayProve(ctx context.Context, tx pgx.Tx, c oncall.Contact, now time.Time) (oncall.ProbeCount, error) {
	if err := s.phones.Check(c.Method, c.Address); err != nil {
		return oncall.ProbeCount{}, err
	}
	if c.Address == "" { // the code is shown in Slack
		return oncall.ProbeCount{}, nil
	}
	n, err := countProbes(ctx, tx, c, now)
	if err != nil {
		return n, err
	}
	return n, n.MayProve()
}

// BeginProof makes the code that proves a contact method, from random bytes. Earlier codes become invalid. It refuses a
// contact method that was removed or has had too many codes.
func (s *System) BeginProof(ctx context.Context, id oncall.ContactID, random [16]byte, now time.Time) (Proof, error) {
	const insert = `
		INSERT INTO codes (contact_id, method, address, hash, tries, sent_at)
		VALUES ($1, $2, $3, $4, 0, $5)`
	proof := Proof{Expires: now.Add(proofLives)}
	dir, err := s.directory(ctx)
	if err != nil {
		return Proof{}, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) (err error) {
		if proof.Contact, err = lockContact(ctx, tx, id); err != nil {
			return err
		}
		people, err := users(ctx, tx, proof.Contact.UserID)
		if err != nil {
			return err
		}
		proof.User = people[proof.Contact.UserID]
		sent, err := s.mayProve(ctx, tx, proof.Contact, now)
		if err != nil {
			return err
		}
		if len(s.secrets) == 0 {
			return refusedWithoutSecret
		}
		if _, err := tx.Exec(ctx, voidCodes, id); err != nil {
			return err
		}
		proof.Code = codeFrom(random, proof.Contact.Address == "")
		proof.Sealed = s.seal(proof.Code, now)
		if _, err = tx.Exec(ctx, insert, id, proof.Contact.Method, proof.Contact.Address, s.codeHash(id, proof.Code, now), now); err != nil {
			return err
		}
		return s.alarmPhones(ctx, tx, dir, proof.Contact, sent, now)
	})
	if err != nil {
		return Proof{}, wrap(err, "make a code for contact method %d", id)
	}
	return proof, nil
}

// codeFrom makes a code of six digits; long: of sixteen letters and digits, for methods where anybody can try codes, not
// only the owner of the address.
func codeFrom(random [16]byte, long bool) string {
	if long {
		return strings.ToLower(base32.StdEncoding.EncodeToString(random[:10]))
	}
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(random[:8])%1_000_000)
}

// voidCodes invalidates all codes of a contact method.
const voidCodes = `UPDATE codes SET hash = '' WHERE contact_id = $1 AND hash <> ''`

// ConfirmContact verifies a contact method by the code that was sent to it.
func (s *Store) ConfirmContact(ctx context.Context, by oncall.Actor, user oncall.UserID, id oncall.ContactID, code string, now time.Time) error {
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(user, access.OwnThings) }); err != nil {
		return err
	}
	var right bool
	err := s.changeContacts(ctx, user, func(tx pgx.Tx) error {
		c, err := contact(ctx, tx, user, id)
		if err != nil {
			return err
		}
		if c.Address == "" {
			return oncall.Refuse("Please send that code to the bot in Telegram.")
		}
		right, err = s.tryCode(ctx, tx, id, cmp.Or(oncall.CleanCode(code), code), now)
		if err != nil || !right {
			return err
		}
		return verified(ctx, tx, by, c, now)
	})
	if err == nil && !right { // refused only now, so that the try was saved
		err = oncall.Refuse("That code is not right, or too old. A new one can be sent.")
	}
	return wrapAny(err, "confirm contact method %d of %s", id, user)
}

// tryCode uses up one try of each valid code of a contact method, and reports whether the given code is one of them.
func (s *Store) tryCode(ctx context.Context, tx pgx.Tx, id oncall.ContactID, code string, now time.Time) (bool, error) {
	const try = `
		UPDATE codes
		SET tries = tries + 1
		WHERE contact_id = $1 AND sent_at > $2 AND tries < $3 AND hash <> ''
		RETURNING hash`
	rows, _ := tx.Query(ctx, try, id, now.Add(-proofLives), proofTries)
	hashes, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return false, err
	}
	for _, h := range hashes {
		if s.codeFits(h, id, code, now) {
			_, err := tx.Exec(ctx, voidCodes, id)
			return true, err
		}
	}
	return false, nil
}

// verified notes that a contact method belongs to its person and reaches them.
func verified(ctx context.Context, tx pgx.Tx, by oncall.Actor, c oncall.Contact, now time.Time) error {
	const save = `
		UPDATE contacts
		SET address = $2, verified_at = $3, confirmed_at = $3, disabled_at = NULL, disabled_why = ''
		WHERE id = $1`
	if _, err := tx.Exec(ctx, save, c.ID, c.Address, now); err != nil {
		return err
	}
	return record(ctx, tx, by, now, audit.Contact(c, audit.ContactVerified))
}
