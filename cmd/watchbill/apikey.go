package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

type apiKeyCmd struct {
	Create apiKeyCreateCmd `cmd:"" help:"Make an API key and print it once."`
	List   apiKeyListCmd   `cmd:"" help:"List API keys: what they are for, whose they are, when they end and when they were last used."`
	Rotate apiKeyRotateCmd `cmd:"" help:"Replace an API key by a new one and print it once; the old one is good for a day."`
	Revoke apiKeyRevokeCmd `cmd:"" help:"End an API key at once."`
}

type apiKeyCreateCmd struct {
	databaseFlags `embed:""`
	Name          string   `required:"" help:"What it is called, in lists, in timelines and in the audit log."`
	Scope         []string `required:"" placeholder:"SCOPE" help:"What it is for: read, page, act, edit or admin; several are divided by commas."`
	Team          string   `placeholder:"NAME" xor:"whose" help:"The team outside of which it does nothing; without it and --for it is the installation's."`
	For           string   `placeholder:"PERSON" xor:"whose" help:"The person whose own it is, by Slack id, mail address or name: it may never do more than they may."`
	Expires       string   `placeholder:"90d" help:"After how long it ends; without it it doesn't."`
}

type apiKeyListCmd struct {
	databaseFlags `embed:""`
}

type apiKeyRotateCmd struct {
	databaseFlags `embed:""`
	Name          string `arg:"" help:"The key."`
	Now           bool   `help:"The old key ends at once, as it should where somebody else has it."`
}

type apiKeyRevokeCmd struct {
	databaseFlags `embed:""`
	Name          string `arg:"" help:"The key."`
}

// Run makes the key.
func (c *apiKeyCreateCmd) Run(p process) error {
	now := p.clock()
	k := oncall.APIKey{Name: c.Name}
	for _, s := range c.Scope {
		k.Scopes = append(k.Scopes, oncall.Scope(strings.ToLower(strings.TrimSpace(s))))
	}
	if c.Expires != "" {
		life, err := lifetime(c.Expires)
		if err != nil {
			return err
		}
		at := now.Add(life)
		k.ExpiresAt = &at
	}
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.For != "" {
		if k.Owner, err = p.somebody(db, c.For); err != nil {
			return err
		}
	}
	dir, err := db.Directory(p.ctx)
	if err != nil {
		return err
	}
	if k.TeamID, err = teamNamed(dir, c.Team); err != nil {
		return err
	}
	key, made, err := db.CreateAPIKey(p.ctx, p.operator(), k, now)
	if err != nil {
		return saidWrong(err)
	}
	fmt.Fprintf(p.out, "The API key %s, shown this once; programs send it as Authorization: Bearer KEY:\n  %s\n", notify.OneLine(made.Name), key)
	fmt.Fprintf(p.out, "It is %s, may %s, and %s.\n", whoseKey(dir, made), scopeWords(made), keyEnd(made, "ends "))
	return nil
}

// lifetime parses a lifetime: "90d", "12h".
func lifetime(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 100_000 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return d, nil
	}
	return 0, wrongUse{fmt.Sprintf("--expires is %q; it is how long, such as 90d or 12h", text)}
}

// saidWrong turns a refusal into a user's error.
func saidWrong(err error) error {
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		return wrongUse{refusal.Error()}
	}
	return err
}

func whoseKey(dir *store.Directory, key oncall.APIKey) string {
	if key.Issuer != "" {
		of := key
		of.Issuer = ""
		return whoseKey(dir, of) + ", by tokens of " + notify.OneLine(key.Issuer)
	}
	switch {
	case key.Owner != "":
		return notify.OneLine(dir.Name(key.Owner)) + "'s own"
	case key.TeamID != 0:
		t, _ := dir.Team(key.TeamID)
		return "of the team " + notify.OneLine(t.Name)
	}
	return "the installation's"
}

func scopeWords(k oncall.APIKey) string {
	var words []string
	for _, s := range k.Scopes {
		words = append(words, string(s))
	}
	return strings.Join(words, ", ")
}

func keyEnd(k oncall.APIKey, ends string) string {
	if k.ExpiresAt == nil {
		return "does not expire"
	}
	return ends + stamp(*k.ExpiresAt)
}

// Run prints the list.
func (c *apiKeyListCmd) Run(p process) error {
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	keys, err := db.APIKeys(p.ctx, p.operator())
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		fmt.Fprintln(p.out, "There are no API keys; watchbill apikey create makes one.")
		return nil
	}
	dir, err := db.Directory(p.ctx)
	if err != nil {
		return err
	}
	now := p.clock()
	table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tKEY\tWHOSE\tSCOPES\tSTATE\tLAST USED\tREQUESTS")
	for _, k := range keys {
		used := "never"
		if k.UsedAt != nil {
			used = stamp(*k.UsedAt)
		}
		state := keyEnd(k.APIKey, "until ")
		if k.Expired(now) {
			state = "expired " + stamp(*k.ExpiresAt)
		}
		if k.OldUntil != nil && now.Before(*k.OldUntil) {
			state += fmt.Sprintf("; …%s good until %s", k.OldHint, stamp(*k.OldUntil))
		}
		fmt.Fprintf(table, "%s\t…%s\t%s\t%s\t%s\t%s\t%d\n", notify.OneLine(k.Name), k.Hint, whoseKey(dir, k.APIKey), scopeWords(k.APIKey), state, used, k.Uses)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the keys: %w", err)
	}
	return nil
}

// Run prints the new key.
func (c *apiKeyRotateCmd) Run(p process) error {
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	key, was, err := db.RotateAPIKey(p.ctx, p.operator(), c.Name, c.Now, p.clock())
	if err != nil {
		return noAPIKey(p, db, c.Name, err)
	}
	fmt.Fprintf(p.out, "The API key %s, shown this once:\n  %s\n", notify.OneLine(was.Name), key)
	if c.Now {
		fmt.Fprintf(p.out, "The old one, …%s, is refused from now on.\n", was.OldHint)
	} else {
		fmt.Fprintf(p.out, "The old one, …%s, is good until %s.\n", was.OldHint, stamp(*was.OldUntil))
	}
	return nil
}

// Run revokes the key.
func (c *apiKeyRevokeCmd) Run(p process) error {
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.RevokeAPIKey(p.ctx, p.operator(), c.Name, p.clock()); err != nil {
		return noAPIKey(p, db, c.Name, err)
	}
	fmt.Fprintf(p.out, "%s is refused from now on.\n", notify.OneLine(c.Name))
	return nil
}

// noAPIKey adds the existing keys to an error about a missing one.
func noAPIKey(p process, db *store.System, name string, err error) error {
	if !errors.Is(err, oncall.ErrNotFound) {
		return saidWrong(err)
	}
	keys, failed := db.APIKeys(p.ctx, p.operator())
	if failed != nil {
		return failed
	}
	names := []string{}
	for _, k := range keys {
		names = append(names, fmt.Sprintf("%q", k.Name))
	}
	if len(names) == 0 {
		return wrongUse{fmt.Sprintf("there is no API key %q, nor any other", name)}
	}
	return wrongUse{fmt.Sprintf("there is no API key %q; there are %s", name, strings.Join(names, ", "))}
}
