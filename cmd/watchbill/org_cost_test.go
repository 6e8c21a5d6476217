package main

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // only to make up keys
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store/storetest"
)

var (
	orgsMany = flag.Int("orgs", 0, "how many organisations one process serves while one of them is in a storm; 0: three, for a moment")
	orgsIdle = flag.Duration("orgs-idle", 30*time.Second, "how long they are idle before")
	orgsRate = flag.Int("orgs-rate", 1000, "signals a second of the storm")
)

// A storm in one organisation doesn't hold up pages in the others. Each organisation's signals page,
// and nobody is paged for another organisation's storm. With -orgs it prints what organisations cost,
// and how late pages are.
func TestStormOfOneOrganisation(t *testing.T) {
	t.Parallel()
	n, idle, storm, rate := 3, time.Duration(0), 2*time.Second, 50
	if *orgsMany > 0 {
		n, idle, storm, rate = *orgsMany, *orgsIdle, 20*time.Second, *orgsRate
	}
	o := newOrgTest(t)
	var all []company
	for i := range n {
		all = append(all, o.addMigrated(fmt.Sprintf("org%d", i)))
	}
	process := o.program(n)
	o.awaitServed(n)
	look := storetest.New(t)
	if idle > 0 {
		time.Sleep(idle) // measures that nothing happens
		o.cost(look, process, n)
	}

	before := o.firstPages(all[1:], "calm", 1, storm)
	ctx, stop := context.WithTimeout(t.Context(), storm)
	defer stop()
	var storming sync.WaitGroup
	storming.Go(func() { o.storm(ctx, all[0], rate) })
	during := o.firstPages(all[1:], "storm", 1+firstPagesEach, storm)
	stop()
	storming.Wait()
	for _, c := range all[1:] {
		if got := len(c.pagesOf("of " + all[0].name)); got != 0 {
			t.Errorf("%s was paged %d times for the storm of %s, want never", c.name, got, all[0].name)
		}
	}
	t.Logf("from signal to page in the others' Slack: %s before the storm, %s while it lasts", percentiles(before), percentiles(during))
}

// awaitServed waits until so many organisations are served, and logs how long that took.
func (o *orgTest) awaitServed(n int) {
	o.Helper()
	began := time.Now()
	for served := 0; served < n; { // each may take as long as one in another test
		was := served
		o.until(fmt.Sprintf("more than %d organisations are served", was), func() bool {
			served = strings.Count(o.log.String(), "the organisation is served")
			return served > was
		})
	}
	o.Logf("%d organisations are served after %s", n, time.Since(began).Round(time.Millisecond))
}

// addMigrated adds an organisation whose database already exists.
func (o *orgTest) addMigrated(name string) company {
	o.Helper()
	c := o.newCompany(name)
	settings := o.settingsOf(c) + "database_url: " + storetest.NewURL(o.T) + "\n"
	o.run(0, "org", "add", name, "--settings", o.file(name+".yaml", settings))
	users, policies, integrations := "users:\n", "policies:\n", "integrations:\n"
	var names []string
	for i := range 2*firstPagesEach + 1 { // somebody who was just paged gets the next pages in one message, half a minute later
		who := fmt.Sprintf("P%d", i)
		c.sim.AddUser(slacksim.User{ID: "U0" + who, Name: strings.ToLower(who)})
		users += fmt.Sprintf("  - {name: %s, slack: U0%[1]s}\n", who)
		policies += fmt.Sprintf("  - {name: policy-%s, team: payments, steps: [{page: [user %[1]s], wait: 24h}]}\n", who)
		integrations += fmt.Sprintf("  - {name: of-%s, team: payments, kind: generic, policy: policy-%[1]s, key: %s}\n", who, c.keyOfPerson(i))
		names = append(names, who)
	}
	team := fmt.Sprintf("teams: [{name: payments, channel: \"#payments\", policy: policy-P0, members: [%s]}]\n", strings.Join(names, ", "))
	o.run(0, "org", "run", name, "apply", "--yes", "-f", o.file(name+"-setup.yaml", users+team+policies+integrations))
	return c
}

// keyOfPerson returns the key of the integration that pages the n-th person.
func (c company) keyOfPerson(n int) string { return madeUpKey(fmt.Sprint(c.name, n)) }

// program runs the process separately from the test, to measure only its own memory.
func (o *orgTest) program(n int) *os.Process {
	o.Helper()
	o.addr, o.own = o.port(), o.port()
	cmd := exec.Command(asProgram(o.T), "serve", "--organisations", "--database-url", o.list, "--secret", storetest.Secret, "--listen", o.addr, "--metrics-listen", o.own, "--connections", strconv.Itoa(3*n+30))
	cmd.Env = append(os.Environ(), "WATCHBILL_LOG_LEVEL=info", "WATCHBILL_CANARY=off")
	cmd.Stderr = o.log
	if err := cmd.Start(); err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process
}

// cost logs what an idle organisation costs.
func (o *orgTest) cost(look *pgxpool.Pool, process *os.Process, n int) {
	o.Helper()
	const over = 60 * time.Second // all that an organisation does without signals happens at least once
	tx, cpu := o.transactions(look), processor(process.Pid)
	conns, samples := 0, 0
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for ; samples < int(over/time.Second); samples++ {
		<-second.C
		var n int
		if err := look.QueryRow(o.Context(), `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'watchbill'`).Scan(&n); err != nil {
			o.Fatal(err)
		}
		conns += n
	}
	tx, cpu = o.transactions(look)-tx, processor(process.Pid)-cpu
	o.Logf("%d idle organisations: %.1f MB of memory, %.2f connections, %.1f transactions a second and %.1f ms of processor a second for each",
		n, float64(anonymous(o.T, process.Pid))/1024/float64(n), float64(conns)/float64(n*samples), float64(tx)/over.Seconds()/float64(n), cpu.Seconds()*1000/over.Seconds()/float64(n))
}

// transactions counts the transactions of all databases so far.
func (o *orgTest) transactions(look *pgxpool.Pool) (n int64) {
	o.Helper()
	if err := look.QueryRow(o.Context(), `SELECT sum(xact_commit + xact_rollback)::bigint FROM pg_stat_database`).Scan(&n); err != nil {
		o.Fatal(err)
	}
	return n
}

// anonymous returns the memory of a process, in KB, without the pages that map the program's file.
func anonymous(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "RssAnon:" {
			n, _ := strconv.Atoi(fields[1])
			return n
		}
	}
	return 0
}

// processor returns how much CPU time a process has used.
func processor(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// storm sends signals of one organisation until ctx ends.
func (o *orgTest) storm(ctx context.Context, c company, rate int) {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 64, MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	var sending sync.WaitGroup
	for i := 0; ctx.Err() == nil; i++ {
		<-tick.C
		sending.Go(func() {
			body := fmt.Appendf(nil, `{"title": "node %d of %s", "severity": "high"}`, i%500, c.name)
			resp, err := client.Post("http://"+o.addr+"/v1/signals/"+c.keyOfPerson(0), "application/json", bytes.NewReader(body))
			if err == nil {
				_ = resp.Body.Close()
			}
		})
	}
	sending.Wait()
}

// firstPages sends signals to each organisation in turn for a while. Each pages somebody else,
// beginning with the given person. It returns how long each took to reach Slack.
func (o *orgTest) firstPages(all []company, what string, from int, lasts time.Duration) []time.Duration {
	o.Helper()
	type wanted struct {
		company
		title string
		at    time.Time
	}
	rate := time.NewTicker(lasts / time.Duration(len(all)*firstPagesEach))
	defer rate.Stop()
	var sent []wanted
	for n := range firstPagesEach {
		for _, c := range all {
			w := wanted{c, fmt.Sprintf("%s %d of %s", what, n, c.name), time.Now()}
			if code := o.signal(c.keyOfPerson(from+n), w.title); code != http.StatusAccepted {
				o.Errorf("a signal of %s was answered %d, want %d", c.name, code, http.StatusAccepted)
			}
			sent = append(sent, w)
			<-rate.C
		}
	}
	var late []time.Duration
	for _, w := range sent {
		o.until(w.title+" is paged", func() bool { return len(w.pagesOf(w.title)) > 0 })
		at := w.pagesOf(w.title)
		if len(at) != 1 {
			o.Errorf("%s was paged %d times, want once", w.title, len(at))
		}
		late = append(late, at[0].Sub(w.at))
	}
	return late
}

// firstPagesEach is how many signals each organisation gets before the storm, and again during it.
const firstPagesEach = 3

// pagesOf returns when people were paged about a title.
func (c company) pagesOf(title string) (at []time.Time) {
	for _, call := range c.sim.Calls() {
		to := fmt.Sprint(call.Args["channel"])
		if call.Method == "chat.postMessage" && call.OK && strings.HasPrefix(to, "U0") && strings.Contains(fmt.Sprint(call.Args), title) {
			at = append(at, call.At)
		}
	}
	return at
}

func percentiles(all []time.Duration) string {
	slices.Sort(all)
	at := func(p int) time.Duration { return all[min(len(all)*p/100, len(all)-1)].Round(time.Millisecond) }
	return fmt.Sprintf("p50 %s, p99 %s of %d", at(50), at(99), len(all))
}

// madeUpKey makes up a key of an integration.
func madeUpKey(name string) string {
	return fmt.Sprintf("%x", md5.Sum([]byte(name))) //nolint:gosec // nothing secret
}
