package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/watchbill/watchbill"
	"github.com/watchbill/watchbill/localpg"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store/storetest"
)

// stepWait is how long the first two steps of a chaosPlace's policies wait.
const stepWait = 4 * time.Second

// A chaosPlace is an installation to which something is done while monitors send: a PostgreSQL and
// a Slack of its own, and instances of the program. Each team pages three people, one after the
// other.
type chaosPlace struct {
	*testing.T
	teams   int
	program string // this test binary, under a name that makes it the program
	sim     *slacksim.Sim
	url     string // of the database, bypassing any proxy
	env     []string
	running []*chaosInstance
}

// A chaosInstance is a process that may be killed and started again.
type chaosInstance struct {
	running
	env []string
}

// newChaosPlace makes everything but the database.
func newChaosPlace(t *testing.T, teams int) *chaosPlace {
	t.Helper()
	p := &chaosPlace{T: t, teams: teams, program: asCommand(t, "watchbill-chaos")}
	p.sim = slacksim.New(slacksim.Options{Manifest: slacksim.MustManifest(watchbill.Manifest)})
	for team := range teams {
		var all []string
		for step := range 3 {
			all = append(all, chaosPerson(team, step))
			p.sim.AddUser(slacksim.User{ID: all[step], Name: strings.ToLower(all[step])})
		}
		p.sim.AddChannel(slacksim.Channel{Name: fmt.Sprint("team-", team), Members: all})
	}
	if _, err := p.sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.sim.Close() })
	p.env = []string{
		"WATCHBILL_SECRET=" + storetest.Secret, "SLACK_BOT_TOKEN=xoxb-sim", "SLACK_APP_TOKEN=xapp-sim",
		"WATCHBILL_SLACK_API_URL=" + p.sim.APIURL(),
	}
	return p
}

func chaosPerson(team, step int) string { return fmt.Sprintf("U0T%02dS%d", team, step) }

// chaosKey returns the key of a team's integration.
func chaosKey(team int) string {
	sum := sha256.Sum256([]byte(fmt.Sprint("monitor of team ", team)))
	return hex.EncodeToString(sum[:16])
}

// database runs a PostgreSQL that can be killed, with its data in a directory.
func (p *chaosPlace) database(dir string, settings ...string) *localpg.Server {
	p.Helper()
	s, err := localpg.Start(context.Background(), localpg.Options{
		Getenv: os.Getenv, DataDir: dir, Durable: true,
		// Shared memory of a killed server would remain.
		Settings: append([]string{"dynamic_shared_memory_type=mmap"}, settings...),
	})
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		select {
		case <-s.Done():
		default:
			_ = s.Stop(context.Background())
		}
	})
	return s
}

// setUp makes a database with the set-up in it.
func (p *chaosPlace) setUp(server *localpg.Server) {
	p.Helper()
	p.create(server)
	var text strings.Builder
	list := func(head string, line func(team int)) {
		text.WriteString(head + ":\n")
		for team := range p.teams {
			line(team)
		}
	}
	list("users", func(team int) {
		for step := range 3 {
			fmt.Fprintf(&text, "  - {name: %s, slack: %[1]s}\n", chaosPerson(team, step))
		}
	})
	list("teams", func(team int) {
		fmt.Fprintf(&text, "  - {name: team-%d, channel: \"#team-%[1]d\", members: [%s, %s, %s]}\n", team,
			chaosPerson(team, 0), chaosPerson(team, 1), chaosPerson(team, 2))
	})
	list("policies", func(team int) {
		fmt.Fprintf(&text, "  - {name: policy-%d, team: team-%[1]d, steps: [{page: [user %[2]s], wait: %[5]s}, {page: [user %[3]s], wait: %[5]s}, {page: [user %[4]s], wait: 24h}]}\n",
			team, chaosPerson(team, 0), chaosPerson(team, 1), chaosPerson(team, 2), stepWait)
	})
	list("integrations", func(team int) {
		fmt.Fprintf(&text, "  - {name: monitor-%d, team: team-%[1]d, kind: generic, policy: policy-%[1]d, storm: \"off\", key: %s}\n", team, chaosKey(team))
	})
	file := filepath.Join(p.TempDir(), "setup.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		p.Fatal(err)
	}
	for _, args := range [][]string{{"migrate"}, {"apply", "--yes", "-f", file}} {
		cmd := exec.Command(p.program, args...)
		cmd.Env = append(append(os.Environ(), p.env...), "DATABASE_URL="+p.url)
		if out, err := cmd.CombinedOutput(); err != nil {
			p.Fatalf("%s: %v: %s", args[0], err, out)
		}
	}
}

// create makes an empty database.
func (p *chaosPlace) create(server *localpg.Server) {
	p.Helper()
	p.ask(server.URL(), `CREATE ROLE watchbill LOGIN`, nil)
	p.ask(server.URL(), `CREATE DATABASE watchbill OWNER watchbill`, nil)
	p.url = databaseOf(p.T, server)
}

// databaseOf returns the address of the database of a chaosPlace on a server, or on one of several.
func databaseOf(t *testing.T, servers ...*localpg.Server) string {
	t.Helper()
	var hosts []string
	for _, s := range servers {
		hosts = append(hosts, socketOf(t, s))
	}
	q := url.Values{"host": {strings.Join(hosts, ",")}, "port": {"5432"}, "sslmode": {"disable"}}
	return "postgres://watchbill@/watchbill?" + q.Encode()
}

// asAdmin returns the address for a superuser, who has reserved connections.
func asAdmin(address string) string {
	return strings.Replace(address, "//watchbill@", "//postgres@", 1)
}

// socketOf returns the directory of a server's socket.
func socketOf(t *testing.T, s *localpg.Server) string {
	t.Helper()
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("host")
}

// ask runs a query on a connection of its own, and reads its only value.
func (p *chaosPlace) ask(address, sql string, value any) {
	p.Helper()
	conn, err := pgx.Connect(context.Background(), address)
	if err != nil {
		p.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(context.Background(), sql).Scan(value); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		p.Fatalf("%s: %v", sql, err)
	}
}

// count queries a number; -1 while the database can't answer.
func (p *chaosPlace) count(sql string, args ...any) (n int) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, asAdmin(p.url))
	if err != nil {
		return -1
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, sql, args...).Scan(&n)
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok && strings.HasPrefix(answer.Code, "42") {
		p.Fatal(err) // a mistake in the test
	}
	if err != nil {
		return -1
	}
	return n
}

// start runs one more instance of the program.
func (p *chaosPlace) start(env ...string) *chaosInstance {
	p.Helper()
	i := &chaosInstance{env: append(append([]string{"DATABASE_URL=" + p.url}, p.env...), env...)}
	i.running = startProgram(p.T, p.program, i.env)
	p.running = append(p.running, i)
	return i
}

// again restarts an instance at its old address, without waiting.
func (p *chaosPlace) again(i *chaosInstance) {
	p.Helper()
	i.Cmd = exec.Command(i.Path, "serve", "--listen", i.addr)
	i.Env = append(os.Environ(), i.env...)
	i.Stderr = i.log
	if err := i.Start(); err != nil {
		p.Fatal(err)
	}
	process := i.Process
	p.Cleanup(func() { _ = process.Kill() })
}

// ready reports whether an instance is ready.
func (i *chaosInstance) ready() bool {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get("http://" + i.addr + "/readyz")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// until waits for a condition, with a limit.
func (p *chaosPlace) until(what string, limit time.Duration, ok func() bool) {
	p.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			p.Fatalf("waited %s in vain until %s: %s\nThe instances say:\n%s", limit, what, p.undone(), p.logs())
		}
	}
}

// undone describes what is still to be done.
func (p *chaosPlace) undone() string {
	const load = `
		SELECT concat_ws(' ', 'page', p.key, p.state, 'attempt', p.attempt, 'bundle', p.bundle, 'due', p.due_at, 'held', p.held_until, p.detail)
		FROM pages p WHERE p.state <> 'delivered'
		UNION ALL
		SELECT concat_ws(' ', 'incident', i.id, i.status, 'step', i.step, 'next', i.next_at, 'pages', (SELECT count(*) FROM pages WHERE incident_id = i.id))
		FROM incidents i WHERE (SELECT count(*) FROM pages WHERE incident_id = i.id) < 3
		UNION ALL
		SELECT concat_ws(' ', kind, state, scheduled_at, attempt, args) FROM river_job
		WHERE state <> 'completed' AND kind IN ('page', 'escalate') AND scheduled_at < clock_timestamp() + interval '1 hour'
		LIMIT 60`
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, asAdmin(p.url))
	if err != nil {
		return err.Error()
	}
	defer conn.Close(ctx)
	rows, _ := conn.Query(ctx, load)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return fmt.Sprint(strings.Join(lines, "\n"), err)
}

// logs returns the last lines of every instance's log.
func (p *chaosPlace) logs() string {
	var out strings.Builder
	for n, i := range p.running {
		text := i.log.String()
		fmt.Fprintf(&out, "%d: …%s\n", n, text[max(0, len(text)-3000):])
	}
	return out.String()
}
