package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/alecthomas/kong"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/store"
)

// organisations checks the list of organisations and each that is served. Its error is the worst of theirs.
func (c *doctorCmd) organisations(p process, flags []*kong.Flag) error {
	wrong := slices.Concat(c.databaseFlags.problems(), c.channelFlags.problems(), c.secretFlags.problems(), c.retentionFlags.problems(), misplaced(flags))
	if c.Secret == "" {
		wrong = append(wrong, "WATCHBILL_SECRET is not set: it encrypts the settings of the organisations")
	}
	if len(wrong) > 0 {
		return wrongUse(wrong)
	}
	r := &report{process: p}
	if c.Fix {
		c.fix(r)
	}
	c.database(r, doctorCheckLimit)
	c.spool(r)
	all, err := c.listed(p)
	if err != nil {
		r.fail("list", briefly(err), "Mend the database of the list: DATABASE_URL.")
		return r.end()
	}
	var misused wrongUse
	for _, o := range all {
		switch {
		case o.State != store.OrganisationActive:
			r.note("list", o.Name+" is "+string(o.State)+" and is not served", "`watchbill org resume "+o.Name+"` serves it.")
			continue
		case o.Settings == nil:
			r.fail("list", "the settings of "+o.Name+" were encrypted by another WATCHBILL_SECRET", "Give the earlier one, too, after a comma.")
			continue
		}
		var unusable wrongUse
		switch err := c.organisation(p, flags, o); {
		case errors.As(err, &unusable):
			for _, line := range unusable {
				misused = append(misused, o.Name+": "+line)
			}
		case err != nil:
			fmt.Fprintf(p.errOut, "%s: %v\n", o.Name, err)
			r.bad++
		}
	}
	if len(misused) > 0 {
		return misused
	}
	return r.end()
}

// listed returns the organisations of the list.
func (c *doctorCmd) listed(p process) ([]store.Organisation, error) {
	db, err := store.Open(p.ctx, c.DatabaseURL, store.Options{MaxConns: 2, Log: zerolog.Nop(), Secrets: c.secrets()})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return db.Organisations(p.ctx)
}

// organisation checks one organisation with the settings that it is served with.
func (c *doctorCmd) organisation(p process, flags []*kong.Flag, o store.Organisation) error {
	values := processValues(flags)
	maps.Copy(values, o.Settings)
	if own := filepath.Join(c.Spool, o.Name); c.Spool != "" {
		if _, err := os.Stat(own); err == nil {
			values["WATCHBILL_SPOOL"] = own
		}
	}
	args := []string{"doctor"}
	if c.Fix {
		args = append(args, "--fix")
	}
	p.out = &prefixed{to: p.out, prefix: o.Name + ": "}
	return runWith(p, values, args)
}

// prefixed begins each line with a prefix.
type prefixed struct {
	to     io.Writer
	prefix string
	inLine bool
}

func (w *prefixed) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if !w.inLine {
			line = append([]byte(w.prefix), line...)
		}
		if _, err := w.to.Write(line); err != nil {
			return 0, err
		}
		w.inLine = line[len(line)-1] != '\n'
	}
	return len(p), nil
}
