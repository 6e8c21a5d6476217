package migrations

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"
)

// How many rows a small machine gets through in a second: two cores, a disk of a cloud. They say whether a lock is held
// for an instant, seconds or minutes, and no more.
const (
	readsPerSecond   = 1_000_000
	indexesPerSecond = 300_000
	writesPerSecond  = 30_000
)

// A PlannedStep is a step that Up would apply. But for those that are Concurrent, each holds its locks until its end.
type PlannedStep struct {
	Name       string
	Statements []string // each on a line of its own
	Locks      []PlannedLock
	Takes      time.Duration // about; below a second it is an instant
	Concurrent bool          // its statements are no transaction
}

// A PlannedLock is the strongest lock that a step takes on a table that is there already.
type PlannedLock struct {
	Table string // empty: it can't be told which
	Rows  int64  // about; -1: it can't be told
	Mode  string // PostgreSQL's name of it
	Held  time.Duration
}

// HoldsUp says who waits for the lock.
func (l PlannedLock) HoldsUp() string {
	switch l.Mode {
	case lockAll:
		return "who reads or writes"
	case lockWrites, lockRefers:
		return "who writes"
	case lockRows:
		return "who writes the same rows"
	}
	return "nobody who reads or writes"
}

// Plan returns the steps that Up would apply, and what they would lock for how long. Nothing is written or locked.
func Plan(ctx context.Context, pool *pgxpool.Pool) ([]PlannedStep, error) {
	current, _, err := Status(ctx, pool)
	if err != nil {
		return nil, err
	}
	sizes, err := tableRows(ctx, pool)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	var steps []PlannedStep
	if current < riverStep {
		steps = append(steps, PlannedStep{Name: fmt.Sprintf("%05d_river", riverStep), Statements: []string{"River's own tables"}})
	}
	for _, file := range names {
		n, err := goose.NumericComponent(file)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", file, err)
		}
		if n <= current {
			continue
		}
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, fmt.Errorf("read migration %s: %w", file, err)
		}
		steps = append(steps, planned(strings.TrimSuffix(file, ".sql"), string(text), sizes))
	}
	return steps, nil
}

// planned returns the plan of one step, on a database whose tables have those rows. Tables that are made by a step that is
// still to come are nobody's yet.
func planned(name, text string, sizes map[string]int64) PlannedStep {
	step := PlannedStep{Name: name, Concurrent: strings.Contains(text, "+goose NO TRANSACTION")}
	held := map[string]*PlannedLock{}
	var order []string
	for _, s := range statements(text) {
		step.Statements = append(step.Statements, oneLine(s))
		locks, _ := locksOf(s)
		for _, l := range locks {
			rows, exists := sizes[l.table]
			if l.table == "?" {
				rows, exists = -1, len(sizes) > 0
			}
			if !exists {
				continue
			}
			if held[l.table] == nil {
				held[l.table] = &PlannedLock{Table: strings.TrimPrefix(l.table, "?"), Rows: rows, Mode: l.mode}
				order = append(order, l.table)
			}
			if lockStrength[l.mode] > lockStrength[held[l.table].Mode] {
				held[l.table].Mode = l.mode
			}
			takes := l.work.takes(rows)
			step.Takes += takes
			for _, h := range held {
				h.Held += takes
			}
		}
	}
	for _, table := range order {
		step.Locks = append(step.Locks, *held[table])
	}
	return step
}

func (w work) takes(rows int64) time.Duration {
	perSecond := map[work]int64{readRows: readsPerSecond, indexRows: indexesPerSecond, writeRows: writesPerSecond}[w]
	if perSecond == 0 || rows <= 0 {
		return 0
	}
	return time.Duration(rows * int64(time.Second) / perSecond)
}

// tableRows is about how many rows each table has, by PostgreSQL's own statistics or, where it has none yet, by its size.
func tableRows(ctx context.Context, pool *pgxpool.Pool) (map[string]int64, error) {
	rows, _ := pool.Query(ctx, `
		SELECT relname::text, CASE WHEN reltuples >= 0 THEN reltuples::bigint ELSE pg_relation_size(oid) / 100 END FROM pg_class
		WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace AND relname <> 'goose_db_version'`)
	sizes := map[string]int64{}
	var name string
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&name, &n}, func() error { sizes[name] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count the rows of tables: %w", err)
	}
	return sizes, nil
}

// Longest returns the longest that somebody who reads or writes would wait for one step.
func Longest(steps []PlannedStep) time.Duration {
	var longest time.Duration
	for _, s := range steps {
		for _, l := range s.Locks {
			if !s.Concurrent && !slices.Contains([]string{lockChanges, lockRows}, l.Mode) {
				longest = max(longest, l.Held)
			}
		}
	}
	return longest
}
