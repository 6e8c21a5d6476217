package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// told are the incidents that a message tells of, worst first.
func (s *Store) told(ctx context.Context, page oncall.PageID) ([]oncall.Incident, error) {
	const load = `SELECT DISTINCT incident_id FROM pages WHERE (id = $1 OR bundle = $1 AND bundle <> 0) AND state <> 'skipped'`
	rows, _ := s.pool.Query(ctx, load, page)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
	if err != nil {
		return nil, translate(err)
	}
	found, err := incidents(ctx, s.pool, ids)
	oncall.WorstFirst(found)
	return found, translate(err)
}

// paged are the incidents of a message about which its person was paged only because they are asked
// to help (asked), and those about which a step of the policy has paged them (called).
func (s *Store) paged(ctx context.Context, m message, about []oncall.Incident) (asked, called map[oncall.IncidentID]bool, err error) {
	const load = `
		SELECT id = $1 OR bundle = $1 AND bundle <> 0 AS listed, incident_id, user_id, call_seq, asked_version
		FROM pages
		WHERE incident_id = ANY ($2) AND user_id = $3 AND state <> 'skipped'`
	ids := make([]oncall.IncidentID, len(about))
	now := map[oncall.IncidentID]oncall.Incident{}
	for i, in := range about {
		ids[i], now[in.ID] = in.ID, in
	}
	asked, called = map[oncall.IncidentID]bool{}, map[oncall.IncidentID]bool{}
	listed := map[oncall.IncidentID]bool{} // by a step's page
	var here bool
	var p oncall.Page
	rows, _ := s.pool.Query(ctx, load, m.Page, ids, m.User)
	_, err = pgx.ForEachRow(rows, []any{&here, &p.IncidentID, &p.UserID, &p.CallSeq, &p.AskedVersion}, func() error {
		switch {
		case p.Asks():
			asked[p.IncidentID] = asked[p.IncidentID] || here
		case here:
			listed[p.IncidentID] = true
			fallthrough
		default:
			called[p.IncidentID] = called[p.IncidentID] || p.Due(now[p.IncidentID])
		}
		return nil
	})
	for id := range listed {
		delete(asked, id)
	}
	return asked, called, translate(err)
}

// actOn does what was answered with all incidents that a message told of, and says what became of
// it; false: that makes no sense with any of them.
func (s *Store) actOn(ctx context.Context, m message, do oncall.ActKind, via string, now time.Time) (string, bool, error) {
	about, err := s.told(ctx, m.Page)
	if err != nil {
		return "", false, err
	}
	asked, called, err := s.paged(ctx, m, about)
	if err != nil {
		return "", false, err
	}
	meant := map[oncall.ActKind][]oncall.IncidentID{}
	var order []oncall.ActKind
	for _, in := range about {
		do, sense := in.Meant(do, asked[in.ID], m.Exact, called[in.ID])
		if !sense {
			continue
		}
		if !slices.Contains(order, do) {
			order = append(order, do)
		}
		meant[do] = append(meant[do], in.ID)
	}
	if len(order) == 0 && len(about) > 0 {
		return sayHow, false, nil
	}
	dir, err := s.Directory(ctx)
	if err != nil {
		return "", false, err
	}
	var said []string
	for _, do := range order {
		text, err := s.actAll(ctx, dir, meant[do], m.User, do, via, now)
		if err != nil {
			return "", false, err
		}
		said = append(said, text)
	}
	if len(order) == 0 {
		said = []string{sayNothing}
	}
	if err := s.bundleActed(ctx, m.Page, now); err != nil {
		return "", false, err
	}
	return strings.Join(said, " "), true, nil
}

// actAll does one thing with several incidents, and says in one sentence what became of it.
func (s *Store) actAll(ctx context.Context, dir *Directory, ids []oncall.IncidentID, user oncall.UserID, do oncall.ActKind, via string, now time.Time,
) (string, error) {
	var done []oncall.IncidentID
	var refused []string
	for _, id := range ids {
		_, err := s.Act(ctx, id, oncall.Actor{User: user, Via: via}, oncall.Act{Do: do}, now)
		if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
			refused = append(refused, refusal.Shown(dir.Name))
			continue
		}
		if err != nil {
			return "", err
		}
		done = append(done, id)
	}
	return oncall.SayDone(do, done, refused), nil
}

// ActBundle does one thing with all incidents of a bundle, for the button of its message.
func (s *Store) ActBundle(ctx context.Context, page oncall.PageID, by oncall.UserID, do oncall.ActKind, now time.Time) (string, error) {
	text, _, err := s.actOn(ctx, message{Page: page, User: by}, do, "slack", now)
	if err != nil {
		return "", fmt.Errorf("act on the bundle of page %d: %w", page, err)
	}
	return text, nil
}
