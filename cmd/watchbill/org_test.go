package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store/storetest"
)

// A company is an organisation as a test sees it, with its own Slack.
type company struct {
	name string
	key  string // of its integration
	sim  *slacksim.Sim
}

// orgTest runs commands on a list of organisations, and a process that serves them.
type orgTest struct {
	*testing.T
	list string
	addr string // shared by all
	own  string // the address of the metrics
	log  *lockedBuffer
}

func newOrgTest(t *testing.T) *orgTest {
	return &orgTest{T: t, list: storetest.NewURL(t), log: &lockedBuffer{}}
}

// run runs a command, checks its exit status, and returns what it prints.
func (o *orgTest) run(want int, args ...string) string {
	o.Helper()
	var out bytes.Buffer
	p := process{ctx: o.Context(), out: &out, errOut: &out, clock: time.Now}
	args = append(args[:2:2], append([]string{"--database-url", o.list, "--secret", storetest.Secret}, args[2:]...)...)
	if got := p.run(args); got != want {
		o.Fatalf("watchbill %s: exit status %d, want %d: %s", strings.Join(args, " "), got, want, &out)
	}
	return out.String()
}

// file writes a file and returns its name.
func (o *orgTest) file(name, text string) string {
	o.Helper()
	name = filepath.Join(o.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		o.Fatal(err)
	}
	return name
}

// newCompany makes up an organisation with its own Slack.
func (o *orgTest) newCompany(name string) company {
	o.Helper()
	c := company{name: name, key: madeUpKey(name), sim: slacksim.New(slacksim.Options{
		Manifest: slacksim.MustManifest(watchbill.Manifest), BotToken: "xoxb-" + name, AppToken: "xapp-" + name,
	})}
	c.sim.AddUser(slacksim.User{ID: "U0ANN", Name: "ann"})
	c.sim.AddChannel(slacksim.Channel{ID: "C0PAY", Name: "payments", Members: []string{"U0ANN"}})
	if _, err := c.sim.Start("127.0.0.1:0"); err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() { _ = c.sim.Close() })
	return c
}

// settingsOf returns the settings of an organisation.
func (o *orgTest) settingsOf(c company) string {
	return fmt.Sprintf("slack_bot_token: xoxb-%[1]s\nslack_app_token: xapp-%[1]s\nslack_api_url: %[2]s\npublic_url: http://%[1]s.example.com\n", c.name, c.sim.APIURL())
}

// add adds an organisation and creates its database.
func (o *orgTest) add(name string) company {
	o.Helper()
	c := o.newCompany(name)
	o.run(0, "org", "add", name, "--settings", o.file(name+".yaml", o.settingsOf(c)))
	o.dropDatabase(databaseName(o.list, name))
	o.setUp(c)
	return c
}

// setUp puts Ann on call in an organisation.
func (o *orgTest) setUp(c company) {
	o.Helper()
	setup := o.file(c.name+"-setup.yaml", `
users: [{name: Ann, slack: U0ANN}]
teams: [{name: payments, channel: "#payments", members: [Ann]}]
policies: [{name: default, team: payments, steps: [{page: [user Ann], wait: 24h}]}]
integrations: [{name: demo, team: payments, kind: generic, policy: default, key: `+c.key+`}]
`)
	o.run(0, "org", "run", c.name, "apply", "--yes", "-f", setup)
}

// dropDatabase drops a database when the test is over.
func (o *orgTest) dropDatabase(name string) {
	o.Cleanup(func() { o.drop(name) })
}

func (o *orgTest) drop(name string) {
	o.Helper()
	conn, err := pgx.Connect(context.Background(), o.list)
	if err != nil {
		o.Error(err)
		return
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), `DROP DATABASE IF EXISTS `+pgx.Identifier{name}.Sanitize()+` WITH (FORCE)`); err != nil {
		o.Error(err)
	}
}

// serve serves the organisations until the test is over.
func (o *orgTest) serve() {
	o.Helper()
	o.addr, o.own = o.port(), o.port()
	ctx, stop := context.WithCancel(o.Context())
	done := make(chan int, 1)
	p := process{ctx: ctx, out: io.Discard, errOut: o.log, clock: time.Now}
	go func() {
		done <- p.run([]string{"serve", "--organisations", "--database-url", o.list, "--secret", storetest.Secret, "--listen", o.addr, "--metrics-listen", o.own, "--spool", o.TempDir()})
	}()
	o.Cleanup(func() {
		stop()
		if code := <-done; code != 0 {
			o.Errorf("serve ended with %d, want 0: %s", code, o.log)
		}
	})
}

// port returns an address to listen on.
func (o *orgTest) port() string {
	o.Helper()
	addr, err := ownPort()
	if err != nil {
		o.Fatal(err)
	}
	return addr
}

// get requests a path with a host name. Without one, it uses the address of the metrics.
func (o *orgTest) get(host, path string) (code int, body string) {
	o.Helper()
	at := o.addr
	if host == "" {
		at = o.own
	}
	r, err := http.NewRequestWithContext(o.Context(), http.MethodGet, "http://"+at+path, nil)
	if err != nil {
		o.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		o.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// state waits until the process reports the wanted state of an organisation.
func (o *orgTest) state(name, want string) {
	o.Helper()
	o.until(name+" is "+want, func() bool {
		_, body := o.get("", "/readyz?verbose")
		return strings.Contains(body, name+": "+want+"\n")
	})
}

func (o *orgTest) until(what string, ok func() bool) {
	o.Helper()
	defer func() {
		if o.Failed() {
			o.Log(o.log)
		}
	}()
	storetest.Until(o.T, storetest.Timeout, what, ok)
}

// signal sends a signal to the shared address. Only the key says whose it is.
func (o *orgTest) signal(key, title string) int {
	o.Helper()
	code, err := postSignal("http://"+o.addr+"/v1/signals/"+key, fmt.Appendf(nil, `{"title": %q, "severity": "high"}`, title))
	if err != nil {
		o.Fatal(err)
	}
	return code
}

// pages counts the messages to Ann about a title.
func (c company) pages(title string) (n int) {
	for _, call := range c.sim.Calls() {
		if call.Method == "chat.postMessage" && call.OK && call.Args["channel"] == "U0ANN" && strings.Contains(fmt.Sprint(call.Args), title) {
			n++
		}
	}
	return n
}

// One process serves two organisations. Each signal pages in the Slack of the organisation that owns
// its key, however the key is sent, and the other organisation doesn't notice.
func TestProcessServesOrganisations(t *testing.T) {
	t.Parallel()
	o := newOrgTest(t)
	acme, globex := o.add("acme"), o.add("globex")
	o.serve()
	o.state("acme", "served")
	o.state("globex", "served")

	if code := o.signal(acme.key, "disk of acme"); code != http.StatusAccepted {
		t.Errorf("a signal with acme's key was answered %d, want %d", code, http.StatusAccepted)
	}
	pagerduty := fmt.Appendf(nil, `{"routing_key": %q, "event_action": "trigger", "payload": {"summary": "queue of globex", "severity": "error", "source": "q1"}}`, globex.key)
	if code, err := postSignal("http://"+o.addr+"/v2/enqueue", pagerduty); err != nil || code != http.StatusAccepted {
		t.Errorf("a PagerDuty event with globex' key in its body was answered %d, %v, want %d", code, err, http.StatusAccepted)
	}
	o.until("Ann of acme is paged", func() bool { return acme.pages("disk of acme") == 1 })
	o.until("Ann of globex is paged", func() bool { return globex.pages("queue of globex") == 1 })
	if n := acme.pages("queue of globex") + globex.pages("disk of acme"); n != 0 {
		t.Errorf("%d pages went to the other organisation, want none", n)
	}

	if code := o.signal(madeUpKey("nobody"), "disk"); code != http.StatusUnauthorized {
		t.Errorf("a key of nobody was answered %d, want %d", code, http.StatusUnauthorized)
	}
	if code, body := o.get("globex.example.com", "/"); code != http.StatusOK || !strings.Contains(body, "Watchbill") {
		t.Errorf("globex' address was answered %d %q, want its page", code, body)
	}
	if _, body := o.get("", "/metrics"); !strings.Contains(body, `organisation="acme"`) || !strings.Contains(body, `organisation="globex"`) || strings.Count(body, "# TYPE go_goroutines ") != 1 {
		t.Errorf("the metrics are %s, want each organisation's and once the process's", body)
	}
	if list := o.run(0, "org", "list"); strings.Contains(list, "xoxb") || strings.Count(list, "active") != 2 {
		t.Errorf("the list is %q, want two active organisations and no token", list)
	}
}

// A suspended organisation is not served, and the other doesn't notice. When resumed, it is served
// again.
func TestSuspendedOrganisation(t *testing.T) {
	t.Parallel()
	o := newOrgTest(t)
	acme, globex := o.add("acme"), o.add("globex")
	o.serve()
	o.state("acme", "served")
	o.state("globex", "served")
	o.run(0, "org", "suspend", "acme")
	o.until("acme is not served", func() bool {
		_, body := o.get("", "/readyz?verbose")
		return !strings.Contains(body, "acme")
	})
	if code := o.signal(acme.key, "disk"); code != http.StatusUnauthorized {
		t.Errorf("a signal for a suspended organisation was answered %d, want %d", code, http.StatusUnauthorized)
	}
	if code := o.signal(globex.key, "queue"); code != http.StatusAccepted {
		t.Errorf("a signal for the other was answered %d, want %d", code, http.StatusAccepted)
	}
	o.until("Ann of globex is paged", func() bool { return globex.pages("queue") == 1 })
	o.run(0, "org", "resume", "acme")
	o.state("acme", "served")
	if code := o.signal(acme.key, "disk again"); code != http.StatusAccepted {
		t.Errorf("a signal for the resumed organisation was answered %d, want %d", code, http.StatusAccepted)
	}
	o.until("Ann of acme is paged", func() bool { return acme.pages("disk again") == 1 })
}

// If one organisation's database is down, the other is served as before. A key that nobody else has is
// answered with 503, because it may belong to the first.
func TestDatabaseOfOneOrganisationGoesAway(t *testing.T) {
	t.Parallel()
	o := newOrgTest(t)
	acme, globex := o.add("acme"), o.add("globex")
	o.serve()
	o.state("acme", "served")
	o.state("globex", "served")
	if code := o.signal(globex.key, "before"); code != http.StatusAccepted {
		t.Errorf("a signal before was answered %d, want %d", code, http.StatusAccepted)
	}
	o.until("Ann of globex is paged", func() bool { return globex.pages("before") == 1 })
	o.drop(databaseName(o.list, "globex"))
	if code := o.signal(globex.key, "disk"); code != http.StatusAccepted {
		t.Errorf("a signal without a database was answered %d, want %d: the spool keeps it", code, http.StatusAccepted)
	}
	if code := o.signal(acme.key, "disk"); code != http.StatusAccepted {
		t.Errorf("a signal of the other organisation was answered %d, want %d", code, http.StatusAccepted)
	}
	o.until("Ann of acme is paged", func() bool { return acme.pages("disk") == 1 })
	if code, body := o.get("", "/readyz"); code != http.StatusOK {
		t.Errorf("the process is not ready: %d %q, want %d", code, body, http.StatusOK)
	}
	o.until("an unknown key is answered 503", func() bool {
		code, _ := o.get("on.example.com", "/ping/"+madeUpKey("new in globex"))
		return code == http.StatusServiceUnavailable
	})
	if n := globex.pages("disk"); n != 0 {
		t.Errorf("globex was paged %d times, want never", n)
	}
}

// An organisation moves to another database while signals come in. Each signal pages once, before or
// after the move.
func TestMovedOrganisationLosesNothing(t *testing.T) {
	t.Parallel()
	o := newOrgTest(t)
	acme := o.add("acme")
	o.serve()
	o.state("acme", "served")
	stop, sent := make(chan struct{}), make(chan int)
	go func() {
		rate := time.NewTicker(50 * time.Millisecond)
		defer rate.Stop()
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				sent <- n
				return
			default:
			}
			if code := o.signal(acme.key, fmt.Sprintf("disk <%d>", n)); code != http.StatusAccepted {
				t.Errorf("signal %d was answered %d, want %d", n, code, http.StatusAccepted)
			}
			<-rate.C
		}
	}()
	to := storetest.NewEmpty(t).Config().ConnString()
	said := o.run(0, "org", "move", "acme", "--to", to)
	o.state("acme", "served")
	close(stop)
	n := <-sent
	if !strings.Contains(said, "acme is moved") {
		t.Errorf("move said %q, want that acme is moved", said)
	}
	conn, err := pgx.Connect(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	o.until("every signal is an alert in the new database", func() bool {
		var alerts int
		err := conn.QueryRow(t.Context(), `SELECT count(DISTINCT title) FROM alerts WHERE title LIKE 'disk <%'`).Scan(&alerts)
		return err == nil && alerts == n
	})
	if again := o.run(1, "org", "move", "acme", "--to", to); !strings.Contains(again, "not empty") || !strings.Contains(again, "is where it was") {
		t.Errorf("a second move to the same database said %q, want that it is not empty and acme where it was", again)
	}
}

// Two processes serve the same list. When one is killed while it pages, the other goes on for all
// organisations: everybody is paged, once.
func TestTwoProcessesServeOneList(t *testing.T) {
	t.Parallel()
	o := newOrgTest(t)
	all := []company{o.addMigrated("acme"), o.addMigrated("globex"), o.addMigrated("initech")}
	doomed := o.program(len(all))
	o.awaitServed(len(all))
	first := o.addr
	o.serve()
	for _, c := range all {
		o.state(c.name, "served")
	}
	second := o.addr
	signals := func(person int, to string) {
		for _, c := range all {
			o.addr = to
			if code := o.signal(c.keyOfPerson(person), fmt.Sprintf("disk %d of %s", person, c.name)); code != http.StatusAccepted {
				t.Errorf("a signal for person %d of %s was answered %d, want %d", person, c.name, code, http.StatusAccepted)
			}
		}
	}
	signals(1, first)
	signals(2, second)
	signals(3, first)
	if err := doomed.Kill(); err != nil {
		t.Fatal(err)
	}
	for person := 4; person <= 2*firstPagesEach; person++ {
		signals(person, second)
	}
	for _, c := range all {
		for person := 1; person <= 2*firstPagesEach; person++ {
			title := fmt.Sprintf("disk %d of %s", person, c.name)
			o.until(title+" is paged", func() bool { return len(c.pagesOf(title)) > 0 })
			if n := len(c.pagesOf(title)); n != 1 {
				t.Errorf("%s was paged %d times, want once", title, n)
			}
		}
		if n := len(c.pagesOf("disk ")); n != 2*firstPagesEach {
			t.Errorf("%s had %d pages, want its own %d", c.name, n, 2*firstPagesEach)
		}
	}
}

// Invalid organisations are refused, with advice on what to do.
func TestWrongOrganisations(t *testing.T) {
	t.Parallel()
	o := newOrgTest(t)
	good := "slack_bot_token: xoxb-1\nslack_app_token: xapp-1\npublic_url: https://acme.example.com\n"
	for _, test := range []struct{ name, settings, want string }{
		{"Acme Ltd", good, "small letters"},
		{"acme", "slack_bot_token: xoxb-1\n", "SLACK_APP_TOKEN is not set"},
		{"acme", good + "listen: :80\n", "listen is one of the process"},
		{"acme", good + "spoool: x\n", "no setting"},
	} {
		if out := o.run(exitOf(test.want), "org", "add", test.name, "--settings", o.file("settings.yaml", test.settings)); !strings.Contains(out, test.want) {
			t.Errorf("add of %q with %q said %q, want %q in it", test.name, test.settings, out, test.want)
		}
	}
	o.run(0, "org", "add", "acme", "--settings", o.file("acme.yaml", good))
	o.dropDatabase(databaseName(o.list, "acme"))
	if out := o.run(1, "org", "add", "acme2", "--settings", o.file("acme2.yaml", strings.ReplaceAll(good, "-1\n", "-2\n"))); !strings.Contains(out, "public address") {
		t.Errorf("a second organisation at the same address: %q, want it refused", out)
	}
	if out := o.run(1, "org", "suspend", "acme3"); !strings.Contains(out, "no organisation") {
		t.Errorf("suspending nobody said %q, want that there is no such organisation", out)
	}
	if out := o.run(2, "org", "run", "acme", "serve"); !strings.Contains(out, "not run for one organisation") {
		t.Errorf("serve for one organisation said %q, want it refused", out)
	}
	var out bytes.Buffer
	p := process{ctx: t.Context(), out: &out, errOut: &out, clock: time.Now}
	if code := p.run([]string{"serve", "--organisations", "--database-url", o.list, "--secret", storetest.Secret, "--slack-bot-token", "xoxb-1"}); code != 2 || !strings.Contains(out.String(), "belongs to an organisation") {
		t.Errorf("serve of organisations with a token of one: %d %q, want 2 and whose it is", code, &out)
	}
}

// exitOf returns 1 for errors that only the file's content reveals.
func exitOf(want string) int {
	if want == "no setting" {
		return 1
	}
	return 2
}

// The Slack app of another organisation is refused, or else people of one would get the answers of the other.
func TestOrganisationsShareNoApp(t *testing.T) {
	t.Parallel()
	o := newOrgTest(t)
	settings := func(bot, app string) string {
		return o.file("settings.yaml", "slack_bot_token: "+bot+"\nslack_app_token: "+app+"\ndatabase_url: "+storetest.NewURL(t)+"\n")
	}
	refused := func(token string, args ...string) {
		t.Helper()
		if out := o.run(1, args...); !strings.Contains(out, "acme has the app of this "+token) || strings.Contains(out, "xoxb") || strings.Contains(out, "xapp") {
			t.Errorf("%q said %q, want that acme has the app of %s", args, out, token)
		}
	}
	o.run(0, "org", "add", "acme", "--settings", settings("xoxb-1", "xapp-1-A01-11-aa"))
	refused("SLACK_BOT_TOKEN", "org", "add", "globex", "--settings", settings("xoxb-1", "xapp-1-A02-12-bb"))
	refused("SLACK_APP_TOKEN", "org", "add", "globex", "--settings", settings("xoxb-2", "xapp-1-A01-11-aa"))
	refused("SLACK_APP_TOKEN", "org", "add", "globex", "--settings", settings("xoxb-2", "xapp-1-A01-13-cc")) // another token of the app
	if list := o.run(0, "org", "list"); strings.Contains(list, "globex") {
		t.Errorf("the list is %q, want no globex", list)
	}
	o.run(0, "org", "add", "globex", "--settings", settings("xoxb-2", "xapp-1-A02-12-bb"))
	refused("SLACK_BOT_TOKEN", "org", "set", "globex", "--settings", o.file("set.yaml", "slack_bot_token: xoxb-1\n"))
	refused("SLACK_APP_TOKEN", "org", "set", "globex", "--settings", o.file("set.yaml", "slack_app_token: xapp-1-A01-11-aa\n"))
	o.run(0, "org", "set", "globex", "--settings", o.file("set.yaml", "slack_app_token: xapp-1-A02-14-dd\n"))

	// An older release accepted such organisations.
	o.run(0, "org", "suspend", "globex")
	o.shareApp("acme", "globex")
	refused("SLACK_BOT_TOKEN", "org", "resume", "globex")
	o.run(0, "org", "set", "globex", "--settings", o.file("set.yaml", "slack_bot_token: xoxb-2\nslack_app_token: xapp-1-A02-12-bb\n"))
	o.run(0, "org", "resume", "globex")
}

// shareApp gives an organisation the settings of another.
func (o *orgTest) shareApp(from, to string) {
	o.Helper()
	conn, err := pgx.Connect(o.Context(), o.list)
	if err != nil {
		o.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(o.Context(), `UPDATE organisations SET settings = (SELECT settings FROM organisations WHERE name = $1) WHERE name = $2`, from, to); err != nil {
		o.Fatal(err)
	}
}

// What the answer of org add says to type works, and so does asking for help.
func TestOrgRunAsToldByAdd(t *testing.T) {
	t.Parallel()
	o := newOrgTest(t)
	out := o.run(0, "org", "add", "acme", "--settings", o.file("acme.yaml", "slack_bot_token: xoxb-1\nslack_app_token: xapp-1\ndatabase_url: "+storetest.NewEmpty(t).Config().ConnString()+"\n"))
	if strings.Count(out, "\n") != 3 || !strings.Contains(out, "its tables are made\n") {
		t.Errorf("add said %q, want a line for the tables and two more", out)
	}
	_, told, _ := strings.Cut(out, "watchbill org run acme ")
	setup := o.file("setup.yaml", "users: [{name: Ann, slack: U0ANN}]\nteams: [{name: payments, channel: C0123456789, members: [Ann]}]\n")
	o.run(0, "org", "set", "acme", "--settings", o.file("set.yaml", "slack_api_url: "+o.newCompany("1").sim.APIURL()+"\n"))
	args := strings.Fields(strings.ReplaceAll(told, "FILE", setup))
	if out := o.run(1, append([]string{"org", "run", "acme"}, args...)...); !strings.Contains(out, "changed") {
		t.Errorf("%q said %q, want that it is applied", args, out)
	}
	if out := o.run(0, "org", "run", "acme", "apply", "--help"); !strings.Contains(out, "Usage: watchbill apply") {
		t.Errorf("help said %q, want the usage of apply", out)
	}
}

func TestOrgRemove(t *testing.T) {
	t.Parallel()
	o := newOrgTest(t)
	database := storetest.NewURL(t)
	settings := o.file("acme.yaml", "slack_bot_token: xoxb-1\nslack_app_token: xapp-1\ndatabase_url: "+database+"\n")
	o.run(0, "org", "add", "acme", "--settings", settings)
	if out := o.run(1, "org", "remove", "acme"); !strings.Contains(out, "acme is active: `watchbill org suspend acme` first") {
		t.Errorf("removing an active one said %q, want that it is to be suspended first", out)
	}
	o.run(0, "org", "suspend", "acme")
	cfg, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	if out := o.run(0, "org", "remove", "acme"); !strings.Contains(out, "/"+cfg.Database+" is left as it is") {
		t.Errorf("removing said %q, want where its database is", out)
	}
	if out := o.run(1, "org", "remove", "acme"); !strings.Contains(out, "no organisation") {
		t.Errorf("removing it again said %q, want that there is none", out)
	}
	var log bytes.Buffer
	p := process{ctx: t.Context(), out: &log, errOut: &log, clock: time.Now}
	if code := p.run([]string{"audit", "--database-url", o.list, "--kind", "organisation"}); code != 0 || !strings.Contains(log.String(), "removed") {
		t.Errorf("the audit log is %d %q, want the removal", code, &log)
	}
	o.run(0, "org", "add", "acme", "--settings", settings) // its database is there
}

// The doctor of many organisations checks the list and each of them, and says whose line is whose.
func TestDoctorChecksOrganisations(t *testing.T) {
	t.Parallel()
	o := newOrgTest(t)
	for _, name := range []string{"acme", "globex"} {
		c := o.newCompany(name)
		o.run(0, "org", "add", name, "--settings", o.file(name+".yaml", o.settingsOf(c)+"database_url: "+storetest.NewURL(t)+"\n"))
	}
	doctor := func(want int) string {
		t.Helper()
		var out bytes.Buffer
		p := process{ctx: t.Context(), out: &out, errOut: &out, clock: time.Now}
		if got := p.run([]string{"doctor", "--organisations", "--database-url", o.list, "--secret", storetest.Secret}); got != want {
			t.Fatalf("the doctor ended with %d, want %d: %s", got, want, &out)
		}
		return out.String()
	}
	out := doctor(0)
	for _, want := range []string{"\nacme: ok    slack     bot token of", "\nglobex: ok    slack     bot token of", "\nacme: ok    database  reachable"} {
		if !strings.HasPrefix(out, "ok    database  reachable") || !strings.Contains(out, want) {
			t.Errorf("the doctor said %s, want the list first and %q in it", out, want)
		}
	}
	o.run(0, "org", "set", "globex", "--settings", o.file("set.yaml", "slack_bot_token: xoxb-wrong\nadmins: nobody@example.com\n"))
	if out := doctor(1); !strings.Contains(out, "\nglobex: FAIL  slack     bot token\nglobex:  ") || strings.Contains(out, "acme: FAIL") {
		t.Errorf("the doctor said %s, want globex' token refused", out)
	}
	o.run(0, "org", "set", "globex", "--settings", o.file("set.yaml", "slack_bot_token: xoxb-globex\n"))
	if out := doctor(1); !strings.Contains(out, "\nglobex: FAIL  admins    nobody in this workspace is the admin nobody@example.com\n") {
		t.Errorf("the doctor said %s, want globex' admin, whom nobody knows", out)
	}
	o.run(0, "org", "suspend", "globex")
	if out := doctor(0); !strings.Contains(out, "globex is suspended and is not served") || strings.Contains(out, "globex: ") {
		t.Errorf("the doctor said %s, want that globex is not served", out)
	}
}
