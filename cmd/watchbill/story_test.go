package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/notify/notifytest"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
	"github.com/watchbill/watchbill/twiliosim"
)

func TestMain(m *testing.M) {
	// Stories mostly wait for Slack's limits, so twice as many run at once as there are cores.
	_ = flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0)))
	testscript.Main(m, map[string]func(){"watchbill": main, "watchbill-chaos": chaosMain})
}

// TestStories runs testdata/stories: the product's behaviour in the words of its users. Each story
// has its own database, Slack workspace and clock.
func TestStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			s := newStory(t, file)
			testscript.Run(t, testscript.Params{
				Files: []string{file}, Setup: s.setup, RequireExplicitExec: true,
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"start":       s.start,
					"signal":      s.signal,
					"resolve":     s.resolve,
					"post":        s.post,
					"kept":        s.kept,
					"heard":       s.heard,
					"newkey":      s.newKey,
					"keyed":       s.keyed,
					"apikey":      s.apikey,
					"api":         s.api,
					"agent":       s.agent,
					"browse":      s.browse,
					"browsers":    s.browsers,
					"signin":      s.signin,
					"signed":      s.signed,
					"mailin":      s.mailin,
					"show":        s.show,
					"messages":    s.messages,
					"see":         s.see,
					"ready":       s.ready,
					"click":       s.click,
					"type":        s.typeCommand,
					"advance":     s.advance,
					"ping":        s.ping,
					"press":       s.press,
					"together":    s.together,
					"another":     s.another,
					"form":        s.form,
					"pick":        s.pick,
					"until":       s.passUntil,
					"choose":      s.choose,
					"submit":      s.submit,
					"group":       s.group,
					"topic":       s.topic,
					"write":       s.write,
					"shortcut":    s.shortcut,
					"join":        s.join,
					"leave":       s.leave,
					"channel":     s.channel,
					"attached":    s.attached,
					"canvas":      s.canvas,
					"plan":        s.plan,
					"tap":         s.tap,
					"close":       s.closeForm,
					"home":        s.home,
					"picture":     s.picture,
					"subscribe":   s.subscribe,
					"phones":      s.phones,
					"inbox":       s.inbox,
					"code":        s.code,
					"reply":       s.reply,
					"has":         s.has,
					"line":        s.line,
					"rings":       s.rings,
					"pickup":      s.pickup,
					"decline":     s.decline,
					"gets":        s.gets,
					"account":     s.account,
					"forbid":      s.forbid,
					"demoreplies": s.demoReplies,
					"mailserver":  s.mailServer,
					"pushserver":  s.pushServer,
					"hookserver":  s.hookServer,
					"calendars":   s.calendars,

					"alertmanager":     s.startAlertmanager,
					"alert":            s.alert,
					"silences":         s.silences,
					"failalertmanager": s.failAlertmanager,

					"reach":      s.reach,
					"mail":       s.mail,
					"follow":     s.follow,
					"pushes":     s.pushes,
					"answer":     s.answer,
					"hooked":     s.hooked,
					"failpush":   s.failPush,
					"appservers": s.appServers,
					"fail":       s.fail,
					"heal":       s.heal,
					"scopes":     s.scopes,
					"wrong":      s.wrong,
					"minute":     s.minute,
					"spool":      s.keepSpool,
					"database":   s.database,
					"dump":       s.dump,
					"restore":    s.restore,
					"backup":     s.backup,
					"standby":    s.standby,
					"primary":    s.primaryDies,

					"watched":  s.watchItself,
					"canary":   s.canarySucceeded,
					"pulse":    s.pulse,
					"pages":    s.workPages,
					"watching": s.watching,
				},
			})
		})
	}
}

// storyKey is the key of the integration "demo" in every story; "alertmanager" has the next one.
const storyKey = "9f3a61c27be8d0540f1e2d3c4b5a6978"

// storyFaster is the factor on Slack's rate limits in stories, whose Slack has none. The real
// limits are tested in bot/slackcall.
const storyFaster = 20

// parkedClock stands still until the story moves it. Until it is parked it is the wall clock, which
// is the time of stories whose program runs in a separate process.
type parkedClock struct {
	mu     sync.Mutex
	now    time.Time
	parked bool
}

func (c *parkedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.parked {
		return time.Now()
	}
	return c.now
}

func (c *parkedClock) park(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.parked = t, true
}

func (c *parkedClock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// A story is one run of the program and its environment.
type story struct {
	t     *testing.T
	clock *parkedClock
	sim   *slacksim.Sim
	app   *app
	url   string // of the database
	addr  string // of the program's HTTP server

	stop   func()           // ends the program
	proxy  *storetest.Proxy // to the database, for stories with a spool
	appURL string           // of the proxy
	spool  string           // its directory
	away   bool             // the database is
	pair   *pair            // for stories with a standby

	watch watch

	web     webSettings
	browser map[string]*http.Client // people's

	phone    *twiliosim.Sim
	channels map[oncall.Method]notify.Sender

	publicURL string
	office    notifytest.MailServer // takes mail
	push      *notifytest.Ntfy
	hooks     hooks

	alertmanager *notifytest.Alertmanager
	silencer     *notify.Alertmanager

	attachments map[string]bool // files that a story has looked at

	paced time.Time // when pace last brought something forward, in real time
}

// newStory has a database with the schema in it where the story starts the program by itself, and an empty one where it
// migrates first.
func newStory(t *testing.T, file string) *story {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &story{t: t, clock: &parkedClock{}}
	if bytes.Contains(text, []byte("\nstart\n")) || bytes.Contains(text, []byte("\nstart empty\n")) {
		s.url = storetest.NewURL(t)
	} else {
		s.url = storetest.NewEmpty(t).Config().ConnString()
	}
	return s
}

// setup gives the commands in the script their environment. The program itself is started by the
// story.
func (s *story) setup(env *testscript.Env) error {
	s.sim = slacksim.New(slacksim.Options{Now: s.clock.Now, Manifest: slacksim.MustManifest(watchbill.Manifest)})
	for name, zone := range map[string]string{"Ann": "Europe/Berlin", "Bo": "Europe/Berlin", "Cy": "America/New_York", "Di": "Asia/Tokyo"} {
		plain := strings.ToLower(name)
		s.sim.AddUser(slacksim.User{ID: person(plain), Name: plain, RealName: name, Email: plain + "@example.com", TZ: zone})
	}
	s.sim.AddChannel(slacksim.Channel{Name: "payments", Members: []string{"U0ANN", "U0BO", "U0CY", "U0DI"}})
	s.sim.AddChannel(slacksim.Channel{Name: "war-room"})
	if _, err := s.sim.Start("127.0.0.1:0"); err != nil {
		return err
	}
	env.Defer(func() {
		for _, what := range s.sim.Violations() {
			s.t.Error(what)
		}
		s.sim.Close()
	})
	addr, err := ownPort()
	if err != nil {
		return err
	}
	s.addr = addr
	env.Setenv("DATABASE_URL", s.url)
	env.Setenv("SLACK_BOT_TOKEN", "xoxb-sim")
	env.Setenv("SLACK_APP_TOKEN", "xapp-sim")
	env.Setenv("WATCHBILL_SLACK_API_URL", s.sim.APIURL())
	env.Setenv("WATCHBILL_LISTEN", s.addr)
	env.Setenv("WATCHBILL_SECRET", storetest.Secret)
	return nil
}

// start [empty]: runs the program, set up with setup.yaml or, without it, with the demo's setup; or with nothing set up. It
// is Monday 2 March 2026, 12:00 UTC, until time passes; every step of the first policy waits five minutes.
func (s *story) start(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	s.clock.park(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)) // a Monday
	if s.pair != nil {                                         // a database of its own
		ts.Check(migrate(process{ctx: ctx, errOut: io.Discard}, s.url))
	}
	if len(args) == 0 {
		s.apply(ts)
	}
	s.launch(ts)
}

// apply sets up what the story begins with.
func (s *story) apply(ts *testscript.TestScript) {
	ctx := context.Background()
	setup, err := parseSetup(demoSetup)
	ts.Check(err)
	if data, err := os.ReadFile(ts.MkAbs("setup.yaml")); err == nil {
		setup, err = parseSetup(data)
		ts.Check(err)
	}
	for i := range setup.Policies[0].Steps {
		setup.Policies[0].Steps[i].Wait = "5m"
	}
	setup.Integrations[0].Key = storyKey
	setup.Integrations[1].Key = demoKind(storyKey)
	db, err := store.Open(ctx, s.url, store.Options{Log: zerolog.Nop()})
	ts.Check(err)
	_, err = db.Apply(ctx, setup, store.ApplyOptions{Write: true}, s.clock.Now())
	db.Close()
	ts.Check(err)
}

// launch runs the program with what is in the database.
func (s *story) launch(ts *testscript.TestScript) {
	ctx := context.Background()
	log := zerolog.New(zerolog.NewTestWriter(s.t)).Level(zerolog.WarnLevel)
	a, err := startApp(ctx, settings{
		databaseURL: cmp.Or(s.appURL, s.url), spool: s.spool, botToken: "xoxb-sim", appToken: "xapp-sim", slackAPI: s.sim.APIURL(), slackFaster: storyFaster, listen: "127.0.0.1:0", secrets: storetest.Secrets(),
		channels: s.channels, silencer: s.silencer, publicURL: s.publicURL, mailIn: mailIn{listen: "127.0.0.1:0", domain: "alerts.example.com"},
		calendars: channelFlags{WebhookPrivate: true, WebhookLoopback: "localhost"}.calendars(), canary: s.watch.canary, pulse: s.watch.pulse, admins: s.watch.admins, web: s.web,
	}, s.clock.Now, log)
	ts.Check(err)
	s.app, s.addr = a, a.addr
	ts.Setenv("WATCHBILL_LISTEN", s.addr)
	s.stop = sync.OnceFunc(a.stop)
	ts.Defer(s.stop)
	s.until(ts, "two sockets", func() bool { return s.sim.Sockets() == 2 })
}

// until waits for a condition, at most a minute.
func (s *story) until(ts *testscript.TestScript, what string, cond func() bool) {
	pause := storetest.NewPause()
	for deadline := time.Now().Add(time.Minute); !cond(); pause() {
		if time.Now().After(deadline) {
			ts.Fatalf("waited a minute for %s", what)
		}
	}
}
