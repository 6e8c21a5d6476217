package main

import (
	"fmt"
	"strings"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

type routesCmd struct {
	databaseFlags `embed:""`
	Integration   string `placeholder:"NAME" help:"Whose rules: an integration's,"`
	Team          string `placeholder:"NAME" help:"or a team's."`
	Version       int    `placeholder:"N" help:"Print this version as a set-up file has it."`
}

// Run prints a rule list, what each rule has done, and the list's versions.
func (c *routesCmd) Run(p process) error {
	wrong := c.problems()
	if (c.Integration == "") == (c.Team == "") {
		wrong = append(wrong, "give one of --integration and --team")
	}
	if len(wrong) > 0 {
		return wrongUse(wrong)
	}
	db, err := store.Open(p.ctx, c.DatabaseURL, store.Options{Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := migrated(p.ctx, db); err != nil {
		return err
	}
	dir, err := db.Directory(p.ctx)
	if err != nil {
		return err
	}
	owner, err := c.owner(dir)
	if err != nil {
		return err
	}
	h, err := db.RouteHistory(p.ctx, p.operator(), owner)
	if err != nil {
		return err
	}
	if c.Version != 0 {
		return c.printVersion(p, dir, h)
	}
	c.print(p, dir, h)
	return nil
}

func (c *routesCmd) owner(dir *store.Directory) (oncall.RouteOwner, error) {
	var names []string
	for _, in := range dir.Integrations {
		if in.Name == c.Integration {
			return oncall.RouteOwner{Integration: in.ID}, nil
		}
		names = append(names, fmt.Sprintf("%q", in.Name))
	}
	if c.Integration != "" {
		return oncall.RouteOwner{}, wrongUse{fmt.Sprintf("--integration: there is no %q; there are %s", c.Integration, strings.Join(names, ", "))}
	}
	names = nil
	for _, t := range dir.Teams {
		if t.Name == c.Team {
			return oncall.RouteOwner{Team: t.ID}, nil
		}
		names = append(names, fmt.Sprintf("%q", t.Name))
	}
	return oncall.RouteOwner{}, wrongUse{fmt.Sprintf("--team: there is no %q; there are %s", c.Team, strings.Join(names, ", "))}
}

func (c *routesCmd) print(p process, dir *store.Directory, h store.RouteHistory) {
	line := func(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", onOneLine(args)...) }
	if len(h.Versions) == 0 || len(h.Versions[0].Rules) == 0 {
		line("There are no rules: everything goes to the integration's policy.")
	} else {
		for _, r := range h.Versions[0].Rules {
			name := r.Name
			if r.Shadow || h.Versions[0].Shadow {
				name += " (in shadow)"
			}
			line("%-30s %s", name, done(h.Tallies[r.Name]))
			line("%-30s %s", "", r.Does(func(id oncall.PolicyID) string { return dir.Policies[id].Name }))
		}
		line("What no rule matches goes on to the team's rules, if these are an integration's, and then to the integration's policy.")
	}
	for _, v := range h.Versions {
		line("version %d, saved %s UTC by %s: %d rules", v.Version, v.SavedAt.UTC().Format("2006-01-02 15:04"), v.SavedBy.Shown(dir.Name), len(v.Rules))
	}
}

// done describes what a rule has done with alerts.
func done(t oncall.RouteTally) string {
	var parts []string
	for _, n := range []struct {
		what string
		n    int
	}{
		{"matched", t.Matched},
		{"dropped", t.Dropped},
		{"held", t.Held},
		{"over before it paged", t.Passed},
		{"would have matched", t.Shadow},
		{"FAILED", t.Failed},
	} {
		if n.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", n.what, n.n))
		}
	}
	if len(parts) == 0 {
		return "matched nothing yet"
	}
	if t.Error != "" {
		parts = append(parts, "(the last time: "+t.Error+")")
	}
	return strings.Join(parts, "  ") + ", last " + t.At.UTC().Format("2006-01-02 15:04") + " UTC"
}

func (c *routesCmd) printVersion(p process, dir *store.Directory, h store.RouteHistory) error {
	for _, v := range h.Versions {
		if v.Version != c.Version {
			continue
		}
		names := map[oncall.PolicyID]string{}
		for id, policy := range dir.Policies {
			names[id] = policy.Name
		}
		routes, shadow := setup.WriteRoutes(v, names)
		_, err := p.out.Write(writeRoutes(routes, shadow))
		return err
	}
	return wrongUse{fmt.Sprintf("--version: there is no version %d; the latest is %d", c.Version, len(h.Versions))}
}
