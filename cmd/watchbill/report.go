package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	reports "github.com/watchbill/watchbill/oncall/report"
)

type reportCmd struct {
	databaseFlags `embed:""`
	Team          string `required:"" placeholder:"NAME" help:"Whose incidents, pages and hours."`
	Period        string `placeholder:"WHEN" help:"As in Slack: \"last month\", november, \"90 days\", \"last quarter\"; the last 30 days where nothing is said."`
	From          string `placeholder:"DATE" help:"The first day, such as 2026-10-01, in the team's time zone."`
	To            string `placeholder:"DATE" help:"The last day, which is part of it."`
	CSV           bool   `name:"csv" xor:"form" help:"A table with one figure a line."`
	JSON          bool   `name:"json" xor:"form" help:"One JSON object, durations in nanoseconds."`
	KeepIncidents string `name:"keep-incidents" env:"WATCHBILL_KEEP_INCIDENTS" default:"730d" placeholder:"DAYS" help:"What serve is told, to say whether the period reaches before what is kept."`
}

// Run prints a team's report for a period.
func (c *reportCmd) Run(p process) error {
	term, ok := parseTerm(c.KeepIncidents)
	if !ok {
		return wrongUse(retentionFlags{KeepIncidents: c.KeepIncidents, KeepAudit: "forever"}.problems())
	}
	words := strings.Fields(c.Period)
	switch {
	case c.Period != "" && c.From+c.To != "":
		return wrongUse{"give either --period, or --from and --to"}
	case (c.From == "") != (c.To == ""):
		return wrongUse{"give both --from and --to, such as --from 2026-10-01 --to 2026-10-31"}
	case c.From != "":
		words = []string{c.From, "to", c.To}
	}
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	dir, err := db.Directory(p.ctx)
	if err != nil {
		return err
	}
	team, err := teamNamed(dir, c.Team)
	if err != nil {
		return err
	}
	now := p.clock()
	period, err := reports.ParsePeriod(words, cmp.Or(dir.TeamZone(team), "UTC"), now)
	if err != nil {
		return wrongUse{strings.ReplaceAll(err.Error(), "`", "\"")}
	}
	figures, err := db.TeamReport(p.ctx, p.operator(), team, period.Until(now))
	if err != nil {
		return err
	}
	figures = figures.KeptFor(term, now)
	if !figures.Kept.IsZero() {
		fmt.Fprintf(p.errOut, "Incidents that were over before %s are kept no more, so that earlier figures are too low.\n", figures.Kept.UTC().Format(time.DateOnly))
	}
	name := func(u oncall.UserID) string { return cmp.Or(dir.Users[u].Name, string(u)) }
	switch {
	case c.CSV:
		return figures.Now.WriteCSV(p.out, name)
	case c.JSON:
		encoder := json.NewEncoder(p.out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(figures); err != nil {
			return fmt.Errorf("print a report: %w", err)
		}
		return nil
	}
	c.print(p, figures, name)
	return nil
}

// print writes the report for people.
func (c *reportCmd) print(p process, t reports.Comparison, name func(oncall.UserID) string) {
	say := func(format string, args ...any) { fmt.Fprintln(p.out, notify.OneLine(fmt.Sprintf(format, args...))) }
	say("%s", t.Versus(t.Name+", "+t.Now.Period.Name, "in brackets: "+t.Before.Period.Name))
	for _, line := range t.Sentences() {
		say("%s", line)
	}
	say("On call for %s.", t.Versus(fmt.Sprintf("%.0f h", t.Now.Hours.Hours()), fmt.Sprintf("%.0f h", t.Before.Hours.Hours())))
	for _, part := range []struct {
		head string
		of   []reports.Count
	}{{"By severity:", t.Now.BySeverity}, {"By service:", t.Now.ByService}, {"By integration:", t.Now.ByIntegration}} {
		for i, n := range part.of {
			if i == 0 {
				say("%s", part.head)
			}
			fmt.Fprintf(p.out, "  %s\n", notify.OneLine(n.Name+": "+n.Said()))
		}
	}
	for i, who := range t.Now.People {
		if i == 0 {
			say("Person by person:")
		}
		n, h := who.Interruptions, who.Hours
		fmt.Fprintf(p.out, "  %s\n", notify.OneLine(fmt.Sprintf(
			"%s: %d interruptions, %d working, %d off, %d asleep; %d nights woken; on call for %.0f h: %.0f planned, %.0f by override, %.0f by swap, %.0f by cover; %.0f given away",
			name(who.User), n.All(), n.Working, n.Off, n.Sleep, who.Woken, h.All().Hours(), h.Planned.Hours(), h.Override.Hours(), h.Swap.Hours(), h.Cover.Hours(), h.GivenAway.Hours())))
	}
}
