package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

type keyCmd struct {
	List   keyListCmd   `cmd:"" help:"List the keys of all integrations: their last four characters, their state, and when they were last used."`
	Rotate keyRotateCmd `cmd:"" help:"Give an integration a new key and print it once; the old one is good for a day."`
}

type keyListCmd struct {
	databaseFlags `embed:""`
}

type keyRotateCmd struct {
	databaseFlags `embed:""`
	Name          string `arg:"" help:"The integration."`
	Now           bool   `help:"The old key ends at once, as it should where somebody else has it."`
	PublicURL     string `name:"public-url" env:"WATCHBILL_PUBLIC_URL" placeholder:"URL" help:"Where monitors find Watchbill, for the lines to copy."`
}

type muteCmd struct {
	databaseFlags `embed:""`
	Name          string        `arg:"" help:"The integration."`
	For           time.Duration `placeholder:"2h" help:"How long; without it until it is unmuted."`
}

type unmuteCmd struct {
	databaseFlags `embed:""`
	Name          string `arg:"" help:"The integration."`
}

// open opens the database and requires an up-to-date schema.
func (f databaseFlags) open(p process) (*store.System, error) {
	if wrong := f.problems(); len(wrong) > 0 {
		return nil, wrongUse(wrong)
	}
	db, err := store.Open(p.ctx, f.DatabaseURL, store.Options{Log: zerolog.Nop()})
	if err != nil {
		return nil, err
	}
	if err := migrated(p.ctx, db); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// stamp formats a time for the commands about keys.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// Run prints the list.
func (c *keyListCmd) Run(p process) error {
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	keys, err := db.IntegrationKeys(p.ctx)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		fmt.Fprintln(p.out, "There are no integrations yet; watchbill apply sets them up.")
		return nil
	}
	now := p.clock()
	table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "INTEGRATION\tTEAM\tKEY\tSTATE\tLAST USED\tREQUESTS")
	for _, k := range keys {
		used := "never"
		if k.UsedAt != nil {
			used = stamp(*k.UsedAt)
		}
		fmt.Fprintf(table, "%s\t%s\t…%s\t%s\t%s\t%d\n", notify.OneLine(k.Integration), notify.OneLine(k.Team), k.Hint, keyState(k, now), used, k.Uses)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the keys: %w", err)
	}
	return nil
}

func keyState(k store.IntegrationKey, now time.Time) string {
	switch {
	case k.EndsAt == nil && k.Muted(now):
		return "in force; " + mutedSince(k.Mute)
	case k.EndsAt == nil:
		return "in force"
	case now.Before(*k.EndsAt):
		return "replaced, good until " + stamp(*k.EndsAt)
	default:
		return "refused since " + stamp(*k.EndsAt)
	}
}

// mutedSince describes since when an integration is muted, and until when.
func mutedSince(m store.Mute) string {
	text := "muted since " + stamp(*m.MutedAt)
	if m.MutedUntil != nil {
		text += " until " + stamp(*m.MutedUntil)
	}
	return text
}

// Run prints the new key.
func (c *keyRotateCmd) Run(p process) error {
	if wrong := publicURLProblems(c.PublicURL); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	made, old, err := db.RotateKey(p.ctx, p.operator(), c.Name, store.Rotation{AtOnce: c.Now}, p.clock())
	if err != nil {
		return noIntegration(p.ctx, db, c.Name, err)
	}
	fmt.Fprintf(p.out, "The new key of %s, shown this once; monitors send to /v1/signals/KEY:\n  %s\n", notify.OneLine(made.Integration), made.Key)
	printSnippet(p.out, made, c.PublicURL)
	if c.Now {
		fmt.Fprintf(p.out, "The old one, …%s, is refused from now on.\n", old.Hint)
	} else {
		fmt.Fprintf(p.out, "The old one, …%s, is good until %s, then it is refused. watchbill key list says whether it is still used.\n", old.Hint, stamp(*old.EndsAt))
	}
	return nil
}

// printSnippet prints the setting for a monitor.
func printSnippet(out io.Writer, made store.NewKey, publicURL string) {
	s := intake.SnippetFor(made.Format, cmp.Or(publicURL, "http://watchbill.example.com:8080"), made.Key)
	fmt.Fprintf(out, "%s\n  %s\n", s.Where, strings.ReplaceAll(s.Text, "\n", "\n  "))
}

// Run mutes.
func (c *muteCmd) Run(p process) error {
	if c.For < 0 {
		return wrongUse{"--for is how long, such as 2h"}
	}
	now, until, end := p.clock(), (*time.Time)(nil), ""
	if c.For > 0 {
		at := now.Add(c.For)
		until, end = &at, ", until "+stamp(at)
	}
	return setMute(p, c.databaseFlags, c.Name, "is muted: "+oncall.MutedMeans+end, func(db *store.System) error {
		return db.MuteIntegration(p.ctx, p.operator(), c.Name, until, now)
	})
}

// Run unmutes.
func (c *unmuteCmd) Run(p process) error {
	return setMute(p, c.databaseFlags, c.Name, oncall.UnmutedMeans, func(db *store.System) error {
		_, err := db.UnmuteIntegration(p.ctx, p.operator(), c.Name, p.clock())
		return err
	})
}

func setMute(p process, f databaseFlags, name, outcome string, set func(*store.System) error) error {
	db, err := f.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := set(db); err != nil {
		if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
			return wrongUse{refusal.Error()}
		}
		return noIntegration(p.ctx, db, name, err)
	}
	fmt.Fprintf(p.out, "%s %s.\n", notify.OneLine(name), outcome)
	return nil
}

// noIntegration adds the existing integrations to an error about a missing one.
func noIntegration(ctx context.Context, db *store.System, name string, err error) error {
	if !errors.Is(err, oncall.ErrNotFound) {
		return err
	}
	dir, failed := db.Directory(ctx)
	if failed != nil {
		return failed
	}
	var names []string
	for _, in := range dir.Integrations {
		names = append(names, fmt.Sprintf("%q", in.Name))
	}
	return wrongUse{fmt.Sprintf("there is no integration %q; there are %s", name, strings.Join(names, ", "))}
}
