package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/watchbill/watchbill/store"
)

type orgRunCmd struct {
	orgFlags `embed:""`
	Name     string   `arg:"" help:"The organisation."`
	Command  []string `arg:"" passthrough:"" help:"The command and what belongs to it."`
}

// Run runs a command with the settings of an organisation.
func (c *orgRunCmd) Run(p process) error {
	if len(c.Command) > 0 && slices.Contains([]string{"serve", "org", "demo"}, c.Command[0]) {
		return wrongUse{c.Command[0] + " is not run for one organisation"}
	}
	db, err := c.open(p)
	if err != nil {
		return err
	}
	o, err := findOrganisation(p, db, c.Name)
	db.Close()
	if err != nil {
		return err
	}
	return runWith(p, o.Settings, c.Command)
}

// runWith runs a command line with these settings, or prints the help that it asks for.
func runWith(p process, settings map[string]string, args []string) error {
	var parsed cli
	helped := false
	command, err := parseCommand(settings, args, &parsed, kong.Writers(p.out, p.errOut), kong.Exit(func(int) { helped = true }))
	switch {
	case helped:
		return nil
	case err != nil:
		return wrongUse{err.Error()}
	}
	return command.Run(p)
}

// orgRemoveCmd takes an organisation off the list.
type orgRemoveCmd struct {
	orgFlags `embed:""`
	Name     string `arg:"" help:"The organisation, which is suspended."`
}

// Run removes an organisation and says where its database is.
func (c *orgRemoveCmd) Run(p process) error {
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	o, err := findOrganisation(p, db, c.Name)
	if err != nil {
		return err
	}
	err = db.RemoveOrganisation(p.ctx, p.operator(), c.Name, p.clock())
	if errors.Is(err, store.ErrNotSuspended) {
		return fmt.Errorf("%s is %s: `watchbill org suspend %[1]s` first", c.Name, o.State)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s is removed. Its database %s is left as it is; drop it when you are sure. Backups of it need its secret, which is gone from the list.\n", c.Name, databaseNamed(o))
	return nil
}
