package store

import (
	"context"
	"fmt"
)

// InstanceConns is how many connections to the database one running Watchbill may use.
const InstanceConns = 19

// ConnectionUse says how many connections the database allows, and how many are in use by others.
type ConnectionUse struct {
	Allowed   int // max_connections minus the ones reserved for superusers
	Others    int // open connections of other programs
	Instances int // running instances
}

// ConnectionUse queries how many connections the database allows and who uses them.
func (s *System) ConnectionUse(ctx context.Context) (ConnectionUse, error) {
	const load = `
		SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
		       - coalesce(current_setting('reserved_connections', true)::int, 0) AS allowed,
		       (SELECT count(*) FROM pg_stat_activity
		        WHERE backend_type = 'client backend' AND application_name <> 'watchbill')::int AS others,
		       (SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
		        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid::bigint = $1
		          AND l.objid::bigint <> ALL (SELECT hashtext(task)::bigint & 4294967295 FROM unnest($2::text[]) AS task))::int AS instances`
	var r ConnectionUse
	err := s.pool.QueryRow(ctx, load, instanceLocks, claimedTasks()).Scan(&r.Allowed, &r.Others, &r.Instances)
	if err != nil {
		return ConnectionUse{}, fmt.Errorf("ask for connections: %w", translate(err))
	}
	return r, nil
}
