package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

type explainCmd struct {
	databaseFlags `embed:""`
	File          string  `short:"f" placeholder:"FILE" help:"The signal as the monitor sends it; - reads it from standard input."`
	Payload       string  `placeholder:"NAME/ID" help:"Instead of a file: what came to an integration, by the number that watchbill integration payloads shows."`
	Incident      int64   `placeholder:"N" help:"Instead of a signal: by which rules the alerts of an incident are there, and what the rules say of them now."`
	Integration   string  `placeholder:"NAME" help:"The integration under whose key it would come; needed where there are several."`
	At            instant `placeholder:"T" help:"When it would come, such as 2026-03-02T03:00:00Z; now where it is left out."`
}

// Run works out which incidents the signal would open and prints what would happen to each.
func (c *explainCmd) Run(p process) error {
	if wrong := c.problems(); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	if wrong := one(c.File != "", c.Payload != "", c.Incident != 0); wrong != "" {
		return wrongUse{wrong}
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
	if c.Incident != 0 {
		return c.explainIncident(p, db, dir)
	}
	ex := explainer{ctx: p.ctx, out: p.out, dir: dir, at: c.At.Time}
	if ex.at.IsZero() {
		ex.at = p.clock()
	}
	var signals []oncall.Signal
	if c.Payload != "" {
		signals, err = c.signalsFromPayload(p, db, &ex)
	} else {
		signals, err = c.signalsFromFile(p, &ex)
	}
	if err != nil {
		return err
	}
	counts, err := db.NextRoundRobinCounts(p.ctx, ex.integration.ID)
	if err != nil {
		return err
	}
	return ex.explain(ex.fold(len(signals), counts), signals)
}

// signalsFromFile reads the signals in a file.
func (c *explainCmd) signalsFromFile(p process, ex *explainer) ([]oncall.Signal, error) {
	body, err := c.read()
	if err != nil {
		return nil, err
	}
	if ex.integration, err = c.find(ex.dir.Integrations); err != nil {
		return nil, err
	}
	signals, from, err := intake.ReadFor(p.ctx, ex.integration, body)
	if err != nil {
		return nil, wrongUse{fmt.Sprintf("%s: %v", c.File, err)}
	}
	for i := range signals {
		signals[i].Format = from
	}
	ex.from = from
	return signals, nil
}

func (c *explainCmd) read() ([]byte, error) {
	if c.File == "-" {
		body, err := io.ReadAll(os.Stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return intake.WithoutBOM(body), nil
	}
	body, err := os.ReadFile(c.File)
	if err != nil {
		return nil, wrongUse{fmt.Sprintf("read %s: %v", c.File, errors.Unwrap(err))}
	}
	return intake.WithoutBOM(body), nil
}

// find returns the integration named on the command line.
func (c *explainCmd) find(all []oncall.Integration) (oncall.Integration, error) {
	names := make([]string, len(all))
	for i, in := range all {
		names[i] = fmt.Sprintf("%q", in.Name)
	}
	i := slices.IndexFunc(all, func(in oncall.Integration) bool { return in.Name == c.Integration })
	switch {
	case len(all) == 0:
		return oncall.Integration{}, wrongUse{"there are no integrations yet; watchbill apply sets them up"}
	case c.Integration == "" && len(all) == 1:
		return all[0], nil
	case c.Integration == "":
		return oncall.Integration{}, wrongUse{"--integration is missing; there are " + strings.Join(names, ", ")}
	case i < 0:
		return oncall.Integration{}, wrongUse{fmt.Sprintf("--integration: there is no %q; there are %s", c.Integration, strings.Join(names, ", "))}
	}
	return all[i], nil
}

// An explainer prints explanations.
type explainer struct {
	ctx         context.Context //nolint:containedctx // lives as long as the command
	out         io.Writer
	dir         *store.Directory
	integration oncall.Integration
	from        oncall.Format // the format that the signal was read as
	at          time.Time
}

// fold returns an empty fold for a number of signals, without any history.
func (ex explainer) fold(signals int, counts map[oncall.PolicyID]int64) *oncall.Fold {
	free := make([]oncall.AlertID, signals)
	for i := range free {
		free[i] = oncall.AlertID(i + 1)
	}
	ex.integration.Muted = false // as if it were active
	f := &oncall.Fold{
		Integration: ex.integration, Policy: ex.dir.Policies[ex.integration.PolicyID], Policies: ex.dir.Policies, Roster: ex.dir.Roster(),
		AlertIDs: free, NextCounts: counts,
	}
	if r := ex.dir.Router(ex.integration.ID); r != nil {
		f.Route = func(s oncall.Signal) oncall.Routing { return r.Route(ex.ctx, s) }
	}
	return f
}

func (ex explainer) explain(fold *oncall.Fold, signals []oncall.Signal) error {
	found, aside := oncall.Explain(fold, signals, ex.at)
	team, _ := ex.dir.Team(ex.integration.TeamID)
	ex.line("Integration  %s (%s) of team %s", ex.integration.Name, ex.integration.Format, team.Name)
	if ex.from != "" && ex.from != ex.integration.Format {
		ex.line("Taken for    %s", intake.FormatNamed(ex.from).Title)
	}
	if ex.integration.IsMuted(ex.at) {
		ex.line("Muted        it pages nobody; without that:")
	}
	for _, m := range oncall.InForce(ex.dir.Maintenance, ex.integration.TeamID, ex.at) {
		if kept := ex.covered(m, signals); kept != "" {
			ex.line("Maintenance  %s until %s by %s keeps %s: it pages nobody before that, if it still fires; without it:",
				m.ID, clock(ex.zoned(m.EndsAt)), m.By.Shown(ex.dir.Name), kept)
		}
	}
	ex.line("Policy       %s", ex.dir.Policies[ex.integration.PolicyID].Name)
	if g := ex.integration.Grouping; g != nil {
		ex.line("Groups       alerts that agree in %s, for %s after the first", strings.Join(g.By, ", "), g.Window.Duration())
	}
	if n := ex.integration.StormLimit; n > 0 {
		ex.line("Storm        after %d incidents in a minute, what comes next joins one", n)
	}
	ex.line("Arrives      %s", ex.zoned(ex.at).Format("Mon 2 Jan 2006 15:04:05 MST"))
	ex.routes(signals)
	ex.aside(aside)
	if len(found) == 0 && len(aside) == 0 {
		for _, s := range signals {
			if s.Action != oncall.Reconcile {
				ex.line("\nThe signal says %s of dedup key %s: it opens no incident and pages nobody.", s.Action, s.DedupKey)
			}
		}
	}
	for _, e := range found {
		ex.incident(e)
	}
	return nil
}

// covered reports the signals that a maintenance window keeps back.
func (ex explainer) covered(m oncall.Maintenance, signals []oncall.Signal) string {
	var keys []string
	for _, s := range signals {
		a := oncall.Alert{Title: s.Title, Severity: s.Severity, Labels: s.Labels}
		if s.Action == oncall.Trigger && m.Covers(ex.integration, a, ex.at) {
			keys = append(keys, s.DedupKey)
		}
	}
	return strings.Join(keys, ", ")
}

func (ex explainer) incident(e oncall.Explanation) {
	ex.line("\nIncident     %s", e.Incident.Title)
	ex.line("Severity     %s", e.Incident.Severity)
	for _, a := range e.Alerts {
		ex.line("Dedup key    %s", a.DedupKey)
		if a.Keyless {
			ex.line("Closes       by age, %.0f hours after its last signal: the key is made of the title", oncall.ClosesByAge.Hours())
		}
	}
	if e.Incident.Status == oncall.Resolved {
		ex.line("\nIt is resolved by the same signal.")
		return
	}
	ex.line("\nIf nobody acknowledges it:")
	for _, p := range e.Plan {
		when := fmt.Sprintf("%-9s %-17s", elapsed(p.At.Sub(ex.at)), clock(ex.zoned(p.At)))
		for _, what := range ex.planned(p) {
			ex.line("%s  %s", when, what)
			when = strings.Repeat(" ", len(when))
		}
	}
	if p := e.Policy; p.Acks > 1 {
		ex.line("\n%d people must acknowledge it.", p.Acks)
	}
	if p := e.Policy; p.AckTimeout > 0 && e.Incident.Severity != oncall.Low {
		ex.line("\n%s after it was acknowledged its owner is asked whether they are still on it; without an answer it pages again.",
			short(p.AckTimeout.Duration()))
	}
}

// planned describes a step, one line for each person, channel and webhook.
func (ex explainer) planned(p oncall.PlanEntry) []string {
	step := "step " + fmt.Sprint(p.Step)
	if p.Run > 1 {
		step += fmt.Sprintf(", time %d", p.Run)
	}
	if p.Round > 1 {
		step += fmt.Sprintf(", round %d", p.Round)
	}
	switch {
	case p.Note != nil:
		return []string{p.Note.Shown(ex.dir.Name)}
	case p.Skipped != "":
		return []string{fmt.Sprintf("%s is skipped: %s", step, p.Skipped)}
	case p.Exhausts && len(p.People) == 0:
		return []string{"the policy has run out, and nobody can be told: the team has no members"}
	case p.Exhausts:
		names := make([]string, len(p.People))
		for i, who := range p.People {
			names[i] = ex.dir.Name(who.User)
			if opens, later := p.Later(who); later {
				names[i] += fmt.Sprintf(" (from %s on)", clock(ex.zoned(opens)))
			}
		}
		return []string{"the policy has run out: the whole team is told, " + strings.Join(names, ", ")}
	case p.Kind == oncall.EventUnassigned:
		step = "nobody to page, others stand in"
	}
	var lines []string
	for _, who := range p.People {
		line := fmt.Sprintf("%s: page %s (%s)", step, ex.dir.Name(who.User), view.Theirs(who.Why.Shown(ex.dir.Name)))
		if opens, later := p.Later(who); later {
			line += fmt.Sprintf(" from %s on", clock(ex.zoned(opens)))
		}
		lines = append(lines, line+": "+ex.methods(who))
	}
	for _, c := range p.Channels {
		lines = append(lines, fmt.Sprintf("%s: post in %s", step, c))
	}
	for _, w := range p.Webhooks {
		lines = append(lines, fmt.Sprintf("%s: call the webhook at %s", step, w))
	}
	return lines
}

// methods describes how a person is paged, such as "Slack now, SMS +3 min".
func (ex explainer) methods(who oncall.PlannedPerson) string {
	var parts []string
	for _, rule := range who.Rules {
		c, _ := ex.dir.ContactSettings[who.User].Contact(rule.Contact)
		when := "now"
		if rule.After > 0 {
			when = "+" + short(rule.After.Duration())
		}
		parts = append(parts, c.Method.Name()+" "+when)
	}
	return strings.Join(parts, ", ")
}

// zoned converts a time to the team's time zone.
func (ex explainer) zoned(t time.Time) time.Time {
	zone, err := time.LoadLocation(ex.dir.Roster().Teams[ex.integration.TeamID].TimeZone)
	if err != nil {
		return t.UTC()
	}
	return t.In(zone)
}

func (ex explainer) line(format string, args ...any) {
	fmt.Fprintf(ex.out, format+"\n", onOneLine(args)...)
}

// elapsed formats "+5:00" and "+1:05:00".
func elapsed(d time.Duration) string {
	s := int(d / time.Second)
	if s < 3600 {
		return fmt.Sprintf("+%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("+%d:%02d:%02d", s/3600, s/60%60, s%60)
}

func clock(t time.Time) string {
	if t.Second() == 0 {
		return t.Format("Mon 2 Jan 15:04")
	}
	return t.Format("Mon 2 Jan 15:04:05")
}

// short formats "3 min" and "90 s".
func short(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}
