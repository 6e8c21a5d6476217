package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/watchbill/watchbill/migrations"
	"github.com/watchbill/watchbill/slacksim"
)

// Every schema that was ever released is upgraded with rows in it. After each step all tables get two rows that this
// schema allows, and the rest of the steps are applied to them as well, so that one database sees every upgrade there can
// be. At the end no row and no value is missing, all constraints hold, and the program starts and works on them.
func TestEveryReleasedSchemaIsUpgradedWithItsRows(t *testing.T) {
	t.Parallel()
	r := newRoll(t)
	versions, err := migrations.Versions()
	if err != nil || len(versions) < 60 {
		t.Fatalf("%d steps: %v, want at least 60", len(versions), err)
	}
	p := &planter{T: t, pool: r.look, base: time.Now().Add(-24 * time.Hour).UTC().Truncate(time.Second)}
	for _, version := range versions {
		if _, err := migrations.UpTo(t.Context(), r.look, version); err != nil {
			t.Fatalf("with rows of all schemas before it: %v", err)
		}
		p.plant(version)
	}
	p.compare()
	p.validate()
	p.useAll(r)
}

// A planter plants rows in all tables that there are.
type planter struct {
	*testing.T
	pool    *pgxpool.Pool
	base    time.Time // yesterday
	n       int       // of the row, so that no two are the same
	latest  map[string]map[string]any
	planted []plantedRow
	keys    map[int64]string // of an integration of each schema, by its version
}

type plantedRow struct {
	table   string
	version int64 // of the schema in which it was planted
	row     map[string]any
}

// A column is what the catalog says of one.
type column struct {
	table, name, kind  string
	required, preset   bool // NOT NULL; with a default, or numbered by PostgreSQL itself
	refTable, refField string
}

func (p *planter) columns() map[string][]column {
	p.Helper()
	rows, _ := p.pool.Query(p.Context(), `
		SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef OR a.attidentity <> '',
			coalesce(f.confrelid::regclass::text, ''),
			coalesce((SELECT attname::text FROM pg_attribute WHERE attrelid = f.confrelid AND attnum = f.confkey[1]), '')
		FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_constraint f ON f.contype = 'f' AND f.conrelid = c.oid AND f.conkey = ARRAY[a.attnum]
		WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname !~ '^(river|goose)_'
		ORDER BY c.relname, a.attnum`)
	tables := map[string][]column{}
	var c column
	_, err := pgx.ForEachRow(rows, []any{&c.table, &c.name, &c.kind, &c.required, &c.preset, &c.refTable, &c.refField}, func() error {
		if to := foreignWithoutKey[c.name]; c.refTable == "" && to != "" && c.table != to && c.kind != "uuid" {
			c.refTable, c.refField = to, "id"
		}
		tables[c.table] = append(tables[c.table], c)
		return nil
	})
	if err != nil {
		p.Fatal(err)
	}
	return tables
}

// foreignWithoutKey are columns that refer to a table without the database's checking it everywhere.
var foreignWithoutKey = map[string]string{
	"user_id": "users", "team_id": "teams", "integration_id": "integrations", "incident_id": "incidents", "alert_id": "alerts", "contact_id": "contacts",
}

// plant adds two rows to each table: one with all its columns, and one with those that it must have.
func (p *planter) plant(version int64) {
	p.Helper()
	for _, full := range []bool{true, false} {
		p.latest = map[string]map[string]any{}
		todo := p.columns()
		for len(todo) > 0 {
			table := nextToPlant(todo)
			if table == "" {
				p.Fatalf("version %d: tables that need each other: %v", version, slices.Sorted(maps.Keys(todo)))
			}
			p.plantRow(version, table, todo[table], full)
			delete(todo, table)
		}
		if key := p.latest["integrations"]; key != nil && full {
			if p.keys == nil {
				p.keys = map[int64]string{}
			}
			p.keys[version] = plantedKey(key["name"])
		}
	}
}

// nextToPlant returns a table whose referenced rows are all planted. If tables refer to each other, it is the one that
// most others wait for among those whose references may be NULL.
func nextToPlant(todo map[string][]column) string {
	waitedFor := map[string]int{}
	best := ""
	for _, table := range slices.Sorted(maps.Keys(todo)) {
		all, must := false, false // whether it waits at all, and whether it must
		for _, c := range todo[table] {
			if _, waits := todo[c.refTable]; waits && c.refTable != table {
				waitedFor[c.refTable]++
				all, must = true, must || c.required
			}
		}
		if !all {
			return table
		}
		if must {
			waitedFor[table] -= len(todo) * len(todo)
		}
	}
	for _, table := range slices.Sorted(maps.Keys(todo)) {
		if n := waitedFor[table]; n > 0 && (best == "" || n > waitedFor[best]) {
			best = table
		}
	}
	return best
}

func (p *planter) plantRow(version int64, table string, columns []column, full bool) {
	p.Helper()
	p.n++
	var names, places []string
	var values []any
	for _, c := range columns {
		if c.preset && (c.name == "id" || !full) || !c.required && !full && !slices.Contains(evenBare, table+"."+c.name) {
			continue
		}
		values = append(values, p.value(c, full))
		names = append(names, pgx.Identifier{c.name}.Sanitize())
		places = append(places, fmt.Sprintf("$%d::text::%s", len(values), c.kind))
	}
	into := pgx.Identifier{table}.Sanitize()
	insert := fmt.Sprintf(`INSERT INTO %s (%s) VALUES (%s)`, into, strings.Join(names, ", "), strings.Join(places, ", "))
	if len(values) == 0 {
		insert = fmt.Sprintf(`INSERT INTO %s DEFAULT VALUES`, into)
	}
	rows, _ := p.pool.Query(p.Context(), insert+fmt.Sprintf(` ON CONFLICT DO NOTHING RETURNING to_jsonb(%s)::text`, into), values...)
	text, err := pgx.CollectRows(rows, pgx.RowTo[string])
	switch {
	case err != nil:
		p.Fatalf("version %d, table %s: %v; say in plantedValues what its columns hold", version, table, err)
	case len(text) == 0 && !slices.Contains(ofOneRow, table):
		p.Fatalf("version %d: table %s takes no second row", version, table)
	case len(text) == 0:
		return
	}
	row := parseRow(p.T, text[0])
	p.latest[table] = row
	p.planted = append(p.planted, plantedRow{table, version, row})
}

func parseRow(t *testing.T, text string) (row map[string]any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&row); err != nil {
		t.Fatal(err)
	}
	return row
}

var (
	ofOneRow = []string{"workspace", "canary", "heartbeat_ticks", "numbering"}
	// evenBare are optional columns of which a row needs one.
	evenBare = []string{"feeds.schedule_id", "route_lists.integration_id"}
)

// value returns a column's value as text; nil is NULL.
func (p *planter) value(c column, full bool) any {
	p.Helper()
	for _, name := range []string{c.table + "." + c.name, c.name} {
		if v, set := plantedValues[name]; set && (v != nil || !c.required) {
			return p.filled(v, full)
		}
	}
	if c.refTable != "" {
		if to, planted := p.latest[c.refTable]; planted {
			return fmt.Sprint(to[c.refField])
		}
		if !c.required {
			return nil
		}
	}
	at := p.base.Add(time.Duration(p.n) * time.Second)
	if strings.Contains(c.name, "end") || strings.Contains(c.name, "until") || strings.Contains(c.name, "expires") {
		at = at.Add(time.Hour)
	}
	switch c.kind {
	case "boolean":
		return "false"
	case "bigint", "integer", "double precision":
		return "1"
	case "text":
		return fmt.Sprintf("%s %d", strings.ReplaceAll(c.name, "_", " "), p.n)
	case "bytea":
		sum := sha256.Sum256(fmt.Append(nil, c.name, p.n))
		return `\x` + hex.EncodeToString(sum[:])
	case "timestamp with time zone":
		return at.Format(time.RFC3339)
	case "text[]", "bigint[]", "integer[]":
		return "{}"
	case "uuid":
		return fmt.Sprintf("00000000-0000-4000-8000-%012d", p.n)
	}
	p.Fatalf("say in plantedValues what %s.%s holds: it is of type %s", c.table, c.name, c.kind)
	return nil
}

// filled replaces what stands for the row's own number and for the rows planted with it.
func (p *planter) filled(v any, full bool) any {
	text, ok := v.(string)
	if both, two := v.([2]string); two {
		text, ok = both[1], true
		if full {
			text = both[0]
		}
	}
	if !ok || text == "NULL" {
		return nil
	}
	of := func(table string) string {
		if id := p.latest[table]["id"]; id != nil {
			return fmt.Sprint(id)
		}
		return "0"
	}
	key := sha256.Sum256([]byte(plantedKey(fmt.Sprintf("name %d", p.n))))
	return strings.NewReplacer(
		"N1", fmt.Sprintf("%07d", p.n), "USER", of("users"), "SCHEDULE", of("schedules"), "INTEGRATION", of("integrations"), "TEAM", slacksim.TeamID,
		"INCIDENT", of("incidents"), "TOMORROW", p.base.Add(48*time.Hour).Format(time.RFC3339), "KEYHASH", `\x`+hex.EncodeToString(key[:]),
	).Replace(text)
}

func plantedKey(name any) string {
	sum := sha256.Sum256(fmt.Append(nil, "key of ", name))
	return hex.EncodeToString(sum[:16])
}

// compare looks for every planted row and every value of it.
func (p *planter) compare() {
	p.Helper()
	now := map[string]map[string]map[string]any{} // by table and primary key
	for _, was := range p.planted {
		key := p.primaryKey(was.table)
		if now[was.table] == nil {
			now[was.table] = p.rows(was.table, key)
		}
		is, there := now[was.table][keyOf(was.row, key)]
		if !there {
			p.Errorf("a row of %s, planted at version %d, is lost: %v", was.table, was.version, was.row)
			continue
		}
		for name, value := range was.row {
			if got, kept := is[name]; !kept || fmt.Sprint(got) != fmt.Sprint(value) {
				p.Errorf("%s.%s, planted at version %d: got %v, want %v", was.table, name, was.version, got, value)
			}
		}
	}
	for table := range p.columns() {
		if now[table] == nil && !slices.Contains(ofOneRow, table) {
			p.Errorf("no row was planted in %s", table)
		}
	}
}

func (p *planter) rows(table string, key []string) map[string]map[string]any {
	p.Helper()
	rows, _ := p.pool.Query(p.Context(), fmt.Sprintf(`SELECT to_jsonb(t)::text FROM %s t`, pgx.Identifier{table}.Sanitize()))
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		p.Fatal(err)
	}
	all := map[string]map[string]any{}
	for _, text := range texts {
		row := parseRow(p.T, text)
		all[keyOf(row, key)] = row
	}
	return all
}

func (p *planter) primaryKey(table string) []string {
	p.Helper()
	rows, _ := p.pool.Query(p.Context(), `
		SELECT attname::text FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
		WHERE indrelid = $1::text::regclass AND indisprimary`, table)
	key, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(key) == 0 {
		p.Fatalf("the primary key of %s: %v, %v, want some", table, key, err)
	}
	return key
}

func keyOf(row map[string]any, key []string) string {
	var values []string
	for _, name := range key {
		values = append(values, fmt.Sprint(row[name]))
	}
	return strings.Join(values, "\x00")
}

// validate has PostgreSQL check the constraints that it was told to take for granted, and its indexes.
func (p *planter) validate() {
	p.Helper()
	rows, _ := p.pool.Query(p.Context(), `
		SELECT format('ALTER TABLE %s VALIDATE CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint WHERE NOT convalidated`)
	checks, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		p.Fatal(err)
	}
	for _, check := range checks {
		if _, err := p.pool.Exec(p.Context(), check); err != nil {
			p.Errorf("%s: %v", check, err)
		}
	}
	var invalid int
	if err := p.pool.QueryRow(p.Context(), `SELECT count(*) FROM pg_index WHERE NOT indisvalid`).Scan(&invalid); err != nil || invalid != 0 {
		p.Errorf("%d indexes are invalid: %v, want 0", invalid, err)
	}
}

// useAll starts the program: it takes signals by every planted integration, opens incidents for them and for what was waiting
// in the inbox, and writes out the set-up with all teams.
func (p *planter) useAll(r *roll) {
	p.Helper()
	waiting := 0
	for _, row := range p.planted {
		switch row.table {
		case "users":
			r.sim.AddUser(slacksim.User{ID: fmt.Sprint(row.row["id"]), Name: strings.ToLower(fmt.Sprint(row.row["id"]))})
		case "inbox":
			waiting++
		}
	}
	program := asProgram(p.T)
	running := r.program(program)
	for version, key := range p.keys {
		body := fmt.Sprintf(`{"title": "after the upgrade %d", "dedup_key": "after %[1]d", "severity": "high"}`, version)
		if code, err := postSignal("http://"+running.addr+"/v1/signals/"+key, []byte(body)); err != nil || code != http.StatusAccepted {
			p.Errorf("a signal for the integration of version %d was answered %d, %v, want %d", version, code, err, http.StatusAccepted)
		}
	}
	r.until("all that fires has opened incidents", func() bool {
		return r.count(`SELECT count(*) FROM incidents WHERE title LIKE 'after the upgrade %'`) == len(p.keys) &&
			r.count(`SELECT count(*) FROM incidents WHERE title LIKE 'waits in the inbox %'`) == waiting
	})
	export := exec.Command(program, "export")
	export.Env = append(os.Environ(), r.env...)
	out, err := export.CombinedOutput()
	if err != nil {
		p.Fatalf("export: %v: %s", err, out)
	}
	for _, row := range p.planted {
		if name := fmt.Sprint(row.row["name"]); row.table == "teams" && !strings.Contains(string(out), name) {
			p.Errorf("the set-up that is exported has no team %s of version %d", name, row.version)
		}
	}
}
