package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

type maintenanceCmd struct {
	List  maintenanceListCmd  `cmd:"" default:"withargs" help:"List the windows that are in force or planned, and what they have kept."`
	Begin maintenanceBeginCmd `cmd:"" help:"Begin or plan a window in which a team's alerts are kept and page nobody; what still fires at its end pages."`
	End   maintenanceEndCmd   `cmd:"" help:"End a window now, or take back one that has not begun."`
}

type maintenanceListCmd struct {
	databaseFlags `embed:""`
}

type maintenanceBeginCmd struct {
	databaseFlags  `embed:""`
	Team           string        `arg:"" help:"The team."`
	For            time.Duration `placeholder:"2h" help:"How long, 30 days at most; or say --until."`
	From           instant       `placeholder:"T" help:"When it begins, such as 2026-03-02T22:00:00Z; now where it is left out."`
	Until          instant       `placeholder:"T" help:"When it ends."`
	Integration    string        `placeholder:"NAME" help:"Only alerts of this integration of the team."`
	Match          []string      `placeholder:"service=checkout" sep:"none" help:"Only alerts that meet this, such as service=checkout, env!=test, title=~Disk.*; may be repeated, and then all must be met."`
	ExceptCritical bool          `help:"Critical alerts page all the same."`
	Reason         string        `placeholder:"TEXT" help:"Why, for those who read of it."`
}

type maintenanceEndCmd struct {
	databaseFlags `embed:""`
	ID            string `arg:"" placeholder:"M3" help:"The window, as the list shows it."`
}

// Run prints the list.
func (c *maintenanceListCmd) Run(p process) error {
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	now := p.clock()
	all, err := db.MaintenanceWindows(p.ctx, p.operator(), now)
	if err != nil {
		return err
	}
	dir, err := db.Directory(p.ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(p.out, "No maintenance is in force or planned.")
		return nil
	}
	table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WINDOW\tTEAM\tONLY\tFROM\tUNTIL\tBY\tKEPT\tFIRING\tREASON")
	for _, m := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", m.ID, notify.OneLine(m.Team), notify.OneLine(m.Scope(m.Integration)),
			stamp(m.StartsAt), stamp(m.EndsAt), notify.OneLine(m.By.Shown(dir.Name)), m.Kept, m.Firing, notify.OneLine(m.Reason))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the windows: %w", err)
	}
	return nil
}

// Run starts or plans a window.
func (c *maintenanceBeginCmd) Run(p process) error {
	now := p.clock()
	window, err := c.window(now)
	if err != nil {
		return err
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
	if err := c.name(&window, dir); err != nil {
		return err
	}
	window, err = db.AddMaintenance(p.ctx, p.operator(), window, now)
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		return wrongUse{refusal.Error()}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s: %s, alerts are kept and page nobody from %s until %s. What still fires then pages.\n",
		window.ID, notify.OneLine(c.Team), stamp(window.StartsAt), stamp(window.EndsAt))
	return nil
}

// window converts the flags, without looking up names.
func (c *maintenanceBeginCmd) window(now time.Time) (oncall.Maintenance, error) {
	window := oncall.Maintenance{StartsAt: c.From.Time, EndsAt: c.Until.Time, Reason: c.Reason, PagesCritical: c.ExceptCritical}
	if window.StartsAt.IsZero() {
		window.StartsAt = now
	}
	switch {
	case (c.For == 0) == window.EndsAt.IsZero():
		return window, wrongUse{"say either --for, such as 2h, or --until"}
	case c.For < 0:
		return window, wrongUse{"--for is how long, such as 2h"}
	case c.For > 0:
		window.EndsAt = window.StartsAt.Add(c.For)
	}
	for _, text := range c.Match {
		match, ok, err := oncall.ParseMatcher(text)
		switch {
		case err != nil:
			return window, wrongUse{"--match: " + err.Error()}
		case !ok:
			return window, wrongUse{fmt.Sprintf("--match: %q is no condition; write it like service=checkout", text)}
		}
		window.Match = append(window.Match, match)
	}
	return window, nil
}

// name looks up the team and the integration.
func (c *maintenanceBeginCmd) name(window *oncall.Maintenance, dir *store.Directory) error {
	var teams []string
	for _, t := range dir.Teams {
		teams = append(teams, fmt.Sprintf("%q", t.Name))
		if t.Name == c.Team {
			window.TeamID = t.ID
		}
	}
	if window.TeamID == 0 {
		return wrongUse{fmt.Sprintf("there is no team %q; there are %s", c.Team, strings.Join(teams, ", "))}
	}
	if c.Integration == "" {
		return nil
	}
	for _, in := range dir.Integrations {
		if in.Name == c.Integration && in.TeamID == window.TeamID {
			window.IntegrationID = in.ID
			return nil
		}
	}
	return wrongUse{fmt.Sprintf("--integration: team %q has no %q", c.Team, c.Integration)}
}

// Run ends a window.
func (c *maintenanceEndCmd) Run(p process) error {
	var id oncall.MaintenanceID
	if _, err := fmt.Sscanf(strings.ToUpper(c.ID), "M%d", &id); err != nil {
		return wrongUse{fmt.Sprintf("%q is no window; watchbill maintenance list shows them, such as M3", c.ID)}
	}
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.EndMaintenance(p.ctx, p.operator(), id, p.clock())
	if errors.Is(err, oncall.ErrNotFound) {
		return wrongUse{fmt.Sprintf("there is no window %s that is in force or planned", id)}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s is over. What it has kept and still fires pages now.\n", id)
	return nil
}
