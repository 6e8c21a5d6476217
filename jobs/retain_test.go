package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/watchbill/watchbill/store"
)

// Data older than its term is removed, each kind by its own term; without a term it stays.
func TestRetentionRemovesOldData(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		terms     store.RetentionTerms
		incidents int
		audit     bool
	}{
		"both":        {store.RetentionTerms{Incidents: 30 * day, Audit: 30 * day}, 1, false},
		"incidents":   {store.RetentionTerms{Incidents: 30 * day, Audit: 90 * day}, 1, true},
		"neither yet": {store.RetentionTerms{Incidents: 90 * day, Audit: 90 * day}, 2, true},
		"for ever":    {store.RetentionTerms{}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "1h", time.Now)
			w.signal("disk", "cpu")
			count := func(sql string) (n int) {
				if err := w.store.Pool().QueryRow(context.Background(), sql).Scan(&n); err != nil {
					t.Fatal(err)
				}
				return n
			}
			for _, sql := range []string{
				`UPDATE incidents SET status = 'resolved', opened_at = $1, last_signal_at = $1, resolved_at = $1`,
				`INSERT INTO audit_log (at, actor, kind, name, about, teams, act, changes) VALUES ($1, '{}', 'team', 'long ago', '', '{}', 'x', '[]')`,
				`INSERT INTO notices (key, recipient, kind, about, facts, version, created_at, channel, ts, drawn) VALUES ('seen', 'U1', 'x', 0, '{}', 1, $1, 'C1', '1.1', 1)`,
			} {
				if _, err := w.store.Pool().Exec(t.Context(), sql, w.clock().Add(-60*day)); err != nil {
					t.Fatal(err)
				}
			}
			w.terms = c.terms
			_ = w.start(w.sender)
			w.until("what is old has left", func() bool {
				return count(`SELECT count(*) FROM incidents`) == c.incidents && count(`SELECT count(*) FROM notices WHERE key = 'seen'`) == c.incidents-1 &&
					(count(`SELECT count(*) FROM audit_log WHERE name = 'long ago'`) == 1) == c.audit
			})
		})
	}
}
