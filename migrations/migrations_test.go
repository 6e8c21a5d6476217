package migrations_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/watchbill/watchbill/migrations"
	"github.com/watchbill/watchbill/store/storetest"
)

func TestUpMigratesAnEmptyDatabaseOnce(t *testing.T) {
	t.Parallel()
	pool := storetest.NewEmpty(t)
	current, latest, err := migrations.Status(t.Context(), pool)
	if err != nil || current != 0 || latest < 1 {
		t.Fatalf("Status of an empty database = %d, %d, %v; want 0, at least 1, nil", current, latest, err)
	}
	var lines []string
	applied, err := migrations.Up(t.Context(), pool, func(line string) { lines = append(lines, line) })
	if err != nil {
		t.Fatal(err)
	}
	if len(applied) == 0 || applied[0] != "00001_river" || !slices.IsSorted(applied) {
		t.Errorf("applied %q; want all in order, River first", applied)
	}
	want := make([]string, len(applied))
	for i, name := range applied {
		want[i] = "applied migration " + name
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if current, latest, err := migrations.Status(t.Context(), pool); err != nil || current != latest {
		t.Errorf("Status afterwards = %d, %d, %v; want the latest", current, latest, err)
	}
	again, err := migrations.Up(t.Context(), pool, nil)
	if err != nil || len(again) != 0 {
		t.Errorf("a second Up = %q, %v; want nothing to do", again, err)
	}
}

func TestUpRunsOnceForFiveInstances(t *testing.T) {
	t.Parallel()
	first := storetest.NewEmpty(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var all []string
	for range 5 {
		pool, err := pgxpool.NewWithConfig(t.Context(), first.Config())
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		wg.Go(func() {
			applied, err := migrations.Up(t.Context(), pool, nil)
			if err != nil {
				t.Errorf("Up: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, applied...)
		})
	}
	wg.Wait()
	slices.Sort(all)
	if once := slices.Compact(slices.Clone(all)); len(all) == 0 || !slices.Equal(all, once) {
		t.Errorf("applied %q; want each step once", all)
	}
	if current, latest, err := migrations.Status(t.Context(), first); err != nil || current != latest {
		t.Errorf("Status = %d, %d, %v; want the latest", current, latest, err)
	}
}

func TestUpWaitsForTheInstanceThatMigrates(t *testing.T) {
	t.Parallel()
	pool := storetest.NewEmpty(t)
	other := lockMigrations(t, pool)
	defer other.Release()
	ended := make(chan error, 1)
	waits := make(chan string, 100)
	go func() {
		_, err := migrations.Up(t.Context(), pool, func(line string) { waits <- line })
		ended <- err
	}()
	select {
	case line := <-waits:
		if !strings.Contains(line, "waiting") {
			t.Errorf("first line %q; want that it waits", line)
		}
	case err := <-ended:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(30 * time.Second):
		t.Fatal("it does not say that it waits")
	}
	if current, _, err := migrations.Status(t.Context(), pool); err != nil || current != 0 {
		t.Errorf("while waiting Status = %d, %v; want 0", current, err)
	}
	if _, err := other.Exec(t.Context(), `SELECT pg_advisory_unlock($1)`, lockKey); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Up after the wait: %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("Up still waits although nobody migrates")
	}
}

func TestUpGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	pool := storetest.NewEmpty(t)
	other := lockMigrations(t, pool)
	defer other.Release()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := migrations.Up(ctx, pool, func(string) { cancel() }) // called when it has to wait
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Up = %v; want that it gives up", err)
	}
}

const lockKey = 0x7761746368

// lockMigrations takes the lock like an instance that is migrating.
func lockMigrations(t *testing.T, pool *pgxpool.Pool) *pgxpool.Conn {
	t.Helper()
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_lock($1)`, lockKey); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestUpRefusesANewerDatabase(t *testing.T) {
	t.Parallel()
	pool := storetest.New(t)
	if _, err := pool.Exec(t.Context(),
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`); err != nil {
		t.Fatal(err)
	}
	if _, err := migrations.Up(t.Context(), pool, nil); !errors.Is(err, migrations.ErrNewer) {
		t.Errorf("Up = %v; want ErrNewer", err)
	}
	current, _, err := migrations.Status(t.Context(), pool)
	if !errors.Is(err, migrations.ErrNewer) || current != 99999 {
		t.Errorf("Status = %d, %v; want 99999, ErrNewer", current, err)
	}
}

func TestUpNeedsThreeConnections(t *testing.T) {
	t.Parallel()
	cfg := storetest.NewEmpty(t).Config()
	cfg.MaxConns = 2
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := migrations.Up(t.Context(), pool, nil); err == nil {
		t.Error("Up over two connections succeeded; want an error instead of a deadlock")
	}
}

// This fails when a River upgrade brings a new schema, which needs a new step.
func TestRiverIsAtItsLatestSchema(t *testing.T) {
	t.Parallel()
	migrator, err := rivermigrate.New(riverpgxv5.New(storetest.New(t)), nil)
	if err != nil {
		t.Fatal(err)
	}
	result, err := migrator.Validate(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !result.OK {
		t.Errorf("River's schema: %q; add a step with its new version", result.Messages)
	}
}

func TestHashIsStable(t *testing.T) {
	t.Parallel()
	one, err := migrations.Hash()
	if err != nil {
		t.Fatal(err)
	}
	if two, err := migrations.Hash(); err != nil || one != two || len(one) != 16 {
		t.Errorf("Hash = %q then %q, %v; want the same 16 characters", one, two, err)
	}
}
