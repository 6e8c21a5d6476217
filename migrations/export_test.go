package migrations

import (
	"context"
	"io/fs"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Files are the steps.
var Files fs.FS = files

// RiverUp applies the first step.
func RiverUp(ctx context.Context, pool *pgxpool.Pool) error {
	return migrateRiver(ctx, pool, riverSchema)
}

// Statements splits a step's text.
func Statements(text string) []string { return statements(text) }

// ModesOf says which tables a statement locks, and how; known is false where its text doesn't tell.
func ModesOf(statement string) (modes map[string]string, known bool) {
	locks, known := locksOf(statement)
	modes = map[string]string{}
	for _, l := range locks {
		modes[l.table] = Stronger(modes[l.table], l.mode)
	}
	return modes, known
}

// Stronger returns the mode that holds up more; one that holds up nobody is none.
func Stronger(a, b string) string {
	if lockStrength[b] > lockStrength[a] {
		return b
	}
	return a
}

// PlannedFor returns the plan of a step on a database whose tables have those rows.
func PlannedFor(text string, rows map[string]int64) PlannedStep { return planned("step", text, rows) }
