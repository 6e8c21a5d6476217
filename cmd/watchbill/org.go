package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/store"
)

// orgCmd manages the organisations that one process serves.
type orgCmd struct {
	List    orgListCmd    `cmd:"" help:"List the organisations."`
	Add     orgAddCmd     `cmd:"" help:"Add an organisation: make its database and its secret, and keep its settings."`
	Set     orgSetCmd     `cmd:"" help:"Change settings of an organisation, such as the tokens of its Slack app."`
	Suspend orgSuspendCmd `cmd:"" help:"Stop serving an organisation; everything of it stays."`
	Resume  orgResumeCmd  `cmd:"" help:"Serve a suspended organisation again."`
	Remove  orgRemoveCmd  `cmd:"" help:"Take a suspended organisation off the list; its database stays."`
	Move    orgMoveCmd    `cmd:"" help:"Move an organisation's database to another server."`
	Run     orgRunCmd     `cmd:"" help:"Run any other command with the settings of an organisation, such as: org run acme apply -f oncall.yaml"`
}

// orgFlags say where the list of organisations is.
type orgFlags struct {
	databaseFlags `embed:""`
	secretFlags   `embed:""`
}

// open opens the list.
func (f orgFlags) open(p process) (*store.System, error) {
	wrong := append(f.databaseFlags.problems(), f.secretFlags.problems()...)
	if f.Secret == "" {
		wrong = append(wrong, "WATCHBILL_SECRET is not set: it encrypts the settings of the organisations")
	}
	if len(wrong) > 0 {
		return nil, wrongUse(wrong)
	}
	db, err := store.Open(p.ctx, f.DatabaseURL, store.Options{MaxConns: 2, Log: zerolog.Nop(), Secrets: f.secrets()})
	if err != nil {
		return nil, err
	}
	if err := migrated(p.ctx, db); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// findOrganisation returns the organisation with that name.
func findOrganisation(p process, db *store.System, name string) (store.Organisation, error) {
	all, err := db.Organisations(p.ctx)
	if err != nil {
		return store.Organisation{}, err
	}
	for _, o := range all {
		if o.Name == name && o.Settings == nil {
			return o, fmt.Errorf("the settings of %s were encrypted by another WATCHBILL_SECRET", name)
		}
		if o.Name == name {
			return o, nil
		}
	}
	return store.Organisation{}, fmt.Errorf("there is no organisation %q; `watchbill org list` names them", name)
}

type orgListCmd struct {
	orgFlags `embed:""`
}

// Run lists the organisations.
func (c *orgListCmd) Run(p process) error {
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	all, err := db.Organisations(p.ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(p.out, "There are no organisations; `watchbill org add NAME --settings FILE` makes the first.")
		return nil
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSTATE\tADDRESS\tDATABASE\tSINCE")
	for _, o := range all {
		address, database := o.Settings["WATCHBILL_PUBLIC_URL"], databaseNamed(o)
		if o.Settings == nil {
			database = "(encrypted by another WATCHBILL_SECRET)"
		}
		if address == "" {
			address = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", o.Name, o.State, address, database, o.CreatedAt.UTC().Format(time.DateOnly))
	}
	return w.Flush()
}

// orgSettingsFlags set the settings of an organisation.
type orgSettingsFlags struct {
	Name     string `arg:"" help:"A short name, such as acme: small letters, digits and dashes."`
	Settings string `placeholder:"FILE" help:"Its settings as in the configuration file of serve: slack_bot_token, slack_app_token, public_url, admins and more; - is standard input."`
}

// check reports what is wrong with the settings of an organisation.
func (f orgSettingsFlags) check(values map[string]string) error {
	c, err := parseServe(values)
	if err != nil {
		return err
	}
	if wrong := c.problems(); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	return nil
}

type orgAddCmd struct {
	orgFlags         `embed:""`
	orgSettingsFlags `embed:""`
}

// Run adds an organisation.
func (c *orgAddCmd) Run(p process, command *kong.Context) error {
	if !organisationName.MatchString(c.Name) {
		return wrongUse{fmt.Sprintf("%q can't be an organisation's name: small letters, digits and dashes, beginning with a letter, 40 at most", c.Name)}
	}
	values, err := readSettings(c.Settings, variables(command.Model.Node))
	if err != nil {
		return err
	}
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	if values["WATCHBILL_SECRET"] == "" {
		values["WATCHBILL_SECRET"] = newSecret()
	}
	own := values["DATABASE_URL"] != ""
	database := databaseName(c.DatabaseURL, c.Name)
	if !own {
		if values["DATABASE_URL"], err = onSameServer(c.DatabaseURL, database); err != nil {
			return err
		}
	}
	if err := c.check(values); err != nil {
		return err
	}
	org := store.Organisation{Name: c.Name, Host: hostOfAddress(values["WATCHBILL_PUBLIC_URL"]), Settings: values, State: store.OrganisationSuspended}
	if err := db.AddOrganisation(p.ctx, p.operator(), org, p.clock()); err != nil {
		return err
	}
	if !own {
		if err := db.CreateDatabase(p.ctx, database); err != nil {
			return errors.Join(err, db.RemoveOrganisation(p.ctx, p.operator(), c.Name, p.clock()))
		}
	}
	if err := migrateNew(p, values["DATABASE_URL"]); err != nil {
		return fmt.Errorf("%w; the organisation is suspended: mend it, then `watchbill org resume %s`", err, c.Name)
	}
	if err := db.UpdateOrganisation(p.ctx, p.operator(), c.Name, p.clock(), activate); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s is added, with its database %s. Processes that run `serve --organisations` serve it within seconds.\nSet it up in its Slack by /oncall setup, or by: watchbill org run %[1]s apply -f FILE --yes\n", c.Name, databaseNamed(org))
	return nil
}

// activate marks an organisation as one to be served.
func activate(o *store.Organisation) error {
	o.State = store.OrganisationActive
	return nil
}

// databaseName returns the name of an organisation's database, derived from the database that holds
// the list.
func databaseName(listURL, organisation string) string {
	base := "watchbill"
	if cfg, err := pgxpool.ParseConfig(listURL); err == nil && cfg.ConnConfig.Database != "" {
		base = cfg.ConnConfig.Database
	}
	return base + "_" + strings.ReplaceAll(organisation, "-", "_")
}

type orgSetCmd struct {
	orgFlags         `embed:""`
	orgSettingsFlags `embed:""`
}

// Run changes the settings listed in the file. A setting without a value is removed.
func (c *orgSetCmd) Run(p process, command *kong.Context) error {
	values, err := readSettings(c.Settings, variables(command.Model.Node))
	if err != nil {
		return err
	}
	if len(values) == 0 {
		return wrongUse{"--settings names a file with what is to change"}
	}
	if values["DATABASE_URL"] != "" {
		return wrongUse{"database_url is changed by `watchbill org move`, which brings along what is there"}
	}
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	err = db.UpdateOrganisation(p.ctx, p.operator(), c.Name, p.clock(), func(o *store.Organisation) error {
		maps.Copy(o.Settings, values)
		maps.DeleteFunc(o.Settings, func(_, value string) bool { return value == "" })
		o.Host = hostOfAddress(o.Settings["WATCHBILL_PUBLIC_URL"])
		return c.check(o.Settings)
	})
	if err != nil {
		return err
	}
	var keys []string
	for env := range values {
		keys = append(keys, configKey(env))
	}
	slices.Sort(keys)
	fmt.Fprintf(p.out, "%s has other settings: %s. Running processes begin it anew with them within seconds.\n", c.Name, strings.Join(keys, ", "))
	return nil
}

type orgSuspendCmd struct {
	orgFlags `embed:""`
	Name     string `arg:"" help:"The organisation."`
}

// Run suspends an organisation.
func (c *orgSuspendCmd) Run(p process) error {
	return setOrganisation(p, c.orgFlags, c.Name, func(o *store.Organisation) error {
		if o.State == store.OrganisationMoving {
			return fmt.Errorf("%s is being moved", o.Name)
		}
		o.State = store.OrganisationSuspended
		return nil
	}, "%s is suspended: its signals are refused and nobody is paged. `watchbill org resume %[1]s` serves it again.\n")
}

type orgResumeCmd struct {
	orgFlags `embed:""`
	Name     string `arg:"" help:"The organisation."`
}

// Run serves an organisation again, even one whose move was interrupted.
func (c *orgResumeCmd) Run(p process) error {
	return setOrganisation(p, c.orgFlags, c.Name, activate, "%s is served again within seconds.\n")
}

func setOrganisation(p process, f orgFlags, name string, change func(*store.Organisation) error, done string) error {
	db, err := f.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.UpdateOrganisation(p.ctx, p.operator(), name, p.clock(), change); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, done, name)
	return err
}
