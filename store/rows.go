package store

import (
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// column returns one field of each value.
func column[T, V any](all []T, of func(T) V) []V {
	out := make([]V, len(all))
	for i, v := range all {
		out[i] = of(v)
	}
	return out
}

// queueRows queues a query that calls each with every row.
func queueRows[T any](b *pgx.Batch, sql string, each func(T), args ...any) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
		for _, v := range found {
			each(v)
		}
		return err
	})
}

// nonNil returns an empty slice for nil, because array columns are NOT NULL.
func nonNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// sortedKeys returns the keys of a map in alphabetical order.
func sortedKeys[R any](m map[string]R) []string { return slices.Sorted(maps.Keys(m)) }
