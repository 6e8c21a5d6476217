package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/migrations"
	"github.com/watchbill/watchbill/store"
)

// database checks the database, within the limit.
func (c *doctorCmd) database(r *report, limit time.Duration) {
	ctx, cancel := context.WithTimeout(r.ctx, limit)
	defer cancel()
	db, err := store.Open(ctx, c.DatabaseURL, store.Options{Secrets: c.secrets(), Log: zerolog.Nop()})
	if err == nil {
		defer func() {
			if ctx.Err() != nil {
				go db.Close() // because it waits long for a connection that hangs
				return
			}
			db.Close()
		}()
		err = db.Ping(ctx)
	}
	if err != nil {
		found, remedy := unreachable(ctx, err)
		r.fail("database", found, remedy)
		return
	}
	r.ok("database", "reachable")
	if unverified(c.DatabaseURL) {
		r.note("database", "its certificate is not checked, so that whoever is between can read along or answer in its place",
			"Add sslmode=verify-full to DATABASE_URL, and sslrootcert for a certificate of your own; leave it where nobody else is on that network.")
	}
	c.lookInto(ctx, r, db)
}

// lookInto checks a database that answers.
func (c *doctorCmd) lookInto(ctx context.Context, r *report, db *store.System) {
	faults := r.bad
	if err := db.CheckSessions(ctx); err != nil {
		r.failQuery(ctx, "database", err, "Change DATABASE_URL or the pooler.")
		return
	}
	c.schema(ctx, r, db)
	if ctx.Err() == nil { // a timeout has already been reported
		c.skew(ctx, r, db)
	}
	if ctx.Err() == nil {
		c.room(ctx, r, db)
	}
	if ctx.Err() == nil {
		c.durability(ctx, r, db)
	}
	if r.bad == faults {
		c.history(ctx, r, db)
		c.secret(ctx, r, db)
		c.people(ctx, r, db)
		c.integrations(ctx, r, db)
	}
}

func (c *doctorCmd) schema(ctx context.Context, r *report, db *store.System) {
	current, latest, err := migrations.Status(ctx, db.Pool())
	switch {
	case errors.Is(err, migrations.ErrNewer):
		r.fail("schema", err.Error(), "Run the newer watchbill, or the one that this database belongs to.")
	case err != nil:
		r.failQuery(ctx, "schema", err, "Let the database user of DATABASE_URL own its database: it must read and create tables.")
	case current < latest:
		r.fail("schema", fmt.Sprintf("at version %d, this program needs %d", current, latest), "Run `watchbill migrate`.")
	default:
		r.ok("schema", fmt.Sprintf("version %d", current))
	}
}

func (c *doctorCmd) skew(ctx context.Context, r *report, db *store.System) {
	switch skew, err := clockSkew(ctx, db, r.clock); {
	case err != nil:
		r.failQuery(ctx, "clock", err, "Check the database's log.")
	case skew.Abs() > maxClockSkew:
		r.fail("clock", fmt.Sprintf("the database's clock differs by %s", skew), "Run NTP (chrony, systemd-timesyncd) on both machines: timers would be off by as much.")
	default:
		r.ok("clock", fmt.Sprintf("within %s of the database's", skew.Abs()))
	}
}

// room compares the database's connection limit with the instances' needs.
func (c *doctorCmd) room(ctx context.Context, r *report, db *store.System) {
	room, err := db.ConnectionUse(ctx)
	if err != nil {
		r.failQuery(ctx, "database", err, "Check the database's log.")
		return
	}
	instances := max(1, room.Instances)
	free, want := room.Allowed-room.Others, instances*store.InstanceConns
	found := fmt.Sprintf("%d connections are free for Watchbill, and %d instances may use %d", free, instances, want)
	if instances == 1 {
		found = fmt.Sprintf("%d connections are free for Watchbill, and one instance may use %d", free, want)
	}
	if free < want {
		r.fail("database", found, fmt.Sprintf("Let PostgreSQL's max_connections leave %d for each instance; while there are too few, pages come late.", store.InstanceConns))
		return
	}
	r.ok("database", found)
}

// durability reports what a crash of the database, or a failover, may lose.
func (c *doctorCmd) durability(ctx context.Context, r *report, db *store.System) {
	d, err := db.Durability(ctx)
	if err != nil {
		r.failQuery(ctx, "database", err, "Check the database's log.")
		return
	}
	if d.ReadOnly {
		r.fail("database", "it is read-only, as a replica is: nothing can be stored",
			"Name the primary in DATABASE_URL, or all hosts divided by commas: Watchbill takes the one that can be written.")
		return
	}
	if d.Unsafe {
		r.note("database", "fsync or synchronous_commit is off: what was accepted in the last moments before a crash of the database is lost",
			"Switch both on.")
	}
	switch {
	case d.Replicas == 0 && d.Hosts > 1:
		r.note("database", "DATABASE_URL names several hosts, and no replica follows the one that can be written",
			"Start the replica: nothing else can take over.")
	case d.Replicas > 0 && !d.Awaited:
		r.note("database", "its replica is asynchronous: where it takes over, what was accepted in the last moments before is lost",
			"Set synchronous_standby_names and leave synchronous_commit on, if nothing may be lost: docs/outages.md.")
	case d.Replicas > 0:
		r.ok("database", "its replica is synchronous: where it takes over, nothing that was accepted is lost")
	}
}

// unverified reports whether a connection to the database may cross a network without verifying the
// server. sslmode is "prefer" by default.
func unverified(databaseURL string) bool {
	config, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		return false
	}
	open := func(host string, tls *tls.Config) bool {
		addr, err := netip.ParseAddr(host)
		if strings.HasPrefix(host, "/") || host == "localhost" || err == nil && addr.IsLoopback() {
			return false
		}
		return tls == nil || tls.InsecureSkipVerify && tls.VerifyPeerCertificate == nil
	}
	return open(config.Host, config.TLSConfig) || slices.ContainsFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool {
		return open(f.Host, f.TLSConfig)
	})
}

// failQuery reports a failed query on a working connection.
func (r *report) failQuery(ctx context.Context, what string, err error, remedy string) {
	if late(ctx, err) {
		r.fail(what, "the database has not answered in time", "Look whether something holds a lock on its tables (pg_locks), or keeps its machine busy.")
		return
	}
	r.fail(what, briefly(err), remedy)
}

// late reports whether an error is a timeout, here or in the database.
func late(ctx context.Context, err error) bool {
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pgErr.Code == "57014" || pgErr.Code == "55P03" // query_canceled, lock_not_available
	}
	return ctx.Err() != nil || pgconn.Timeout(err)
}

// unreachable explains why the database refuses us, and the remedy.
func unreachable(ctx context.Context, err error) (found, remedy string) {
	found = briefly(err)
	pgErr, isPg := errors.AsType[*pgconn.PgError](err)
	_, network := errors.AsType[*net.OpError](err)
	switch {
	case late(ctx, err):
		return "the database has not answered in time", "Check host and port in DATABASE_URL, and that this machine reaches them."
	case isPg && pgErr.Code == "28P01":
		return found, "Check user and password in DATABASE_URL; in a password, %40 is @ and %2F is /."
	case isPg && pgErr.Code == "28000":
		return found, "Check the user in DATABASE_URL: PostgreSQL has no such role, or its pg_hba.conf does not let it in from this machine."
	case isPg && pgErr.Code == "3D000":
		return found, "Create the database, or check the name at the end of DATABASE_URL."
	case isPg:
		return found, "Check the database's log."
	case strings.Contains(found, "tls error"):
		return found, "Check sslmode in DATABASE_URL, and sslrootcert: the server must speak TLS as they ask."
	case network:
		return found, "Check host and port in DATABASE_URL, and that PostgreSQL runs and listens there."
	}
	return found, "Check DATABASE_URL, and that PostgreSQL runs and lets this machine in."
}

// briefly shortens an error of pgx, which has a line for each attempt: with and without TLS, and
// for each address of the host.
func briefly(err error) string {
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fmt.Sprintf("PostgreSQL says: %s (SQLSTATE %s)", pgErr.Message, pgErr.Code)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Error()
	}
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	return lines[len(lines)-1]
}
