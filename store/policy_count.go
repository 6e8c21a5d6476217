package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// policyCounts counts the incidents of round-robin policies, which page the next person first for each incident. Only
// the folding instance opens incidents, so no other instance counts at the same time.
type policyCounts struct {
	next   map[oncall.PolicyID]int64
	opened map[oncall.PolicyID]int64 // incidents opened in this fold
}

// loadPolicyCounts loads the counts of the integrations' round-robin policies.
func loadPolicyCounts(ctx context.Context, q querier, dir *Directory, integrations []oncall.IntegrationID) (*policyCounts, error) {
	c := &policyCounts{next: map[oncall.PolicyID]int64{}, opened: map[oncall.PolicyID]int64{}}
	f := dir.Facts()
	var counting []oncall.PolicyID
	for _, id := range integrations {
		for _, p := range dir.RoutedTo(id) {
			if f.CountsIncidents(p) {
				counting = append(counting, p)
			}
		}
	}
	if len(counting) == 0 {
		return c, nil
	}
	rows, _ := q.Query(ctx, `SELECT id, opened FROM policies WHERE id = ANY ($1)`, counting)
	var id oncall.PolicyID
	var opened int64
	if _, err := pgx.ForEachRow(rows, []any{&id, &opened}, func() error {
		c.next[id] = opened
		return nil
	}); err != nil {
		return nil, fmt.Errorf("count the incidents of policies: %w", err)
	}
	return c, nil
}

// set sets the count that a policy's next incident gets.
func (c *policyCounts) set(id oncall.PolicyID, next int64) {
	if more := next - c.next[id]; more > 0 {
		c.next[id] = next
		c.opened[id] += more
	}
}

// save adds the opened incidents to the stored counts.
func (c *policyCounts) save(ctx context.Context, tx pgx.Tx) error {
	const add = `
		UPDATE policies p
		SET opened = p.opened + t.opened
		FROM unnest($1::bigint[], $2::bigint[]) AS t (id, opened)
		WHERE p.id = t.id`
	if len(c.opened) == 0 {
		return nil
	}
	ids := slices.Sorted(maps.Keys(c.opened))
	opened := make([]int64, len(ids))
	for i, id := range ids {
		opened[i] = c.opened[id]
	}
	if _, err := tx.Exec(ctx, add, ids, opened); err != nil {
		return fmt.Errorf("count the incidents of policies: %w", err)
	}
	return nil
}

// NextRoundRobinCounts returns the count that the next incident would get, for each round-robin policy that an
// integration's signals may be routed to.
func (s *System) NextRoundRobinCounts(ctx context.Context, id oncall.IntegrationID) (map[oncall.PolicyID]int64, error) {
	dir, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	c, err := loadPolicyCounts(ctx, s.pool, dir, []oncall.IntegrationID{id})
	if err != nil {
		return nil, translate(err)
	}
	return c.next, nil
}
