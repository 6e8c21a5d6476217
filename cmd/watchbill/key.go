package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rs/zerolog"

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
}

type muteCmd struct {
	databaseFlags `embed:""`
	Name          string `arg:"" help:"The integration."`
}

type unmuteCmd struct {
	databaseFlags `embed:""`
	Name          string `arg:"" help:"The integration."`
}

// open opens a database that is up to date.
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

// stamp writes an instant as the commands about keys do.
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
	case k.EndsAt == nil && k.MutedAt != nil:
		return "in force; muted since " + stamp(*k.MutedAt)
	case k.EndsAt == nil:
		return "in force"
	case now.Before(*k.EndsAt):
		return "replaced, good until " + stamp(*k.EndsAt)
	default:
		return "refused since " + stamp(*k.EndsAt)
	}
}

// Run prints the new key.
func (c *keyRotateCmd) Run(p process) error {
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	made, old, err := db.RotateKey(p.ctx, c.Name, c.Now, p.clock())
	if err != nil {
		return noIntegration(p.ctx, db, c.Name, err)
	}
	fmt.Fprintf(p.out, "The new key of %s, shown this once; monitors send to /v1/signals/KEY:\n  %s\n", notify.OneLine(made.Integration), made.Key)
	if c.Now {
		fmt.Fprintf(p.out, "The old one, …%s, is refused from now on.\n", old.Hint)
	} else {
		fmt.Fprintf(p.out, "The old one, …%s, is good until %s, then it is refused. watchbill key list says whether it is still used.\n", old.Hint, stamp(*old.EndsAt))
	}
	return nil
}

// Run mutes.
func (c *muteCmd) Run(p process) error {
	return setMute(p, c.databaseFlags, c.Name, true, "is muted: its signals are taken and logged, what ends still ends, and nobody is paged")
}

// Run unmutes.
func (c *unmuteCmd) Run(p process) error {
	return setMute(p, c.databaseFlags, c.Name, false, "pages again: an alert that still fires does so with its monitor's next signal")
}

func setMute(p process, f databaseFlags, name string, mute bool, said string) error {
	db, err := f.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Mute(p.ctx, name, mute, p.clock()); err != nil {
		return noIntegration(p.ctx, db, name, err)
	}
	fmt.Fprintf(p.out, "%s %s.\n", notify.OneLine(name), said)
	return nil
}

// noIntegration says which integrations there are, if the error is that one does not exist.
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
