package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// answersAnHour is how often somebody is told, by one address, what they could have said: two
// machines must not talk to each other for ever.
const answersAnHour = 5

// answerLease is how long whoever does what was answered is left alone: the same answer may come by
// a webhook and from the provider's list at once, and to escalate twice is not the same as once.
const answerLease = 15 * time.Second

// answersCome is within what time of a message answers are likely, whatever has become of its incident.
const answersCome = 15 * time.Minute

// The sentences that are sent back.
const (
	saySeveral   = "More than one person here has this address, and it is not clear which of them you are. Please act in Slack."
	sayNothing   = "There is nothing open that you were paged for here."
	sayHow       = "Answer 1a to acknowledge, 1r to resolve or 1e to escalate, with the number from the message."
	sayThanks    = "Thank you: you can be reached here."
	sayWrongCode = "That code is not right, or too old. A new one can be sent from Slack."
)

// Answer does what somebody has sent back by a contact method, and returns the sentence to send as
// a reply; none to strangers, and none to what has been answered before.
func (s *Store) Answer(ctx context.Context, a oncall.Answer, now time.Time) (string, error) {
	const claim = `
		INSERT INTO replies (method, id, address, at, done, acted)
		VALUES ($1, $2, $3, $4, false, false)
		ON CONFLICT (method, id) DO UPDATE
		SET address = $3, at = CASE WHEN replies.done THEN replies.at ELSE $4 END
		WHERE replies.done OR replies.at <= $5
		RETURNING done`
	const end = `UPDATE replies SET done = true, acted = $3 WHERE method = $1 AND id = $2`
	const recent = `SELECT count(*) FROM replies WHERE method = $1 AND address = $2 AND at > $3 AND NOT acted`
	if a.ID != "" {
		var done bool
		err := s.pool.QueryRow(ctx, claim, a.Method, a.ID, a.From, now, now.Add(-answerLease)).Scan(&done)
		if errors.Is(err, pgx.ErrNoRows) {
			return "", fmt.Errorf("do an answer that is being done: %w", ErrTaken)
		}
		if err != nil {
			return "", fmt.Errorf("note an answer: %w", translate(err))
		}
		if done {
			return "", nil
		}
	}
	// Whoever dies here does it again: to do twice what was answered changes nothing.
	text, acted, err := s.answer(ctx, a, now)
	if err != nil {
		return "", fmt.Errorf("do what was answered by %s: %w", a.Method, err)
	}
	if a.ID == "" {
		return text, nil
	}
	if _, err := s.pool.Exec(ctx, end, a.Method, a.ID, acted); err != nil {
		return "", fmt.Errorf("note that an answer is done: %w", translate(err))
	}
	if acted || text == "" {
		return text, nil
	}
	var lately int
	if err := s.pool.QueryRow(ctx, recent, a.Method, a.From, now.Add(-time.Hour)).Scan(&lately); err != nil {
		return "", fmt.Errorf("count answers: %w", translate(err))
	}
	if lately > answersAnHour {
		return "", nil
	}
	return text, nil
}

func (s *Store) answer(ctx context.Context, a oncall.Answer, now time.Time) (text string, acted bool, err error) {
	said := oncall.ParseReply(a.Text)
	if said.Token != "" || a.Key != "" {
		return s.answerPage(ctx, a, said, now)
	}
	own, err := s.contactsAt(ctx, a.Method, a.From)
	if err != nil {
		return "", false, err
	}
	switch said.Kind {
	case oncall.ReplyCode:
		return s.answerCode(ctx, a, own, said.Proof, now)
	case oncall.ReplyStop, oncall.ReplyStart:
		return "", true, s.switchContacts(ctx, own, said.Kind == oncall.ReplyStart, now)
	case oncall.ReplyAct, oncall.ReplyOther:
	}
	own = slices.DeleteFunc(own, func(c oncall.Contact) bool { return c.VerifiedAt == nil })
	if len(own) == 0 {
		return "", false, nil
	}
	if err := s.confirmed(ctx, own, now); err != nil {
		return "", false, err
	}
	if said.Kind == oncall.ReplyOther {
		if asked, err := s.answeredCheck(ctx, own, now); asked || err != nil {
			return sayThanks, true, err
		}
		return sayHow, false, nil
	}
	messages, err := s.meant(ctx, own, said)
	switch {
	case err != nil:
		return "", false, err
	case len(messages) == 0:
		if asked, err := s.answeredCheck(ctx, own, now); asked || err != nil {
			return sayThanks, true, err
		}
		return sayNothing, false, nil
	case len(messages) > 1:
		return saySeveral, false, nil
	}
	return s.actOn(ctx, messages[0], said.Act, a.Method, now)
}

// A message is what a person has answered: the page that led it.
type message struct {
	Page  oncall.PageID
	User  oncall.UserID
	Exact bool `db:"-"` // the answer names it by itself, and not by a code that other messages have had
}

// answerPage is for an answer that says by itself which page it is about.
func (s *Store) answerPage(ctx context.Context, a oncall.Answer, said oncall.ParsedReply, now time.Time) (string, bool, error) {
	const byKey = `
		SELECT coalesce(nullif(bundle, 0), id) AS page, user_id AS "user"
		FROM pages
		WHERE key = $1 OR redial_key = $1 AND redial_key <> ''`
	const byID = `
		SELECT coalesce(nullif(bundle, 0), id) AS page, user_id AS "user"
		FROM pages
		WHERE id = $1 AND user_id = $2`
	const contact = `SELECT id FROM contacts WHERE user_id = $1 AND method = $2 AND verified_at IS NOT NULL AND removed_at IS NULL`
	var rows pgx.Rows
	user := oncall.UserID("")
	if said.Token != "" {
		claim, err := s.openToken(ctx, said.Token, now)
		if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
			return refusal.Error(), false, nil
		}
		if err != nil {
			return "", false, err
		}
		user = claim.User
		rows, _ = s.pool.Query(ctx, byID, claim.Page, claim.User)
	} else {
		rows, _ = s.pool.Query(ctx, byKey, a.Key)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[message])
	if err != nil {
		return "", false, translate(err)
	}
	if len(found) > 0 {
		user = found[0].User
	} else if probe, ok := oncall.ProbeUser(a.Key); ok { // a test or a check
		user = probe
	}
	if user == "" {
		return "", false, nil
	}
	rows, _ = s.pool.Query(ctx, contact, user, a.Method)
	own, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c oncall.Contact, err error) { return c, row.Scan(&c.ID) })
	if err != nil {
		return "", false, translate(err)
	}
	if err := s.confirmed(ctx, own, now); err != nil {
		return "", false, err
	}
	switch {
	case len(found) == 0:
		return sayThanks, true, nil
	case said.Kind != oncall.ReplyAct:
		return sayHow, false, nil
	}
	found[0].Exact = true
	return s.actOn(ctx, found[0], said.Act, a.Method, now)
}

// contactsAt are the contact methods that lead to an address.
func (s *Store) contactsAt(ctx context.Context, method, address string) ([]oncall.Contact, error) {
	const load = `
		SELECT id, user_id, method, address, verified_at, confirmed_at, disabled_at, disabled_why, created_at
		FROM contacts
		WHERE method = $1 AND address = $2 AND removed_at IS NULL
		ORDER BY id`
	if address == "" {
		return nil, nil // nobody is there
	}
	rows, _ := s.pool.Query(ctx, load, method, address)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Contact])
	return found, translate(err)
}

// confirmed notes that people have answered.
func (s *Store) confirmed(ctx context.Context, own []oncall.Contact, now time.Time) error {
	const save = `UPDATE contacts SET confirmed_at = $2 WHERE id = ANY ($1)`
	_, err := s.pool.Exec(ctx, save, contactIDs(own), now)
	return translate(err)
}

func contactIDs(own []oncall.Contact) []oncall.ContactID {
	ids := make([]oncall.ContactID, len(own))
	for i, c := range own {
		ids[i] = c.ID
	}
	return ids
}

// meant finds the message that an answer is about: the latest with its code or, without one, the
// latest about something open. Several messages are several people's who share an address.
func (s *Store) meant(ctx context.Context, own []oncall.Contact, said oncall.ParsedReply) ([]message, error) {
	const byCode = `
		SELECT DISTINCT ON (contact) id AS page, user_id AS "user"
		FROM pages
		WHERE contact = ANY ($1) AND code = $2 AND code <> 0
		ORDER BY contact, id DESC`
	const latest = `
		SELECT DISTINCT ON (p.contact) p.id AS page, p.user_id AS "user"
		FROM pages p
		WHERE p.contact = ANY ($1) AND p.contact <> 0 AND p.bundle = 0 AND p.attempted_at IS NOT NULL AND EXISTS (
			SELECT
			FROM pages m
			JOIN incidents i ON i.id = m.incident_id AND i.status <> 'resolved'
			WHERE m.id = p.id OR m.bundle = p.id AND m.bundle <> 0
		)
		ORDER BY p.contact, p.attempted_at DESC, p.id DESC`
	var rows pgx.Rows
	if said.Code != 0 {
		rows, _ = s.pool.Query(ctx, byCode, contactIDs(own), said.Code)
	} else {
		rows, _ = s.pool.Query(ctx, latest, contactIDs(own))
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[message])
	return found, translate(err)
}

// switchContacts does what STOP and START ask for, and says so in Slack, where it can be undone.
func (s *Store) switchContacts(ctx context.Context, own []oncall.Contact, on bool, now time.Time) error {
	const start = `
		UPDATE contacts
		SET disabled_at = NULL, disabled_why = '', confirmed_at = $2
		WHERE id = $1 AND disabled_at IS NOT NULL
		RETURNING id`
	const why = "you answered STOP"
	dir, err := s.Directory(ctx)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		for _, c := range own {
			if !on {
				if err := s.disable(ctx, tx, dir, c.ID, why, now); err != nil {
					return err
				}
				continue
			}
			tag, err := tx.Exec(ctx, start, c.ID, now)
			if err != nil {
				return err
			}
			if tag.RowsAffected() > 0 {
				n := oncall.ContactNotice(oncall.NoticeContactOn, c, "", string(c.UserID), now)
				if err := s.notice(ctx, tx, now, []oncall.Notice{n}); err != nil {
					return err
				}
			}
		}
		return announce(ctx, tx)
	})
	s.cache.drop()
	return err
}

// answerCode proves a contact method by the code that came from its address.
func (s *Store) answerCode(ctx context.Context, a oncall.Answer, own []oncall.Contact, code string, now time.Time) (string, bool, error) {
	if a.Method == oncall.MethodTelegram && a.From != "" {
		waiting, err := s.unaddressed(ctx, a.Method, code, now)
		if err != nil {
			return "", false, err
		}
		for i := range waiting {
			waiting[i].Address = a.From
		}
		own = append(own, waiting...)
	}
	proven := false
	for _, c := range own {
		err := s.changeContacts(ctx, c.UserID, func(tx pgx.Tx) error {
			right, err := tryCode(ctx, tx, c.ID, code, now)
			if err != nil || !right {
				return err
			}
			proven = true
			return verified(ctx, tx, c, now)
		})
		if err != nil {
			return "", false, err
		}
		if proven {
			return "Thank you. " + oncall.MethodName(c.Method) + " pages for " + s.nameOf(ctx, c.UserID) + " can come here now.", true, nil
		}
	}
	if len(own) == 0 {
		return "", false, nil
	}
	return sayWrongCode, false, nil
}

func (s *Store) nameOf(ctx context.Context, user oncall.UserID) string {
	if dir, err := s.Directory(ctx); err == nil && dir.Users[user].Name != "" {
		return dir.Users[user].Name
	}
	return "you"
}

// unaddressed finds the contact method whose address only this answer tells.
func (s *Store) unaddressed(ctx context.Context, method, code string, now time.Time) ([]oncall.Contact, error) {
	const load = `
		SELECT c.id, c.user_id, c.method, c.address, c.verified_at, c.confirmed_at, c.disabled_at, c.disabled_why,
		       c.created_at, o.hash
		FROM codes o
		JOIN contacts c ON c.id = o.contact_id AND c.removed_at IS NULL AND c.address = ''
		WHERE o.method = $1 AND o.address = '' AND o.sent_at > $2 AND o.hash <> ''`
	type row struct {
		oncall.Contact
		Hash []byte
	}
	rows, _ := s.pool.Query(ctx, load, method, now.Add(-codeLives))
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	var out []oncall.Contact
	for _, r := range found {
		if string(r.Hash) == string(codeHash(r.ID, code)) {
			out = append(out, r.Contact)
		}
	}
	return out, translate(err)
}

// Awaits reports whether somebody may answer soon by a contact method: a message about something
// that nobody has acknowledged went out, any other a moment ago, or a code.
func (s *Store) Awaits(ctx context.Context, method string, now time.Time) (awaits bool, err error) {
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
	err = s.pool.QueryRow(ctx, load, method, now.Add(-24*time.Hour), now.Add(-codeLives), now.Add(-answersCome), now).Scan(&awaits)
	if err != nil {
		return false, fmt.Errorf("look whether anybody may answer: %w", translate(err))
	}
	return awaits, nil
}

// Cursor returns how far the answers of a provider have been read.
func (s *Store) Cursor(ctx context.Context, method string) (cursor string, err error) {
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

// SaveCursor notes how far the answers of a provider have been read.
func (s *Store) SaveCursor(ctx context.Context, method, cursor string) error {
	const save = `
		INSERT INTO provider_state (method, cursor) VALUES ($1, $2)
		ON CONFLICT (method) DO UPDATE SET cursor = $2`
	if _, err := s.pool.Exec(ctx, save, method, cursor); err != nil {
		return fmt.Errorf("save the cursor of %s: %w", method, translate(err))
	}
	return nil
}
