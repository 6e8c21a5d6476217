package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/report"
	"github.com/watchbill/watchbill/oncall/schedule"
)

func readEditMeta(s string) (view.EditMeta, error) {
	var m view.EditMeta
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		return m, oncall.Refuse("This form is from another version of Watchbill. Please open it again.")
	}
	return m, nil
}

// A scheduleEdit is an edit of a schedule in progress. Every step loads and checks it again.
type scheduleEdit struct {
	request
	meta     view.EditMeta
	schedule schedule.Definition
	current  []schedule.Rotation // in force now
}

func (b *Bot) scheduleEdit(ctx context.Context, user oncall.UserID, meta string) (scheduleEdit, error) {
	m, err := readEditMeta(meta)
	if err != nil {
		return scheduleEdit{}, err
	}
	r, err := b.request(ctx, user, nil)
	if err != nil {
		return scheduleEdit{}, err
	}
	e := scheduleEdit{request: r, meta: m}
	e.schedule, err = b.store.Schedule(ctx, r.by(), m.Schedule)
	if errors.Is(err, oncall.ErrNotFound) {
		return e, oncall.Refuse("This schedule has been removed.")
	}
	if err != nil {
		return e, fmt.Errorf("load schedule %d: %w", m.Schedule, err)
	}
	e.current = e.schedule.Current(r.now)
	if m.Rotation >= len(e.current) {
		e.meta.Rotation = -1 // the schedule has changed meanwhile: saving will be refused
	}
	return e, b.mayEdit(r, e.schedule.TeamID)
}

// mayEdit refuses people who may not change a team's schedules. The refusal is counted and audited.
func (b *Bot) mayEdit(r request, team oncall.TeamID) error {
	return b.store.May(r.directory, r.by(), access.EditSchedule, access.Object{Team: team})
}

// mayEdit checks the same permission to decide what to offer. Nothing is counted.
func (r request) mayEdit(team oncall.TeamID) error {
	return r.directory.Access().May(r.by(), access.EditSchedule, access.Object{Team: team})
}

// version returns the schedule with one rotation changed.
func (e scheduleEdit) version(rotation schedule.Rotation, at time.Time) (schedule.Version, error) {
	version := schedule.Version{Rotations: slices.Clone(e.current), CreatedBy: e.user.ID}
	for i, o := range e.current {
		if i != e.meta.Rotation && strings.EqualFold(o.Name, rotation.Name) {
			return version, oncall.Refuse("There is a rotation %q already.", view.Name(rotation.Name))
		}
	}
	if e.meta.Rotation < 0 {
		version.Note = "added " + rotation.Name
		version.Rotations = append(version.Rotations, rotation)
	} else {
		was := e.current[e.meta.Rotation]
		version.Note = "changed " + rotation.Name
		begin := e.now
		if !at.IsZero() {
			begin = at
		}
		asBefore := was
		asBefore.Name, asBefore.Role = rotation.Name, rotation.Role // KeepTurns matches rotations by these
		joined, err := schedule.JoinLast(asBefore, rotation, e.schedule.TimeZone, begin)
		if err != nil {
			return version, err
		}
		kept, err := schedule.KeepTurns([]schedule.Rotation{asBefore}, []schedule.Rotation{joined}, e.schedule.TimeZone, begin)
		if err != nil {
			return version, err
		}
		version.Rotations[e.meta.Rotation] = kept[0]
	}
	if !at.IsZero() {
		version.EffectiveFrom = &at
	}
	return version, nil
}

// saveEdit saves a version.
func (b *Bot) saveEdit(ctx context.Context, e scheduleEdit, v schedule.Version) (schedule.Definition, error) {
	saved, err := b.store.EditSchedule(ctx, e.by(), e.schedule.ID, v, e.meta.Seen, e.now)
	if err != nil {
		return schedule.Definition{}, fmt.Errorf("save schedule %d: %w", e.schedule.ID, err)
	}
	return saved, nil
}

func (b *Bot) beginEditing(ctx context.Context, r request, c *schedule.Schedule) (scheduleEdit, error) {
	e, err := b.scheduleEdit(ctx, r.user.ID, view.EditMeta{Schedule: c.ID()}.String())
	e.meta.Seen = e.schedule.Latest()
	return e, err
}

// preview shows what an edit would change: the next shifts, who gains or loses shifts, and what stays
// uncovered.
func (e scheduleEdit) preview(after schedule.Definition, at time.Time) ([]slack.Block, error) {
	before, err := schedule.Compile(e.schedule)
	if err != nil {
		return nil, fmt.Errorf("compile the schedule as it is: %w", err)
	}
	is, err := schedule.Compile(after)
	if err != nil {
		return nil, err
	}
	if at.IsZero() {
		at = e.now
	}
	blocks := view.SchedulePreview(before, is, at, e.now, e.location)
	blocks = append(blocks, view.FairnessPreview(report.Fairness(before, is, e.directory.PersonalHours(), at, at.Add(report.FairAhead)))...)
	if planned := e.schedule.Planned(at); len(planned) > 0 {
		blocks = append(blocks, view.ReplacedVersion(planned[0], e.location))
	}
	if warning := e.overwriteWarning(); warning != "" {
		blocks = append(blocks, view.EditWarning(warning))
	}
	return blocks, nil
}

// overwriteWarning warns if the edit won't last, because the next apply of the set-up file overwrites the schedule.
func (e scheduleEdit) overwriteWarning() string {
	team, _ := e.directory.Team(e.schedule.TeamID)
	if team.Owner != oncall.OwnerFile {
		return ""
	}
	inFile := slices.ContainsFunc(e.schedule.Versions, func(v schedule.Version) bool { return v.CreatedBy == "" })
	return view.UndoneByFile(team.Name, inFile)
}

// saved returns a confirmation, with the warning of undone.
func (e scheduleEdit) saved(message string) string {
	return strings.TrimSuffix(message+"\n"+e.overwriteWarning(), "\n")
}
