package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
)

// SwitchContacts carries out STOP and START, and tells the person in Slack, where they can undo it.
func (s *Store) SwitchContacts(ctx context.Context, answer oncall.Answer, now time.Time) (AnswerRecord, error) {
	const start = `
		UPDATE contacts
		SET disabled_at = NULL, disabled_why = '', confirmed_at = $2
		WHERE id = $1 AND disabled_at IS NOT NULL
		RETURNING id`
	const why = "you answered STOP"
	dir, err := s.directory(ctx)
	if err != nil {
		return AnswerRecord{}, err
	}
	out, err := s.answerOnce(ctx, answer, now, func(tx pgx.Tx) (out oncall.AnswerOutcome, err error) {
		own, err := contactsAt(ctx, tx, answer.Method, answer.From)
		if err != nil {
			return out, err
		}
		out.Result = oncall.AnswerStopped
		if answer.Intent.Kind == oncall.IntentStart {
			out.Result = oncall.AnswerStarted
		}
		for _, c := range own {
			if out.Result == oncall.AnswerStopped {
				if err := s.disable(ctx, tx, oncall.Actor{User: c.UserID, Via: string(answer.Method)}, dir, c.ID, why, now); err != nil {
					return out, err
				}
				continue
			}
			if refused, err := answerRefusal(ctx, tx, c.UserID); err != nil || refused != nil {
				if err != nil {
					return out, err
				}
				continue
			}
			tag, err := tx.Exec(ctx, start, c.ID, now)
			if err != nil {
				return out, err
			}
			if tag.RowsAffected() > 0 {
				n := oncall.ContactNotice(oncall.NoticeContactOn, c, "", string(c.UserID), now)
				if err := s.saveNotices(ctx, tx, now, []oncall.Notice{n}); err != nil {
					return out, err
				}
				on := audit.Contact(c, audit.ContactOn)
				if err := record(ctx, tx, oncall.Actor{User: c.UserID, Via: string(answer.Method)}, now, on); err != nil {
					return out, err
				}
			}
		}
		return out, announce(ctx, tx)
	})
	s.cache.drop()
	return out, err
}

// ProveContact verifies a contact method by a code that was sent from its address.
func (s *Store) ProveContact(ctx context.Context, answer oncall.Answer, now time.Time) (AnswerRecord, error) {
	const lock = `SELECT FROM users WHERE id = ANY ($1) ORDER BY id FOR UPDATE`
	out, err := s.answerOnce(ctx, answer, now, func(tx pgx.Tx) (out oncall.AnswerOutcome, err error) {
		own, err := s.provable(ctx, tx, answer, now)
		if err != nil || len(own) == 0 {
			out.Result = oncall.AnswerIgnored
			return out, err
		}
		users := make([]oncall.UserID, len(own))
		for i, c := range own {
			users[i] = c.UserID
		}
		if _, err := tx.Exec(ctx, lock, users); err != nil {
			return out, err
		}
		out.Result = oncall.AnswerNoProof
		for _, c := range own {
			refused, err := answerRefusal(ctx, tx, c.UserID)
			if err != nil {
				return out, err
			}
			if refused != nil {
				out = oncall.AnswerOutcome{Result: oncall.AnswerRefused, Refusal: refused}
				continue
			}
			right, err := s.tryCode(ctx, tx, c.ID, answer.Intent.Proof, now)
			if err != nil {
				return out, err
			}
			if !right {
				continue
			}
			if err := verified(ctx, tx, oncall.Actor{User: c.UserID, Via: string(answer.Method)}, c, now); err != nil {
				return out, err
			}
			out = oncall.AnswerOutcome{Result: oncall.AnswerProven, Method: c.Method, User: c.UserID}
			return out, announce(ctx, tx)
		}
		return out, nil
	})
	s.cache.drop()
	return out, err
}

// answerRefusal says why somebody may not answer any more; nil: they may.
func answerRefusal(ctx context.Context, tx pgx.Tx, user oncall.UserID) (oncall.Sentence, error) {
	err := mayAnswer(ctx, tx, user)
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		return refusal.Sentence, nil
	}
	return nil, err
}

// provable loads the contact methods that a code sent from an address may verify: those with that
// address and, for Telegram, those whose address only this answer reveals.
func (s *Store) provable(ctx context.Context, tx pgx.Tx, answer oncall.Answer, now time.Time) ([]oncall.Contact, error) {
	const waiting = `SELECT contact_id, hash FROM codes WHERE method = $1 AND address = '' AND sent_at > $2 AND hash <> ''`
	own, err := contactsAt(ctx, tx, answer.Method, answer.From)
	if err != nil || answer.Method.Info().Label != "" || answer.From == "" {
		return own, err
	}
	ids := []oncall.ContactID{}
	var id oncall.ContactID
	var hash []byte
	rows, _ := tx.Query(ctx, waiting, answer.Method, now.Add(-proofLives))
	if _, err := pgx.ForEachRow(rows, []any{&id, &hash}, func() error {
		if s.codeFits(hash, id, answer.Intent.Proof, now) {
			ids = append(ids, id)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	proven, err := contacts(ctx, tx, ids, nil)
	for _, c := range proven {
		if c.Address == "" {
			c.Address = answer.From
			own = append(own, c)
		}
	}
	return own, err
}
