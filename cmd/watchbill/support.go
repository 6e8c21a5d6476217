package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/store"
)

const (
	supportLimit = 10 * time.Second // per part
	supportMost  = 8 << 20          // bytes per part
)

// supportBundleCmd collects information for somebody who helps but can't log in. Each part is made
// separately, so that a broken one doesn't prevent the others.
type supportBundleCmd struct {
	serveCmd `embed:""`
	File     string `short:"f" placeholder:"FILE" help:"Where to write it; without it, to watchbill-support-TIME.tar.gz in this folder."`
	Setup    bool   `help:"Add the set-up as export writes it: names of teams, people and channels."`
}

// Run writes the bundle. It is for the owner's eyes only.
func (c *supportBundleCmd) Run(p process, command *kong.Context, sources *settingSources) error {
	now := p.clock().UTC()
	if c.File == "" {
		c.File = "watchbill-support-" + now.Format("20060102-150405") + ".tar.gz"
	}
	out, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	b := newBundle(out, now)
	b.add("README.txt", func(w io.Writer) error { _, err := io.WriteString(w, supportReadme); return err })
	b.add("version.txt", func(w io.Writer) error { return (&versionCmd{}).Run(c.with(p, w)) })
	b.add("settings.txt", func(w io.Writer) error { return (&configShowCmd{}).Run(c.with(p, w), command, sources) })
	b.add("doctor.txt", func(w io.Writer) error { return c.doctor(c.with(p, w)) })
	b.add("database.txt", func(w io.Writer) error { return c.database(p.ctx, w, now) })
	b.add("ready.txt", func(w io.Writer) error { return askFor(p.ctx, w, c.Listen, c.on(), "/readyz?verbose") })
	b.add("metrics.txt", func(w io.Writer) error {
		return askFor(p.ctx, w, cmp.Or(c.MetricsListen, c.Listen), c.MetricsListen == "" && c.on(), "/metrics")
	})
	if c.Setup {
		b.add("setup.yaml", func(w io.Writer) error { return (&exportCmd{databaseFlags: c.databaseFlags}).Run(c.with(p, w)) })
	}
	if err := b.end(); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "%s is written. Look at it before you give it away: tar -xzOf %s | less\n", c.File, c.File)
	return err
}

const supportReadme = `What watchbill support-bundle has collected, for somebody who is to help.

version.txt   which Watchbill this is
settings.txt  the settings and where they come from; secrets are hidden
doctor.txt    what watchbill doctor finds; it names channels and people that have problems
database.txt  how the database is set, how large its tables are, what waits in it; counts and ages only
ready.txt     what the instance on this machine says of itself (/readyz?verbose)
metrics.txt   its metrics; their labels name integrations
setup.yaml    only if asked for by --setup: what export writes; it names teams, people and channels

No alert, payload, note, message, address, number or key is in here. A part that could not be made says why.
`

// with returns the process with another output.
func (c *supportBundleCmd) with(p process, out io.Writer) process {
	p.out = out
	return p
}

// doctor examines the installation; problems that it finds are not an error here.
func (c *supportBundleCmd) doctor(p process) error {
	d := c.asDoctor()
	if wrong := c.problems(); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	r := &report{process: p}
	d.look(r, doctorCheckLimit)
	_, err := fmt.Fprintf(p.out, "%s to fix\n", counted(r.bad, "problem"))
	return err
}

func (c *supportBundleCmd) database(ctx context.Context, out io.Writer, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, supportLimit)
	defer cancel()
	db, err := store.Open(ctx, c.DatabaseURL, store.Options{Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	defer db.Close()
	tables, err := db.SupportTables(ctx, now)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, t := range tables {
		fmt.Fprintf(w, "== %s\n%s\n", t.Name, strings.Join(t.Head, "\t"))
		for _, row := range t.Rows {
			fmt.Fprintln(w, strings.Join(row, "\t"))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

func askFor(ctx context.Context, out io.Writer, listen string, secure bool, path string) error {
	text, _, err := askHere(ctx, listen, secure, path, supportMost)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}

// A bundle is a compressed archive.
type bundle struct {
	at  time.Time
	zip *gzip.Writer
	tar *tar.Writer
	err error // of the archive
}

func newBundle(out io.Writer, at time.Time) *bundle {
	zip := gzip.NewWriter(out)
	return &bundle{at: at, zip: zip, tar: tar.NewWriter(zip)}
}

// add adds a file. If it can't be completed, its last line is the error.
func (b *bundle) add(name string, write func(io.Writer) error) {
	var text bytes.Buffer
	if err := write(&text); err != nil {
		fmt.Fprintf(&text, "\nThis could not be made, or not to its end: %s\n", briefly(err))
	}
	if b.err == nil {
		b.err = b.tar.WriteHeader(&tar.Header{Name: "watchbill-support/" + name, Mode: 0o600, Size: int64(text.Len()), ModTime: b.at})
	}
	if b.err == nil {
		_, b.err = b.tar.Write(text.Bytes())
	}
}

func (b *bundle) end() error { return errors.Join(b.err, b.tar.Close(), b.zip.Close()) }
