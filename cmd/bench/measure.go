package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
)

// start measures how long starting on a migrated database takes, and the memory of an idle process.
func (b *bench) start(ctx context.Context) error {
	t, err := b.prepare(ctx, "bench_start", 1)
	if err != nil {
		return err
	}
	defer t.close()
	var took []time.Duration
	for range 5 {
		ready, err := t.serve(ctx)
		if err != nil {
			return err
		}
		took = append(took, ready)
		if len(took) < 5 {
			if err := t.halt(); err != nil {
				return err
			}
		}
	}
	slices.Sort(took)
	b.figure("ready_ms", float64(took[2])/float64(time.Millisecond), "ms")
	select {
	case <-time.After(5 * time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	rss, err := residentMB(t.cmd.Process.Pid)
	if err != nil {
		return err
	}
	anonymous, err := anonymousMB(t.cmd.Process.Pid)
	if err != nil {
		return err
	}
	b.figure("rss_idle_mb", rss, "MB")
	b.figure("rss_anon_idle_mb", anonymous, "MB")
	return nil
}

func residentMB(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS for process %d", pid)
}

// cpuSeconds returns the CPU time of a process, including its threads.
func cpuSeconds(pid int) (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	const ticks = 100 // per second, on every Linux
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("unexpected /proc/%d/stat", pid)
	}
	user, errUser := strconv.ParseFloat(fields[11], 64)
	system, errSystem := strconv.ParseFloat(fields[12], 64)
	return (user + system) / ticks, errors.Join(errUser, errSystem)
}

// The pause between two signals stays below Slack's limit of several hundred messages a minute in
// one workspace: each signal posts two.
const (
	pageSamples = 100
	pagePause   = 700 * time.Millisecond
)

// firstPage measures the time from a signal to the first chat.postMessage that Slack gets, and
// then from a click to its acknowledgement.
func (b *bench) firstPage(ctx context.Context) error {
	t, err := b.prepare(ctx, "bench_page", pageSamples)
	if err != nil {
		return err
	}
	defer t.close()
	if _, err := t.serve(ctx); err != nil {
		return err
	}
	var paged []time.Duration
	for i := range pageSamples {
		took, err := t.pageOnce(ctx, i)
		if err != nil {
			return err
		}
		paged = append(paged, took)
		select {
		case <-time.After(pagePause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b.percentiles("first_page", paged, false)

	var clicked []time.Duration
	for i := range pageSamples {
		user := fmt.Sprintf("U%05d", i)
		begin := time.Now()
		result, err := t.sim.Click(ctx, user, "@"+strings.ToLower(user), "", "ack")
		if err != nil {
			return err
		}
		if !result.Acked {
			return fmt.Errorf("a click was not acknowledged: %s", result.Error)
		}
		clicked = append(clicked, time.Since(begin))
	}
	b.percentiles("click_ack", clicked, false)
	return nil
}

// pageOnce sends one signal to team i, waits until both its messages have arrived, and returns
// how long the first took.
func (t *target) pageOnce(ctx context.Context, i int) (time.Duration, error) {
	begin := time.Now()
	if err := t.signal(ctx, http.DefaultClient, key(i), fmt.Sprintf("host-%d", i)); err != nil {
		return 0, err
	}
	wait, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var first time.Duration
	err := t.sim.WaitFor(wait, func(s *slacksim.Sim) bool {
		posts := 0
		for _, call := range s.Calls() {
			if call.Method != "chat.postMessage" || call.At.Before(begin) {
				continue
			}
			if took := call.At.Sub(begin); posts == 0 || took < first {
				first = took
			}
			posts++
		}
		return posts >= 2
	})
	if err != nil {
		return 0, fmt.Errorf("no page for signal %d: %w", i, err)
	}
	return first, nil
}

// Timers: some are due while we measure, the rest later.
const (
	dueTimers     = 1000
	pendingTimers = 10000
	timerLead     = 15 * time.Second
	timerSpan     = 20 * time.Second
)

// timers measures how late escalations run. Their policy has nobody to page, so that the figure
// does not depend on Slack.
func (b *bench) timers(ctx context.Context) error {
	t, err := b.prepare(ctx, "bench_timers", 1)
	if err != nil {
		return err
	}
	defer t.close()
	if _, err := t.pool.Exec(ctx, `DELETE FROM team_members`); err != nil {
		return err
	}
	if _, err := t.pool.Exec(ctx, `UPDATE policies SET steps = '[]'`); err != nil {
		return err
	}
	if err := t.plantTimers(ctx); err != nil {
		return err
	}
	if _, err := t.serve(ctx); err != nil {
		return err
	}
	late, err := t.lateness(ctx, oncall.EventExhausted)
	if err != nil {
		return err
	}
	b.percentiles("timer_late", late, true)
	return nil
}

// escalations measures how late escalations that page somebody are decided: 1,000 of them in 20 s
// with 10,000 more incidents open. A hundred people are paged meanwhile.
func (b *bench) escalations(ctx context.Context) error {
	t, err := b.prepare(ctx, "bench_escalations", pageSamples)
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.plantTimers(ctx); err != nil {
		return err
	}
	if _, err := t.serve(ctx); err != nil {
		return err
	}
	late, err := t.lateness(ctx, oncall.EventPaging)
	if err != nil {
		return err
	}
	b.percentiles("escalation_late", late, true)
	return nil
}
