package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/report"
)

// TeamReport returns a team's report on a period and the period before it. Figures about single people are included only
// if the actor may see them and nobody else will read the report.
func (s *Store) TeamReport(ctx context.Context, by oncall.Actor, team oncall.TeamID, p report.Period) (report.Comparison, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return report.Comparison{}, err
	}
	if err := g.may(access.See, access.Object{Team: team}); err != nil {
		return report.Comparison{}, err
	}
	of, known := g.dir.Team(team)
	if !known {
		return report.Comparison{}, oncall.ErrNotFound
	}
	people := by.Via != oncall.ViaChannel && g.dir.access.May(by, access.ReportPeople, access.Object{Team: team}) == nil
	r, err := s.report(ctx, g.dir, team, "", p, people)
	r.Name = of.Name
	return r, err
}

// MyReport returns a person's own report on a period and the period before it, across all teams.
func (s *Store) MyReport(ctx context.Context, by oncall.Actor, user oncall.UserID, p report.Period) (report.Comparison, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return report.Comparison{}, err
	}
	if err := g.forPerson(user, access.OwnThings); err != nil {
		return report.Comparison{}, err
	}
	return s.report(ctx, g.dir, 0, user, p, true)
}

// report loads the facts, and counts them after the transaction.
func (s *Store) report(ctx context.Context, dir *Directory, team oncall.TeamID, user oncall.UserID, p report.Period, people bool) (report.Comparison, error) {
	var facts report.Facts
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		facts, err = reportFacts(ctx, tx, dir, team, user, p)
		return err
	})
	if err != nil {
		return report.Comparison{}, fmt.Errorf("load a report: %w", err)
	}
	return report.Compare(facts, people), nil
}
