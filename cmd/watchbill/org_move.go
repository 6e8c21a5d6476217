package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/migrations"
	"github.com/watchbill/watchbill/store"
)

// orgMoveCmd moves an organisation to another database. During the move, senders are asked to try
// again later.
type orgMoveCmd struct {
	orgFlags `embed:""`
	Name     string        `arg:"" help:"The organisation."`
	To       string        `required:"" placeholder:"URL" help:"The database to move to, which exists and is empty: postgres://user:password@host:5432/name."`
	Copied   bool          `help:"Its content was copied already, such as by pg_dump while the organisation was suspended: only check that, and serve it from there."`
	Wait     time.Duration `default:"1m" help:"How long to wait until no process serves it any more."`
}

// Run moves an organisation.
func (c *orgMoveCmd) Run(p process) error {
	if wrong := (databaseFlags{DatabaseURL: c.To}).problems(); len(wrong) > 0 {
		return wrongUse{"--to " + noAddress}
	}
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	org, err := findOrganisation(p, db, c.Name)
	if err != nil {
		return err
	}
	before := org.State
	if before == store.OrganisationMoving {
		return fmt.Errorf("%s is being moved already; if that was broken off, `watchbill org resume %[1]s` first", c.Name)
	}
	if err := c.setState(p.ctx, p, db, store.OrganisationMoving); err != nil {
		return err
	}
	err = c.move(p, org)
	if err != nil {
		back := c.setState(context.WithoutCancel(p.ctx), p, db, before)
		return errors.Join(fmt.Errorf("%w; %s is where it was", err, c.Name), back)
	}
	err = db.UpdateOrganisation(p.ctx, p.operator(), c.Name, p.clock(), func(o *store.Organisation) error {
		o.Settings["DATABASE_URL"], o.State = c.To, before
		return nil
	})
	if err != nil {
		return err
	}
	moved := store.Organisation{Settings: map[string]string{"DATABASE_URL": c.To}}
	fmt.Fprintf(p.out, "%s is moved from %s to %s. What it had before is still there; drop it when you are sure.\n", c.Name, databaseNamed(org), databaseNamed(moved))
	return nil
}

func (c *orgMoveCmd) setState(ctx context.Context, p process, db *store.System, state store.OrganisationState) error {
	return db.UpdateOrganisation(ctx, p.operator(), c.Name, p.clock(), func(o *store.Organisation) error {
		o.State = state
		return nil
	})
}

// move copies an organisation's database once nobody serves it, and compares the copy.
func (c *orgMoveCmd) move(p process, o store.Organisation) error {
	from := o.Settings["DATABASE_URL"]
	if err := c.awaitQuiet(p, from); err != nil {
		return err
	}
	if !c.Copied {
		if err := copyDatabase(p, from, c.To); err != nil {
			return err
		}
	}
	return sameContent(p.ctx, from, c.To)
}

// awaitQuiet waits until no process serves the organisation.
func (c *orgMoveCmd) awaitQuiet(p process, from string) error {
	db, err := store.Open(p.ctx, from, store.Options{MaxConns: 1, Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(p.ctx, c.Wait)
	defer cancel()
	quiet := 0
	for {
		n, err := db.Instances(ctx)
		if quiet++; err != nil || n > 0 {
			quiet = 0
		}
		if time.Duration(quiet)*quietEvery > quietFor {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d processes still serve %s after %s: %w", n, c.Name, c.Wait, errors.Join(err, ctx.Err()))
		case <-time.After(quietEvery):
		}
	}
}

const (
	quietEvery = 100 * time.Millisecond
	// quietFor is how long nobody may serve the organisation, because a process that read the list earlier
	// may just be starting to.
	quietFor = followEvery + time.Second
)

// copyDatabase copies everything from one database into an empty one.
func copyDatabase(p process, from, to string) error {
	pool, err := openPool(p.ctx, to)
	if err != nil {
		return err
	}
	defer pool.Close()
	source, err := openPool(p.ctx, from)
	if err != nil {
		return err
	}
	current, _, err := migrations.Status(p.ctx, source)
	source.Close()
	if err != nil {
		return err
	}
	used, err := store.TableInUse(p.ctx, to)
	if err != nil {
		return err
	}
	if used != "" {
		return fmt.Errorf("the database to move to is not empty: there are rows in its table %s", used)
	}
	if _, err := migrations.UpTo(p.ctx, pool, current); err != nil {
		return err
	}
	reader, writer := io.Pipe()
	go func() {
		_, err := store.Backup(p.ctx, from, store.BackupHead{Release: version(), At: p.clock().UTC()}, writer)
		writer.CloseWithError(err)
	}()
	defer reader.CloseWithError(io.ErrClosedPipe) // ends the writer if loading fails
	backup, err := store.ReadBackup(reader)
	if err != nil {
		return err
	}
	end, err := backup.Load(p.ctx, to)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.errOut, "%d rows of %d tables are copied\n", end.All(), len(end.Rows))
	return nil
}

// sameContent compares the number of rows in each table of two databases.
func sameContent(ctx context.Context, from, to string) error {
	was, err := store.Backup(ctx, from, store.BackupHead{}, io.Discard)
	if err != nil {
		return err
	}
	is, err := store.Backup(ctx, to, store.BackupHead{}, io.Discard)
	if err != nil {
		return err
	}
	for table, n := range was.Rows {
		if is.Rows[table] != n {
			return fmt.Errorf("the copy is not complete: table %s has %d rows there and %d here", table, is.Rows[table], n)
		}
	}
	if !maps.Equal(was.Rows, is.Rows) {
		return errors.New("the copy has tables that are not here")
	}
	return nil
}

// onSameServer returns the address of another database on the same server.
func onSameServer(address, database string) (string, error) {
	if _, err := pgxpool.ParseConfig(address); err != nil {
		return "", err
	}
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return address + " dbname=" + database, nil // the form "host=… user=…": the last one counts
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("DATABASE_URL " + noAddress)
	}
	u.Path = "/" + database
	return u.String(), nil
}
