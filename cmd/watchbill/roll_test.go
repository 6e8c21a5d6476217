package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill"
	"github.com/watchbill/watchbill/migrations"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
	"github.com/watchbill/watchbill/twiliosim"
)

// previousRelease is the commit of the release before this one. The two run side by side during a roll.
const previousRelease = "5dbaae21ea9b58cd7d63423b05dea815e97c592b"

const annPhone = "+12025550100"

// TestRoll runs the previous release and this one side by side, with pages of all kinds in
// progress. Everybody is paged once for each incident and method, escalation continues, and
// acknowledgements count, whichever of the two receives them.
func TestRoll(t *testing.T) {
	t.Parallel()
	previous := buildPrevious(t)
	t.Run("this release takes over", func(t *testing.T) {
		t.Parallel()
		takeOver(newRoll(t), previous)
	})
	t.Run("the previous release sends what this one has decided", func(t *testing.T) {
		t.Parallel()
		sendOn(newRoll(t), previous)
	})
}

func takeOver(r *roll, previous string) {
	before := r.program(previous)
	r.setUp(previous)

	// Only the previous one. Ann is paged for #1 at once; #2 and #3 are held for half a minute,
	// until this release sends them in one message. SMS are made now and due in twelve seconds.
	r.signal(before, "disk 1")
	r.until("Ann hears of #1", func() bool { return r.posts("U0ANN", "disk 1") == 1 })
	r.signal(before, "disk 2")
	r.signal(before, "disk 3")
	r.until("#3 is there", func() bool { return r.count(`SELECT count(*) FROM incidents WHERE id > 0`) == 3 })
	r.types("U0BO", "/oncall add 2 @cy")
	r.until("Cy is asked to help with #2", func() bool { return r.posts("U0CY", "disk 2") == 1 })

	// Both. Either may handle people's acts and monitors' signals.
	after := r.program(asProgram(r.T))
	r.types("U0ANN", "/oncall ack 1")
	r.types("U0ANN", "/oncall add 3 @cy")
	r.signal(after, "disk 4")
	r.until("#4 is there", func() bool { return r.count(`SELECT count(*) FROM incidents WHERE id > 0`) == 4 })
	stopProgram(r.T, before)

	// This one alone.
	r.signal(after, "disk 5")
	r.until("Ann has SMS about #2 and #3", func() bool { return r.texts("disk 2") == 1 && r.texts("disk 3") == 1 })
	r.until("Bo is paged by the second step", func() bool { return r.posts("U0BO", "disk 2") == 1 })
	for n := 2; n <= 5; n++ {
		title := fmt.Sprint("disk ", n)
		r.until("Ann hears of "+title, func() bool { return r.posts("U0ANN", title) == 1 })
	}
	r.acksBySMS("disk 2", "disk 3")
	r.until("the SMS acknowledges #2 and #3", func() bool {
		return r.count(`SELECT count(*) FROM incidents WHERE id IN (2, 3) AND status = 'acknowledged' AND acked_by ->> 'via' = 'sms'`) == 2
	})
	r.types("U0ANN", "/oncall ack 4")
	r.types("U0ANN", "/oncall ack 5")
	r.once()
}

// acksBySMS answers each SMS to Ann that names one of the titles with the code in it. The code
// depends on the release that wrote it, and on whether one SMS names several.
func (r *roll) acksBySMS(titles ...string) {
	r.Helper()
	code := regexp.MustCompile(`\bb?[0-9]+a\b`)
	for _, text := range r.phone.Inbox(annPhone) {
		if !slices.ContainsFunc(titles, func(title string) bool { return strings.Contains(text, title) }) {
			continue
		}
		if _, err := r.phone.Reply(r.Context(), annPhone, code.FindString(text)); err != nil {
			r.Fatal(err)
		}
	}
}

// sendOn lets this release decide and the previous one send: it keeps running after the database
// was upgraded.
func sendOn(r *roll, previous string) {
	before := r.program(previous)
	r.setUp(previous)
	r.signal(before, "disk 1")
	r.until("Ann hears of #1", func() bool { return r.posts("U0ANN", "disk 1") == 1 })
	if _, err := migrations.Up(r.Context(), r.look, nil); err != nil {
		r.Fatal(err)
	}
	db, err := store.Open(r.Context(), r.db, store.Options{Secrets: storetest.Secrets(), Log: zerolog.Nop()})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(db.Close)
	act := func(id oncall.IncidentID, a oncall.Act) {
		r.Helper()
		if _, err := db.Act(r.Context(), id, oncall.ByUser("U0BO"), a, time.Now()); err != nil {
			r.Fatal(err)
		}
	}
	act(1, oncall.Act{Do: oncall.ActAsk, User: "U0CY"})
	r.until("Cy is asked to help", func() bool { return r.posts("U0CY", "disk 1") == 1 })
	act(1, oncall.Act{Do: oncall.ActEscalate})
	r.until("the second step pages Bo and the channel", func() bool {
		return r.posts("U0BO", "disk 1") == 1 && r.posts("#ops", "disk 1") == 1
	})
	r.signal(before, "disk 2") // the old one makes rows that lack what this one reads
	r.until("#2 is there", func() bool { return r.count(`SELECT count(*) FROM incidents WHERE id > 0`) == 2 })
	act(2, oncall.Act{Do: oncall.ActReassign, User: "U0CY"})
	r.until("Cy hears of #2", func() bool { return r.posts("U0CY", "disk 2") == 1 })
	r.types("U0CY", "/oncall ack 2")
	r.types("U0CY", "/oncall accept 1")
	r.types("U0BO", "/oncall ack 1")
	r.until("both are acknowledged", func() bool {
		return r.count(`SELECT count(*) FROM incidents WHERE status = 'acknowledged'`) == 2
	})
	r.once()
}

// A roll is an installation in which programs of two releases run.
type roll struct {
	*testing.T
	sim   *slacksim.Sim
	phone *twiliosim.Sim
	db    string
	look  *pgxpool.Pool
	env   []string
}

func newRoll(t *testing.T) *roll {
	r := &roll{
		T:   t,
		sim: slacksim.New(slacksim.Options{Manifest: slacksim.MustManifest(watchbill.Manifest)}), phone: twiliosim.New(twiliosim.Options{}),
	}
	for _, u := range []slacksim.User{{ID: "U0ANN", Name: "ann"}, {ID: "U0BO", Name: "bo"}, {ID: "U0CY", Name: "cy"}} {
		r.sim.AddUser(u)
	}
	all := []string{"U0ANN", "U0BO", "U0CY"}
	r.sim.AddChannel(slacksim.Channel{ID: "C0PAY", Name: "payments", Members: all})
	r.sim.AddChannel(slacksim.Channel{ID: "C0OPS", Name: "ops", Members: all})
	if _, err := r.sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.sim.Close() })
	api, err := r.phone.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.phone.Close() })
	r.look = storetest.NewEmpty(t)
	r.db = r.look.Config().ConnString()
	r.env = []string{
		"DATABASE_URL=" + r.db, "WATCHBILL_SECRET=" + storetest.Secret, "SLACK_BOT_TOKEN=xoxb-sim", "SLACK_APP_TOKEN=xapp-sim", "WATCHBILL_SLACK_API_URL=" + r.sim.APIURL(),
		"TWILIO_ACCOUNT_SID=" + twiliosim.Account, "TWILIO_AUTH_TOKEN=" + twiliosim.Token,
		"TWILIO_FROM=" + twiliosim.Number, "WATCHBILL_TWILIO_API_URL=" + api,
	}
	return r
}

// buildPrevious builds the release before this one from the repository's history.
func buildPrevious(t *testing.T) (program string) {
	t.Helper()
	dir := t.TempDir()
	archive := exec.Command("git", "archive", previousRelease)
	archive.Dir = "../.." // all of the tree, not this directory
	archive.Stderr = &bytes.Buffer{}
	tree, err := archive.Output()
	if err != nil {
		t.Fatalf("the release before this one, %s, is not in the history of this checkout (%v: %s): a roll can only be tried "+
			"in a whole clone, such as `git fetch --unshallow` makes", previousRelease, err, archive.Stderr)
	}
	unpack := exec.Command("tar", "-x", "-C", dir)
	unpack.Stdin = bytes.NewReader(tree)
	// Without the name of the directory in it, what is built comes from the build cache the next time.
	build := exec.Command("go", "build", "-trimpath", "-o", "previous", "./cmd/watchbill")
	build.Dir = dir
	for _, cmd := range []*exec.Cmd{unpack, build} {
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build the release before this one: %v: %s", err, out)
		}
	}
	return filepath.Join(dir, "previous")
}

func (r *roll) program(name string) running {
	r.Helper()
	return startProgram(r.T, name, r.env)
}

// setUp has Ann paged first, in Slack and soon after by SMS, and then Bo and a channel.
func (r *roll) setUp(program string) {
	r.Helper()
	file := filepath.Join(r.TempDir(), "setup.yaml")
	const setup = `
users:
  - {name: Ann, slack: U0ANN}
  - {name: Bo, slack: U0BO}
  - {name: Cy, slack: U0CY}
teams:
  - {name: payments, channel: "#payments", members: [Ann, Bo, Cy]}
policies:
  - {name: default, team: payments, steps: [{page: [user Ann], wait: 25s}, {page: [user Bo, "channel #ops"], wait: 24h}]}
integrations:
  - {name: demo, team: payments, kind: generic, policy: default, key: ` + storyKey + `}
`
	if err := os.WriteFile(file, []byte(setup), 0o600); err != nil {
		r.Fatal(err)
	}
	apply := exec.Command(program, "apply", "--yes", "-f", file)
	apply.Env = append(os.Environ(), r.env...)
	if out, err := apply.CombinedOutput(); err != nil {
		r.Fatalf("apply: %v: %s", err, out)
	}
	for _, sql := range []string{
		`INSERT INTO contacts (user_id, method, address, verified_at, disabled_why, created_at)
		 VALUES ('U0ANN', 'sms', '` + annPhone + `', current_timestamp, '', current_timestamp)`,
		`INSERT INTO notification_preferences (user_id, high) VALUES ('U0ANN', '[{"after": 0}, {"contact": 1, "after": 12}]')`,
	} {
		if _, err := r.look.Exec(r.Context(), sql); err != nil {
			r.Fatal(err)
		}
	}
}

func (r *roll) signal(to running, title string) {
	r.Helper()
	body := fmt.Sprintf(`{"title": %q, "dedup_key": %[1]q, "severity": "high"}`, title)
	code, err := postSignal("http://"+to.addr+"/v1/signals/"+storyKey, []byte(body))
	if err != nil || code != http.StatusAccepted {
		r.Fatalf("the signal was answered %d, %v, want %d", code, err, http.StatusAccepted)
	}
}

// types enters a command as a person, which either program answers.
func (r *roll) types(user, line string) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	result, err := r.sim.Slash(ctx, user, "#payments", line)
	if err != nil || !result.Acked {
		r.Fatalf("%s: %v, %s", line, err, result.Error)
	}
}

// posts counts the messages in a conversation that name an incident.
func (r *roll) posts(channel, title string) (n int) {
	for _, c := range r.sim.Calls() {
		to := c.Args["channel"]
		if to == "C0OPS" { // this release posts by the id, the previous one by the name
			to = "#ops"
		}
		if c.Method == "chat.postMessage" && c.OK && to == channel && strings.Contains(fmt.Sprint(c.Args), title) {
			n++
		}
	}
	return n
}

// texts counts the SMS that name an incident to Ann.
func (r *roll) texts(title string) (n int) {
	for _, text := range r.phone.Inbox(annPhone) {
		n += strings.Count(text, title)
	}
	return n
}

func (r *roll) count(sql string) (n int) {
	r.Helper()
	if err := r.look.QueryRow(r.Context(), sql).Scan(&n); err != nil {
		r.Fatal(err)
	}
	return n
}

func (r *roll) until(what string, ok func() bool) {
	r.Helper()
	defer func() {
		if r.Failed() {
			r.Log(r.pages())
		}
	}()
	storetest.Until(r, 2*storetest.Timeout, what, ok)
}

// pages describes the state of all pages.
func (r *roll) pages() string {
	rows, _ := r.look.Query(context.Background(), `
		SELECT concat_ws(' ', id, key, call_seq, asked_version, state, 'attempt', attempt, 'bundle', bundle, 'due', due_at, 'held', held_until, detail)
		FROM pages
		ORDER BY id`)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return fmt.Sprint(strings.Join(lines, "\n"), err)
}

// once checks that nobody was paged twice for an incident by one method, that everybody who had to
// be was, and that every page names what it belongs to.
func (r *roll) once() {
	r.Helper()
	r.until("no message is under way", func() bool { return r.count(`SELECT count(*) FROM pages WHERE state = 'waiting' AND attempt > 0`) == 0 })
	for n := 1; n <= r.count(`SELECT count(*) FROM incidents WHERE id > 0`); n++ {
		title := fmt.Sprint("disk ", n)
		for _, who := range []string{"U0ANN", "U0BO", "U0CY", "#ops"} {
			var told int
			err := r.look.QueryRow(r.Context(), `
				SELECT count(*) FROM pages
				WHERE incident_id = $1 AND user_id || recipient = $2 AND method IN ('slack', 'channel') AND state = 'delivered'`, n, who).Scan(&told)
			if err != nil {
				r.Fatal(err)
			}
			if posts := r.posts(who, title); posts != told || posts > 1 {
				r.Errorf("%s got %d messages about #%d, want %d as noted, and at most 1:\n%s", who, posts, n, told, r.pages())
			}
		}
		if r.texts(title) > 1 {
			r.Errorf("Ann got %d SMS about #%d, want at most 1", r.texts(title), n)
		}
	}
	if n := r.count(`SELECT count(*) FROM pages WHERE state = 'failed' OR (call_seq = 0) = (asked_version = 0)
		OR split_part(key, '/', 2) <> CASE WHEN asked_version = 0 THEN call_seq::text ELSE 'ask' END`); n != 0 {
		r.Errorf("%d pages have failed or don't know what they belong to:\n%s, want 0", n, r.pages())
	}
}
