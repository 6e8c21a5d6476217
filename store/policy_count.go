package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// turns count the incidents of policies that begin each with the next person. Only the folder
// opens incidents, so nobody else counts meanwhile.
type turns struct {
	next   map[oncall.PolicyID]int64
	opened map[oncall.PolicyID]int64 // how many were added
}

// loadTurns loads where those policies of the integrations stand that count; the others cost nothing.
func loadTurns(ctx context.Context, q querier, dir *Directory, integrations []oncall.IntegrationID) (*turns, error) {
	t := &turns{next: map[oncall.PolicyID]int64{}, opened: map[oncall.PolicyID]int64{}}
	f := dir.facts()
	var counting []oncall.PolicyID
	for _, id := range integrations {
		if p := dir.integrations[id].PolicyID; f.GoesRound(p) {
			counting = append(counting, p)
		}
	}
	if len(counting) == 0 {
		return t, nil
	}
	rows, _ := q.Query(ctx, `SELECT id, opened FROM policies WHERE id = ANY ($1)`, counting)
	var id oncall.PolicyID
	var opened int64
	if _, err := pgx.ForEachRow(rows, []any{&id, &opened}, func() error {
		t.next[id] = opened
		return nil
	}); err != nil {
		return nil, fmt.Errorf("count the incidents of policies: %w", err)
	}
	return t, nil
}

// of gives the turns of one policy; nil if it doesn't count.
func (t *turns) of(id oncall.PolicyID) func() int64 {
	if _, counts := t.next[id]; !counts {
		return nil
	}
	return func() int64 {
		turn := t.next[id]
		t.next[id]++
		t.opened[id]++
		return turn
	}
}

// save adds what was opened.
func (t *turns) save(ctx context.Context, tx pgx.Tx) error {
	const add = `
		UPDATE policies p
		SET opened = p.opened + t.opened
		FROM unnest($1::bigint[], $2::bigint[]) AS t (id, opened)
		WHERE p.id = t.id`
	if len(t.opened) == 0 {
		return nil
	}
	ids := slices.Sorted(maps.Keys(t.opened))
	opened := make([]int64, len(ids))
	for i, id := range ids {
		opened[i] = t.opened[id]
	}
	if _, err := tx.Exec(ctx, add, ids, opened); err != nil {
		return fmt.Errorf("count the incidents of policies: %w", err)
	}
	return nil
}

// NextTurn returns which turn the next incident of an integration would have, if that matters.
func (s *Store) NextTurn(ctx context.Context, id oncall.IntegrationID) (int64, error) {
	dir, err := s.Directory(ctx)
	if err != nil {
		return 0, err
	}
	t, err := loadTurns(ctx, s.pool, dir, []oncall.IntegrationID{id})
	if err != nil {
		return 0, translate(err)
	}
	return t.next[dir.integrations[id].PolicyID], nil
}
