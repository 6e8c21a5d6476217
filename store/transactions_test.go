package store_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// manyTransactions are the exported methods that may be more than one transaction, and why.
var manyTransactions = map[string]string{
	"Accept":         "the committer that it starts goes on for as long as others wait",
	"ClaimInstance":  "it keeps a session of its own",
	"ClaimFrugally":  "so here",
	"KeepPayload":    "the writer that it starts goes on for as long as others wait",
	"Ready":          "it tries to store something only where a signal could not be",
	"Replay":         "it starts that writer, too",
	"TryIntegration": "it asks who may, and then accepts a signal as from the monitor",
	"Run":            "it works for as long as the process lives",
}

// cached are the functions that load what is cached.
var cached = map[string]bool{"directory": true, "Directory": true, "openToken": true}

// An exported method is one transaction, or one statement outside of any: whoever dies in it has done
// all of it or nothing. Only the directory and the signing keys, which are cached, may be loaded by another.
func TestExportedMethodIsOneTransaction(t *testing.T) {
	t.Parallel()
	files, parsed := sources(t)
	c := newCounting(t, files, parsed)
	methods := 0
	for f, body := range c.bodies {
		if !f.Exported() || !ofExportedType(f) {
			continue
		}
		methods++
		n := c.body(body.List)
		switch _, allowed := manyTransactions[f.Name()]; {
		case n > 1 && !allowed && !cached[f.Name()]:
			t.Errorf("%s: %s can be %d transactions or more", files.Position(f.Pos()), f.Name(), n)
		case n < 2 && allowed:
			t.Errorf("%s is one transaction, and needs no exception", f.Name())
		}
	}
	if methods < 80 {
		t.Errorf("found %d methods only, want at least 80", methods)
	}
}

// ofExportedType reports whether a function is a method that others can call.
func ofExportedType(f *types.Func) bool {
	recv := f.Signature().Recv()
	if recv == nil {
		return false
	}
	kind := recv.Type()
	if p, ok := kind.(*types.Pointer); ok {
		kind = p.Elem()
	}
	return kind.(*types.Named).Obj().Exported()
}

// The counting itself, of methods that do it right and wrong.
func TestTransactionsAreCounted(t *testing.T) {
	t.Parallel()
	for tried, want := range map[string]int{
		`return nil`: 0,
		`s.pool.Config(); s.pool.Close(); return nil`:                                                         0,
		`s.directory(ctx); return s.transact(ctx, func(tx pgx.Tx) error { return nil })`:                      1,
		`s.pool.Exec(ctx, ""); _, err := s.pool.Exec(ctx, ""); return err`:                                    2,
		`s.one(ctx); return s.one(ctx)`:                                                                       2,
		`if x { return s.one(ctx) }; return s.one(ctx)`:                                                       1,
		`if x { s.one(ctx) } else { print() }; return s.one(ctx)`:                                             2,
		`switch { case x: s.one(ctx); default: return s.one(ctx) }; return nil`:                               1,
		`switch { case x: s.one(ctx) }; return s.one(ctx)`:                                                    2,
		`for x { s.one(ctx) }; return nil`:                                                                    2,
		`for range 3 { if err := s.one(ctx); err != nil { return err } }; return nil`:                         2,
		`return s.transact(ctx, func(tx pgx.Tx) error { return s.one(ctx) })`:                                 2,
		`return s.transact(ctx, func(tx pgx.Tx) error { one(ctx, tx); load(ctx, tx); return nil })`:           1,
		`one(ctx, s.pool); return nil`:                                                                        1,
		`load(ctx, s.pool); return nil`:                                                                       3,
		`do := s.one; return do(ctx)`:                                                                         1,
		`defer s.one(ctx); return s.one(ctx)`:                                                                 2,
		`one := x; return map[bool]error{one: nil}[x]`:                                                        0,
		`select { case <-ctx.Done(): return nil; default: }; return s.one(ctx)`:                               1,
		`return pgx.BeginFunc(ctx, s.conn, func(tx pgx.Tx) error { _, err := tx.Exec(ctx, ""); return err })`: 1,
	} {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, "tried.go", `package store
			import ("context"; "github.com/jackc/pgx/v5"; "github.com/jackc/pgx/v5/pgxpool")
			type Store struct { pool *pgxpool.Pool; conn *pgx.Conn }
			type querier interface { QueryRow(ctx context.Context, sql string, args ...any) pgx.Row }
			func (s *Store) transact(ctx context.Context, do func(tx pgx.Tx) error) error { return pgx.BeginFunc(ctx, s.pool, do) }
			func (s *Store) one(ctx context.Context) error { return s.transact(ctx, func(pgx.Tx) error { return nil }) }
			func (s *Store) directory(ctx context.Context) { s.one(ctx) }
			func one(ctx context.Context, q querier) { if x { q.QueryRow(ctx, "") } else { q.QueryRow(ctx, "") } }
			func load(ctx context.Context, q querier) { q.QueryRow(ctx, ""); q.QueryRow(ctx, ""); one(ctx, q) }
			var x bool
			func (s *Store) Tried(ctx context.Context) error { `+tried+` }`, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		c := newCounting(t, files, []*ast.File{file})
		for f, body := range c.bodies {
			if f.Name() != "Tried" {
				continue
			}
			if got := c.body(body.List); got != want {
				t.Errorf("%s: %d transactions, want %d", tried, got, want)
			}
		}
	}
}

// counting counts how many transactions a function begins at most, statements outside of any included.
type counting struct {
	*types.Info
	bodies map[*types.Func]*ast.BlockStmt
	seen   map[*types.Func]int
	given  types.Object // a querier that the function was given: only its statements are counted
}

func newCounting(t *testing.T, files *token.FileSet, parsed []*ast.File) *counting {
	t.Helper()
	c := &counting{
		Info:   &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}},
		bodies: map[*types.Func]*ast.BlockStmt{}, seen: map[*types.Func]int{},
	}
	known, err := exports()
	if err != nil {
		t.Fatal(err)
	}
	open := func(path string) (io.ReadCloser, error) { return os.Open(known[path]) }
	checker := types.Config{Importer: importer.ForCompiler(files, "gc", open)}
	if _, err := checker.Check("github.com/watchbill/watchbill/store", files, parsed, c.Info); err != nil {
		t.Fatal(err)
	}
	for _, file := range parsed {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil && files.File(f.Pos()).Name() != "pool.go" { // pool counts itself
				c.bodies[c.Defs[f.Name].(*types.Func)] = f.Body
			}
		}
	}
	return c
}

// exports are the files in which the compiler keeps what it knows of the packages that this one imports.
var exports = sync.OnceValues(func() (map[string]string, error) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", ".").Output()
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[path] = file
	}
	return files, err
})

// of counts for a function of this package.
func (c *counting) of(f *types.Func) int {
	body, ours := c.bodies[f]
	if !ours || cached[f.Name()] {
		return 0
	}
	n, known := c.seen[f]
	if known {
		return n
	}
	c.seen[f] = 0 // should it call itself
	n = c.body(body.List)
	c.seen[f] = n
	return n
}

// through counts the statements that a function of this package makes by the querier that it is given.
func (c *counting) through(f *types.Func) int {
	body, ours := c.bodies[f]
	if !ours {
		return 1 // pgx.BeginFunc, CollectRows and their like
	}
	n := 0
	for p := range f.Signature().Params().Variables() {
		if named, ok := p.Type().(*types.Named); ok && named.Obj().Name() == "querier" {
			within := *c
			within.given = p
			n = max(n, within.body(body.List))
		}
	}
	return n
}

func (c *counting) body(list []ast.Stmt) int {
	through, ended, _ := c.path(list)
	return max(through, ended)
}

// path counts along the paths through statements: those that go on afterwards, and those that return.
func (c *counting) path(list []ast.Stmt) (through, ended int, goesOn bool) {
	for _, s := range list {
		head, branches, loops := c.branches(s)
		through += head
		if _, returns := s.(*ast.ReturnStmt); returns {
			return 0, max(ended, through), false
		}
		if branches == nil {
			continue
		}
		most, on := 0, false
		for _, b := range branches {
			t, e, g := c.path(b)
			if loops {
				t, e = 2*max(t, e), 2*max(t, e)
			}
			ended = max(ended, through+e)
			if g {
				most, on = max(most, t), true
			}
		}
		if !on {
			return 0, ended, false
		}
		through += most
	}
	return through, ended, true
}

// branches takes a statement apart: what is always done, and the lists of statements of which one is.
func (c *counting) branches(s ast.Stmt) (head int, branches [][]ast.Stmt, loops bool) {
	switch s := s.(type) {
	case *ast.IfStmt:
		otherwise := []ast.Stmt{}
		if s.Else != nil {
			otherwise = append(otherwise, s.Else)
		}
		return c.nodes(s.Init, s.Cond), [][]ast.Stmt{s.Body.List, otherwise}, false
	case *ast.BlockStmt:
		return 0, [][]ast.Stmt{s.List}, false
	case *ast.ForStmt:
		round := slices.Clone(s.Body.List)
		if s.Cond != nil {
			round = append(round, &ast.ExprStmt{X: s.Cond})
		}
		return c.nodes(s.Init), [][]ast.Stmt{round, {}}, true
	case *ast.RangeStmt:
		return c.nodes(s.X), [][]ast.Stmt{s.Body.List, {}}, true
	case *ast.SwitchStmt:
		head, branches = c.cases(s.Body)
		return head + c.nodes(s.Init, s.Tag), branches, false
	case *ast.TypeSwitchStmt:
		head, branches = c.cases(s.Body)
		return head + c.nodes(s.Init, s.Assign), branches, false
	case *ast.SelectStmt:
		head, branches = c.cases(s.Body)
		return head, branches, false
	}
	return c.nodes(s), nil, false
}

// cases returns the branches of a switch or a select.
func (c *counting) cases(body *ast.BlockStmt) (head int, branches [][]ast.Stmt) {
	none := true // of the cases need be right
	for _, clause := range body.List {
		switch clause := clause.(type) {
		case *ast.CaseClause:
			none = none && clause.List != nil
			for _, e := range clause.List {
				head += c.nodes(e)
			}
			branches = append(branches, clause.Body)
		case *ast.CommClause:
			none = false
			if clause.Comm != nil {
				head += c.nodes(clause.Comm)
			}
			branches = append(branches, clause.Body)
		}
	}
	if none {
		branches = append(branches, []ast.Stmt{})
	}
	return head, branches
}

// nodes counts in simple statements and expressions. A function that is mentioned is taken as called.
func (c *counting) nodes(all ...ast.Node) (count int) {
	for _, n := range all {
		if s, ok := n.(ast.Stmt); n == nil || ok && s == nil {
			continue
		}
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				count += c.body(n.Body.List)
				return false
			case *ast.CallExpr:
				count += c.call(n)
			case *ast.Ident:
				if f, ok := c.Uses[n].(*types.Func); ok && c.given == nil {
					count += c.of(f)
				}
			}
			return true
		})
	}
	return count
}

// call counts the statements of one call: by what it is called on, or by what it is given.
func (c *counting) call(call *ast.CallExpr) (count int) {
	if on, ok := call.Fun.(*ast.SelectorExpr); ok && c.queries(on.X) &&
		slices.Contains([]string{"Query", "QueryRow", "Exec", "SendBatch", "CopyFrom", "Begin", "BeginTx"}, on.Sel.Name) {
		count++
	}
	for _, arg := range call.Args {
		if !c.queries(arg) {
			continue
		}
		switch f := call.Fun.(type) {
		case *ast.Ident:
			if called, ok := c.Uses[f].(*types.Func); ok {
				count += c.through(called)
			}
		case *ast.SelectorExpr:
			if called, ok := c.Uses[f.Sel].(*types.Func); ok {
				count += c.through(called)
			}
		}
	}
	return count
}

// queries reports whether statements by an expression are counted: by the querier that was given, or
// else by a connection outside of a transaction.
func (c *counting) queries(e ast.Expr) bool {
	if c.given != nil {
		id, ok := e.(*ast.Ident)
		return ok && c.Uses[id] == c.given
	}
	kind := c.TypeOf(e)
	return kind != nil && (kind.String() == "github.com/watchbill/watchbill/store.pool" || slices.Contains([]string{
		"*github.com/jackc/pgx/v5/pgxpool.Pool", "*github.com/jackc/pgx/v5/pgxpool.Conn", "*github.com/jackc/pgx/v5.Conn",
	}, kind.String()))
}
