package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// answerFacts finds who has answered, by which contact methods, and which message. It locks the
// message's incidents.
func (s *Store) answerFacts(ctx context.Context, tx pgx.Tx, a oncall.Answer, now time.Time) (f oncall.AnswerFacts, own []oncall.ContactID, err error) {
	if a.Token != "" || a.Message != (oncall.MessageKey{}) {
		f, own, err = s.namedMessage(ctx, tx, a, now)
	} else {
		f, own, err = messagesTo(ctx, tx, a, now)
	}
	if err != nil || len(f.Messages) != 1 {
		return f, own, err
	}
	return f, own, loadMessage(ctx, tx, &f.Messages[0], lockIncidents)
}

// namedMessage finds the message of an answer that has a token or the message's key.
func (s *Store) namedMessage(ctx context.Context, tx pgx.Tx, a oncall.Answer, now time.Time) (f oncall.AnswerFacts, own []oncall.ContactID, err error) {
	const byKey = `
		SELECT coalesce(nullif(bundle, 0), id), user_id
		FROM pages
		WHERE key = $1 OR redial_key = $1 AND redial_key <> ''`
	const byID = `
		SELECT coalesce(nullif(bundle, 0), id), user_id
		FROM pages
		WHERE id = $1 AND user_id = $2`
	const contacts = `SELECT id FROM contacts WHERE user_id = $1 AND method = $2 AND verified_at IS NOT NULL AND removed_at IS NULL`
	user := a.Message.Probe.User
	var rows pgx.Rows
	if a.Token != "" {
		claim, err := s.openToken(ctx, tx, a.Token, now)
		if err != nil {
			return f, nil, err
		}
		user = claim.User
		rows, _ = tx.Query(ctx, byID, claim.Page, claim.User)
	} else {
		rows, _ = tx.Query(ctx, byKey, a.Message.Page)
	}
	if f.Messages, err = pgx.CollectRows(rows, answeredMessage); err != nil {
		return f, nil, err
	}
	if len(f.Messages) > 0 {
		f.Messages[0].Named = true
		user = f.Messages[0].User
	}
	f.Known, f.Probed = user != "", len(f.Messages) == 0
	rows, _ = tx.Query(ctx, contacts, user, a.Method)
	own, err = pgx.CollectRows(rows, pgx.RowTo[oncall.ContactID])
	return f, own, err
}

// messagesTo finds the message of an answer that is known only by its address: the latest one there
// with the answer's code or, without a code, the latest about an open incident.
func messagesTo(ctx context.Context, tx pgx.Tx, a oncall.Answer, now time.Time) (f oncall.AnswerFacts, own []oncall.ContactID, err error) {
	const byCode = `
		SELECT DISTINCT ON (contact) id, user_id
		FROM pages
		WHERE contact = ANY ($1) AND code = $2 AND code <> 0
		ORDER BY contact, id DESC`
	const latest = `
		SELECT DISTINCT ON (p.contact) p.id, p.user_id
		FROM pages p
		WHERE p.contact = ANY ($1) AND p.contact <> 0 AND p.bundle = 0 AND p.attempted_at IS NOT NULL AND EXISTS (
			SELECT
			FROM pages m
			JOIN incidents i ON i.id = m.incident_id AND i.status <> 'resolved'
			WHERE m.id = p.id OR m.bundle = p.id AND m.bundle <> 0
		)
		ORDER BY p.contact, p.attempted_at DESC, p.id DESC`
	all, err := contactsAt(ctx, tx, a.Method, a.From)
	if err != nil {
		return f, nil, err
	}
	own = []oncall.ContactID{}
	for _, c := range all {
		if c.VerifiedAt != nil {
			own = append(own, c.ID)
		}
	}
	if f.Known = len(own) > 0; !f.Known {
		return f, nil, nil
	}
	if f.Checked, err = answersCheck(ctx, tx, own, now); err != nil || a.Reply.Kind != oncall.ReplyAct {
		return f, own, err
	}
	var rows pgx.Rows
	if a.Reply.Code != 0 {
		rows, _ = tx.Query(ctx, byCode, own, a.Reply.Code)
	} else {
		rows, _ = tx.Query(ctx, latest, own)
	}
	f.Messages, err = pgx.CollectRows(rows, answeredMessage)
	return f, own, err
}

func answeredMessage(row pgx.CollectableRow) (m oncall.AnsweredMessage, err error) {
	return m, row.Scan(&m.Lead, &m.User)
}

// contactsAt loads the contact methods with an address.
func contactsAt(ctx context.Context, q querier, method oncall.Method, address string) ([]oncall.Contact, error) {
	const at = `SELECT id FROM contacts WHERE method = $1 AND address = $2 AND removed_at IS NULL`
	if address == "" {
		return nil, nil
	}
	rows, _ := q.Query(ctx, at, method, address)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.ContactID])
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return contacts(ctx, q, ids, nil)
}

// confirm notes that these contact methods have been answered. It comes last, because incidents are
// locked before contact methods.
func confirm(ctx context.Context, tx pgx.Tx, own []oncall.ContactID, now time.Time) error {
	const save = `UPDATE contacts SET confirmed_at = $2 WHERE id = ANY ($1)`
	if len(own) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, save, own, now)
	return err
}

// loadMessage loads the incidents of a message and its person's pages about them. The incidents are
// loaded by load, which is lockIncidents where they are to be changed.
func loadMessage(ctx context.Context, tx pgx.Tx, m *oncall.AnsweredMessage,
	load func(ctx context.Context, tx pgx.Tx, ids []oncall.IncidentID) ([]oncall.Incident, error),
) error {
	ids, err := messageIncidents(ctx, tx, m.Lead)
	if err != nil {
		return err
	}
	if m.Incidents, err = load(ctx, tx, ids); err != nil {
		return err
	}
	oncall.WorstFirst(m.Incidents)
	m.Pages, err = pagesAbout(ctx, tx, *m)
	return err
}

// messageIncidents returns the incidents of a message.
func messageIncidents(ctx context.Context, q querier, lead oncall.PageID) ([]oncall.IncidentID, error) {
	const load = `SELECT DISTINCT incident_id FROM pages WHERE (id = $1 OR bundle = $1 AND bundle <> 0) AND state <> 'skipped'`
	rows, _ := q.Query(ctx, load, lead)
	return pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
}

// pagesAbout loads the pages of a message's person about its incidents.
func pagesAbout(ctx context.Context, q querier, m oncall.AnsweredMessage) ([]oncall.AnsweredPage, error) {
	const load = `
		SELECT incident_id, user_id, call_seq, asked_version, id = $1 OR bundle = $1 AND bundle <> 0
		FROM pages
		WHERE incident_id = ANY ($2) AND user_id = $3 AND state <> 'skipped'`
	ids := make([]oncall.IncidentID, len(m.Incidents))
	for i, in := range m.Incidents {
		ids[i] = in.ID
	}
	rows, _ := q.Query(ctx, load, m.Lead, ids, m.User)
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p oncall.AnsweredPage, err error) {
		return p, row.Scan(&p.IncidentID, &p.UserID, &p.CallSeq, &p.AskedVersion, &p.Here)
	})
}
