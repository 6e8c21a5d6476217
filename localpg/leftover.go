package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// backendsEnd is how long backends may take to end once their server is dead.
const backendsEnd = 5 * time.Second

// pidFile is the content of a running server's postmaster.pid.
type pidFile struct {
	pid    int
	socket string
	ready  bool
}

func readPidFile(data string) (pidFile, error) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return pidFile{}, err
	}
	lines := strings.Split(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil {
		return pidFile{}, fmt.Errorf("read postmaster.pid: %w", err)
	}
	pf := pidFile{pid: pid}
	if len(lines) > 4 {
		pf.socket = strings.TrimSpace(lines[4])
	}
	if len(lines) > 7 {
		pf.ready = strings.TrimSpace(lines[7]) == "ready"
	}
	return pf, nil
}

// leftover looks for a server that outlived the process which started it. It returns the server if
// that still answers, waits for one that is just ending, and clears away what a dead one left. It
// returns nil when the directory is free. The caller holds the directory's lock.
func (s *Server) leftover(ctx context.Context) (*process, error) {
	pf, err := readPidFile(s.data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no leftover is the normal case
	}
	if err == nil && s.owns(pf.pid) {
		s.listenAt(pf.socket)
		return s.adopt(ctx, pf.pid)
	}
	s.awaitBackends(ctx)
	// The pid belongs to nobody, to a zombie, or by now to another program. PostgreSQL would take the last
	// two for a running server for ever. Backends that still work are protected by PostgreSQL's own check
	// of its shared memory.
	if err := removeFile(filepath.Join(s.data, "postmaster.pid")); err != nil {
		return nil, err
	}
	if pf.socket != "" {
		if err := removeSockets(pf.socket); err != nil {
			return nil, err
		}
	}
	return nil, nil //nolint:nilnil // the directory is free now
}

// awaitBackends waits a moment for the backends of a killed server to notice: PostgreSQL doesn't start
// while one of them still uses the data.
func (s *Server) awaitBackends(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, backendsEnd)
	defer cancel()
	for len(workingIn(s.data)) > 0 {
		if pause(limited) != nil {
			return
		}
	}
}

// removeSockets removes what a dead server left in its socket directory.
func removeSockets(dir string) error {
	socket := filepath.Join(dir, ".s.PGSQL."+port)
	return errors.Join(removeFile(socket), removeFile(socket+".lock"))
}

// removeSocketDir removes the socket and, if it is one that we made, the directory. An adopted server
// may have been started by hand with its socket in a place that others use.
func removeSocketDir(dir string) error {
	err := removeSockets(dir)
	if strings.HasPrefix(filepath.Base(dir), "watchbill-") || filepath.Base(filepath.Dir(dir)) == "watchbill" {
		_ = os.Remove(dir) // only an empty one goes
	}
	return err
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove what a dead server left: %w", err)
	}
	return nil
}

// owns reports whether the process is a living server of our data directory.
func (s *Server) owns(pid int) bool {
	return alive(pid) && worksIn(pid, s.data)
}

// adopt waits until the server answers, or has ended.
func (s *Server) adopt(ctx context.Context, pid int) (*process, error) {
	p := &process{pid: pid}
	limited, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	for {
		ping := s.ping(limited)
		if ping == nil {
			return p, nil
		}
		if !s.owns(pid) {
			return s.leftover(ctx)
		}
		if err := pause(limited); err != nil {
			return nil, fmt.Errorf("PostgreSQL (pid %d) runs in %s but does not answer: %w", pid, s.data, ping)
		}
	}
}
