package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/report"
)

// digestsAtOnce is how many teams get their weekly digest in one minute at most, to spread the load of Monday morning.
const digestsAtOnce = 8

// DueDigests returns the next teams whose weekly digest is due, at most digestsAtOnce.
func (s *System) DueDigests(ctx context.Context, now time.Time) ([]report.DueDigest, error) {
	const reported = `SELECT key FROM notices WHERE key = ANY ($1)`
	const busy = `
		SELECT t.id
		FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS t (id, since, until)
		WHERE EXISTS (SELECT FROM incidents i WHERE i.team_id = t.id AND i.opened_at >= t.since AND i.opened_at < t.until)`
	dir, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	var due []report.DueDigest
	for _, t := range dir.Teams {
		if d, ok := report.DigestDue(t.ID, dir.TeamZone(t.ID), now); ok && t.Digest != oncall.DigestOff && t.Channel != "" {
			due = append(due, d)
		}
	}
	if len(due) == 0 {
		return nil, nil
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, reported, column(due, func(d report.DueDigest) string { return d.Key }))
		keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		due = slices.DeleteFunc(due, func(d report.DueDigest) bool { return slices.Contains(keys, d.Key) })
		rows, _ = tx.Query(ctx, busy, column(due, func(d report.DueDigest) oncall.TeamID { return d.Team }),
			column(due, func(d report.DueDigest) time.Time { return d.Week.Before().From }), column(due, func(d report.DueDigest) time.Time { return d.Week.To }))
		had, err := pgx.CollectRows(rows, pgx.RowTo[oncall.TeamID])
		due = slices.DeleteFunc(due, func(d report.DueDigest) bool {
			return dir.teams[d.Team].Digest != oncall.DigestWeekly && !slices.Contains(had, d.Team)
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find the teams whose digest is due: %w", err)
	}
	return due[:min(len(due), digestsAtOnce)], nil
}

// PostDigest posts a team's weekly digest to its channel, once.
func (s *System) PostDigest(ctx context.Context, d report.DueDigest, r report.Comparison, now time.Time) error {
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		return s.saveNotices(ctx, tx, now, []oncall.Notice{d.Notice(dir.teams[d.Team].Channel, r)})
	})
	return wrapAny(err, "post a team's digest")
}

// nightLoadsBack is how far back to load pages for a night that is just over, including clock changes and the time that
// led up to the night.
const nightLoadsBack = 18 * time.Hour

// OfferRest offers cover, in their morning, to people who had a bad night, and tells managers about a third bad night
// within two weeks. Each message is sent once, however many instances call it.
func (s *System) OfferRest(ctx context.Context, now time.Time) error {
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	people := dir.PersonalHours()
	awake := report.Wakened(people, now)
	if len(awake) == 0 {
		return nil
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		pages, err := nightPages(ctx, tx, awake, now)
		if err != nil || len(pages) == 0 {
			return err
		}
		tired, by := report.BadNightsOf(pages, people, now)
		if tired, err = unreported(ctx, tx, tired); err != nil {
			return err
		}
		var notices []oncall.Notice
		for _, t := range tired {
			if t.Managers, err = dir.managersOver(ctx, tx, by[t.User]); err != nil {
				return err
			}
			notices = append(notices, t.Notices()...)
		}
		if err := inZones(ctx, tx, notices); err != nil {
			return err
		}
		return s.saveNotices(ctx, tx, now, notices)
	})
	return wrapAny(err, "look who had a bad night")
}

// nightPages loads the pages that people got in the past night.
func nightPages(ctx context.Context, tx pgx.Tx, users []oncall.UserID, now time.Time) ([]report.Page, error) {
	const load = `
		SELECT p.user_id AS "user", p.ended_at AS at, p.incident_id AS incident, p.call_seq AS seq, p.asked_version AS asked,
		       CASE WHEN p.bundle <> 0 THEN p.bundle ELSE p.id END AS message
		FROM pages p
		WHERE p.state = 'delivered' AND p.method = ANY ($2) AND p.ended_at >= $3 AND p.ended_at < $4 AND p.user_id = ANY ($1)
		LIMIT $5`
	rows, _ := tx.Query(ctx, load, users, report.Ringing(), now.Add(-nightLoadsBack), now, maxRings)
	return pgx.CollectRows(rows, pgx.RowToStructByName[report.Page])
}

// unreported removes the nights that were already reported, and counts the ones reported within two weeks.
func unreported(ctx context.Context, tx pgx.Tx, tired []report.Tired) ([]report.Tired, error) {
	const load = `SELECT key, recipient, created_at FROM notices WHERE kind = $1 AND recipient = ANY ($2) AND created_at > $3`
	if len(tired) == 0 {
		return nil, nil
	}
	type row struct {
		Key       string
		Recipient oncall.UserID
		CreatedAt time.Time
	}
	users := column(tired, func(t report.Tired) oncall.UserID { return t.User })
	earliest := tired[0].Morning.Over
	for _, t := range tired {
		if t.Morning.Over.Before(earliest) {
			earliest = t.Morning.Over
		}
	}
	rows, _ := tx.Query(ctx, load, oncall.NoticeBadNight, users, earliest.Add(-report.Fortnight))
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	var out []report.Tired
	for _, t := range tired {
		known := false
		for _, r := range found {
			if r.Recipient == t.User {
				t.Before++
				known = known || r.Key == t.Key()
			}
		}
		if !known {
			out = append(out, t)
		}
	}
	return out, err
}

// managersOver returns the named managers of the incidents' teams.
func (d *Directory) managersOver(ctx context.Context, tx pgx.Tx, incidents []oncall.IncidentID) (out []oncall.UserID, err error) {
	const load = `SELECT DISTINCT team_id FROM incidents WHERE id = ANY ($1)`
	rows, _ := tx.Query(ctx, load, incidents)
	teams, err := pgx.CollectRows(rows, pgx.RowTo[oncall.TeamID])
	for _, id := range teams {
		for _, u := range d.access.Teams[id].Managers {
			if d.Users[u].Unpageable() == "" && !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	return out, err
}
