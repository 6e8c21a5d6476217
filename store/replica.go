package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ParseAddress reads the database's address. Where that names several hosts, the one that can be written is taken,
// whichever that is at the time, unless the address says what it wants.
func ParseAddress(databaseURL string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the database's address: %w", err)
	}
	c := &cfg.ConnConfig.Config
	if len(Hosts(cfg)) > 1 && c.ValidateConnect == nil {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	return cfg, nil
}

// leaveReplica has connections given up whose server can't be written any more, where there are several hosts: it may
// live on when another has taken over, and what is asked of it would be answered for ever.
func leaveReplica(cfg *pgxpool.Config) {
	if len(Hosts(cfg)) > 1 {
		cfg.PrepareConn = func(_ context.Context, conn *pgx.Conn) (bool, error) { return writable(conn), nil }
	}
}

// writable reports whether a connection's server could be written when it last said something.
func writable(conn *pgx.Conn) bool {
	said := conn.PgConn().ParameterStatus
	return said("default_transaction_read_only") != "on" && said("in_hot_standby") != "on"
}

// mustLeave says that a session that is held for long is with a server that can't be written any more, and another
// host may be.
func (s *Store) mustLeave(conn *pgx.Conn) error {
	if s.pool.Config().PrepareConn != nil && !writable(conn) {
		return errReadOnly
	}
	return nil
}

var errReadOnly = errors.New("the server can't be written any more; looking for one that can")

// Hosts lists the hosts of an address, with their ports.
func Hosts(cfg *pgxpool.Config) []string {
	c := cfg.ConnConfig
	var hosts []string
	add := func(host string, port uint16) {
		at := net.JoinHostPort(host, strconv.Itoa(int(port)))
		if len(hosts) == 0 || hosts[len(hosts)-1] != at { // each is tried with and without TLS
			hosts = append(hosts, at)
		}
	}
	add(c.Host, c.Port)
	for _, f := range c.Fallbacks {
		add(f.Host, f.Port)
	}
	return hosts
}

// A Durability says what of that which was stored a database may lose.
type Durability struct {
	ReadOnly bool // nothing can be stored: a replica, or somebody has set it so
	Unsafe   bool // a crash of the server may lose the last moments
	Hosts    int  // that the address names
	Replicas int  // that follow now
	Awaited  bool // a commit waits for a replica
}

// Durability asks the database what it may lose.
func (s *System) Durability(ctx context.Context) (Durability, error) {
	const load = `
		SELECT current_setting('transaction_read_only')::bool, current_setting('fsync')::bool,
		       current_setting('synchronous_commit'), current_setting('synchronous_standby_names'),
		       (SELECT count(*) FROM pg_stat_replication r
		        WHERE NOT EXISTS (SELECT FROM pg_replication_slots l WHERE l.active_pid = r.pid AND l.slot_type = 'logical'))`
	d := Durability{Hosts: len(Hosts(s.pool.Config()))}
	var fsync bool
	var commit, names string
	if err := s.pool.QueryRow(ctx, load).Scan(&d.ReadOnly, &fsync, &commit, &names, &d.Replicas); err != nil {
		return d, fmt.Errorf("ask what may be lost: %w", translate(err))
	}
	d.Unsafe = !fsync || commit == "off"
	d.Awaited = names != "" && commit != "off" && commit != "local"
	return d, nil
}
