package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// deposedAfter is how long the folding instance may go without sending a statement while signals wait. It
// should check every second; if it doesn't, it is paused or cut off, although its session may last for hours.
const deposedAfter = 5 * time.Second

// A sighting is an instance's observation of the session that holds the fold lock.
type sighting struct {
	pid   int32
	asked time.Time // by the database's clock: when the session's state last changed
	since time.Time // by our clock: when we first saw that state
}

// depose ends the session of a folding instance that has been silent for too long, which also frees
// the fold lock. The deposed instance can't commit any more, and another takes over.
func (w *inboxWatch) depose(ctx context.Context) error {
	// A session that waits for anything other than its client is working.
	const look = `
		SELECT a.pid, coalesce(a.state_change, a.backend_start)
		FROM pg_locks l
		JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
		JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid = 0 AND l.objid::bigint = $1
		  AND a.wait_event_type = 'Client' AND EXISTS (SELECT FROM inbox)`
	const end = `SELECT pg_terminate_backend($1)`
	ctx, cancel := context.WithTimeout(ctx, foldLimit)
	defer cancel()
	now := w.clock() // taken before the query, which may be slow: if in doubt, don't depose
	var seen sighting
	err := w.conn.QueryRow(ctx, look, foldLock).Scan(&seen.pid, &seen.asked)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		w.seen = sighting{}
		return nil
	case err != nil:
		return fmt.Errorf("look at the session that folds: %w", err)
	case seen.pid != w.seen.pid || !seen.asked.Equal(w.seen.asked):
		w.seen = seen
		w.seen.since = w.clock()
		return nil
	case now.Sub(w.seen.since) < deposedAfter:
		return nil
	}
	w.seen = sighting{}
	w.store.log.Error().Int32("pid", seen.pid).Msg("the instance that folds the inbox is silent; ending its session")
	if _, err := w.conn.Exec(ctx, end, seen.pid); err != nil {
		return fmt.Errorf("end the session that folds: %w", err)
	}
	return nil
}
