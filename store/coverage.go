package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// CheckCoverage looks for problems with coverage, warns people of new findings, and deletes those that were fixed, so
// that there is a new warning if they recur.
func (s *System) CheckCoverage(ctx context.Context, now time.Time) error {
	dir, err := s.freshDirectory(ctx)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, coverageLock); err != nil {
			return err
		}
		if err := s.notifyOfLeavers(ctx, tx, dir, now); err != nil {
			return err
		}
		if err := s.saveNotices(ctx, tx, now, dir.Roster().HolidayNotices(now)); err != nil {
			return err
		}
		coverage, err := loadCoverage(ctx, tx, now)
		if err != nil {
			return err
		}
		found, err := coverage.Findings(now)
		if err != nil {
			return err
		}
		edits, err := editedSchedules(ctx, tx)
		if err != nil {
			return err
		}
		unsettled := coverage.Unsettled(edits)
		found = slices.DeleteFunc(found, func(f oncall.Finding) bool { return unsettled(f.Key) })
		mended, err := forgetFindings(ctx, tx, found, unsettled)
		if err != nil {
			return err
		}
		if err := s.markFixed(ctx, tx, mended, found, now); err != nil {
			return err
		}
		fresh, err := keepFindings(ctx, tx, found, now)
		if err != nil {
			return err
		}
		fresh, tasks := dir.answerable(fresh)
		if err := s.enqueue(ctx, tx, now, tasks); err != nil || len(fresh) == 0 {
			return err
		}
		name, err := transaction(ctx, tx)
		if err != nil {
			return err
		}
		notices := warnings(dir, fresh, name)
		if err := inZones(ctx, tx, notices); err != nil {
			return err
		}
		return s.saveNotices(ctx, tx, now, notices)
	})
	if err != nil {
		return fmt.Errorf("guard cover: %w", err)
	}
	return nil
}

// loadCoverage loads the facts for CheckCoverage.
func loadCoverage(ctx context.Context, tx pgx.Tx, now time.Time) (oncall.CoverageFacts, error) {
	const timeOff = `
		SELECT id, user_id, start_at AS "start", end_at AS "end"
		FROM time_off
		WHERE cancelled_at IS NULL AND end_at > $1
		ORDER BY id`
	var f oncall.CoverageFacts
	var err error
	if f.Members, _, err = members(ctx, tx); err != nil {
		return f, err
	}
	all, err := policies(ctx, tx)
	if err != nil {
		return f, err
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if !all[id].Removed {
			f.Policies = append(f.Policies, all[id])
		}
	}
	rows, _ := tx.Query(ctx, timeOff, now)
	if f.TimeOff, err = pgx.CollectRows(rows, pgx.RowToStructByNameLax[oncall.TimeOff]); err != nil {
		return f, err
	}
	recent, err := recently(ctx, tx)
	if err != nil {
		return f, err
	}
	definitions, err := schedules(ctx, tx, recent)
	for _, s := range definitions {
		f.Schedules = append(f.Schedules, s)
	}
	slices.SortFunc(f.Schedules, func(a, b schedule.Definition) int { return int(a.ID - b.ID) })
	if err != nil {
		return f, err
	}
	// After the schedules, so that the person who leaves meanwhile and is missing there is known to have left.
	f.Users, err = users(ctx, tx)
	return f, err
}

// forgetFindings deletes the stored findings that were not found again, and returns their keys. Findings about schedules
// that are being edited stay.
func forgetFindings(ctx context.Context, tx pgx.Tx, found []oncall.Finding, unsettled func(key string) bool) ([]string, error) {
	rows, _ := tx.Query(ctx, `SELECT key FROM findings ORDER BY key`)
	known, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list findings: %w", err)
	}
	gone := slices.DeleteFunc(known, func(key string) bool {
		return unsettled(key) || slices.ContainsFunc(found, func(f oncall.Finding) bool { return f.Key == key })
	})
	if _, err := tx.Exec(ctx, `DELETE FROM findings WHERE key = ANY ($1)`, gone); err != nil {
		return nil, fmt.Errorf("forget what was mended: %w", err)
	}
	return gone, nil
}

// fixedNoticeWithin is how old a warning may be for its findings to be marked as fixed.
const fixedNoticeWithin = 60 * 24 * time.Hour

// markFixed marks the fixed findings in earlier warnings.
func (s *Store) markFixed(ctx context.Context, tx pgx.Tx, gone []string, found []oncall.Finding, now time.Time) error {
	const load = `
		SELECT id, facts AS detail
		FROM notices
		WHERE kind = $1 AND created_at > $2
		  AND EXISTS (SELECT FROM jsonb_array_elements(facts -> 'findings') AS f WHERE f ->> 'key' = ANY ($3))
		ORDER BY id
		FOR UPDATE`
	const save = `UPDATE notices SET facts = $2, version = version + 1 WHERE id = $1`
	if len(gone) == 0 {
		return nil
	}
	type row struct {
		ID     oncall.NoticeID
		Detail oncall.NoticeDetail
	}
	rows, _ := tx.Query(ctx, load, oncall.NoticeCoverage, now.Add(-fixedNoticeWithin), gone)
	notices, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return fmt.Errorf("load warnings: %w", err)
	}
	var tasks []oncall.Task
	for _, n := range notices {
		if !n.Detail.MarkFixed(gone, found, now) {
			continue
		}
		if _, err := tx.Exec(ctx, save, n.ID, n.Detail); err != nil {
			return fmt.Errorf("save warning %d: %w", n.ID, err)
		}
		tasks = append(tasks, oncall.Task{Args: oncall.DrawNotice{Notice: n.ID}})
	}
	return s.enqueue(ctx, tx, now, tasks)
}

// keepFindings stores findings, and returns the new ones.
func keepFindings(ctx context.Context, tx pgx.Tx, found []oncall.Finding, now time.Time) ([]oncall.Finding, error) {
	const insert = `
		INSERT INTO findings (key, kind, found_at)
		SELECT key, kind, $3
		FROM unnest($1::text[], $2::text[]) AS f (key, kind)
		ON CONFLICT (key) DO NOTHING
		RETURNING key`
	keys, kinds := []string{}, []oncall.FindingKind{}
	for _, f := range found {
		keys, kinds = append(keys, f.Key), append(kinds, f.Kind)
	}
	rows, _ := tx.Query(ctx, insert, keys, kinds, now)
	fresh, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("keep what was found: %w", err)
	}
	return slices.DeleteFunc(found, func(f oncall.Finding) bool { return !slices.Contains(fresh, f.Key) }), nil
}

// warnings makes one notice for each recipient: a finding about time off goes to its person, all others to the team's
// managers, or else to its channel.
func warnings(dir *Directory, found []oncall.Finding, name string) []oncall.Notice {
	var notices []oncall.Notice
	for _, f := range found {
		if f.NotifiedOtherwise() {
			continue
		}
		to := dir.Watchers(f.Team)
		if f.Kind == oncall.FindingTimeOff {
			to = []string{string(f.User)}
		}
		for _, who := range to {
			i := slices.IndexFunc(notices, func(n oncall.Notice) bool { return n.To == who })
			if i < 0 {
				i = len(notices)
				notices = append(notices, oncall.Notice{Key: "coverage/" + name + "/" + who, To: who, Kind: oncall.NoticeCoverage})
			}
			notices[i].Detail.Findings = append(notices[i].Detail.Findings, f)
		}
	}
	return notices
}

// openFindings counts the stored findings.
func (s *Store) openFindings(ctx context.Context) (map[oncall.FindingKind]int, error) {
	open := map[oncall.FindingKind]int{}
	for _, kind := range oncall.FindingKinds {
		open[kind] = 0
	}
	rows, _ := s.pool.Query(ctx, `SELECT kind, count(*) FROM findings GROUP BY kind`)
	var kind oncall.FindingKind
	var n int
	_, err := pgx.ForEachRow(rows, []any{&kind, &n}, func() error {
		open[kind] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count findings: %w", translate(err))
	}
	return open, nil
}
