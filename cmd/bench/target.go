package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill"
	"github.com/watchbill/watchbill/migrations"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
)

// program is the program to measure.
const program = "bin/watchbill"

// key returns the key of the nth integration.
func key(n int) string { return fmt.Sprintf("%032x", n+1) }

// A target is one running Watchbill with its own database and Slack.
type target struct {
	sim  *slacksim.Sim
	pool *pgxpool.Pool
	url  string // of the database
	addr string
	cmd  *exec.Cmd // the instance that was started last
	live int       // how many instances run
	env  []string  // in addition to the database and Slack
}

// prepare creates a migrated database and a Slack with that many teams, each with a channel, a
// person and an integration.
func (b *bench) prepare(ctx context.Context, name string, teams int) (*target, error) {
	return b.prepareIn(ctx, slacksim.Options{}, name, teams)
}

// prepareIn is prepare with a given Slack.
func (b *bench) prepareIn(ctx context.Context, slack slacksim.Options, name string, teams int) (*target, error) {
	return b.prepareWith(ctx, slack, name, teams, func(*setup.Setup) {})
}

// prepareWith is prepare with a given set-up.
func (b *bench) prepareWith(ctx context.Context, slack slacksim.Options, name string, teams int, edit func(*setup.Setup)) (*target, error) {
	slack.Manifest = slacksim.MustManifest(watchbill.Manifest)
	admin, err := pgxpool.New(ctx, b.server.URL())
	if err != nil {
		return nil, err
	}
	_, err = admin.Exec(ctx, "CREATE DATABASE "+name)
	admin.Close()
	if err != nil {
		return nil, err
	}
	t := &target{sim: slacksim.New(slack), url: withDatabase(b.server.URL(), name)}
	if t.pool, err = pgxpool.New(ctx, t.url); err != nil {
		return nil, err
	}
	if _, err := migrations.Up(ctx, t.pool, func(string) {}); err != nil {
		return nil, err
	}
	if _, err := t.sim.Start("127.0.0.1:0"); err != nil {
		return nil, err
	}
	var doc setup.Setup
	for i := range teams {
		user, team := fmt.Sprintf("U%05d", i), fmt.Sprintf("team%d", i)
		t.sim.AddUser(slacksim.User{ID: user, Name: strings.ToLower(user), TZ: "UTC"})
		t.sim.AddChannel(slacksim.Channel{Name: team, Members: []string{user}})
		doc.Users = append(doc.Users, setup.User{Name: user, Slack: oncall.UserID(user)})
		doc.Teams = append(doc.Teams, setup.Team{Name: team, Channel: "#" + team})
		doc.Policies = append(doc.Policies, setup.Policy{
			Name: team, Team: team, Steps: []setup.Step{{Page: []string{"user " + user}, Wait: "24h"}},
		})
		doc.Integrations = append(doc.Integrations, setup.Integration{
			Name: team, Team: team, Policy: team, Format: "generic", Key: key(i),
		})
	}
	edit(&doc)
	db, err := store.Open(ctx, t.url, store.Options{Log: zerolog.Nop()})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if _, err = db.Apply(ctx, doc, store.ApplyOptions{Write: true}, time.Now()); err != nil {
		return nil, err
	}
	for _, u := range doc.Users { // a minute after applying the set-up, their Slack profiles are known
		known := oncall.User{ID: u.Slack, Name: u.Name, TimeZone: "UTC", Standing: oncall.FullMember}
		if err := db.SaveUser(ctx, known, time.Now()); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func withDatabase(address, name string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.Path = "/" + name
	return u.String()
}

// serve starts the program and returns how long it took to become ready.
func (t *target) serve(ctx context.Context) (time.Duration, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // only asks for a free port
	if err != nil {
		return 0, err
	}
	t.addr = l.Addr().String()
	if err := l.Close(); err != nil {
		return 0, err
	}
	var log bytes.Buffer
	t.cmd = exec.CommandContext(ctx, program, "serve", "--listen", t.addr, "--log-level", "error")
	t.cmd.Env = append(os.Environ(), "DATABASE_URL="+t.url, "SLACK_BOT_TOKEN=xoxb-sim", "SLACK_APP_TOKEN=xapp-sim",
		"WATCHBILL_SLACK_API_URL="+t.sim.APIURL())
	t.cmd.Env = append(t.cmd.Env, t.env...)
	t.cmd.Stderr = &log
	begin := time.Now()
	if err := t.cmd.Start(); err != nil {
		return 0, err
	}
	t.live++
	for ctx.Err() == nil && time.Since(begin) < 30*time.Second {
		resp, err := http.Get("http://" + t.addr + "/readyz") //nolint:noctx,gosec // our own address; the loop is bounded
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				ready := time.Since(begin)
				return ready, t.sim.WaitFor(ctx, func(s *slacksim.Sim) bool { return s.Sockets() == 2*t.live })
			}
		}
		time.Sleep(time.Millisecond)
	}
	return 0, fmt.Errorf("%s is not ready: %s", program, log.String())
}

// halt stops the program.
func (t *target) halt() error {
	if t.cmd == nil {
		return nil
	}
	if err := t.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	var exit *exec.ExitError
	if err := t.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	t.cmd = nil
	t.live--
	return nil
}

func (t *target) close() {
	t.halt() //nolint:errcheck // the measurement is over
	t.pool.Close()
	t.sim.Close() //nolint:errcheck // as above
}

// signal sends a distinct signal and returns once it is accepted.
func (t *target) signal(ctx context.Context, client *http.Client, key, dedup string) error {
	return t.signalOf(ctx, client, key, dedup, oncall.Critical)
}

// signalOf is signal with a severity.
func (t *target) signalOf(ctx context.Context, client *http.Client, key, dedup string, severity oncall.Severity) error {
	body := strings.NewReader(fmt.Sprintf(`{"title":"disk full on %s","dedup_key":%q,"severity":%q,"body":"98 %% used","labels":{"host":%q}}`, dedup, dedup, severity, dedup))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+t.addr+"/v1/signals/"+key, body)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("a signal was answered %s", resp.Status)
	}
	return nil
}
