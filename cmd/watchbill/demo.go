package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill"
	"github.com/watchbill/watchbill/localpg"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/spool"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/web"
)

// demoSetup is the demo's fictitious team.
//
//go:embed demo.yaml
var demoSetup []byte

type demoCmd struct {
	DatabaseURL string `name:"database-url" env:"DATABASE_URL" placeholder:"URL" help:"Use this PostgreSQL instead of starting one."`
	DataDir     string `placeholder:"DIR" help:"Where the demo keeps its data."`
	Reset       bool   `help:"Start empty; the old data are moved aside, not deleted."`
	Listen      string `default:"127.0.0.1:8080" help:"Address for monitors; the next free port where this one is taken."`
	Page        string `default:"127.0.0.1:8090" help:"Address of the local Slack's page; likewise."`
	Phones      string `default:"127.0.0.1:8095" help:"Address of the simulated phones' page; likewise."`
}

func (c *demoCmd) problems() (wrong wrongUse) {
	for name, addr := range map[string]string{"--listen": c.Listen, "--page": c.Page, "--phones": c.Phones} {
		wrong = append(wrong, listenProblems(name, addr)...)
		wrong = append(wrong, loopbackProblems(name, addr)...)
	}
	if c.Reset && c.DatabaseURL != "" {
		wrong = append(wrong, "--reset can't empty the database of DATABASE_URL; only one that the demo started itself")
	}
	return wrong
}

// bringUp prepares the database for this program.
func (c *demoCmd) bringUp(p process, dir, databaseURL string) error {
	if err := c.moveAside(p, dir); err != nil {
		return err
	}
	return migrate(process{ctx: p.ctx, errOut: discard{}, clock: p.clock}, databaseURL)
}

func (c *demoCmd) Run(p process) error {
	if wrong := c.problems(); len(wrong) > 0 {
		return wrong
	}
	dir, err := c.dataDir(p)
	if err != nil {
		return err
	}
	database, err := c.database(p, dir)
	if err != nil {
		return err
	}
	defer database.stop()
	if err := c.bringUp(p, dir, database.url); err != nil {
		return err
	}

	key, err := demoKey(dir)
	secret := ""
	if err == nil {
		secret, err = demoFile(dir, secretFile, newSecret)
	}
	if err == nil {
		err = seed(p, database.url, key)
	}
	if err != nil {
		return err
	}
	sim, page, err := c.slack(p, dir)
	if err != nil {
		return err
	}
	defer sim.Close() //nolint:errcheck // every change has been saved already
	phones, flags, err := c.phones(p)
	if err != nil {
		return err
	}
	defer phones.Close() //nolint:errcheck // it has no state to save
	listen, err := freePort(p.ctx, c.Listen)
	if err != nil {
		return err
	}
	log := zerolog.New(zerolog.ConsoleWriter{Out: p.errOut, TimeFormat: time.TimeOnly}).
		Level(zerolog.WarnLevel).With().Timestamp().Logger()
	reach := channelFlags{twilioFlags: flags, WebhookPrivate: true, WebhookLoopback: "localhost"}
	err = serve(p, settings{
		databaseURL: database.url, botToken: simBotToken, appToken: simAppToken,
		slackAPI: sim.APIURL(), listen: listen, spool: demoSpool(dir), secrets: secretFlags{secret}.secrets(),
		channels: reach.senders(p.clock, ""), silencer: notify.NewAlertmanager(reach.alertmanager()), hooks: reach.webhooks(), calendars: reach.calendars(),
		web: webSettings{on: true, demo: slacksim.PersonCookie, status: web.StatusPublic},
	}, log, func(a *app) {
		database.announce(page)
		a.background(p.ctx, "phones", func(ctx context.Context) error { return givePhones(ctx, p, a, phones) })
		welcome(p, a, page, phones.URL(), key, demoSettings{database: database.url, secret: secret, slackAPI: sim.APIURL()})
	})
	if err == nil {
		fmt.Fprintln(p.out, "Stopped. The data are kept; `make run` goes on from here.")
	}
	return err
}

// The demo's own files.
const (
	keyFile    = "key"
	secretFile = "secret"
	stateFile  = "slack.json"
	spoolDir   = "spool"
)

// The people of the local workspace who are somebody in particular.
const (
	demoBot   = "watchbill" // as the help mentions it
	demoOwner = "Ann"       // of the workspace, and therefore an admin
)

// The tokens of the local workspace, worthless anywhere else.
const (
	simBotToken = "xoxb-local-workspace"
	simAppToken = "xapp-local-workspace"
)

// demoSettings are what other commands need to work on the demo.
type demoSettings struct{ database, secret, slackAPI string }

func welcome(p process, a *app, page, phones, key string, others demoSettings) {
	alerts := "http://" + a.addr + "/v1/signals/"
	fmt.Fprintf(p.out, `Watchbill is running, with a local Slack workspace to try it in.

  Open the workspace   %s
  Open the phones      %s
  Look in a browser    http://%s/
  Fire an alert        curl %s%s -d '{"title": "disk full on db-1", "dedup_key": "db-1/disk", "severity": "critical"}'
  It is over           curl %s%s -d '{"status": "resolved", "dedup_key": "db-1/disk"}'

What to try: fire the alert, look at #payments, and press Acknowledge as %s, who is on call.
Or press nothing: within a minute an SMS and a call come, then the next person is paged, and
after another minute the whole team. Answer on the phones: reply 1a, or pick up and press 1.
In Slack, choose who you are at the top right, then type /oncall who, /oncall schedule
payments-primary, or /oncall override @bo now 2h payments-primary. A Prometheus Alertmanager
can send to %s%s (webhook_configs).

For watchbill explain, apply and doctor:
  export DATABASE_URL='%s'
  export WATCHBILL_SECRET='%s'
  export SLACK_BOT_TOKEN=%s SLACK_APP_TOKEN=%s WATCHBILL_SLACK_API_URL=%s

Ctrl-C stops it; the data are kept.
`, page, phones, a.addr, alerts, key, alerts, key, onCallNow(p, a), alerts, demoKind(key), others.database, others.secret, simBotToken, simAppToken, others.slackAPI)
}

// onCallNow returns who is on call in the demo's first schedule.
func onCallNow(p process, a *app) string {
	known, err := a.store.Directory(p.ctx)
	if err != nil || len(known.Schedules) == 0 {
		return "the person"
	}
	for _, id := range known.Schedules[0].At(p.clock(), schedule.RolePrimary) {
		return known.Users[id].Name
	}
	return "the person"
}

// demoKind returns the key of the Alertmanager integration: that of the generic one with its last
// character changed.
func demoKind(key string) string {
	last := "0"
	if strings.HasSuffix(key, "0") {
		last = "1"
	}
	return key[:len(key)-1] + last
}

// dataDir returns where the demo keeps its key and the local Slack's state, next to PostgreSQL's data.
func (c *demoCmd) dataDir(p process) (string, error) {
	dir := c.DataDir
	if dir == "" {
		var err error
		if dir, err = localpg.DefaultDataDir(p.getenv); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // PostgreSQL may run as another user and must be able to enter
		return "", fmt.Errorf("make the data directory: %w", err)
	}
	return dir, nil
}

// moveAside moves the demo's own files away for a fresh start; localpg moves those of the database.
func (c *demoCmd) moveAside(p process, dir string) error {
	if !c.Reset {
		return nil
	}
	suffix := p.clock().UTC().Format("-20060102-150405")
	for _, name := range []string{keyFile, secretFile, stateFile, spoolDir} {
		path := filepath.Join(dir, name)
		if err := os.Rename(path, path+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("move the old data aside: %w", err)
		}
	}
	return nil
}

// A demoDatabase is the database named in the settings, or one of our own.
type demoDatabase struct {
	url      string
	announce func(page string) // tells a second demo where this one runs
	stop     func()
}

func (c *demoCmd) database(p process, dir string) (demoDatabase, error) {
	if c.DatabaseURL != "" {
		if wrong := (databaseFlags{c.DatabaseURL}).problems(); len(wrong) > 0 {
			return demoDatabase{}, wrongUse(wrong)
		}
		return demoDatabase{url: c.DatabaseURL, announce: func(string) {}, stop: func() {}}, nil
	}
	server, err := localpg.Start(p.ctx, localpg.Options{
		Getenv: p.getenv, DataDir: dir, Durable: true, Fresh: c.Reset, Out: p.errOut,
	})
	if err != nil {
		return demoDatabase{}, err
	}
	complain := func(err error) {
		if err != nil {
			fmt.Fprintln(p.errOut, "watchbill:", err)
		}
	}
	return demoDatabase{
		url:      server.URL(),
		announce: func(page string) { complain(server.Announce(page)) },
		stop: func() {
			ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
			defer cancel()
			complain(server.Stop(ctx))
		},
	}, nil
}

// demoKey creates the key once, so that yesterday's curl command still works.
func demoKey(dir string) (string, error) {
	return demoFile(dir, keyFile, func() string {
		var b [16]byte
		rand.Read(b[:])
		return setup.KeyFromBytes(b)
	})
}

// demoFile returns the contents of a demo file, which is created once.
func demoFile(dir, name string, fresh func() string) (string, error) {
	path := filepath.Join(dir, name)
	kept, err := os.ReadFile(path)
	switch {
	case err == nil:
		return strings.TrimSpace(string(kept)), nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("read the demo's %s: %w", name, err)
	}
	made := fresh()
	if err := os.WriteFile(path, []byte(made+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the demo's %s: %w", name, err)
	}
	return made, nil
}

// demoSpool creates the spool directory; empty if it would be in memory.
func demoSpool(dir string) string {
	if spool.InMemory(dir) {
		return ""
	}
	kept := filepath.Join(dir, spoolDir)
	_ = os.MkdirAll(kept, 0o700) // logged later if it is unusable
	return kept
}

// seed sets up the fictitious team, but only in an empty installation, so that a visitor's changes
// are kept.
func seed(p process, databaseURL, key string) error {
	db, err := store.Open(p.ctx, databaseURL, store.Options{Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	defer db.Close()
	known, err := db.Directory(p.ctx)
	if err != nil {
		return err
	}
	if len(known.Teams) > 0 {
		return nil
	}
	doc, err := parseSetup(demoSetup)
	if err != nil {
		return fmt.Errorf("demo.yaml: %w", err)
	}
	doc.Integrations[0].Key = key
	doc.Integrations[1].Key = demoKind(key)
	_, err = db.Apply(p.ctx, doc, store.ApplyOptions{Write: true}, p.clock())
	return err
}

// slack starts the local workspace with the people of the demo.
func (c *demoCmd) slack(p process, dir string) (*slacksim.Sim, string, error) {
	addr, err := freePort(p.ctx, c.Page)
	if err != nil {
		return nil, "", err
	}
	sim := slacksim.New(slacksim.Options{
		BotToken: simBotToken, AppToken: simAppToken, Now: p.clock, BotName: demoBot,
		StateFile: filepath.Join(dir, stateFile), Limits: true,
		Manifest: slacksim.MustManifest(watchbill.Manifest),
	})
	doc, err := parseSetup(demoSetup)
	if err != nil {
		return nil, "", fmt.Errorf("demo.yaml: %w", err)
	}
	ids := map[string]string{}
	for _, u := range doc.Users {
		ids[u.Name] = string(u.Slack)
		sim.AddUser(slacksim.User{
			ID: string(u.Slack), Name: strings.ToLower(u.Name), RealName: u.Name, Email: u.Email, TZ: u.TimeZone,
			Owner: u.Name == demoOwner,
		})
	}
	for _, t := range doc.Teams {
		if _, kept := sim.FindChannel(t.Channel); kept {
			continue // kept from an earlier run, with its messages
		}
		channel := slacksim.Channel{Name: strings.TrimPrefix(t.Channel, "#"), Members: []string{slacksim.BotUserID}}
		for _, m := range t.Members {
			channel.Members = append(channel.Members, ids[m])
		}
		sim.AddChannel(channel)
	}
	page, err := sim.Start(addr)
	if err != nil {
		return nil, "", fmt.Errorf("start the local Slack workspace: %w", err)
	}
	return sim, page, nil
}

// freePort returns addr, or the same host with the next free port.
func freePort(ctx context.Context, addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	first, err := strconv.Atoi(port)
	if err != nil {
		return "", err
	}
	var lc net.ListenConfig
	for n := first; n < first+50; n++ {
		try := net.JoinHostPort(host, strconv.Itoa(n))
		l, err := lc.Listen(ctx, "tcp", try)
		if err != nil {
			continue
		}
		return try, l.Close()
	}
	return "", fmt.Errorf("no free port from %s on", addr)
}

// loopbackProblems refuses addresses that other machines can reach, because the demo has no sign-in.
func loopbackProblems(name, addr string) []string {
	host, _, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return []string{fmt.Sprintf("%s is %q; the demo listens only on this machine, such as 127.0.0.1:8080", name, addr)}
	}
	return nil
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
