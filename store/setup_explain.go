package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/report"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// explain adds details to the change reported last: who has edited the schedule in Slack, whose hours move, and how many
// hours each person has in the next quarter.
func (a *applier) explain(ctx context.Context, old, next schedule.Definition) error {
	edits, err := slackEdits(ctx, a.tx, old.ID)
	if err != nil {
		return err
	}
	before, err := schedule.Compile(old)
	if err != nil {
		return err
	}
	is, err := schedule.Compile(next)
	if err != nil {
		return err
	}
	var sentences []schedule.Sentence
	for _, v := range edits {
		sentences = append(sentences, setup.EditedInSlack(v))
	}
	sentences = append(sentences, setup.HoursMoved(before, is, a.now)...)
	people := map[oncall.UserID]report.Person{}
	for id, u := range a.known {
		people[id] = report.Person{TimeZone: u.TimeZone}
	}
	sentences = append(sentences, report.FairnessSaid(report.Fairness(before, is, people, a.now, a.now.Add(report.FairAhead)))...)
	if len(sentences) == 0 {
		return nil
	}
	if a.report.Details == nil {
		a.report.Details = map[string][]string{}
	}
	change := a.report.Changes[len(a.report.Changes)-1]
	for _, sentence := range sentences {
		a.report.Details[change] = append(a.report.Details[change], sentence.Shown(a.nameOf))
	}
	return nil
}

// nameOf returns a person's name in the document, or else the stored name.
func (a *applier) nameOf(id oncall.UserID) string {
	for name, is := range a.users {
		if is == id {
			return name
		}
	}
	if name := a.known[id].Name; name != "" {
		return name
	}
	return string(id)
}

// maxSlackEdits is how many edits of a schedule are listed.
const maxSlackEdits = 10

// slackEdits loads the latest versions of a schedule that people have made since a document was last applied, oldest
// first.
func slackEdits(ctx context.Context, tx pgx.Tx, id oncall.ScheduleID) ([]schedule.Version, error) {
	const load = `
		SELECT created_by, created_at, note
		FROM (
			SELECT DISTINCT ON (created_at, created_by) id, created_by, created_at, note
			FROM schedule_versions
			WHERE schedule_id = $1 AND created_by <> ''
			  AND id > coalesce((SELECT max(id) FROM schedule_versions WHERE schedule_id = $1 AND created_by = ''), 0)
			ORDER BY created_at DESC, created_by, id DESC
			LIMIT $2
		) AS latest
		ORDER BY id`
	type row struct {
		CreatedBy oncall.UserID
		CreatedAt time.Time
		Note      string
	}
	rows, _ := tx.Query(ctx, load, id, maxSlackEdits)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return nil, fmt.Errorf("load who has edited schedule %d: %w", id, err)
	}
	out := make([]schedule.Version, len(found))
	for i, r := range found {
		out[i] = schedule.Version{CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt, Note: r.Note}
	}
	return out, nil
}
