package localpg

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// productVariable turns the test binary into a program that runs a durable server in that directory until
// it is killed.
const productVariable = "WATCHBILL_LOCALPG_PRODUCT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(productVariable); dir != "" {
		runProduct(dir)
	}
	os.Exit(m.Run())
}

func runProduct(dir string) {
	server, err := Start(context.Background(), Options{Getenv: environment(), DataDir: dir, Durable: true})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println(server.process.pid)
	select {}
}

// environment returns a getenv with only the given variables, and PATH.
func environment(pairs ...string) func(string) string {
	values := map[string]string{"PATH": os.Getenv("PATH"), "HOME": "/nonexistent"}
	for _, p := range pairs {
		key, value, _ := strings.Cut(p, "=")
		values[key] = value
	}
	return func(key string) string { return values[key] }
}

// start starts a server that ends no later than the test.
func start(t *testing.T, o Options) *Server {
	t.Helper()
	if o.Getenv == nil {
		o.Getenv = environment()
	}
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.process.stop(context.Background(), 3) })
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// ask runs a query that returns one text.
func ask(t *testing.T, s *Server, query string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var text string
	if err := conn.QueryRow(t.Context(), query).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

// do runs a statement.
func do(t *testing.T, s *Server, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// programs creates a directory with shell scripts named initdb and postgres.
func programs(t *testing.T, initdb, postgres string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, script := range map[string]string{"initdb": initdb, "postgres": postgres} {
		write(t, filepath.Join(dir, name), "#!/bin/sh\n"+script+"\n", 0o755)
	}
	return dir
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// contextAfterFile returns a context that ends when the file appears.
func contextAfterFile(t *testing.T, path string) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Lstat(path); err == nil {
				cancel()
			}
			_ = pause(ctx)
		}
	}()
	return ctx, cancel
}
