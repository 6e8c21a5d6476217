package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/watchbill/watchbill/slacksim"
)

// A flood: one monitor sends distinct alerts, and repeats them, faster than anybody can read. Quiet
// teams get an alert now and then.
const (
	floodRate   = 1000 // signals per second
	floodFor    = time.Minute
	floodAlerts = 5000 // distinct
	floodConns  = 128
	floodOthers = 120 // other teams, with one signal each: within 30 s, a second one's page would be deferred
	foldFor     = 10 * time.Second
	settleWait  = time.Minute
	foldLock    = 0x776201 // the advisory lock of package store's fold
)

// flood measures what a storm does to its own team and to others: how long its first page takes,
// how many posts its channel gets, how many jobs wait, how much memory is used, and how long others
// wait for their pages. Each figure is printed beside its bound.
func (b *bench) flood(ctx context.Context) error {
	t, err := b.prepareIn(ctx, slacksim.Options{Limits: true}, "bench_flood", 1+floodOthers)
	if err != nil {
		return err
	}
	defer t.close()
	if _, err := t.serve(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, floodFor+2*settleWait)
	defer cancel()
	flooding, end := context.WithTimeout(ctx, floodFor)
	defer end()
	begin := time.Now()
	var background sync.WaitGroup
	var jobs int
	var memory float64
	var sent int64
	background.Go(func() { sent = t.pour(flooding, floodRate, floodAlerts) })
	background.Go(func() { jobs, memory = t.watchLoad(flooding) })
	first, err := t.firstPost(ctx, "@u00000", begin)
	if err != nil {
		return err
	}
	pages, roots, err := t.quietPages(flooding, ctx, floodOthers, floodFor)
	background.Wait()
	if err != nil {
		return err
	}
	last := time.Now()
	settled, err := t.settled(ctx, last)
	if err != nil {
		return err
	}
	b.figure("storm_signals_per_s", float64(sent)/floodFor.Seconds(), "1/s (asked for 1000)")
	b.figure("storm_first_page_ms", float64(first)/float64(time.Millisecond), "ms (bound 1000)")
	b.percentiles("storm_other_team", pages, true)
	b.percentiles("storm_other_root", roots, true)
	b.figure("storm_other_team_p99_bound_ms", 500, "ms")
	b.figure("storm_posts", float64(t.postsIn("#team0", begin, floodFor)), "(bound 14)")
	b.figure("storm_pages", float64(t.postsIn("@u00000", begin, floodFor)), "")
	b.figure("storm_settled_s", settled.Seconds(), "s (bound 10)")
	b.figure("storm_jobs_max", float64(jobs), "(bound 2000)")
	b.figure("storm_rss_anon_mb", memory, "MB (bound 150)")
	return nil
}

// folding measures how many distinct signals per second are folded, over one key and over fifty,
// sent on 128 connections; how far behind the inbox is when the last one has been accepted; and the
// CPU time. The bound of the first is 1.5 times pgbench's rate for the same rows.
func (b *bench) folding(ctx context.Context) error {
	t, err := b.foldingOf(ctx, "", 1)
	if err != nil {
		return err
	}
	tps, err := b.pgbench(ctx, t, allRows)
	t.close()
	if err != nil {
		return err
	}
	b.figure("pgbench_tps_32", tps, "1/s")
	b.figure("fold_per_s_bound", 1.5*tps, "1/s")
	t, err = b.foldingOf(ctx, "_50", burstTeams)
	if err == nil {
		t.close()
	}
	return err
}

// foldCost is the CPU time of a program and of the backend that folds.
type foldCost struct{ program, folder float64 }

func (t *target) foldCost(ctx context.Context) (c foldCost, err error) {
	var folder int
	if err := t.pool.QueryRow(ctx, `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid IN (
		SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = $1)`, foldLock).Scan(&folder); err != nil {
		return c, fmt.Errorf("look for who folds: %w", err)
	}
	if c.program, err = cpuSeconds(t.cmd.Process.Pid); err == nil {
		c.folder, err = cpuSeconds(folder)
	}
	return c, err
}

// foldingOf measures it for a number of keys, and keeps the database.
func (b *bench) foldingOf(ctx context.Context, suffix string, keys int) (*target, error) {
	t, err := b.prepare(ctx, "bench_fold"+suffix, keys)
	if err != nil {
		return nil, err
	}
	if _, err := t.serve(ctx); err != nil {
		return t, err
	}
	cost, err := t.foldCost(ctx)
	if err != nil {
		return t, err
	}
	begin := time.Now()
	var accepted atomic.Int64
	var group sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: floodConns}}
	defer client.CloseIdleConnections()
	for c := range floodConns {
		group.Go(func() {
			for n := 0; time.Since(begin) < foldFor && ctx.Err() == nil; n++ {
				if t.signal(ctx, client, key((c+n)%keys), fmt.Sprintf("host-%d-%d", c, n)) == nil {
					accepted.Add(1)
				}
			}
		})
	}
	group.Wait()
	took := time.Since(begin)
	var left int64
	var lag float64
	if err := t.pool.QueryRow(ctx, `SELECT count(*), coalesce(extract(epoch FROM $1 - min(received_at)), 0) FROM inbox`, time.Now()).Scan(&left, &lag); err != nil {
		return t, err
	}
	for n := left; n > 0 && ctx.Err() == nil; {
		if err := t.pool.QueryRow(ctx, `SELECT count(*) FROM inbox`).Scan(&n); err != nil {
			return t, err
		}
		time.Sleep(20 * time.Millisecond)
	}
	after, err := t.foldCost(ctx)
	if err != nil {
		return t, err
	}
	all := float64(accepted.Load())
	b.figure("accepted_per_s_128"+suffix, all/took.Seconds(), "1/s")
	b.figure("fold_per_s"+suffix, all/time.Since(begin).Seconds(), "1/s")
	b.figure("fold_accept_ratio"+suffix, (all-float64(left))/all, "")
	b.figure("inbox_lag"+suffix+"_s", lag, "s (bound 1)")
	b.figure("fold_cpu"+suffix+"_program_us", (after.program-cost.program)/all*1e6, "µs a signal, intake included")
	b.figure("fold_cpu"+suffix+"_folder_us", (after.folder-cost.folder)/all*1e6, "µs a signal, of the backend that folds")
	return t, t.halt()
}

// pour sends signals at a rate until ctx ends, for a number of alerts of the first team, and
// returns how many were accepted.
func (t *target) pour(ctx context.Context, rate, alerts int) int64 {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: floodConns}}
	defer client.CloseIdleConnections()
	var accepted atomic.Int64
	var group sync.WaitGroup
	next := make(chan int)
	for range floodConns {
		group.Go(func() {
			for n := range next {
				if t.signal(context.WithoutCancel(ctx), client, key(0), fmt.Sprintf("host-%d", n%alerts)) == nil {
					accepted.Add(1)
				}
			}
		})
	}
	begin := time.Now()
	for n := 0; ctx.Err() == nil; n++ {
		if wait := time.Until(begin.Add(time.Duration(n) * time.Second / time.Duration(rate))); wait > time.Millisecond {
			time.Sleep(wait)
		}
		next <- n
	}
	close(next)
	group.Wait()
	return accepted.Load()
}

// watchLoad returns the maximum number of waiting jobs and of anonymous memory.
func (t *target) watchLoad(ctx context.Context) (jobs int, memory float64) {
	for ctx.Err() == nil {
		var n int
		if t.pool.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE finalized_at IS NULL`).Scan(&n) == nil {
			jobs = max(jobs, n)
		}
		if mb, err := anonymousMB(t.cmd.Process.Pid); err == nil {
			memory = max(memory, mb)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return jobs, memory
}

func anonymousMB(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("no RssAnon for process %d", pid)
}

// firstPost waits for the first message in a channel, and returns how long that took.
func (t *target) firstPost(ctx context.Context, place string, begin time.Time) (time.Duration, error) {
	err := t.sim.WaitFor(ctx, func(s *slacksim.Sim) bool { return len(s.Messages(place)) > 0 })
	if err != nil {
		return 0, fmt.Errorf("nothing came to %s: %w", place, err)
	}
	return time.Since(begin), nil
}

// quietPages takes the samples of the quiet teams: from a signal to the person's message, and to
// the channel's.
func (t *target) quietPages(flooding, ctx context.Context, samplesWanted int, during time.Duration) (pages, roots []time.Duration, failed error) {
	var mu sync.Mutex
	var samples sync.WaitGroup
	for n := range samplesWanted {
		samples.Go(func() {
			team := 1 + n
			title := fmt.Sprintf("quiet-%03d", n)
			begin := time.Now()
			err := t.signal(ctx, http.DefaultClient, key(team), title)
			var paged, posted time.Duration
			if err == nil {
				err = t.sim.WaitFor(ctx, func(s *slacksim.Sim) bool {
					if paged == 0 && shows(s, fmt.Sprintf("@u%05d", team), title) {
						paged = time.Since(begin)
					}
					if posted == 0 && shows(s, fmt.Sprintf("#team%d", team), title) {
						posted = time.Since(begin)
					}
					return paged > 0 && posted > 0
				})
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = fmt.Errorf("%s: %w", title, err)
				return
			}
			pages, roots = append(pages, paged), append(roots, posted)
		})
		select {
		case <-time.After(during / time.Duration(samplesWanted+1)):
		case <-flooding.Done():
		}
	}
	samples.Wait()
	return pages, roots, failed
}

// shows reports whether a message in a channel contains a text.
func shows(s *slacksim.Sim, place, text string) bool {
	for _, m := range s.Messages(place) {
		if m.ThreadTS == "" && (strings.Contains(m.Text, text) || strings.Contains(string(m.Blocks), text)) {
			return true
		}
	}
	return false
}

// settled waits until the storm's message counts all of its alerts.
func (t *target) settled(ctx context.Context, since time.Time) (time.Duration, error) {
	err := t.sim.WaitFor(ctx, func(s *slacksim.Sim) bool {
		for _, m := range s.Messages("#team0") {
			if strings.Contains(string(m.Blocks), "alerts firing") && strings.Contains(string(m.Blocks), "signals, last at") {
				return true
			}
		}
		return false
	})
	if err != nil {
		return 0, err
	}
	for ctx.Err() == nil {
		var behind bool
		if err := t.pool.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM inbox) OR EXISTS (
				SELECT FROM drawings d JOIN incidents i ON i.id = d.incident_id AND i.storm IS NOT NULL WHERE d.drawn < i.version)`).Scan(&behind); err != nil {
			return 0, err
		}
		if !behind {
			return time.Since(since), nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return 0, fmt.Errorf("the storm's message is not right: %w", ctx.Err())
}

// postsIn counts the messages in a channel during a period, including replies in threads.
func (t *target) postsIn(place string, begin time.Time, during time.Duration) (n int) {
	for _, m := range t.sim.Messages(place) {
		if at, err := strconv.ParseFloat(m.TS, 64); err == nil && at < float64(begin.Add(during).Unix()) {
			n++
		}
	}
	return n
}
