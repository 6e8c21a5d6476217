package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

type integrationCmd struct {
	Show     integrationShowCmd     `cmd:"" help:"Print what was heard of an integration, and what to paste into its monitor."`
	Sign     integrationSignCmd     `cmd:"" help:"Make a secret with which its monitor signs, and print it once; the one before is good for a day."`
	Payloads integrationPayloadsCmd `cmd:"" help:"Print what its monitor has sent, as it came but for secrets."`
}

type integrationShowCmd struct {
	databaseFlags `embed:""`
	Name          string `arg:"" help:"The integration."`
	For           string `placeholder:"KIND" help:"Print what to paste into a monitor of this kind, such as kuma; without it that of its own kind, or of what it was taken for."`
	PublicURL     string `name:"public-url" env:"WATCHBILL_PUBLIC_URL" placeholder:"URL" help:"Where monitors find Watchbill, for the lines to paste."`
}

// Run prints the integration.
func (c *integrationShowCmd) Run(p process) error {
	wrong := publicURLProblems(c.PublicURL)
	if c.For != "" && intake.FormatNamed(oncall.Format(c.For)).Name != oncall.Format(c.For) {
		wrong = append(wrong, fmt.Sprintf("--for: %q is no kind; there are %s", c.For, kindList()))
	}
	if len(wrong) > 0 {
		return wrongUse(wrong)
	}
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	in, err := db.Integration(p.ctx, c.Name)
	if err != nil {
		return noIntegration(p.ctx, db, c.Name, err)
	}
	keys, err := db.IntegrationKeys(p.ctx)
	if err != nil {
		return err
	}
	printIntegration(p.out, in, keys)
	for _, kind := range c.formats(in) {
		f := intake.FormatNamed(kind)
		fmt.Fprintf(p.out, "\nTo paste, for %s (KEY is the key; watchbill key rotate makes one that can be shown):\n\n  %s\n", f.Title,
			strings.ReplaceAll(strings.TrimSpace(intake.Guide(kind, c.PublicURL, "")), "\n", "\n  "))
	}
	return nil
}

// formats prints the configured and the detected format of its monitors.
func (c *integrationShowCmd) formats(in store.IntegrationDetail) []oncall.Format {
	if c.For != "" {
		return []oncall.Format{oncall.Format(c.For)}
	}
	if in.Format != intake.Auto {
		return []oncall.Format{in.Format}
	}
	var formats []oncall.Format
	for _, title := range in.Recognised() {
		for _, f := range intake.Formats {
			if f.Title == title {
				formats = append(formats, f.Name)
			}
		}
	}
	if len(formats) == 0 {
		formats = []oncall.Format{intake.Auto}
	}
	return formats
}

func kindList() string {
	var names []string
	for _, name := range intake.Names() {
		names = append(names, string(name))
	}
	return strings.Join(names, ", ")
}

func printIntegration(out io.Writer, in store.IntegrationDetail, keys []store.IntegrationKey) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%-13s "+format+"\n", append([]any{name}, onOneLine(args)...)...)
	}
	line("Integration", "%s of team %s, by policy %s", in.Name, in.Team, in.Policy)
	switch {
	case in.Format != intake.Auto:
		line("Kind", "%s: %s", string(in.Format), intake.FormatNamed(in.Format).Title)
	default:
		line("Kind", "auto: what it sends is taken for %s", cmp.Or(in.Monitors, "nothing yet"))
	}
	heard := "none since this is kept"
	if in.FirstSignalAt != nil {
		heard = stamp(*in.FirstSignalAt)
	}
	line("First signal", "%s", heard)
	for _, k := range keys {
		if k.Integration == in.Name {
			used := "never used"
			if k.UsedAt != nil {
				used = fmt.Sprintf("last used %s, %d requests", stamp(*k.UsedAt), k.Uses)
			}
			line("Key", "…%s, %s", k.Hint, used)
		}
	}
	switch {
	case len(in.Topics) > 0:
		line("Topics", "only what these topics of Amazon SNS send: %s", strings.Join(in.Topics, ", "))
	case in.Signed:
		line("Signed", "what is not signed with its secret is refused")
	case in.SignSecret != "":
		line("Signed", "there is a secret, but what is not signed is taken: the set-up file doesn't say signed: true")
	}
	if in.Unread > 0 {
		line("Not read", "%d bodies could not be understood; each opened or repeated an incident that shows how it begins; watchbill integration payloads prints them", in.Unread)
	}
}
