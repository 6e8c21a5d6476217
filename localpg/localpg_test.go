package localpg

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestDurableDataSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, Options{DataDir: dir, Durable: true})
	for setting, want := range map[string]string{
		"fsync": "on", "synchronous_commit": "on", "listen_addresses": "", "timezone": "UTC", "data_checksums": "on",
		"server_encoding": "UTF8", "max_connections": "100",
	} {
		if got := ask(t, s, "SELECT current_setting('"+setting+"')"); got != want {
			t.Errorf("%s = %q; want %q", setting, got, want)
		}
	}
	info, err := os.Stat(s.socket)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("socket directory: %v, %v; want mode 0700", info, err)
	}
	do(t, s, "CREATE TABLE kept (n int)")
	stop(t, s)
	if _, err := os.Lstat(s.socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket directory: %v, want it removed", err)
	}
	select {
	case <-s.Done():
	default:
		t.Error("Done is open after Stop, want it closed")
	}
	again := start(t, Options{DataDir: dir, Durable: true})
	if got := ask(t, again, "SELECT count(*)::text FROM kept"); got != "0" {
		t.Errorf("count = %s, want %s", got, "0")
	}
	if again.URL() != s.URL() {
		t.Errorf("the address is %s after the restart, want %s as before", again.URL(), s.URL())
	}
	stop(t, again)
}

func TestThrowAwayLeavesNothing(t *testing.T) {
	t.Parallel()
	base := filepath.Join(t.TempDir(), "scratch")
	s := start(t, Options{DataDir: base})
	if got := ask(t, s, "SHOW fsync"); got != "off" {
		t.Errorf("fsync = %s; want off", got)
	}
	do(t, s, "CREATE TABLE gone (n int)")
	stop(t, s)
	for _, path := range []string{base, s.socket} { // the lock and the log are in base
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v, want it removed", path, err)
		}
	}
}

func TestFreshMovesOldDataAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var out bytes.Buffer
	for n := range 2 {
		s := start(t, Options{DataDir: dir, Durable: true, Fresh: n > 0, Out: &out})
		do(t, s, "CREATE TABLE kept (n int)") // fails if it already exists
		stop(t, s)
	}
	old, _ := filepath.Glob(filepath.Join(dir, "pg*.old1", "PG_VERSION"))
	if len(old) != 1 || !strings.Contains(out.String(), filepath.Dir(old[0])) {
		t.Errorf("the old data is at %q and the output %q, want one directory, named in the output", old, out.String())
	}
}

func TestSecondInstanceIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, Options{DataDir: dir, Durable: true})
	pid := strconv.Itoa(os.Getpid())
	for _, address := range []string{"", "http://127.0.0.1:8080"} {
		want := "already running: pid " + pid + "; use --data-dir for a second one"
		if address != "" {
			if err := s.Announce(address); err != nil {
				t.Fatal(err)
			}
			want = "already running: pid " + pid + ", " + address + "; use --data-dir for a second one"
		}
		_, err := Start(t.Context(), Options{Getenv: environment(), DataDir: dir, Durable: true})
		if err == nil || err.Error() != want {
			t.Errorf("error %q; want %q", err, want)
		}
	}
	ask(t, s, "SELECT 'it still runs'")
	stop(t, s)
	stop(t, start(t, Options{DataDir: dir, Durable: true}))
}

func TestKillingTheProductEndsItsServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), productVariable+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the product printed %q, want its server's pid", line)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	// Immediately, so that the old server may still be shutting down.
	s := start(t, Options{DataDir: dir, Durable: true})
	if s.process.pid == pid {
		t.Error("the next start adopted a server that should have ended, want a new one")
	}
	stop(t, s)
}

// abandon turns s into what a killed instance leaves on a system without a parent-death signal: a running
// server whose directory isn't locked.
func abandon(t *testing.T, s *Server) {
	t.Helper()
	if err := s.lock.release(); err != nil {
		t.Fatal(err)
	}
}

func TestLivingServerIsAdopted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, Options{DataDir: dir, Durable: true})
	abandon(t, first)
	// Another session may have a different temporary directory.
	second := start(t, Options{Getenv: environment("TMPDIR=" + t.TempDir()), DataDir: dir, Durable: true})
	if second.process.pid != first.process.pid {
		t.Errorf("pid %d; want the first one's, %d", second.process.pid, first.process.pid)
	}
	ask(t, second, "SELECT 'it answers'")
	stop(t, second)
	<-first.Done()
}

func TestServerStartedByHandKeepsItsDirectories(t *testing.T) {
	t.Parallel()
	dir, socket := t.TempDir(), t.TempDir()
	if err := os.Chmod(socket, 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(socket, "somebody's file"), "", 0o644)
	s := start(t, Options{DataDir: dir, Durable: true})
	stop(t, s)
	installs, err := Find(t.Context(), Options{Getenv: environment()})
	if err != nil {
		t.Fatal(err)
	}
	as, err := chooseUser(t.Context(), installs[0], s.data, socket)
	if err != nil {
		t.Fatal(err)
	}
	byHand := as.command(installs[0], s.data, "postgres", []string{"-D", s.data, "-h", "", "-k", socket})
	p, err := spawn(byHand)
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop(t.Context(), syscall.SIGQUIT)
	for pf, _ := readPidFile(s.data); !pf.ready; pf, _ = readPidFile(s.data) {
		if err := pause(t.Context()); err != nil || p.ended() {
			t.Fatal("the server didn't start")
		}
	}
	adopted := start(t, Options{DataDir: dir, Durable: true})
	if adopted.process.pid != p.pid {
		t.Errorf("pid %d; want %d", adopted.process.pid, p.pid)
	}
	stop(t, adopted)
	if _, err := os.Lstat(filepath.Join(socket, "somebody's file")); err != nil {
		t.Error(err)
	}
}

func TestThrowAwayServerReplacesALivingOne(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "scratch")
	first := start(t, Options{DataDir: dir})
	do(t, first, "CREATE TABLE gone (n int)")
	abandon(t, first)
	second := start(t, Options{DataDir: dir})
	if got := ask(t, second, "SELECT count(*)::text FROM pg_tables WHERE tablename = 'gone'"); got != "0" {
		t.Errorf("the new server has %s of the old one's tables, want 0", got)
	}
	stop(t, second)
}

func TestLeftoversOfADeadServerAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, Options{DataDir: dir, Durable: true})
	do(t, s, "CREATE TABLE kept (n int)")
	data, socket := s.data, s.socket
	stop(t, s)

	zombie := exec.Command("true")
	if err := zombie.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); alive(zombie.Process.Pid); {
		if time.Now().After(deadline) {
			t.Fatal("the command true didn't end within 30 s")
		}
		_ = pause(t.Context())
	}
	defer zombie.Wait()
	other := exec.Command("sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { other.Process.Kill(); other.Wait() }()
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	for name, pid := range map[string]int{
		"dead": dead.Process.Pid, "zombie": zombie.Process.Pid, "another program": other.Process.Pid, "nothing": 0,
	} {
		text := strings.Join([]string{strconv.Itoa(pid), data, "1700000000", port, socket, "", "  1  2", "ready", ""}, "\n")
		if pid == 0 {
			text = ""
		}
		write(t, filepath.Join(data, "postmaster.pid"), text, 0o600)
		if err := makePrivate(socket); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(socket, ".s.PGSQL."+port), "", 0o600)
		write(t, filepath.Join(socket, ".s.PGSQL."+port+".lock"), text, 0o600)
		s, err := Start(t.Context(), Options{Getenv: environment(), DataDir: dir, Durable: true})
		if err != nil {
			t.Errorf("%s: the start got %v, want no error", name, err)
			continue
		}
		ask(t, s, "SELECT count(*)::text FROM kept")
		stop(t, s)
	}
}

func TestCrashedServerRecovers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, Options{DataDir: dir, Durable: true})
	do(t, s, "CREATE TABLE kept (n int)")
	if err := syscall.Kill(s.process.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done() // an unexpected end is noticed
	stop(t, s)
	again := start(t, Options{DataDir: dir, Durable: true})
	ask(t, again, "SELECT count(*)::text FROM kept")
	stop(t, again)
}

func TestRootDropsToAUserWhoCanReachTheData(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root drops root")
	}
	for name, mode := range map[string]os.FileMode{"open": 0o755, "closed": 0o700} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "demo")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			// Both directories above it belong to t.TempDir.
			if err := errors.Join(os.Chmod(filepath.Dir(dir), mode), os.Chmod(filepath.Dir(filepath.Dir(dir)), mode)); err != nil {
				t.Fatal(err)
			}
			s := start(t, Options{DataDir: dir, Durable: true})
			owner, err := ownerOf(s.data)
			if err != nil {
				t.Fatal(err)
			}
			if dropped := owner != 0; dropped != (name == "open") {
				t.Errorf("%s: the data belongs to user %d, want another user than root: %t", name, owner, name == "open")
			}
			stop(t, s)
		})
	}
}

func TestSocketPathIsShortEnough(t *testing.T) {
	t.Parallel()
	long := filepath.Join(t.TempDir(), strings.Repeat("long", 25))
	if err := os.MkdirAll(long, 0o755); err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Getenv: environment("TMPDIR=" + long), DataDir: filepath.Join(long, "data"), Durable: true})
	if n := len(s.socket + "/.s.PGSQL." + port); n > 103 {
		t.Errorf("the socket's path has %d bytes, want at most 103", n)
	}
	stop(t, s)
}

func TestScratchIsStableAndSwept(t *testing.T) {
	t.Parallel()
	getenv := environment()
	one, two := Scratch(getenv, t.Name()), Scratch(getenv, t.Name())
	if one != two || one == Scratch(getenv, t.Name()+" other") {
		t.Errorf("Scratch = %s, then %s; want the same for the same name, and another for another", one, two)
	}
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(one, "pg15.lock"), strconv.Itoa(dead.Process.Pid)+"\n\n", 0o644)
	Scratch(getenv, "anything")
	if _, err := os.Lstat(one); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a dead process's directory: %v, want it removed", err)
	}
	live := start(t, Options{Getenv: getenv, DataDir: one})
	Scratch(getenv, "anything")
	ask(t, live, "SELECT 'it still runs'")
	stop(t, live)
}

// Kill leaves a server's data as a failing machine would, and the next start recovers it.
func TestKilledServerIsStartedAgain(t *testing.T) {
	t.Parallel()
	o := Options{DataDir: t.TempDir(), Durable: true, Settings: []string{"max_connections=17"}}
	s := start(t, o)
	if got := ask(t, s, "SHOW max_connections"); got != "17" {
		t.Errorf("max_connections = %s, want %s", got, "17")
	}
	do(t, s, "CREATE TABLE kept (n int)")
	if err := s.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pids := workingIn(s.data); len(pids) > 0 {
		t.Errorf("the server's processes %v are still running, want none", pids)
	}
	if _, err := os.Lstat(s.socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket directory: %v, want it removed", err)
	}
	again := start(t, o)
	if got := ask(t, again, "SELECT count(*)::text FROM kept"); got != "0" {
		t.Errorf("count = %s, want %s", got, "0")
	}
	stop(t, again)
}
