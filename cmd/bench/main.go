// Command bench prints Watchbill's figures, one per line: name, value, unit. It runs
// bin/watchbill against its own PostgreSQL, durable as in production, and the local Slack. Every
// figure depends on the machine, so compare figures of one run, or the same figure before and
// after a change on one machine. Arguments select measurements: start, page, timers,
// escalations, fallback, signals, schedules, storm, flood, burst, pile, group, fold, rest, home, idle, old.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/watchbill/watchbill/localpg"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	limit := 30 * time.Minute
	if slices.Contains(os.Args[1:], longest) {
		limit = 2 * time.Hour
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	err := run(ctx, os.Stdout, os.Args[1:])
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// longest is the measurement that runs only on request: it takes many minutes, and gigabytes.
const longest = "old"

// A bench is what all measurements share.
type bench struct {
	out    io.Writer
	dir    string // temporary
	server *localpg.Server
}

func run(ctx context.Context, out io.Writer, only []string) error {
	dir, err := os.MkdirTemp("", "watchbill-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // PostgreSQL may run as another user and must be able to enter
		return err
	}
	server, err := localpg.Start(ctx, localpg.Options{Getenv: os.Getenv, DataDir: dir, Durable: true, Out: os.Stderr})
	if err != nil {
		return err
	}
	defer server.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // the directory is removed next
	b := &bench{out: out, dir: dir, server: server}
	for _, m := range []struct {
		name string
		run  func(context.Context) error
	}{{"start", b.start}, {"page", b.firstPage}, {"timers", b.timers}, {"escalations", b.escalations}, {"fallback", b.fallback}, {"signals", b.signals}, {"schedules", b.schedules}, {"storm", b.drawings}, {"flood", b.flood}, {"burst", b.burst}, {"pile", b.pile}, {"group", b.group}, {"fold", b.folding}, {"rest", b.rest}, {"home", b.home}, {"idle", b.idle}, {"old", b.old}} {
		if (len(only) > 0 || m.name == longest) && !slices.Contains(only, m.name) {
			continue
		}
		if err := m.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

// figure prints one line.
func (b *bench) figure(name string, value float64, unit string) {
	fmt.Fprintf(b.out, "%s %.4g %s\n", name, value, unit)
}

// percentiles prints the percentiles of the durations.
func (b *bench) percentiles(name string, durations []time.Duration, withMax bool) {
	slices.Sort(durations)
	at := func(p float64) float64 {
		i := min(int(p*float64(len(durations))), len(durations)-1)
		return float64(durations[i]) / float64(time.Millisecond)
	}
	b.figure(name+"_p50_ms", at(0.50), "ms")
	b.figure(name+"_p99_ms", at(0.99), "ms")
	if withMax {
		b.figure(name+"_max_ms", at(1), "ms")
	}
}
