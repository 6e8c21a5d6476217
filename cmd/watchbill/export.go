package main

import (
	"os"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/store"
)

type exportCmd struct {
	databaseFlags `embed:""`
	File          string `short:"f" placeholder:"FILE" help:"Where to write it; without it, to standard output."`
}

// Run writes the set-up as a file that changes nothing when applied.
func (c *exportCmd) Run(p process) error {
	if wrong := c.problems(); len(wrong) > 0 {
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
	setup, err := db.Export(p.ctx, p.clock())
	if err != nil {
		return err
	}
	text := writeSetup(setup)
	if c.File == "" {
		_, err = p.out.Write(text)
		return err
	}
	return os.WriteFile(c.File, text, 0o600)
}
