package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// chooseUser prepares the directories and finds a user account that can run PostgreSQL and reach them; it
// refuses root and nameless users.
func chooseUser(ctx context.Context, install Install, data, socket string) (runAs, error) {
	made := data
	if _, err := os.Lstat(data); errors.Is(err, fs.ErrNotExist) {
		made = data + ".new"
		if err := os.Mkdir(made, 0o700); err != nil {
			return runAs{}, fmt.Errorf("make the data directory: %w", err)
		}
	}
	var failed error
	for _, w := range candidates() {
		err := w.try(ctx, install, made, socket)
		if err == nil {
			return w, nil
		}
		failed = errors.Join(failed, fmt.Errorf("as %s: %w", w.name, err))
	}
	return runAs{}, fmt.Errorf("found no way to run PostgreSQL: %w", failed)
}

// try gives the directories to the user and runs a harmless program in each.
func (r runAs) try(ctx context.Context, install Install, dirs ...string) error {
	for _, dir := range dirs {
		if err := r.own(dir); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, filepath.Join(install.Dir, "postgres"), "--version")
		cmd.Dir = dir
		cmd.SysProcAttr = r.attr()
		if err := cmd.Run(); err != nil {
			return err
		}
	}
	return nil
}

// own gives the directory and everything in it to the server's user.
func (r runAs) own(dir string) error {
	if owner, err := ownerOf(dir); err != nil || owner == r.uid {
		return err
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, r.uid, r.gid)
	})
}

// initialize creates the cluster next to its final place and moves it there once it is complete, so
// that a first start that is killed leaves nothing half-made.
func (s *Server) initialize(ctx context.Context, install Install, as runAs, options Options) error {
	if _, err := os.Lstat(s.data); err == nil {
		return nil
	}
	fresh := s.data + ".new"
	args := []string{"-D", fresh, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-k"}
	if install.Major >= 17 {
		// C or PostgreSQL's own C.UTF-8, so that an upgrade of libc or ICU cannot corrupt an index.
		args = append(args, "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
	}
	if !options.Durable {
		args = append(args, "--no-sync")
	}
	log, err := os.Create(s.data + ".log")
	if err != nil {
		return fmt.Errorf("make the log: %w", err)
	}
	defer log.Close()
	cmd := as.command(install, fresh, "initdb", args)
	cmd.Stdout, cmd.Stderr = log, log
	p, err := spawn(cmd)
	if err != nil {
		return fmt.Errorf("start initdb: %w", err)
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		_ = syscall.Kill(-p.pid, syscall.SIGKILL) // including the servers it runs itself
		<-p.done
		return fmt.Errorf("make the database cluster: %w", context.Cause(ctx))
	}
	if !cmd.ProcessState.Success() {
		return fmt.Errorf("make the database cluster: initdb: %s%s", cmd.ProcessState, tail(log.Name()))
	}
	if err := os.Rename(fresh, s.data); err != nil {
		return fmt.Errorf("make the database cluster: %w", err)
	}
	return nil
}

// launch starts the server. All settings are flags: the files in the data directory stay untouched.
func (s *Server) launch(install Install, as runAs) (*process, error) {
	args := []string{"-D", s.data, "-h", "", "-k", s.socket, "-p", port}
	for _, setting := range append(s.settings(), s.more...) {
		args = append(args, "-c", setting)
	}
	log, err := os.Create(s.data + ".log")
	if err != nil {
		return nil, fmt.Errorf("make the log: %w", err)
	}
	defer log.Close()
	cmd := as.command(install, s.data, "postgres", args)
	cmd.Stdout, cmd.Stderr = log, log
	p, err := spawn(cmd)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	return p, nil
}

func (s *Server) settings() []string {
	list := []string{
		"timezone=UTC", "log_timezone=UTC", "shared_buffers=64MB",
		"logging_collector=off", "log_destination=stderr", "unix_socket_permissions=0700",
	}
	if s.durable {
		return append(list, "max_connections=100", "fsync=on", "synchronous_commit=on", "full_page_writes=on")
	}
	return append(list, "max_connections=300", "fsync=off", "synchronous_commit=off", "full_page_writes=off",
		"wal_level=minimal", "max_wal_senders=0", "autovacuum=off", "max_wal_size=2GB",
		"dynamic_shared_memory_type=mmap") // the default outlives a killed server
}

// command runs a program of the installation without our environment, especially without PG*.
func (r runAs) command(install Install, dir, program string, args []string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(install.Dir, program), args...) //nolint:noctx // the server outlives the call that starts it; Stop ends it
	cmd.Dir = dir
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + install.Dir + ":/usr/bin:/bin"}
	cmd.SysProcAttr = r.attr()
	cmd.SysProcAttr.Setpgid = true // Ctrl-C is for us; we stop the server in our own order
	endWithParent(cmd.SysProcAttr)
	return cmd
}

// awaitReady waits until the server says that it is ready, and then checks that it is ours.
func (s *Server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyLimit, errors.New("it is not ready after two minutes"))
	defer cancel()
	for {
		pf, err := readPidFile(s.data)
		if err == nil && pf.pid == s.process.pid && pf.ready {
			break
		}
		if s.process.ended() {
			return fmt.Errorf("start PostgreSQL: it ended at once%s%s", s.leftBackends(), tail(s.data+".log"))
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("start PostgreSQL: %w%s", err, tail(s.data+".log"))
		}
	}
	if err := s.ping(ctx); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	return nil
}

// leftBackends lists the processes of a dead server that still use the data.
func (s *Server) leftBackends() string {
	text, err := os.ReadFile(s.data + ".log")
	if err != nil || !strings.Contains(string(text), "pre-existing shared memory block") {
		return ""
	}
	var pids []string
	for _, pid := range workingIn(s.data) {
		pids = append(pids, strconv.Itoa(pid))
	}
	return "; a process of an earlier server still works there (pid " + strings.Join(pids, ", ") + ")"
}

// ping checks that the server answering at the socket is the one of this data directory.
func (s *Server) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var dir string
	if err := conn.QueryRow(ctx, `SHOW data_directory`).Scan(&dir); err != nil {
		return err
	}
	if dir != s.data {
		return fmt.Errorf("the server at %s belongs to %s, not %s", s.socket, dir, s.data)
	}
	return nil
}
