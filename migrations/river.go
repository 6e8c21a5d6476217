package migrations

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

const (
	riverStep   = int64(1)
	riverSchema = 8 // pinned, so that the step stays the same with every later River
)

// goSteps returns the steps that are not SQL files. Each of River's versions needs its own transaction
// (a new enum value cannot be used in the one that adds it), hence RunDB and River's own migrator.
func goSteps(pool *pgxpool.Pool) []*goose.Migration {
	return []*goose.Migration{
		goose.NewGoMigration(riverStep, &goose.GoFunc{RunDB: func(ctx context.Context, _ *sql.DB) error {
			return migrateRiver(ctx, pool, riverSchema)
		}}, nil),
	}
}

func migrateRiver(ctx context.Context, pool *pgxpool.Pool, version int) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		return fmt.Errorf("read River's migrations: %w", err)
	}
	opts := &rivermigrate.MigrateOpts{TargetVersion: version}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, opts); err != nil {
		return fmt.Errorf("migrate River to %d: %w", version, err)
	}
	return nil
}
