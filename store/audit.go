package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
)

// record writes entries to the audit log, in the transaction that makes the changes.
func record(ctx context.Context, tx pgx.Tx, by oncall.Actor, now time.Time, entries ...audit.Entry) error {
	const insert = `
		INSERT INTO audit_log (at, actor, kind, name, about, teams, act, changes)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	if len(entries) == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	for _, e := range entries {
		e = e.Bounded()
		batch.Queue(insert, now, by, e.Kind, e.Name, e.About, nonNil(e.Teams), e.Act, nonNil(e.Changes))
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write to the audit log: %w", err)
	}
	return nil
}

// where returns a schedule's name and team for an audit entry, even if the schedule was removed.
func where(ctx context.Context, tx pgx.Tx, id oncall.ScheduleID) (w audit.Where, err error) {
	err = tx.QueryRow(ctx, `SELECT name, team_id FROM schedules WHERE id = $1`, id).Scan(&w.Name, &w.Team)
	return w, err
}

// recordDuty writes an entry about a schedule to the audit log.
func recordDuty(ctx context.Context, tx pgx.Tx, by oncall.Actor, now time.Time, id oncall.ScheduleID, entry func(audit.Where) audit.Entry) error {
	of, err := where(ctx, tx, id)
	if err != nil {
		return err
	}
	return record(ctx, tx, by, now, entry(of))
}

// An AuditFilter selects entries of the audit log; the zero value selects all.
type AuditFilter struct {
	Kind   audit.Kind
	Name   string        // of what was changed
	Team   oncall.TeamID // entries about one team
	Person oncall.UserID // entries about a person or by them
	Since  time.Time
	Before int64 // entries older than this one
	Limit  int   // at most MostAudit
}

// MostAudit is how many entries are read at once.
const MostAudit = 1_000

// History returns the entries of the audit log that somebody may read, newest first, and whether there are older ones.
// Somebody who may read none is told who may.
func (s *Store) History(ctx context.Context, by oncall.Actor, filter AuditFilter) (entries []audit.Entry, more bool, err error) {
	const load = `
		SELECT id, at, actor AS by, kind, name, about, teams, act, changes
		FROM audit_log
		WHERE at >= $1 AND ($2 = 0 OR id < $2) AND ($3 = '' OR kind = $3) AND ($4 = '' OR name = $4)
		  AND ($5::bigint = 0 OR $5 = ANY (teams)) AND ($6 = '' OR about = $6 OR actor ->> 'user' = $6)
		  AND ($7 OR teams && $8 AND NOT teams && $9 OR teams = '{}' AND about = ANY ($10))
		ORDER BY id DESC
		LIMIT $11`
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, false, err
	}
	may, err := g.history(filter.Team)
	if err != nil {
		return nil, false, err
	}
	limit := min(max(filter.Limit, 1), MostAudit)
	rows, _ := s.pool.Query(ctx, load, filter.Since, filter.Before, filter.Kind, filter.Name, filter.Team, filter.Person,
		may.All, nonNil(may.Teams), nonNil(may.Hidden), nonNil(may.People), limit+1)
	entries, err = pgx.CollectRows(rows, pgx.RowToStructByName[audit.Entry])
	if err != nil {
		return nil, false, fmt.Errorf("read the audit log: %w", translate(err))
	}
	if len(entries) > limit {
		return entries[:limit], true, nil
	}
	return entries, false, nil
}

// history checks what the actor may read of the audit log, of one team or, with 0, of all.
func (g gate) history(team oncall.TeamID) (access.Reading, error) {
	if g.by.Via == oncall.ViaChannel {
		return access.Reading{}, oncall.Refuse("Everybody here would read it. Ask with the command, which answers only you.")
	}
	may := g.dir.access.Reads(g.by)
	if team != 0 && !may.All {
		on := access.Object{Team: team}
		if err := g.may(access.See, on); err != nil {
			return may, err // without the names of a private team's managers
		}
		return may, g.may(access.ReadAudit, on)
	}
	if may.None() {
		return may, g.may(access.ReadAudit, access.Object{Team: g.ownTeam()})
	}
	return may, nil
}

// ownTeam is one of the actor's teams, whose managers they can ask; 0: none.
func (g gate) ownTeam() oncall.TeamID {
	for _, t := range g.dir.Teams {
		if slices.Contains(g.dir.Members[t.ID], g.by.User) {
			return t.ID
		}
	}
	return 0
}
