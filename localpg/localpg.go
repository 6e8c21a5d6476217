// Package localpg runs a private PostgreSQL server with whatever PostgreSQL programs the machine
// has: durable for the demo, throw-away for tests. The server is a child of this process, listens on
// a unix socket in a directory that only we may enter, opens no TCP port, and ends when we end.
//
// Nothing is installed. If no programs are found, a pinned package is fetched once with the npm
// client, if there is one. Data of other major versions is never converted or deleted.
package localpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Options say which server to run and where.
type Options struct {
	// Getenv looks up the environment: WATCHBILL_PG_BIN, WATCHBILL_PG_DOWNLOAD, PATH, HOME, TMPDIR
	// and XDG_*.
	Getenv func(string) string
	// DataDir holds the data, in a subdirectory for each major version. Empty means the user's data
	// directory for a durable server and a new directory in memory for a throw-away one.
	DataDir string
	// Durable keeps the data, safely. Otherwise the server trades safety for speed, starts empty and
	// leaves nothing behind.
	Durable bool
	// Fresh starts a durable server empty; data of the same major version is moved aside.
	Fresh bool
	// Settings are added to ours, such as "max_connections=30"; they win.
	Settings []string
	// Out gets messages for people. Nil discards them.
	Out io.Writer
	// Root is the root of the file system; tests set it. Empty means /.
	Root string
}

// Server is a running PostgreSQL.
type Server struct {
	url     string
	base    string
	data    string
	socket  string
	durable bool
	more    []string // settings
	lock    *dirLock
	process *process
}

// Start finds PostgreSQL, creates the database cluster if there is none yet, and returns when the
// server answers. A server left behind by an instance that was killed is adopted.
func Start(ctx context.Context, options Options) (*Server, error) {
	options = options.withDefaults()
	base, err := options.dataDir()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	if !options.Durable {
		if err := mustBeOurs(base); err != nil {
			return nil, fmt.Errorf("make the data directory: %w", err)
		}
	}
	if base, err = filepath.EvalSymlinks(base); err != nil {
		return nil, fmt.Errorf("resolve the data directory: %w", err)
	}
	install, err := options.choose(ctx, base)
	if err != nil {
		return nil, err
	}
	s := &Server{base: base, durable: options.Durable, more: options.Settings, data: filepath.Join(base, "pg"+strconv.Itoa(install.Major))}
	if s.lock, err = lockDir(s.data); err != nil {
		return nil, err
	}
	left, err := s.clear(ctx, options)
	if err != nil {
		return nil, errors.Join(err, s.lock.release()) // something may still run there: touch nothing
	}
	if left != nil {
		s.process = left
		return s, nil
	}
	if err := s.run(ctx, options, install); err != nil {
		return nil, errors.Join(err, s.cleanUp())
	}
	return s, nil
}

// clear handles a leftover server: it returns one to adopt, or makes room for a new one.
func (s *Server) clear(ctx context.Context, options Options) (*process, error) {
	left, err := s.leftover(ctx)
	if err != nil {
		return nil, err
	}
	if left != nil && options.Durable && !options.Fresh {
		return left, nil
	}
	if left != nil {
		if err := errors.Join(left.stop(ctx, syscall.SIGINT), removeSocketDir(s.socket)); err != nil {
			return nil, err
		}
	}
	return nil, s.makeRoom(options)
}

// run starts a server of our own.
func (s *Server) run(ctx context.Context, options Options, install Install) error {
	socket, err := options.socketDir(s.data)
	if err != nil {
		return err
	}
	s.listenAt(socket)
	if err := removeSockets(socket); err != nil {
		return err
	}
	as, err := chooseUser(ctx, install, s.data, s.socket)
	if err != nil {
		return err
	}
	if err := s.initialize(ctx, install, as, options); err != nil {
		return err
	}
	if s.process, err = s.launch(install, as); err != nil {
		return err
	}
	if err := s.awaitReady(ctx); err != nil {
		return errors.Join(err, s.process.stop(context.WithoutCancel(ctx), syscall.SIGQUIT))
	}
	return nil
}

// listenAt sets the directory of the server's socket.
func (s *Server) listenAt(dir string) {
	s.socket = dir
	s.url = "postgres://postgres@/postgres?" + url.Values{"host": {dir}, "port": {port}, "sslmode": {"disable"}}.Encode()
}

// URL returns the address of the server's maintenance database, for pgx or psql.
func (s *Server) URL() string { return s.url }

// Done is closed when the server has ended, for whatever reason. It is nil for an adopted server.
func (s *Server) Done() <-chan struct{} { return s.process.done }

// Announce records this instance's web address, so that a second one can say what is in its way.
func (s *Server) Announce(address string) error { return s.lock.write(address) }

// Stop ends the server: immediately if it is throw-away, otherwise after aborting its clients'
// transactions and writing everything to disk. Close the pools first.
func (s *Server) Stop(ctx context.Context) error {
	signal := syscall.SIGINT
	if !s.durable {
		signal = syscall.SIGQUIT
	}
	if err := s.process.stop(ctx, signal); err != nil {
		return err
	}
	return s.cleanUp()
}

// Kill ends the server as a failing machine would: at once, with all its processes. The data stay, and a
// durable server recovers them at the next Start.
func (s *Server) Kill(ctx context.Context) error {
	if err := s.process.stop(ctx, syscall.SIGKILL); err != nil {
		return err
	}
	for _, pid := range workingIn(s.data) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may just have ended
	}
	s.awaitBackends(ctx)
	return errors.Join(removeSocketDir(s.socket), s.lock.release())
}

// cleanUp removes what only a running server needs, and unlocks the directory.
func (s *Server) cleanUp() error {
	var err error
	if s.socket != "" {
		err = removeSocketDir(s.socket)
	}
	if !s.durable {
		err = errors.Join(err, removeAll(s.data, s.data+".new", s.data+".log", s.data+".lock"))
		_ = os.Remove(s.base) // unless it holds something else
	}
	return errors.Join(err, s.lock.release())
}

// makeRoom removes data that this server must not see, and the remains of an unfinished first start.
func (s *Server) makeRoom(options Options) error {
	if !options.Durable {
		return removeAll(s.data, s.data+".new")
	}
	if options.Fresh {
		for n := 1; ; n++ {
			aside := s.data + ".old" + strconv.Itoa(n)
			if _, err := os.Lstat(aside); err == nil {
				continue
			}
			err := os.Rename(s.data, aside)
			if err == nil {
				fmt.Fprintf(options.Out, "The old demo data stay in %s\n", aside)
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("move the old data aside: %w", err)
			}
			break
		}
	}
	return removeAll(s.data + ".new")
}

func removeAll(paths ...string) error {
	for _, p := range paths {
		if err := os.RemoveAll(p); err != nil {
			return fmt.Errorf("remove %s: %w", p, err)
		}
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Root == "" {
		o.Root = "/"
	}
	return o
}

const (
	port       = "5432" // only part of the socket's file name
	readyLimit = 2 * time.Minute
	stopLimit  = 10 * time.Second
)
