package migrations_test

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/migrations"
	"github.com/watchbill/watchbill/store/storetest"
)

// Of every statement of every step, PostgreSQL takes the locks that a plan announces, and no others. What a DO
// block or a dropped constraint locks can't be known from its text.
func TestPlanLocksMatchPostgres(t *testing.T) {
	t.Parallel()
	pool := storetest.NewEmpty(t)
	if err := migrations.RiverUp(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	files, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil || len(files) < 50 {
		t.Fatalf("found %d steps, %v; want at least 50", len(files), err)
	}
	checked := 0
	for _, file := range files {
		text, err := fs.ReadFile(migrations.Files, file)
		if err != nil {
			t.Fatal(err)
		}
		checked += checkLocks(t, conn.Conn(), file, string(text))
	}
	if checked < 250 {
		t.Errorf("%d statements were compared; there must be more", checked)
	}
}

// checkLocks applies a step, and returns how many of its statements it has compared.
func checkLocks(t *testing.T, conn *pgx.Conn, file, text string) (checked int) {
	t.Helper()
	exec := func(sql string) {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %s: %v", file, sql, err)
		}
	}
	concurrent, known := strings.Contains(text, "+goose NO TRANSACTION"), true
	if !concurrent {
		exec("BEGIN")
	}
	there := tables(t, conn)
	want := map[string]string{}
	for _, statement := range migrations.Statements(text) {
		exec(statement)
		modes, ok := migrations.ModesOf(statement)
		if !ok && !strings.HasPrefix(statement, "DO ") {
			t.Errorf("%s: what does this lock? %s", file, statement)
		}
		known = known && ok && modes["?"] == ""
		if concurrent || !known {
			continue
		}
		for table, mode := range modes {
			if there[table] {
				want[table] = migrations.Stronger(want[table], mode)
			}
		}
		if diff := cmp.Diff(want, locked(t, conn, there)); diff != "" {
			t.Errorf("%s: %s: locks (-announced +taken):\n%s", file, statement, diff)
			known = false
		}
		checked++
	}
	if !concurrent {
		exec("COMMIT")
	}
	return checked
}

func tables(t *testing.T, conn *pgx.Conn) map[string]bool {
	t.Helper()
	rows, _ := conn.Query(t.Context(), `SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, name := range names {
		there[name] = true
	}
	return there
}

// locked returns the tables that this connection's transaction has locked, each with the strongest mode.
func locked(t *testing.T, conn *pgx.Conn, there map[string]bool) map[string]string {
	t.Helper()
	rows, _ := conn.Query(t.Context(), `
		SELECT c.relname::text, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
		WHERE l.pid = pg_backend_pid() AND l.granted AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace`)
	taken := map[string]string{}
	var table, mode string
	if _, err := pgx.ForEachRow(rows, []any{&table, &mode}, func() error {
		words := strings.ToUpper(strings.TrimSuffix(mode, "Lock")) // AccessExclusiveLock
		for _, word := range []string{"SHARE", "ROW", "UPDATE", "EXCLUSIVE"} {
			words = strings.ReplaceAll(words, word, " "+word)
		}
		if there[table] {
			taken[table] = migrations.Stronger(taken[table], strings.TrimSpace(words))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(taken, func(_, mode string) bool { return mode == "" })
	return taken
}

func TestPlanEstimatesHowLongLocksAreHeld(t *testing.T) {
	t.Parallel()
	rows := map[string]int64{"incidents": 3_000_000, "pages": 600_000, "teams": 10}
	for _, c := range []struct {
		step  string
		takes time.Duration
		locks string
	}{
		{`ALTER TABLE incidents ADD note text NOT NULL DEFAULT '';`, 0, "incidents ACCESS EXCLUSIVE 0s"},
		{`CREATE INDEX i ON incidents (team_id);`, 10 * time.Second, "incidents SHARE 10s"},
		{
			`ALTER TABLE teams ADD n int; UPDATE pages SET n = 1; CREATE UNIQUE INDEX i ON incidents (n);`, 30 * time.Second,
			"teams ACCESS EXCLUSIVE 30s, pages ROW EXCLUSIVE 30s, incidents SHARE 10s",
		},
		{`CREATE TABLE notes (incident_id bigint REFERENCES incidents, n int); CREATE INDEX i ON notes (n);`, 0, "incidents SHARE ROW EXCLUSIVE 0s"},
		{`ALTER TABLE incidents ADD CHECK (n > 0);`, 3 * time.Second, "incidents ACCESS EXCLUSIVE 3s"},
		{`ALTER TABLE incidents ADD CONSTRAINT c CHECK (n > 0) NOT VALID;`, 0, "incidents ACCESS EXCLUSIVE 0s"},
		{`ALTER TABLE incidents ALTER COLUMN n TYPE bigint;`, 100 * time.Second, "incidents ACCESS EXCLUSIVE 1m40s"},
		{"-- a; comment\nUPDATE teams SET name = 'a;b' WHERE name <> '-- no comment';", 333 * time.Microsecond, "teams ROW EXCLUSIVE 333.333µs"},
		{`DO $$ BEGIN UPDATE incidents SET n = 1; END $$;`, 0, " ACCESS EXCLUSIVE 0s"},
	} {
		got := migrations.PlannedFor(c.step, rows)
		var locks []string
		for _, l := range got.Locks {
			locks = append(locks, fmt.Sprint(l.Table, " ", l.Mode, " ", l.Held))
		}
		if strings.Join(locks, ", ") != c.locks || (got.Takes-c.takes).Abs() > time.Millisecond {
			t.Errorf("%s\ntakes %s and locks %s; want %s and %s", c.step, got.Takes, strings.Join(locks, ", "), c.takes, c.locks)
		}
	}
}

// A plan changes nothing, and has a step for each that Up applies then.
func TestPlanListsWhatUpDoes(t *testing.T) {
	t.Parallel()
	pool := storetest.NewEmpty(t)
	steps, err := migrations.Plan(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	if current, _, err := migrations.Status(t.Context(), pool); err != nil || current != 0 {
		t.Errorf("after a plan the database is at %d: got %v, want no error and 0", current, err)
	}
	applied, err := migrations.Up(context.WithoutCancel(t.Context()), pool, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range steps {
		names = append(names, s.Name)
	}
	if diff := cmp.Diff(names, applied); diff != "" {
		t.Errorf("steps (-planned +applied), want \"\":\n%s", diff)
	}
	if again, err := migrations.Plan(t.Context(), pool); err != nil || len(again) != 0 {
		t.Errorf("the plan afterwards: %v, %v; want none", again, err)
	}
}
