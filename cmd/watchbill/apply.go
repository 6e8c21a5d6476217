package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/bot"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

type applyCmd struct {
	databaseFlags `embed:""`
	File          string `short:"f" placeholder:"FILE" help:"YAML file with users, teams, schedules, policies and integrations; - is standard input."`
	From          string `placeholder:"DIR" help:"Instead of a file, a folder of them: all that end in .yaml or .yml, in it and below, are one set-up."`
	Yes           bool   `help:"Make the changes; without it they are only printed."`
	Prune         bool   `help:"Remove what is not in the file (people stay); without it that is left alone."`
	SlackBotToken string `env:"SLACK_BOT_TOKEN" placeholder:"xoxb-…" help:"With it, what the file names in Slack is looked up; needed where it names people by e-mail alone."`
	PublicURL     string `name:"public-url" env:"WATCHBILL_PUBLIC_URL" placeholder:"URL" help:"Where monitors find Watchbill, for the lines to copy beside new keys."`
	SlackAPIURL   string `name:"slack-api-url" env:"WATCHBILL_SLACK_API_URL" placeholder:"URL" help:"Another address of Slack's Web API; ends with /."`
}

func (c *applyCmd) Run(p process) error {
	if wrong := append(c.problems(), publicURLProblems(c.PublicURL)...); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	if (c.File == "") == (c.From == "") {
		return wrongUse{"give either -f with a file or --from with a folder"}
	}
	doc, err := c.read()
	if err != nil {
		return err
	}
	db, err := store.Open(p.ctx, c.DatabaseURL, store.Options{Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := migrated(p.ctx, db); err != nil {
		return err
	}
	if err := c.findPeople(p, db, &doc); err != nil {
		return err
	}
	how := store.ApplyOptions{Write: c.Yes, Prune: c.Prune}
	before, err := db.Directory(p.ctx)
	if err != nil {
		return err
	}
	faults, err := c.checkNames(p, db, before, doc, &how)
	if err != nil {
		return err
	}
	r := &report{process: p}
	r.faults(faults)
	wrong := error(nil)
	if r.bad > 0 {
		wrong = fmt.Errorf("%s to fix in Slack or in %s", counted(r.bad, "problem"), c.source())
	}
	if wrong != nil && !c.Yes { // what the file would change is no help before its names are right
		printNotes(p, doc)
		return wrong
	}
	how.By = p.operator()
	how.By.Via = oncall.ViaApply
	made, err := db.Apply(p.ctx, doc, how, p.clock())
	if err != nil {
		return fmt.Errorf("apply %s: %w", c.source(), err)
	}
	tried, err := tryOut(p.ctx, db, before, made)
	if err != nil {
		return err
	}
	c.print(p, made, tried)
	printNotes(p, doc)
	if wrong != nil {
		printToMend(p, faults)
	}
	return wrong
}

// printToMend repeats what is wrong, because keys and their lines may have pushed it off the screen.
func printToMend(p process, faults []setup.SlackFault) {
	fmt.Fprintln(p.out, "\nApplied all the same; mend:")
	for _, f := range faults {
		if !f.Note {
			fmt.Fprintf(p.out, "  %s: %s\n", notify.OneLine(f.Where), notify.OneLine(f.What))
		}
	}
}

func printNotes(p process, doc setup.Setup) {
	for _, note := range doc.Notes() {
		fmt.Fprintf(p.out, "note  %s\n", note)
	}
}

// slackAskLimit is how long apply waits for Slack.
const slackAskLimit = time.Minute

// checkNames looks up the file's names in Slack, and stores the results for Apply. Without a token
// it relies on the people already known.
func (c *applyCmd) checkNames(p process, db *store.System, directory *store.Directory, doc setup.Setup, how *store.ApplyOptions) (faults []setup.SlackFault, err error) {
	names := doc.SlackNames()
	for i, n := range names.Channels {
		before, _ := directory.ChannelBefore(n.Named)
		names.Channels[i].Before = before.ID
	}
	teams := make([]string, len(doc.Teams))
	for i, t := range doc.Teams {
		teams[i] = t.Name
	}
	for i, n := range names.People {
		names.People[i].NoTeam = n.NoTeam && !directory.NamedElsewhere(oncall.UserID(n.Named), teams)
	}
	if c.SlackBotToken == "" {
		var known []setup.SlackPerson
		for _, u := range directory.Users {
			known = append(known, setup.SlackPerson{User: u})
		}
		met := slices.DeleteFunc(names.People, func(n setup.SlackName) bool {
			return directory.Users[oncall.UserID(n.Named)].Standing == oncall.UnknownStanding
		})
		return setup.CheckPeople(met, known), nil
	}
	b, err := c.bot(p, db)
	if err != nil {
		return nil, err
	}
	for i, n := range names.Groups {
		names.Groups[i].Before = directory.GroupBefore(n.Named)
	}
	ctx, cancel := context.WithTimeout(p.ctx, slackAskLimit)
	defer cancel()
	faults, how.Channels, how.People = b.CheckNames(ctx, names)
	return faults, nil
}

func (c *applyCmd) bot(p process, db *store.System) (*bot.Bot, error) {
	return bot.New(bot.Config{
		BotToken: c.SlackBotToken, AppToken: "xapp-unused", APIURL: c.SlackAPIURL, Store: db.Store, Clock: p.clock, Log: zerolog.Nop(),
	})
}

func (c *applyCmd) print(p process, report store.ApplyReport, tried []tryout) {
	for _, change := range report.Changes {
		fmt.Fprintln(p.out, change)
		for _, detail := range report.Details[change] {
			fmt.Fprintf(p.out, "  %s\n", notify.OneLine(detail))
		}
	}
	for _, t := range tried {
		t.print(p.out, report.After)
	}
	if len(report.Slacks) > 0 {
		fmt.Fprintf(p.out, "Not as in the file and left to Slack (owner: slack): %s.\n", strings.Join(report.Slacks, ", "))
	}
	if len(report.Kept) > 0 {
		fmt.Fprintf(p.out, "Not in the file and left alone (--prune removes them): %s.\n", strings.Join(report.Kept, ", "))
	}
	switch {
	case len(report.Changes) == 0:
		fmt.Fprintln(p.out, "Nothing to change.")
	case !c.Yes:
		fmt.Fprintf(p.out, "%d to change. Nothing was changed; run it again with --yes.\n", len(report.Changes))
	default:
		fmt.Fprintf(p.out, "%d changed.\n", len(report.Changes))
	}
	if !c.Yes || len(report.Keys) == 0 {
		return
	}
	fmt.Fprintln(p.out, "\nKeys, shown this once; monitors send to /v1/signals/KEY:")
	for _, k := range report.Keys {
		fmt.Fprintf(p.out, "  %s  %s\n", k.Key, k.Integration)
	}
	for _, k := range report.Keys {
		fmt.Fprintf(p.out, "\n%s. ", notify.OneLine(k.Integration))
		printSnippet(p.out, k, c.PublicURL)
	}
}

// parseSetup parses all documents of a file, which together form one set-up.
func parseSetup(data []byte) (setup.Setup, error) {
	data = intake.WithoutBOM(data)
	if err := checkShape(data); err != nil {
		return setup.Setup{}, err
	}
	var all setup.Setup
	for d := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()); ; {
		var doc setup.Setup
		switch err := d.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return setup.Setup{}, yamlError(data, err)
		}
		all = all.With(doc)
	}
}

var unknownKey = regexp.MustCompile(`unknown field "([^"]*)"`)

// keyMeant adds the likely intended key to an error about an unknown one.
func keyMeant(message string) string {
	m := unknownKey.FindStringSubmatchIndex(message)
	if m == nil {
		return message
	}
	guess := oncall.Nearest(message[m[2]:m[3]], setupKeys(reflect.TypeFor[setup.Setup]()))
	if guess == "" {
		return message
	}
	return fmt.Sprintf("%s; did you mean %q?%s", message[:m[1]], guess, message[m[1]:])
}

// setupKeys returns the keys of a set-up file.
func setupKeys(t reflect.Type) []string {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var keys []string
	for i := 0; t.Kind() == reflect.Struct && i < t.NumField(); i++ {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
			keys = append(append(keys, name), setupKeys(t.Field(i).Type)...)
		}
	}
	return keys
}

// findPeople fills in the Slack user ids of people named only by e-mail, from the database if an
// earlier run found them and otherwise from Slack.
func (c *applyCmd) findPeople(p process, db *store.System, doc *setup.Setup) error {
	missing := func(u setup.User) bool { return u.Slack == "" }
	if !slices.ContainsFunc(doc.Users, missing) {
		return nil
	}
	known, err := db.Directory(p.ctx)
	if err != nil {
		return err
	}
	byEmail := map[string]oncall.UserID{}
	for id, u := range known.Users {
		byEmail[u.Email] = id
	}
	var wrong wrongUse
	for i, user := range doc.Users {
		if !missing(user) {
			continue
		}
		if id, ok := known.PersonBefore(user.Email); ok {
			doc.Users[i].Slack = id
			continue
		}
		if id, ok := byEmail[user.Email]; ok {
			doc.Users[i].Slack = id
			continue
		}
		found, err := c.askSlack(p, user.Email, db)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("user %q: %v", user.Name, err))
			continue
		}
		doc.Users[i].Slack = found.ID
		if user.TimeZone == "" {
			doc.Users[i].TimeZone = found.TimeZone
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}

func (c *applyCmd) askSlack(p process, email string, db *store.System) (oncall.User, error) {
	if c.SlackBotToken == "" {
		return oncall.User{}, errors.New("give slack (the Slack user id), or set SLACK_BOT_TOKEN so that the e-mail address can be looked up")
	}
	b, err := c.bot(p, db)
	if err != nil {
		return oncall.User{}, err
	}
	return b.UserByEmail(p.ctx, email)
}
