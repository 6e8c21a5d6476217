package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/watchbill/watchbill/migrations"
)

// server is where the databases are, and how copies of the template are made there.
type server struct {
	url      string
	template string
	strategy string
	slots    chan struct{} // four copies at once are as fast as it gets
}

// once prepares the server for the first test that asks.
type once struct {
	mu      sync.Mutex
	address string
	server  *server
}

var shared once

// prepare finds or starts the server and makes the template. A failure is tried again by the next
// test, so that each one reports it.
func (o *once) prepare(ctx context.Context) (*server, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.server != nil {
		return o.server, nil
	}
	if o.address == "" {
		address, err := databaseURL()
		if err != nil {
			return nil, err
		}
		o.address = address
	}
	hash, err := migrations.Hash()
	if err != nil {
		return nil, err
	}
	s := &server{url: o.address, template: "watchbill_template_" + hash, slots: make(chan struct{}, 4)}
	if err := s.makeTemplate(ctx); err != nil {
		return nil, fmt.Errorf("make the template database: %w", err)
	}
	o.server = s
	return s, nil
}

const templateLock = 0x74656d706c // any fixed number

// makeTemplate makes the template unless it is there. Test binaries of several packages come here at
// the same time, hence the lock; it ends with the connection.
func (s *server) makeTemplate(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, templateLock); err != nil {
		return err
	}
	if err := s.chooseStrategy(ctx, conn); err != nil {
		return err
	}
	var done bool
	err = conn.QueryRow(ctx, `SELECT datistemplate FROM pg_database WHERE datname = $1`, s.template).Scan(&done)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if done {
		return nil
	}
	name := pgx.Identifier{s.template}.Sanitize()
	// One that is there and is no template was left half-made.
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + name + " WITH (FORCE)", "CREATE DATABASE " + name} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	// Without connections, or copying fails with "being accessed by other users".
	_, err = conn.Exec(ctx, "ALTER DATABASE "+name+" WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")
	return err
}

func (s *server) migrate(ctx context.Context) error {
	address, err := withDatabase(s.url, s.template)
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, address)
	if err != nil {
		return err
	}
	defer pool.Close()
	_, err = migrations.Up(ctx, pool, nil)
	return err
}

// chooseStrategy copies files where that needs no waiting for the disk; PostgreSQL 14 always does.
func (s *server) chooseStrategy(ctx context.Context, conn *pgx.Conn) error {
	var number int
	var fsync string
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('fsync')`).
		Scan(&number, &fsync)
	switch {
	case err != nil:
		return err
	case number < 150000:
		s.strategy = ""
	case fsync == "off":
		s.strategy = " STRATEGY FILE_COPY"
	default:
		s.strategy = " STRATEGY WAL_LOG"
	}
	return nil
}

// create makes a copy of the template.
func (s *server) create(ctx context.Context, name string) error {
	s.slots <- struct{}{}
	defer func() { <-s.slots }()
	return s.exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+
		" TEMPLATE "+pgx.Identifier{s.template}.Sanitize()+s.strategy)
}

// createEmpty makes a database as the server makes them.
func (s *server) createEmpty(ctx context.Context, name string) error {
	return s.exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
}

// drop removes a database. PostgreSQL itself looks only every 100 ms whether the last connection is
// gone, so first we wait for that, a little: a program may still be connected.
func (s *server) drop(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for range 25 {
		var used bool
		err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = $1)`, name).Scan(&used)
		if err != nil {
			return err
		}
		if !used {
			break
		}
		<-tick.C
	}
	_, err = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
	return err
}

// exec uses a connection of its own: a pool's would never end.
func (s *server) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}
