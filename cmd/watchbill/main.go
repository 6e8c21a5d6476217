package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // the same time zones on every machine

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	Serve       serveCmd         `cmd:"" help:"Run Watchbill against a Slack workspace."`
	Demo        demoCmd          `cmd:"" help:"Try Watchbill on this machine: its own PostgreSQL, a local Slack workspace, no account anywhere."`
	Migrate     migrateCmd       `cmd:"" help:"Bring the database up to this version."`
	Org         orgCmd           `cmd:"" help:"List, add, suspend and move the organisations that one process serves."`
	Apply       applyCmd         `cmd:"" help:"Set up teams, people, schedules, policies and integrations from a YAML file."`
	Export      exportCmd        `cmd:"" help:"Write what is set up as a file that apply reads."`
	Import      importCmd        `cmd:"" help:"Make a set-up file of what another vendor has."`
	Routes      routesCmd        `cmd:"" help:"Show the rules of an integration or a team, what each has done, and who has changed them when."`
	Explain     explainCmd       `cmd:"" help:"Say whom a signal that has not happened would page, when and why, by what was last applied; nothing is written."`
	Doctor      liveDoctorCmd    `cmd:"" help:"Check the installation and say what to do about each finding."`
	Audit       auditCmd         `cmd:"" help:"Print who has changed what of the set-up, of schedules, of access and of how people are reached."`
	Report      reportCmd        `cmd:"" help:"Print what being on call was like for a team: incidents, times, interruptions, nights and hours."`
	Signal      signalCmd        `cmd:"" help:"Send a signal from a script or a monitor's notification command; while Watchbill can't be reached it waits on the disk."`
	Key         keyCmd           `cmd:"" help:"List and rotate the keys of integrations."`
	APIKey      apiKeyCmd        `cmd:"" name:"apikey" help:"Make, list, rotate and revoke the keys with which programs use the REST API."`
	MCP         mcpCmd           `cmd:"" name:"mcp" help:"Let an agent on this machine use an instance, by the Model Context Protocol on standard input and output."`
	Integration integrationCmd   `cmd:"" help:"Show an integration, and what to paste into its monitor."`
	Mute        muteCmd          `cmd:"" help:"Let an integration's signals page nobody."`
	Unmute      unmuteCmd        `cmd:"" help:"Let a muted integration's signals page again."`
	Maintenance maintenanceCmd   `cmd:"" help:"List, begin and end windows in which a team's alerts are kept and page nobody."`
	Backup      backupCmd        `cmd:"" help:"Write all that the database holds into a file, encrypted by WATCHBILL_SECRET, while everything runs."`
	Restore     restoreCmd       `cmd:"" help:"Restore a backup into an empty database, bring that up to this version, and let what was open in it be quiet for a while."`
	Restored    restoredCmd      `cmd:"" help:"After a dump was restored and before Watchbill starts: let what was open in it be quiet for a while, so that nothing pages that is over."`
	Contacts    contactsCmd      `cmd:"" help:"List and end contact methods, calendars and links of people."`
	Schedule    scheduleCmd      `cmd:"" help:"Answer from a file who is on call; no database needed."`
	Timeoff     timeOffCmd       `cmd:"" help:"Take in time off from calendars."`
	Twilio      twilioCmd        `cmd:"" help:"Set up and check the Twilio account that sends SMS and calls."`
	Config      configCmd        `cmd:"" help:"Check the settings of serve, and show where each comes from."`
	Healthcheck healthcheckCmd   `cmd:"" help:"Ask the instance on this machine whether it can take signals in; exit status 1 if it can't."`
	Support     supportBundleCmd `cmd:"" name:"support-bundle" help:"Collect what somebody needs who is to help, without secrets and without anything of an alert."`
	Secret      secretCmd        `cmd:"" help:"Make or replace the secret that signs links and hashes codes."`
	Version     versionCmd       `cmd:"" help:"Print the version."`
}

// process is what a command needs from the process it runs in.
type process struct {
	ctx    context.Context
	out    io.Writer
	errOut io.Writer
	getenv func(string) string
	clock  func() time.Time
}

// wrongUse is an error in the user's input, with a line for each problem. The exit status is 2.
type wrongUse []string

func (w wrongUse) Error() string { return strings.Join(w, "\n") }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := process{ctx: ctx, out: os.Stdout, errOut: os.Stderr, getenv: os.Getenv, clock: time.Now}
	code := p.run(os.Args[1:])
	stop()
	os.Exit(code)
}

// run executes a command line and returns the exit status: 0 success, 1 failure, 2 wrong use.
func (p process) run(args []string) int {
	p.out = printable{p.out}
	if p.getenv == nil {
		p.getenv = func(string) string { return "" } // without an environment
	}
	exited := -1
	sources := &settingSources{getenv: p.getenv}
	parser, err := kong.New(&cli{},
		kong.Name("watchbill"),
		kong.Description("The on-call desk that lives in Slack."),
		kong.UsageOnError(),
		trimmed,
		kong.Resolvers(sources),
		kong.Bind(sources),
		kong.Writers(p.out, p.errOut),
		kong.Exit(func(code int) { exited = code }),
	)
	if err != nil {
		fmt.Fprintln(printable{p.errOut}, "watchbill:", err)
		return 1
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	switch {
	case exited >= 0: // help was requested and printed
		return exited
	case sources.err != nil: // unchanged, because kong would name the flag that it resolved first
		fmt.Fprintln(printable{p.errOut}, "watchbill:", sources.err)
		return 2
	case err != nil:
		fmt.Fprintf(printable{p.errOut}, "watchbill: %v (see watchbill --help)\n", err)
		return 2
	}
	err = command.Run(p)
	var wrong wrongUse
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		for _, line := range wrong {
			fmt.Fprintln(printable{p.errOut}, "watchbill:", line)
		}
		return 2
	default:
		fmt.Fprintln(printable{p.errOut}, "watchbill:", err)
		return 1
	}
}
