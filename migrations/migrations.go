// Package migrations holds the database schema as numbered, forward-only steps and applies them
// together with River's own, under one lock, so that any number of instances can start at once.
//
// A step is a file NNNNN_name.sql in goose's format. River's tables are the Go step 00001; a River
// upgrade with a new schema needs a new step with its own pinned version. The statements of a
// released step never change. Each release must also run on the schema of the next one: add first,
// remove one release later.
package migrations

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed *.sql
var files embed.FS

// ErrNewer means that the database was migrated by a later release than this program.
var ErrNewer = errors.New("the database is newer than this program")

// Up applies the missing steps and returns their names. While another instance is migrating it
// waits, at most two minutes. It reports what it does to log, which may be nil. The pool must
// allow three connections.
func Up(ctx context.Context, pool *pgxpool.Pool, log func(line string)) (applied []string, err error) {
	return up(ctx, pool, math.MaxInt64, log)
}

// UpTo is Up as far as a version, for a backup of an older schema, and for tests of what upgrades do.
func UpTo(ctx context.Context, pool *pgxpool.Pool, version int64) (applied []string, err error) {
	return up(ctx, pool, version, nil)
}

// Versions returns the numbers of all steps, in order.
func Versions() ([]int64, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	versions := []int64{riverStep}
	for _, file := range names {
		n, err := goose.NumericComponent(file)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", file, err)
		}
		versions = append(versions, n)
	}
	slices.Sort(versions)
	return versions, nil
}

func up(ctx context.Context, pool *pgxpool.Pool, version int64, log func(line string)) (applied []string, err error) {
	if log == nil {
		log = func(string) {}
	}
	if n := pool.Config().MaxConns; n < 3 {
		return nil, fmt.Errorf("migrate: the pool allows %d connections, 3 are needed", n)
	}
	if _, _, err := Status(ctx, pool); err != nil {
		return nil, err
	}
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithDisableGlobalRegistry(true),
		goose.WithGoMigrations(goSteps(pool)...),
		goose.WithSessionLocker(locker{log: log}),
	)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	results, err := provider.UpTo(ctx, version)
	if partial, ok := errors.AsType[*goose.PartialError](err); ok {
		results = partial.Applied
		err = fmt.Errorf("apply migration %s: %w", name(partial.Failed.Source), partial.Err)
	} else if err != nil {
		err = fmt.Errorf("migrate: %w", err)
	}
	for _, r := range results {
		applied = append(applied, name(r.Source))
		log("applied migration " + name(r.Source))
	}
	if err != nil {
		return applied, err
	}
	// A newer release may have migrated while we waited for the lock.
	_, _, err = Status(ctx, pool)
	return applied, err
}

// Status returns the newest step applied to the database and the newest that this program knows.
// The database needs migrating if current is less than latest. If it is greater, the error wraps
// ErrNewer. Nothing is written.
func Status(ctx context.Context, pool *pgxpool.Pool) (current, latest int64, err error) {
	if latest, err = newest(); err != nil {
		return 0, 0, err
	}
	var exists bool
	err = pool.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&exists)
	if err != nil {
		return 0, latest, fmt.Errorf("look for the table of migrations: %w", err)
	}
	if !exists {
		return 0, latest, nil
	}
	err = pool.QueryRow(ctx,
		`SELECT version_id FROM goose_db_version WHERE is_applied ORDER BY version_id DESC LIMIT 1`).Scan(&current)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, latest, fmt.Errorf("read the database's migration: %w", err)
	}
	if current > latest {
		return current, latest, fmt.Errorf("%w: it is at migration %d and this program ends at %d; start the newer release",
			ErrNewer, current, latest)
	}
	return current, latest, nil
}

// Hash identifies the schema that Up creates: it changes whenever a step is added or edited.
func Hash() (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, "river", riverSchema)
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return "", fmt.Errorf("list migrations: %w", err)
	}
	for _, file := range names {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return "", fmt.Errorf("read migration %s: %w", file, err)
		}
		fmt.Fprintln(sum, file, len(text))
		sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}

// newest returns the highest step number in this program.
func newest() (int64, error) {
	versions, err := Versions()
	if err != nil {
		return 0, err
	}
	return versions[len(versions)-1], nil
}

// name returns the name shown for a step, even for one written in Go, which has no file.
func name(s *goose.Source) string {
	if s.Type == goose.TypeGo {
		return fmt.Sprintf("%05d_river", s.Version)
	}
	return strings.TrimSuffix(path.Base(s.Path), ".sql")
}
