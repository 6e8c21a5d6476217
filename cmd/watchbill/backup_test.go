package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/watchbill/watchbill/migrations"
	"github.com/watchbill/watchbill/store/storetest"
)

// databaseState returns a hash of the rows of each table in a database, and what its catalog has of constraints,
// triggers and sequences.
func databaseState(t *testing.T, pool *pgxpool.Pool) map[string]string {
	t.Helper()
	list := func(sql string) []string {
		rows, _ := pool.Query(t.Context(), sql)
		all, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return all
	}
	hash := func(sql string) string {
		lines := list(sql)
		sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
		return fmt.Sprint(len(lines), " ", hex.EncodeToString(sum[:6]))
	}
	state := map[string]string{
		"constraints": hash(`SELECT concat_ws(' ', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid)) AS c FROM pg_constraint
			WHERE connamespace = current_schema()::regnamespace ORDER BY c`),
		"triggers": hash(`SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled) AS t FROM pg_trigger WHERE NOT tgisinternal ORDER BY t`),
		"sequences": hash(`SELECT concat_ws(' ', sequencename, last_value) FROM pg_sequences
			WHERE schemaname = current_schema() AND sequencename !~ '^goose' ORDER BY 1`),
	}
	for _, table := range list(`SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
		AND relname !~ '^(goose|river_(client|leader|migration))'`) {
		state[table] = hash(fmt.Sprintf(`SELECT t::text FROM %s t ORDER BY 1`, pgx.Identifier{table}.Sanitize()))
	}
	return state
}

// runCommand runs a command, and returns what it prints.
func runCommand(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var b bytes.Buffer
	p := process{ctx: t.Context(), out: &b, errOut: &b, clock: time.Now}
	code = p.run(args)
	return code, b.String()
}

// planted returns a database with an older schema, and rows in all of its tables.
func planted(t *testing.T, version int64) *pgxpool.Pool {
	t.Helper()
	pool := storetest.NewEmpty(t)
	if _, err := migrations.UpTo(t.Context(), pool, version); err != nil {
		t.Fatal(err)
	}
	p := &planter{T: t, pool: pool, base: time.Now().Add(-24 * time.Hour).UTC().Truncate(time.Second)}
	for range 5 {
		p.plant(version)
	}
	for _, sql := range []string{
		`INSERT INTO slack_seen VALUES (E'quotes '' " and \\\\ and \\t and \\n and \\u263a', '2026-01-01 00:00:00.123456+00')`,
		`INSERT INTO river_job (args, kind, max_attempts, state, tags) VALUES ('{"page": 7}', 'page', 5, 'scheduled', '{a,"b c"}')`,
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return pool
}

func latestVersion(t *testing.T) int64 {
	t.Helper()
	versions, err := migrations.Versions()
	if err != nil {
		t.Fatal(err)
	}
	return versions[len(versions)-1]
}

// A backup is restored byte for byte: each row, each sequence, and the schema with its constraints and triggers.
func TestBackupRestoresEveryByte(t *testing.T) {
	t.Parallel()
	from, to := planted(t, latestVersion(t)), storetest.NewEmpty(t)
	file := filepath.Join(t.TempDir(), "watchbill.backup")
	want := databaseState(t, from)
	if code, out := runCommand(t, "backup", "--database-url", from.Config().ConnString(), "--secret", storetest.Secret, "-f", file); code != 0 {
		t.Fatalf("backup: %d, %s, want 0", code, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("users")) || bytes.Contains(data, []byte("person-")) {
		t.Error("the backup can be read without the secret")
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r, err := openBackup(in, storetest.Secrets())
	if err != nil {
		t.Fatal(err)
	}
	c := restoreCmd{databaseFlags: databaseFlags{DatabaseURL: to.Config().ConnString()}}
	if err := c.makeRoom(t.Context(), r.Head); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Load(t.Context(), c.DatabaseURL); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, databaseState(t, to)); diff != "" {
		t.Errorf("what came back (-was +is):\n%s", diff)
	}
	if code, out := runCommand(t, "restore", "--database-url", c.DatabaseURL, "--secret", storetest.Secret, "-f", file); code != 1 || !strings.Contains(out, "is not empty") {
		t.Errorf(`over a database in use: %d, %q; want code 1 and output with "is not empty"`, code, out)
	}
}

// A backup of an older schema is restored and then brought up to this one.
func TestBackupOfOlderSchema(t *testing.T) {
	t.Parallel()
	from, to := planted(t, 59), storetest.NewEmpty(t)
	file := filepath.Join(t.TempDir(), "watchbill.backup")
	args := []string{"--secret", storetest.Secret, "-f", file, "--database-url"}
	if code, out := runCommand(t, append([]string{"backup"}, append(args, from.Config().ConnString())...)...); code != 0 {
		t.Fatalf("backup: %d, %s, want 0", code, out)
	}
	code, out := runCommand(t, append([]string{"restore"}, append(args, to.Config().ConnString())...)...)
	if code != 0 || !strings.Contains(out, "New incidents are numbered from #") {
		t.Fatalf(`restore: %d, %s; want the exit status 0 and output with "New incidents are numbered from #"`, code, out)
	}
	if _, err := migrations.Up(t.Context(), from, nil); err != nil {
		t.Fatal(err)
	}
	want, got := databaseState(t, from), databaseState(t, to)
	for _, differs := range []string{"numbering", "incidents", "incident_events", "river_job", "drawings", "sequences", "silences", "reaches"} {
		delete(want, differs) // by what restored does
		delete(got, differs)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what came back (-was +is):\n%s", diff)
	}
	// It is not restored over a newer schema.
	code, out = runCommand(t, append([]string{"restore"}, append(args, storetest.NewURL(t))...)...)
	if code != 1 || !strings.Contains(out, "restore into a database without tables") {
		t.Errorf(`into a newer schema: %d, %s; want code 1 and output with "restore into a database without tables"`, code, out)
	}
}

// A backup that is truncated, changed or another installation's is refused, and the database stays empty.
func TestBrokenBackupIsRefused(t *testing.T) {
	t.Parallel()
	from, to := planted(t, latestVersion(t)), storetest.NewEmpty(t)
	dir := t.TempDir()
	// The text is larger than one encrypted block, and can't be compressed.
	if _, err := from.Exec(t.Context(), `INSERT INTO slack_seen SELECT md5(random()::text), '2026-01-01' FROM generate_series(1, 20000)`); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "watchbill.backup")
	if code, out := runCommand(t, "backup", "--database-url", from.Config().ConnString(), "--secret", storetest.Secret, "-f", file); code != 0 {
		t.Fatalf("backup: %d, %s, want 0", code, out)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	broken := map[string][]byte{"changed": slices.Clone(whole), "longer": append(slices.Clone(whole), 'x'), "nothing": nil, "text": []byte("hello")}
	broken["changed"][len(whole)/2] ^= 1
	for _, left := range []int{10, 300, len(whole) / 3, len(whole) / 2, len(whole) - 100, len(whole) - 1} {
		broken[fmt.Sprint("cut after ", left)] = whole[:left]
	}
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		if err := os.WriteFile(file, broken[name], 0o600); err != nil {
			t.Fatal(err)
		}
		code, out := runCommand(t, "restore", "--database-url", to.Config().ConnString(), "--secret", storetest.Secret, "-f", file)
		if code != 1 || !strings.Contains(out, "this is not a whole backup") {
			t.Errorf(`%s: %d, %q; want code 1 and output with "this is not a whole backup"`, name, code, out)
		}
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out := runCommand(t, "restore", "--database-url", to.Config().ConnString(), "--secret", strings.Repeat("another-secret-", 4), "-f", file)
	if code != 1 || !strings.Contains(out, "encrypted by another WATCHBILL_SECRET") {
		t.Errorf(`another secret: %d, %q; want code 1 and output with "encrypted by another WATCHBILL_SECRET"`, code, out)
	}
	var rows int
	if err := to.QueryRow(context.Background(), `SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM incidents)`).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows were restored: %v, want 0", rows, err)
	}
	both := strings.Repeat("another-secret-", 4) + "," + storetest.Secret
	if code, out := runCommand(t, "restore", "--database-url", to.Config().ConnString(), "--secret", both, "-f", file); code != 0 {
		t.Errorf("after all that: %d, %s, want 0", code, out)
	}
}
