package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// answerFacts finds out who answered, by which contact methods, and about which messages. It locks the
// incidents of these messages.
func (s *Store) answerFacts(ctx context.Context, tx pgx.Tx, a oncall.Answer, claim oncall.Claim, now time.Time) (f oncall.AnswerFacts, own []oncall.ContactID, err error) {
	if a.Token != "" || a.Message != (oncall.MessageKey{}) {
		f, own, err = namedMessage(ctx, tx, a, claim)
		if err == nil && len(f.Messages) == 1 {
			err = lockMessage(ctx, tx, &f.Messages[0])
		}
		return f, own, err
	}
	if f, own, err = shownTo(ctx, tx, a, now); err != nil || f.Choice.Several {
		return f, own, err
	}
	f.Messages, err = loadPicks(ctx, tx, f.Choice.Picks)
	return f, own, err
}

// loadPicks locks and loads the messages and incidents that an answer is about.
func loadPicks(ctx context.Context, tx pgx.Tx, picks []oncall.PickedIncidents) ([]oncall.AnsweredMessage, error) {
	var ids []oncall.IncidentID
	for _, p := range picks {
		ids = append(ids, p.Incidents...)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	locked, err := lockIncidents(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	var out []oncall.AnsweredMessage
	for _, p := range picks {
		m := oncall.AnsweredMessage{Lead: p.Lead, User: p.User}
		for _, in := range locked {
			if slices.Contains(p.Incidents, in.ID) {
				m.Incidents = append(m.Incidents, in)
			}
		}
		if err := loadPages(ctx, tx, &m); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// namedMessage finds the message that an answer names by a token or by the message's key.
func namedMessage(ctx context.Context, tx pgx.Tx, answer oncall.Answer, claim oncall.Claim) (f oncall.AnswerFacts, own []oncall.ContactID, err error) {
	const byKey = `
		SELECT coalesce(nullif(bundle, 0), id), user_id
		FROM pages
		WHERE key = $1 OR redial_key = $1 AND redial_key <> ''`
	const byID = `
		SELECT coalesce(nullif(bundle, 0), id), user_id
		FROM pages
		WHERE id = $1 AND user_id = $2`
	const verified = `SELECT id FROM contacts WHERE user_id = $1 AND method = $2 AND verified_at IS NOT NULL AND removed_at IS NULL`
	user := answer.Message.Probe.User
	var rows pgx.Rows
	if answer.Token != "" {
		if err := tokenCounts(ctx, tx, claim); err != nil {
			return f, nil, err
		}
		user = claim.User
		rows, _ = tx.Query(ctx, byID, claim.Page, claim.User)
	} else {
		if err := buttonCounts(ctx, tx, answer); err != nil {
			return f, nil, err
		}
		rows, _ = tx.Query(ctx, byKey, answer.Message.Page)
	}
	if f.Messages, err = pgx.CollectRows(rows, answeredMessage); err != nil {
		return f, nil, err
	}
	if len(f.Messages) > 0 {
		f.Messages[0].Named = true
		user = f.Messages[0].User
	}
	if user != "" {
		if err := mayAnswer(ctx, tx, user); err != nil {
			return f, nil, err
		}
	}
	f.Known, f.Probed = user != "", len(f.Messages) == 0
	rows, _ = tx.Query(ctx, verified, user, answer.Method)
	own, err = pgx.CollectRows(rows, pgx.RowTo[oncall.ContactID])
	return f, own, err
}

// shownTo finds what an answer is about if only its address is known. It looks at what people with
// that address were told, there or elsewhere.
func shownTo(ctx context.Context, tx pgx.Tx, answer oncall.Answer, now time.Time) (f oncall.AnswerFacts, own []oncall.ContactID, err error) {
	all, err := contactsAt(ctx, tx, answer.Method, answer.From)
	if err != nil {
		return f, nil, err
	}
	own = []oncall.ContactID{}
	var people []oncall.UserID
	for _, c := range all {
		if c.VerifiedAt != nil && mayAnswer(ctx, tx, c.UserID) == nil { // people who have left don't count
			own, people = append(own, c.ID), append(people, c.UserID)
		}
	}
	if f.Known = len(own) > 0; !f.Known {
		return f, nil, nil
	}
	if f.Checked, err = answersCheck(ctx, tx, own, now); err != nil {
		return f, own, err
	}
	if f.Scope, err = loadAnswerScope(ctx, tx, answer.Intent, own, people); err != nil {
		return f, own, err
	}
	f.Choice = f.Scope.FindSubject(answer.Intent)
	return f, own, nil
}

// loadAnswerScope loads, newest first, what people were told about incidents that are open or that the answer's numbers may
// mean.
func loadAnswerScope(ctx context.Context, tx pgx.Tx, r oncall.Intent, own []oncall.ContactID, people []oncall.UserID) (t oncall.AnswerScope, err error) {
	const shown = `
		WITH about AS (
			SELECT coalesce(nullif(p.bundle, 0), p.id) AS id
			FROM incidents i
			JOIN pages p ON p.incident_id = i.id
			WHERE i.status <> 'resolved' AND p.user_id = ANY ($2) AND p.state <> 'skipped'
			UNION
			SELECT coalesce(nullif(bundle, 0), id)
			FROM pages
			WHERE incident_id = ANY ($4) AND user_id = ANY ($2) AND state <> 'skipped'
			UNION
			SELECT id FROM (
				SELECT DISTINCT ON (contact, code) id
				FROM pages
				WHERE contact = ANY ($1) AND code = ANY ($3) AND code <> 0
				ORDER BY contact, code, id DESC
			) coded
		)
		SELECT l.id, l.contact = ANY ($1), l.code, l.state = 'failed', p.incident_id, p.user_id, p.call_seq, p.asked_version
		FROM about
		JOIN pages l ON l.id = about.id AND l.attempted_at IS NOT NULL
		CROSS JOIN LATERAL (
			SELECT id, incident_id, user_id, call_seq, asked_version, state FROM pages WHERE id = l.id
			UNION ALL
			SELECT id, incident_id, user_id, call_seq, asked_version, state FROM pages WHERE bundle = l.id AND bundle <> 0
		) p
		WHERE p.state <> 'skipped'
		ORDER BY l.attempted_at DESC, l.id DESC, p.id`
	codes, numbers := []int{r.Code}, []oncall.IncidentID{}
	for _, n := range r.Numbers {
		if n.Lettered {
			codes = append(codes, -n.N)
			continue
		}
		numbers = append(numbers, oncall.IncidentID(n.N))
		if n.Offered {
			codes = append(codes, n.N)
		}
	}
	rows, _ := tx.Query(ctx, shown, own, people, codes, numbers)
	t.Shown, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s oncall.ShownPage, err error) {
		return s, row.Scan(&s.Lead, &s.Here, &s.Code, &s.Lost, &s.IncidentID, &s.UserID, &s.CallSeq, &s.AskedVersion)
	})
	if err != nil || len(t.Shown) == 0 {
		return t, err
	}
	var ids []oncall.IncidentID
	for _, s := range t.Shown {
		ids = append(ids, s.IncidentID)
	}
	about, err := incidents(ctx, tx, ids)
	t.Incidents = map[oncall.IncidentID]oncall.Incident{}
	for _, in := range about {
		t.Incidents[in.ID] = in
	}
	return t, err
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

// noteReached notes that the person answered by these contact methods. It must come last in a
// transaction, because incidents are locked before contact methods.
func noteReached(ctx context.Context, tx pgx.Tx, own []oncall.ContactID, now time.Time) error {
	const save = `UPDATE contacts SET confirmed_at = $2 WHERE id = ANY ($1)`
	if len(own) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, save, own, now)
	return err
}

// lockMessage locks the incidents of a message and loads them, with its person's pages about them.
func lockMessage(ctx context.Context, tx pgx.Tx, m *oncall.AnsweredMessage) error {
	ids, err := messageIncidents(ctx, tx, m.Lead)
	if err != nil {
		return err
	}
	if m.Incidents, err = lockIncidents(ctx, tx, ids); err != nil {
		return err
	}
	return loadPages(ctx, tx, m)
}

// messageIncidents returns the incidents of a message.
func messageIncidents(ctx context.Context, q querier, lead oncall.PageID) ([]oncall.IncidentID, error) {
	const load = `SELECT DISTINCT incident_id FROM pages WHERE (id = $1 OR bundle = $1 AND bundle <> 0) AND state <> 'skipped'`
	rows, _ := q.Query(ctx, load, lead)
	return pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
}

// loadPages sorts a message's incidents, and loads all pages to its person about them.
func loadPages(ctx context.Context, q querier, m *oncall.AnsweredMessage) (err error) {
	const load = `
		SELECT incident_id, user_id, call_seq, asked_version, id = $1 OR bundle = $1 AND bundle <> 0
		FROM pages
		WHERE incident_id = ANY ($2) AND user_id = $3 AND state <> 'skipped'`
	oncall.WorstFirst(m.Incidents)
	ids := make([]oncall.IncidentID, len(m.Incidents))
	for i, in := range m.Incidents {
		ids[i] = in.ID
	}
	rows, _ := q.Query(ctx, load, m.Lead, ids, m.User)
	m.Pages, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p oncall.AnsweredPage, err error) {
		return p, row.Scan(&p.IncidentID, &p.UserID, &p.CallSeq, &p.AskedVersion, &p.Here)
	})
	return err
}
