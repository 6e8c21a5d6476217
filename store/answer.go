package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

const (
	// answerLease is how long an answer is left to a process of the previous release, which records in a
	// separate commit that it is working on the answer.
	answerLease = 15 * time.Second
	// answersLikelyFor is how long answers to a message are likely, whatever has happened to its incident.
	answersLikelyFor = 15 * time.Minute
)

// ErrUnderWay says that another process is carrying out the answer.
var ErrUnderWay = errors.New("the answer is being carried out")

// An AnswerRecord is the stored outcome of an answer.
type AnswerRecord struct {
	oncall.AnswerOutcome
	Again  bool // the answer was delivered before, and this was its outcome
	Lately int  // how many useless answers came from the address within the hour, including this one
}

// Answer carries out an answer about incidents; ProveContact and SwitchContacts do that for other
// kinds of answers. If an answer with the same ID is delivered again, it changes nothing and has the
// same outcome.
func (s *Store) Answer(ctx context.Context, answer oncall.Answer, now time.Time) (AnswerRecord, error) {
	dir, err := s.directory(ctx)
	if err != nil {
		return AnswerRecord{}, err
	}
	var claim oncall.Claim
	if answer.Token != "" { // anybody can send tokens, so forged ones must not be stored
		claim, err = s.openToken(ctx, answer.Token, now)
		if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
			return AnswerRecord{AnswerOutcome: oncall.AnswerOutcome{Result: oncall.AnswerRefused, Refusal: refusal.Sentence}}, nil
		}
		if err != nil {
			return AnswerRecord{}, err
		}
	}
	var changes []oncall.Change
	out, err := s.answerOnce(ctx, answer, now, func(tx pgx.Tx) (out oncall.AnswerOutcome, err error) {
		facts, own, err := s.answerFacts(ctx, tx, answer, claim, now)
		if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
			return oncall.AnswerOutcome{Result: oncall.AnswerRefused, Refusal: refusal.Sentence}, nil
		}
		if err != nil {
			return out, err
		}
		if out, changes, err = facts.Decide(answer, dir.Facts(), now); err != nil {
			return out, err
		}
		if out.Result == oncall.AnswerActed {
			lead := facts.Messages[0].Lead
			if len(facts.Messages) > 1 {
				lead = 0 // several messages
			}
			if err := s.saveActed(ctx, tx, lead, changes, now); err != nil {
				return out, err
			}
		}
		return out, noteReached(ctx, tx, own, now)
	})
	if err == nil {
		s.changed(changes)
	}
	return out, err
}

// ActOnMessage applies one act to all incidents of a direct message, for a button of that message in Slack.
func (s *Store) ActOnMessage(ctx context.Context, by oncall.Actor, lead oncall.PageID, act oncall.ActKind, now time.Time) (oncall.AnswerOutcome, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return oncall.AnswerOutcome{}, err
	}
	var out oncall.AnswerOutcome
	var changes []oncall.Change
	err = s.transact(ctx, func(tx pgx.Tx) error {
		m := oncall.AnsweredMessage{Lead: lead, User: by.User}
		if err := lockMessage(ctx, tx, &m); err != nil {
			return err
		}
		for _, in := range m.Incidents {
			if err := g.onIncident(ctx, tx, actNeeds(act), in); err != nil {
				return err
			}
		}
		var err error
		if out, changes, err = m.Do(act, oncall.MethodSlack, g.dir.Facts(), now); err != nil {
			return err
		}
		return s.saveActed(ctx, tx, lead, changes, now)
	})
	if err != nil {
		return oncall.AnswerOutcome{}, fmt.Errorf("act on the message of page %d: %w", lead, err)
	}
	s.changed(changes)
	return out, nil
}

// saveActed saves the changes to a message's incidents, and updates the bundle led by lead, or all
// bundles if lead is 0.
func (s *Store) saveActed(ctx context.Context, tx pgx.Tx, lead oncall.PageID, changes []oncall.Change, now time.Time) error {
	if len(changes) > 0 {
		if err := s.save(ctx, tx, now, changes); err != nil {
			return err
		}
	}
	return s.followBundles(ctx, tx, lead, now)
}

// answerOnce carries out an answer unless that was done before. It stores the outcome in the same
// transaction, so that an answer delivered again, after a crash or by another route, is carried out
// exactly once. A second delivery waits while the first is being carried out.
func (s *Store) answerOnce(ctx context.Context, answer oncall.Answer, now time.Time,
	carryOut func(tx pgx.Tx) (oncall.AnswerOutcome, error),
) (out AnswerRecord, err error) {
	err = s.transact(ctx, func(tx pgx.Tx) (err error) {
		if answer.ID == "" {
			out.AnswerOutcome, err = carryOut(tx)
			return err
		}
		if out, err = claimAnswer(ctx, tx, answer, now); err != nil || out.Again {
			return err
		}
		if out.AnswerOutcome, err = carryOut(tx); err != nil {
			return err
		}
		out.Lately, err = endAnswer(ctx, tx, answer, out.AnswerOutcome, now)
		return err
	})
	if err != nil {
		return AnswerRecord{}, fmt.Errorf("do what was answered by %s: %w", answer.Method, err)
	}
	return out, nil
}

// claimAnswer notes that an answer is being carried out, or loads its outcome if it was carried out before.
func claimAnswer(ctx context.Context, tx pgx.Tx, a oncall.Answer, now time.Time) (out AnswerRecord, err error) {
	const claim = `
		INSERT INTO replies (method, id, address, at, done, acted)
		VALUES ($1, $2, $3, $4, false, false)
		ON CONFLICT (method, id) DO UPDATE
		SET address = $3, at = CASE WHEN replies.done THEN replies.at ELSE $4 END
		WHERE replies.done OR replies.at <= $5
		RETURNING done, coalesce(outcome, '{}')`
	err = tx.QueryRow(ctx, claim, a.Method, a.ID, a.From, now, now.Add(-answerLease)).Scan(&out.Again, &out.AnswerOutcome)
	if errors.Is(err, pgx.ErrNoRows) {
		return out, ErrUnderWay
	}
	return out, err
}

// endAnswer saves the outcome of an answer, and counts the useless answers from its address.
func endAnswer(ctx context.Context, tx pgx.Tx, a oncall.Answer, out oncall.AnswerOutcome, now time.Time) (lately int, err error) {
	const end = `UPDATE replies SET done = true, acted = $3, outcome = $4 WHERE method = $1 AND id = $2`
	const recent = `SELECT count(*) FROM replies WHERE method = $1 AND address = $2 AND at > $3 AND NOT acted`
	if _, err := tx.Exec(ctx, end, a.Method, a.ID, out.Useful(), out); err != nil || out.Useful() {
		return 0, err
	}
	err = tx.QueryRow(ctx, recent, a.Method, a.From, now.Add(-time.Hour)).Scan(&lately)
	return lately, err
}

// AwaitsAnswers reports whether answers by a method are likely soon, because a message about an
// unacknowledged incident was sent, or any message or a code was sent recently.
func (s *System) AwaitsAnswers(ctx context.Context, method oncall.Method, now time.Time) (awaits bool, err error) {
	const load = `
		SELECT EXISTS (
			SELECT
			FROM pages p
			JOIN incidents i ON i.id = p.incident_id AND i.status = 'triggered'
			WHERE p.method = $1 AND p.state = 'delivered' AND p.ended_at > $2
		) OR EXISTS (
			SELECT FROM pages WHERE method = $1 AND state = 'delivered' AND ended_at > $4
		) OR EXISTS (
			SELECT FROM pages WHERE method = $1 AND state = 'waiting' AND due_at > $4 AND due_at <= $5
		) OR EXISTS (
			SELECT FROM codes WHERE method = $1 AND sent_at > $3 AND hash <> ''
		)`
	err = s.pool.QueryRow(ctx, load, method, now.Add(-24*time.Hour), now.Add(-proofLives), now.Add(-answersLikelyFor), now).Scan(&awaits)
	if err != nil {
		return false, fmt.Errorf("look whether anybody may answer: %w", translate(err))
	}
	return awaits, nil
}

// AnswerCursor returns how far the answers of a provider have been read.
func (s *System) AnswerCursor(ctx context.Context, method oncall.Method) (cursor string, err error) {
	const load = `SELECT cursor FROM provider_state WHERE method = $1`
	err = s.pool.QueryRow(ctx, load, method).Scan(&cursor)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("load the cursor of %s: %w", method, translate(err))
	}
	return cursor, nil
}

// SaveAnswerCursor stores how far the answers of a provider have been read.
func (s *System) SaveAnswerCursor(ctx context.Context, method oncall.Method, cursor string) error {
	const save = `
		INSERT INTO provider_state (method, cursor) VALUES ($1, $2)
		ON CONFLICT (method) DO UPDATE SET cursor = $2`
	if _, err := s.pool.Exec(ctx, save, method, cursor); err != nil {
		return fmt.Errorf("save the cursor of %s: %w", method, translate(err))
	}
	return nil
}
