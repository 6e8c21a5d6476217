package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// answerable removes the findings about time off that their teams have answered by a rule, and returns the jobs that do so.
func (d *Directory) answerable(found []oncall.Finding) (rest []oncall.Finding, tasks []oncall.Task) {
	for _, f := range found {
		if f.Kind == oncall.FindingTimeOff && d.teams[f.Team].TimeOff != oncall.TimeOffWarn {
			tasks = append(tasks, oncall.Task{Args: oncall.AnswerTimeOff{Schedule: f.Schedule, Role: f.Role, User: f.User, TimeOff: f.TimeOff}})
			continue
		}
		rest = append(rest, f)
	}
	return rest, tasks
}

// knowTimeOff notes that somebody knows of being on call during their time off, as what they have just done in Slack was
// answered with it: the next check of the coverage doesn't warn them of it once more. What their teams answer by a rule goes on.
func knowTimeOff(ctx context.Context, tx pgx.Tx, by oncall.Actor, user oncall.UserID, now time.Time) error {
	const ruled = `SELECT s.id FROM schedules s JOIN teams t ON t.id = s.team_id WHERE t.time_off <> ''`
	if by != oncall.ByUser(user) {
		return nil
	}
	rows, _ := tx.Query(ctx, ruled)
	answered, err := pgx.CollectRows(rows, pgx.RowTo[oncall.ScheduleID])
	if err != nil {
		return fmt.Errorf("list the schedules whose teams answer time off: %w", err)
	}
	coverage, err := loadCoverage(ctx, tx, now)
	if err != nil {
		return err
	}
	found, err := coverage.Findings(now)
	if err != nil {
		return err
	}
	known := slices.DeleteFunc(found, func(f oncall.Finding) bool {
		return f.Kind != oncall.FindingTimeOff || f.User != user || slices.Contains(answered, f.Schedule)
	})
	_, err = keepFindings(ctx, tx, known, now)
	return err
}

// maxAnswered is how many shifts of one absence are answered.
const maxAnswered = 50

// AnswerTimeOff does what a team wants if somebody is away while on call: it asks others for cover, or puts whoever comes next
// on call. It does nothing if the time off was cancelled, or the team wants people to be warned.
func (s *System) AnswerTimeOff(ctx context.Context, t oncall.AnswerTimeOff, now time.Time) error {
	const load = `
		SELECT id, user_id, start_at AS "start", end_at AS "end"
		FROM time_off
		WHERE user_id = $1 AND cancelled_at IS NULL AND end_at > $2
		ORDER BY id`
	const rule = `SELECT t.time_off FROM teams t JOIN schedules s ON s.team_id = t.id WHERE s.id = $1`
	changed := false
	err := s.transact(ctx, func(tx pgx.Tx) error {
		facts, err := lockShiftFacts(ctx, tx, t.Schedule)
		if err != nil {
			return err
		}
		var wanted oncall.OnTimeOff
		if err := tx.QueryRow(ctx, rule, t.Schedule).Scan(&wanted); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, load, t.User, now)
		all, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[oncall.TimeOff])
		if err != nil {
			return err
		}
		off, found := oncall.Absence(all, t.TimeOff)
		c, known := facts.Schedules[t.Schedule]
		if !found || !known || wanted == oncall.TimeOffWarn {
			return nil
		}
		from := off.Start
		if from.Before(now) {
			from = now
		}
		answered := 0
		for _, stint := range c.Stints(t.User, from, off.End) {
			if stint.Role != t.Role || answered == maxAnswered {
				continue
			}
			answered++
			if stint.End.After(off.End) {
				stint.End = off.End
			}
			stint = stint.From(from)
			done, err := s.answerStint(ctx, tx, stint, wanted, facts, now)
			if err != nil {
				return err
			}
			changed = changed || done
		}
		return nil
	})
	if err != nil {
		return wrap(err, "answer the time off of %s", t.User)
	}
	if changed {
		s.cache.drop()
	}
	return nil
}

// answerStint puts whoever comes next on call for one shift, and reports that; or else it asks others for cover.
func (s *System) answerStint(
	ctx context.Context, tx pgx.Tx, stint schedule.Stint, wanted oncall.OnTimeOff, facts oncall.ShiftFacts, now time.Time,
) (bool, error) {
	away, err := absent(ctx, tx, stint)
	if err != nil {
		return false, err
	}
	if next, found := facts.StandIn(stint, away); found && wanted == oncall.TimeOffSkip {
		o := stint.Replace(next, "time off")
		return true, s.editSchedules(ctx, tx, scheduleEdit{at: now}, []oncall.ScheduleID{stint.Schedule}, func() error {
			o, err := addOverride(ctx, tx, o, now)
			if err != nil {
				return err
			}
			return recordDuty(ctx, tx, oncall.ByTimer(), now, stint.Schedule, func(of audit.Where) audit.Entry { return of.Override(o) })
		})
	}
	_, err = s.saveRequest(ctx, tx, oncall.ByTimer(), stint, coverWish{by: stint.User, note: "time off"}, facts, now)
	if _, refused := errors.AsType[oncall.Refusal](err); refused {
		return false, nil // somebody is being looked for already
	}
	return false, err
}
