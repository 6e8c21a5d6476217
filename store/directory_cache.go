package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// directoryCache caches the Directory. The cache is valid only while this instance listens for changes.
type directoryCache struct {
	filling chan struct{} // a semaphore: one goroutine loads at a time

	mu        sync.Mutex
	listening bool
	age       int        // grows with every change
	dir       *Directory // nil: it must be loaded
	loads     int        // how many loads have begun
	latest    *Directory // the result of the last successful load,
	load      int        // and that load's number
}

// drop empties the cache, because something has changed.
func (c *directoryCache) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.age++
	c.dir = nil
}

// listen sets whether notifications of changes arrive from now on. Earlier ones may have been missed.
func (c *directoryCache) listen(listening bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.age++
	c.dir, c.listening = nil, listening
}

// ask returns the cached directory, or else how many loads have begun: the caller may use the result of any later one.
func (c *directoryCache) ask() (dir *Directory, loads int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dir, c.loads
}

// begin starts a load and returns its number, unless a load that began after the caller asked has ended; then it returns
// that one's directory. Asked is the result of ask.
func (c *directoryCache) begin(asked int) (dir *Directory, load, age int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.dir != nil:
		return c.dir, 0, 0
	case c.load > asked:
		return c.latest, 0, 0
	}
	c.loads++
	return nil, c.loads, c.age
}

// put stores the result of a load. It is cached only if nothing has changed since the load began.
func (c *directoryCache) put(dir *Directory, load, age int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest, c.load = dir, load
	if c.listening && c.age == age {
		c.dir = dir
	}
}

// last returns the directory as it was loaded last, whether or not anything has changed since; nil before the first load.
func (c *directoryCache) last() *Directory {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.latest
}

// Directory returns everything that was set up.
func (s *System) Directory(ctx context.Context) (*Directory, error) { return s.directory(ctx) }

// directory returns everything that was set up. While Run runs, it is loaded once for each change. Otherwise concurrent
// callers share a load that began after they called.
func (s *Store) directory(ctx context.Context) (*Directory, error) {
	dir, asked := s.cache.ask()
	if dir != nil {
		return dir, nil
	}
	// Bounded even if the caller has more time, because others wait for this load.
	ctx, cancel := context.WithTimeout(ctx, StatementLimit)
	defer cancel()
	select {
	case s.cache.filling <- struct{}{}:
		defer func() { <-s.cache.filling }()
	case <-ctx.Done():
		return nil, fmt.Errorf("load the directory: %w", translate(ctx.Err()))
	}
	dir, load, age := s.cache.begin(asked)
	if dir != nil {
		return dir, nil
	}
	// Signals need the directory, so it is loaded by their pool and doesn't wait for connections of the other one.
	err := translate(pgx.BeginFunc(ctx, s.intakePool, func(tx pgx.Tx) (err error) {
		dir, err = s.loadDirectory(ctx, tx, time.Time{})
		return err
	}))
	if err != nil {
		return nil, fmt.Errorf("load the directory: %w", err)
	}
	s.cache.put(dir, load, age)
	return dir, nil
}

// freshDirectory reloads the directory. A job queued by a change may begin before the cache drops the
// directory from before that change.
func (s *Store) freshDirectory(ctx context.Context) (*Directory, error) {
	s.cache.drop()
	return s.directory(ctx)
}

// DirectoryAt returns a directory whose schedules reach back to an instant: dir, if that is recent enough.
func (s *Store) DirectoryAt(ctx context.Context, by oncall.Actor, dir *Directory, at time.Time) (*Directory, error) {
	if at.After(dir.since) {
		return dir, nil
	}
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		dir, err = s.loadDirectory(ctx, tx, at.Add(-keepPastShifts))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load the directory as of %s: %w", at, err)
	}
	return dir.For(by), nil
}

// announce notifies every instance, when the transaction commits, that the directory has changed.
func announce(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_notify('watchbill_config', '')`)
	return err
}
