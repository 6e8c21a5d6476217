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

	"github.com/watchbill/watchbill/store/storetest"
)

// Every query of this package is found in its source and prepared, so that a mistyped column fails
// here and not in the night.
func TestEveryQueryCanBePrepared(t *testing.T) {
	t.Parallel()
	conn, err := storetest.New(t).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	found := queries(t)
	if len(found) < 50 {
		t.Errorf("found %d queries only: has their form changed?", len(found))
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

// queries finds the string literals that begin as a query does, by their place.
func queries(t *testing.T) map[string]string {
	t.Helper()
	begin := regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s`)
	out := map[string]string{}
	files := token.NewFileSet()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
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
					out[files.Position(lit.Pos()).String()] = text
				}
			}
			return true
		})
	}
	return out
}
