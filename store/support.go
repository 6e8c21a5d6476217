package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// A SupportTable is something about the database that helps somebody who can't see it. It has no text that anybody has
// written or sent: counts, sizes, ages and Watchbill's own words only.
type SupportTable struct {
	Name string
	Head []string
	Rows [][]string
}

// What each table of SupportTables is loaded by. $1 is the instant; each query must use it.
var supportQueries = []struct{ name, sql string }{
	{"PostgreSQL", `
		SELECT name, setting, coalesce(unit, '') AS unit FROM pg_settings
		WHERE $1::timestamptz IS NOT NULL AND name IN ('server_version', 'max_connections', 'shared_buffers', 'work_mem', 'fsync',
			'synchronous_commit', 'synchronous_standby_names', 'wal_level', 'autovacuum', 'statement_timeout', 'lock_timeout', 'TimeZone',
			'default_transaction_isolation', 'idle_in_transaction_session_timeout', 'max_wal_size', 'checkpoint_timeout')
		ORDER BY name`},
	{"tables", `
		SELECT relname AS table, n_live_tup AS rows, n_dead_tup AS dead, pg_size_pretty(pg_total_relation_size(relid)) AS size,
		       date_trunc('second', $1::timestamptz - greatest(last_autovacuum, last_vacuum)) AS vacuumed_ago,
		       date_trunc('second', $1::timestamptz - greatest(last_autoanalyze, last_analyze)) AS analyzed_ago
		FROM pg_stat_user_tables WHERE schemaname = current_schema() ORDER BY pg_total_relation_size(relid) DESC`},
	{"connections", `
		SELECT application_name = 'watchbill' AS ours, coalesce(state, 'none') AS state, coalesce(wait_event_type, '') AS waits_for, count(*),
		       date_trunc('second', max($1::timestamptz - xact_start)) AS longest_transaction
		FROM pg_stat_activity WHERE datname = current_database() GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`},
	{"jobs", `
		SELECT kind, queue, state, count(*), max(attempt) AS attempts, date_trunc('second', $1::timestamptz - min(scheduled_at)) AS oldest_due_ago,
		       count(*) FILTER (WHERE errors <> '{}') AS have_failed
		FROM river_job GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`},
	{"incidents", `
		SELECT status, severity, count(*), date_trunc('second', $1::timestamptz - min(opened_at)) AS oldest_opened_ago,
		       date_trunc('second', $1::timestamptz - max(opened_at)) AS newest_opened_ago
		FROM incidents WHERE id > 0 GROUP BY 1, 2 ORDER BY 1, 2`},
	{"pages", `
		SELECT method, state, count(*), max(attempt) AS attempts FROM pages
		JOIN incidents ON incidents.id = pages.incident_id
		WHERE incidents.id > 0 AND opened_at > $1::timestamptz - interval '7 days' GROUP BY 1, 2 ORDER BY 1, 2`},
	{"inbox", `
		SELECT (SELECT count(*) FROM inbox) AS waiting, (SELECT count(DISTINCT integration_id) FROM inbox) AS integrations,
		       date_trunc('second', $1::timestamptz - (SELECT received_at FROM inbox ORDER BY id LIMIT 1)) AS oldest_ago`},
	{"set-up", `
		SELECT what, n FROM (
			SELECT 1 AS place, 'teams' AS what, count(*) AS n FROM teams WHERE removed_at IS NULL
			UNION ALL SELECT 2, 'people', count(*) FROM users WHERE deactivated_at IS NULL
			UNION ALL SELECT 3, 'schedules', count(*) FROM schedules WHERE removed_at IS NULL
			UNION ALL SELECT 4, 'policies', count(*) FROM policies WHERE removed_at IS NULL
			UNION ALL SELECT 5, 'integrations', count(*) FROM integrations WHERE removed_at IS NULL AND id > 0
		) AS counts WHERE $1::timestamptz IS NOT NULL ORDER BY place`},
}

// SupportTables loads what helps somebody else to see how the database is.
func (s *System) SupportTables(ctx context.Context, now time.Time) ([]SupportTable, error) {
	var tables []SupportTable
	err := s.transact(ctx, func(tx pgx.Tx) error {
		for _, q := range supportQueries {
			one, err := supportTable(ctx, tx, q.sql, now)
			if err != nil {
				return fmt.Errorf("load %s: %w", q.name, err)
			}
			one.Name = q.name
			tables = append(tables, one)
		}
		return nil
	})
	return tables, err
}

func supportTable(ctx context.Context, tx pgx.Tx, sql string, now time.Time) (t SupportTable, err error) {
	rows, err := tx.Query(ctx, sql, pgx.QueryResultFormats{pgx.TextFormatCode}, now)
	if err != nil {
		return t, err
	}
	defer rows.Close()
	for _, f := range rows.FieldDescriptions() {
		t.Head = append(t.Head, strings.ReplaceAll(f.Name, "_", " "))
	}
	for rows.Next() {
		var cells []string
		for _, raw := range rows.RawValues() {
			if raw == nil {
				cells = append(cells, "-")
				continue
			}
			cells = append(cells, string(raw))
		}
		t.Rows = append(t.Rows, cells)
	}
	return t, rows.Err()
}
