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

// ParseAddress parses the URL of the database. If the URL names several hosts, a connection goes to the host that is
// writable at the time, unless the URL sets target_session_attrs.
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

// leaveReplica makes the pool drop connections to a server that has become read-only, if there are several hosts. Such
// a server may stay up after a failover, and would go on answering reads.
func leaveReplica(cfg *pgxpool.Config) {
	if len(Hosts(cfg)) > 1 {
		cfg.PrepareConn = func(_ context.Context, conn *pgx.Conn) (bool, error) { return writable(conn), nil }
	}
}

// writable reports whether the server was writable according to its latest status report.
func writable(conn *pgx.Conn) bool {
	said := conn.PgConn().ParameterStatus
	return said("default_transaction_read_only") != "on" && said("in_hot_standby") != "on"
}

// mustLeave returns an error if a long-lived session is on a read-only server and another host may be writable.
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
		if len(hosts) == 0 || hosts[len(hosts)-1] != at { // pgx lists each host with and without TLS
			hosts = append(hosts, at)
		}
	}
	add(c.Host, c.Port)
	for _, f := range c.Fallbacks {
		add(f.Host, f.Port)
	}
	return hosts
}

// A Durability describes how well the database protects stored data from loss.
type Durability struct {
	ReadOnly bool // a replica, or set to read-only
	Unsafe   bool // a crash of the server may lose the latest commits
	Hosts    int  // hosts in the URL
	Replicas int  // connected replicas
	Awaited  bool // commits wait for a replica
}

// Durability queries the settings that decide what the database may lose.
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
