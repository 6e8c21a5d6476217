package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/bot"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/migrations"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

type doctorCmd struct {
	databaseFlags  `embed:""`
	slackFlags     `embed:""`
	channelFlags   `embed:""`
	spoolFlags     `embed:""`
	retentionFlags `embed:""`
	secretFlags    `embed:""`
	watchingFlags  `embed:""`
	webFlags       `embed:""`
	jwtFlags       `embed:""`
	PublicURL      string `name:"public-url" env:"WATCHBILL_PUBLIC_URL" placeholder:"URL" help:"Where people's browsers find Watchbill."`
	Admins         string `env:"WATCHBILL_ADMINS" placeholder:"LIST" help:"Admins of Watchbill, as serve has them: they are looked up in Slack."`
	Organisations  bool   `env:"WATCHBILL_ORGANISATIONS" help:"Check the list of organisations, and each of them."`
	Fix            bool   `help:"First do what can be mended without a decision and without holding anybody up, and print what was done: a migration that locks nothing for long, lost timers and pages, jobs of instances that are gone, expired rows."`
}

// report prints findings as they come, counts the bad ones, and keeps what is not as it should be.
type report struct {
	process
	bad   int
	found []view.DoctorFinding
}

func (r *report) ok(what, found string) {
	fmt.Fprintf(r.out, "ok    %-9s %s\n", what, notify.OneLine(found))
}

func (r *report) note(what, found, remedy string) {
	r.found = append(r.found, view.DoctorFinding{Area: what, Text: found, Remedy: remedy})
	fmt.Fprintf(r.out, "note  %-9s %s\n%16s%s\n", what, notify.OneLine(found), "", notify.OneLine(remedy))
}

func (r *report) fail(what, found, remedy string) {
	r.bad++
	r.found = append(r.found, view.DoctorFinding{Bad: true, Area: what, Text: found, Remedy: remedy})
	fmt.Fprintf(r.out, "FAIL  %-9s %s\n%16s%s\n", what, notify.OneLine(found), "", notify.OneLine(remedy))
}

// each prints each finding on its own line.
func (r *report) each(what string, found []notify.CheckResult) {
	for _, f := range found {
		switch {
		case f.OK:
			r.ok(what, f.Text)
		case f.Note:
			r.note(what, f.Text, f.Remedy)
		default:
			r.fail(what, f.Text, f.Remedy)
		}
	}
}

func (c *doctorCmd) Run(p process) error {
	if wrong := slices.Concat(c.databaseFlags.problems(), c.slackFlags.problems(), c.channelFlags.problems(), c.secretFlags.problems(), c.retentionFlags.problems(), c.watchingFlags.problems(),
		c.webFlags.problems(c.PublicURL), c.jwtFlags.problems(), adminProblems(c.Admins)); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	r := &report{process: p}
	if c.Fix {
		c.fix(r)
	}
	c.look(r, doctorCheckLimit)
	return r.end()
}

// end returns the command's error.
func (r *report) end() error {
	if r.bad > 0 {
		return fmt.Errorf("%s to fix", counted(r.bad, "problem"))
	}
	return nil
}

// doctorCheckLimit is how long the doctor may take for the database, for Slack, and for each channel.
const doctorCheckLimit = 10 * time.Second

// look checks everything in parallel, so that several checks that hang take no longer than one.
func (c *doctorCmd) look(r *report, limit time.Duration) {
	sayChannels := lookAtChannels(r.ctx, c.channels(r.clock, ""), limit)
	saySlack := c.lookAtSlack(r, limit, c.instances)
	sayProviders := c.lookAtProviders(r, limit)
	c.database(r, limit)
	c.spool(r)
	c.watching(r)
	sayChannels(r)
	sayProviders()
	if saySlack() {
		c.admins(r)
		c.names(r)
	}
}

func (c *doctorCmd) bot(r *report) (*bot.Bot, error) {
	return bot.New(bot.Config{
		BotToken: c.SlackBotToken, AppToken: c.SlackAppToken, UserToken: c.SlackUserToken, APIURL: c.SlackAPIURL,
		Clock: r.clock, Log: zerolog.Nop(),
	})
}

// lookAtSlack starts checking Slack, and returns a function that waits for the findings, prints
// them, and reports whether Slack takes the bot token.
func (c *doctorCmd) lookAtSlack(r *report, limit time.Duration, instances func(context.Context) int) func() bool {
	b, err := c.bot(r)
	if err != nil {
		return func() bool {
			r.fail("slack", err.Error(), "Check the SLACK_ settings.")
			return false
		}
	}
	found := make(chan []notify.CheckResult, 1)
	go func() {
		ctx, cancel := context.WithTimeout(r.ctx, limit)
		defer cancel()
		found <- b.Check(ctx, instances(ctx))
	}()
	return func() bool {
		all := <-found
		r.each("slack", all)
		return len(all) > 0 && all[0].OK
	}
}

// instancesLimit is how long the doctor waits for the number of instances before it asks Slack.
const instancesLimit = 2 * time.Second

// instances counts the running instances; it is -1 if the database doesn't say.
func (c *doctorCmd) instances(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, instancesLimit)
	defer cancel()
	db, err := store.Open(ctx, c.DatabaseURL, store.Options{MaxConns: 1, Log: zerolog.Nop()})
	if err != nil {
		return -1
	}
	defer func() { go db.Close() }() // which waits long for a connection that hangs
	n, err := db.Instances(ctx)
	if err != nil {
		return -1
	}
	return n
}

// admins looks up the installation's admins.
func (c *doctorCmd) admins(r *report) {
	ctx, cancel := context.WithTimeout(r.ctx, namesLimit)
	defer cancel()
	if b, err := c.bot(r); err == nil {
		r.each("admins", b.CheckAdmins(ctx, adminList(c.Admins)))
	}
}

// namesLimit is how long the doctor may take to look up in Slack what the set-up names.
const namesLimit = time.Minute

// names looks up every person, channel and user group that the set-up names.
func (c *doctorCmd) names(r *report) {
	ctx, cancel := context.WithTimeout(r.ctx, namesLimit)
	defer cancel()
	db, err := store.Open(ctx, c.DatabaseURL, store.Options{Log: zerolog.Nop()})
	if err != nil {
		return // reported already
	}
	defer db.Close()
	if current, latest, err := migrations.Status(ctx, db.Pool()); err != nil || current < latest {
		return // reported already
	}
	directory, err := db.Directory(ctx)
	if err != nil {
		r.failQuery(ctx, "names", err, "Check the database's log.")
		return
	}
	b, err := c.bot(r)
	if err != nil {
		return
	}
	named := directory.SlackNames(r.clock())
	faults, _, _ := b.CheckNames(ctx, named)
	r.faults(faults)
	if n := len(named.Channels) + len(named.People) + len(named.Groups); n > 0 && len(faults) == 0 {
		r.ok("names", fmt.Sprintf("Slack has the %d channels, %d people and %d user groups that the set-up names",
			len(named.Channels), len(named.People), len(named.Groups)))
	}
}

// faults prints the names that don't match Slack.
func (r *report) faults(found []setup.SlackFault) {
	for _, f := range found {
		word := "note"
		if !f.Note {
			word = "FAIL"
			r.bad++
		}
		fmt.Fprintf(r.out, "%s  %s: %s\n%16s%s\n", word, notify.OneLine(f.Where), notify.OneLine(f.What), "", notify.OneLine(f.Remedy))
	}
}

// openPool connects to the database for work that needs no store.
func openPool(ctx context.Context, databaseURL string) (*pgxpool.Pool, error) {
	cfg, err := store.ParseAddress(databaseURL)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	return pool, nil
}
