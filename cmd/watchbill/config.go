package main

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Say what of the settings can't be right, without starting anything."`
	Show  configShowCmd  `cmd:"" help:"Print each setting and where it comes from; secrets are hidden."`
}

type configCheckCmd struct{ serveCmd }

// Run reports the problems that serve would find in its settings.
func (c *configCheckCmd) Run(p process) error {
	if wrong := c.problems(); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	_, err := fmt.Fprintln(p.out, "The settings can be right. watchbill doctor tries them.")
	return err
}

type configShowCmd struct{ serveCmd }

// Run prints the settings of serve.
func (c *configShowCmd) Run(p process, command *kong.Context, sources *settingSources) error {
	typed := map[*kong.Value]bool{}
	for _, step := range command.Path {
		if step.Flag != nil && !step.Resolved {
			typed[step.Flag.Value] = true
		}
	}
	flags := slices.DeleteFunc(slices.Clone(command.Selected().Flags), func(f *kong.Flag) bool { return len(f.Envs) == 0 })
	slices.SortFunc(flags, func(a, b *kong.Flag) int { return cmp.Compare(a.Envs[0], b.Envs[0]) })
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, f := range flags {
		from := sources.found[f.Value]
		_, set := os.LookupEnv(f.Envs[0])
		switch {
		case typed[f.Value]:
			from = "--" + f.Name
		case from != "":
		case set:
			from = "environment"
		default:
			from = "default"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Envs[0], shownSetting(f), from)
	}
	return w.Flush()
}

// shownSetting formats a setting with its secrets hidden.
func shownSetting(f *kong.Flag) string {
	text := fmt.Sprint(f.Target.Interface())
	switch {
	case text == "":
		return "-"
	case secretSetting(f.Envs[0]):
		return "(hidden)"
	case !strings.HasSuffix(f.Envs[0], "_URL"):
		return text
	}
	address, err := url.Parse(text)
	if err != nil {
		return "(hidden)" // DATABASE_URL may have the form password=…
	}
	if address.Host == "" && address.Scheme == "" {
		return "(hidden)"
	}
	if q := address.Query(); q.Has("password") || q.Has("sslpassword") {
		address.RawQuery = "(hidden)"
	}
	return address.Redacted()
}

// secretSetting reports whether a variable's name marks its value as secret. New such words are
// listed here.
func secretSetting(env string) bool {
	for _, word := range []string{"TOKEN", "SECRET", "PASSWORD", "KEY", "_AUTH", "HEARTBEAT_URL", "_HEADERS"} {
		if strings.Contains(env, word) && !strings.HasSuffix(env, "_CERT_KEY") && !strings.HasSuffix(env, "_FILE") {
			return true
		}
	}
	return false
}
