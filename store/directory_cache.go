package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// directoryCache caches the Directory. What is cached can be trusted only while we listen for changes.
type directoryCache struct {
	filling chan struct{} // holds one token while somebody loads

	mu        sync.Mutex
	listening bool
	age       int        // grows with every change
	dir       *Directory // nil: to be loaded
	loads     int        // that have begun
	latest    *Directory // of the last load that has ended well, and
	load      int        // which one that was
}

// drop forgets the directory, because something has changed.
func (c *directoryCache) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.age++
	c.dir = nil
}

// listen says whether notifications of changes arrive from now on. What changed before may be unknown.
func (c *directoryCache) listen(listening bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.age++
	c.dir, c.listening = nil, listening
}

// ask returns the directory if it is known, else how many loads have begun: whoever asks now may
// use any later one.
func (c *directoryCache) ask() (dir *Directory, loads int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dir, c.loads
}

// begin counts a load and returns its number, unless what has been loaded meanwhile will do for who
// asked when so many had begun.
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

// put keeps a directory, for all who ask unless something has changed since it began to be loaded.
func (c *directoryCache) put(dir *Directory, load, age int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest, c.load = dir, load
	if c.listening && c.age == age {
		c.dir = dir
	}
}

// Directory returns everything that was set up.
func (s *System) Directory(ctx context.Context) (*Directory, error) { return s.directory(ctx) }

// directory returns everything that was set up. While Run runs, it is loaded once for each change,
// however many ask; otherwise those who ask at the same time share a load that began after they asked.
func (s *Store) directory(ctx context.Context) (*Directory, error) {
	dir, asked := s.cache.ask()
	if dir != nil {
		return dir, nil
	}
	// Others wait for whoever loads, however much time that one has.
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
	// On a connection of the door's: a signal must not wait for whatever has taken the others.
	err := translate(pgx.BeginFunc(ctx, s.door, func(tx pgx.Tx) (err error) {
		dir, err = s.loadDirectory(ctx, tx, time.Time{})
		return err
	}))
	if err != nil {
		return nil, fmt.Errorf("load the directory: %w", err)
	}
	s.cache.put(dir, load, age)
	return dir, nil
}

// DirectoryAt returns a directory whose schedules know an instant that may be long past: the caller's own,
// if that suffices.
func (s *Store) DirectoryAt(ctx context.Context, by oncall.Actor, dir *Directory, at time.Time) (*Directory, error) {
	if at.After(dir.since) {
		return dir, nil
	}
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		dir, err = s.loadDirectory(ctx, tx, at.Add(-pastMatters))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load the directory as of %s: %w", at, err)
	}
	return dir.For(by), nil
}

// announce tells every instance, when the transaction commits, that the directory has changed.
func announce(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_notify('watchbill_config', '')`)
	return err
}
