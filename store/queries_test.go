package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/store/storetest"
)

// Every query in this package is found in its source and prepared, so that a mistyped column fails
// here and not at night in production.
func TestEveryQueryCanBePrepared(t *testing.T) {
	t.Parallel()
	conn, err := storetest.New(t).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	found := queries(t)
	if len(found) < 50 {
		t.Errorf("found %d queries only: has their form changed? want at least 50", len(found))
	}
	bad := regexp.MustCompile(`(?i)SELECT \*|RETURNING \*|\bnow\(\)|\bcurrent_timestamp\b`)
	for at, sql := range found {
		if _, err := conn.Conn().Prepare(t.Context(), "", sql); err != nil {
			t.Errorf("%s: %v", at, err)
		}
		if match := bad.FindString(sql); match != "" {
			t.Errorf("%s: a query must not contain %q", at, match)
		}
	}
}

// sources returns this package's files except tests.
func sources(t *testing.T) (*token.FileSet, []*ast.File) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	var out []*ast.File
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, file)
	}
	return files, out
}

// queries finds the string literals that look like queries, by position.
func queries(t *testing.T) map[string]string {
	t.Helper()
	begin := regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s`)
	out := map[string]string{}
	files, parsed := sources(t)
	for _, file := range parsed {
		ast.Inspect(file, func(n ast.Node) bool {
			if joined, ok := n.(*ast.BinaryExpr); ok && joined.Op == token.ADD {
				for _, side := range []ast.Expr{joined.X, joined.Y} {
					if lit, ok := side.(*ast.BasicLit); ok && begin.MatchString(strings.Trim(lit.Value, "`\"")) {
						t.Errorf("%s: a query is joined from parts", files.Position(joined.Pos()))
					}
				}
			}
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil && begin.MatchString(text) {
					out[files.Position(lit.Pos()).String()] = numbered(t, text)
				}
			}
			return true
		})
	}
	return out
}

// numbered writes named arguments as PostgreSQL knows them.
func numbered(t *testing.T, sql string) string {
	t.Helper()
	sql, _, err := pgx.NamedArgs{}.RewriteQuery(t.Context(), nil, sql, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sql
}

// No query reads a table that grows with history from end to end: with sequential scans forbidden
// PostgreSQL still plans one where no index serves.
func TestNoQueryReadsAllOfHistory(t *testing.T) {
	t.Parallel()
	conn, err := storetest.New(t).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, set := range []string{`SET enable_seqscan = off`, `SET plan_cache_mode = force_generic_plan`} {
		if _, err := conn.Exec(t.Context(), set); err != nil {
			t.Fatal(err)
		}
	}
	scan := regexp.MustCompile(`Seq Scan on (incidents|incident_events|alerts|pages|drawings|drawing_copies|river_job|slack_seen|inbox)\b`)
	for at, sql := range queries(t) {
		desc, err := conn.Conn().Prepare(t.Context(), "q", sql)
		if err != nil {
			t.Errorf("%s: %v", at, err)
			continue
		}
		explain := "EXPLAIN EXECUTE q"
		if n := len(desc.ParamOIDs); n > 0 {
			explain += "(NULL" + strings.Repeat(", NULL", n-1) + ")"
		}
		rows, _ := conn.Query(t.Context(), explain, pgx.QueryExecModeSimpleProtocol)
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Errorf("%s: %v", at, err)
		}
		if text := strings.Join(plan, "\n"); scan.MatchString(text) {
			t.Errorf("%s: the plan has a sequential scan, want an index:\n%s", at, text)
		}
		if err := conn.Conn().Deallocate(t.Context(), "q"); err != nil {
			t.Fatal(err)
		}
	}
}
