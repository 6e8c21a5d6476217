package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/watchbill/watchbill/slacksim"
)

// signal KEY TITLE [SEVERITY]: the monitor reports that something is wrong.
func (s *story) signal(ts *testscript.TestScript, _ bool, args []string) {
	body := map[string]string{"dedup_key": args[0], "title": args[1]}
	if len(args) > 2 {
		body["severity"] = args[2]
	}
	s.send(ts, storyKey, body)
}

// resolve KEY: the monitor reports that it is over.
func (s *story) resolve(ts *testscript.TestScript, _ bool, args []string) {
	s.send(ts, storyKey, map[string]string{"dedup_key": args[0], "status": "resolved"})
}

// post INTEGRATION FILE: the monitor sends the file.
func (s *story) post(ts *testscript.TestScript, _ bool, args []string) {
	key := storyKey
	if args[0] == "alertmanager" {
		key = demoKind(storyKey)
	}
	s.deliver(ts, key, []byte(ts.ReadFile(args[1])))
}

// kept N: waits until so much of what monitors sent is kept as it came. That is written a moment later than its signals.
func (s *story) kept(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var got int
	s.until(ts, args[0]+" payloads", func() bool {
		ts.Check(s.app.store.Pool().QueryRow(context.Background(), `SELECT count(*) FROM payloads`).Scan(&got))
		return got >= want
	})
	if got != want {
		ts.Fatalf("%d payloads are kept, want %d", got, want)
	}
}

func (s *story) send(ts *testscript.TestScript, key string, body any) {
	data, err := json.Marshal(body)
	ts.Check(err)
	s.deliver(ts, key, data)
}

func (s *story) deliver(ts *testscript.TestScript, key string, body []byte) {
	code, err := postSignal("http://"+s.addr+"/v1/signals/"+key, body)
	ts.Check(err)
	if code != http.StatusAccepted {
		ts.Fatalf("the signal was answered %d, want %d", code, http.StatusAccepted)
	}
	s.settle(ts)
}

// settle waits until all work that is due is done, and what Slack's limits have put off as well.
func (s *story) settle(ts *testscript.TestScript) {
	if s.app == nil || s.away {
		return // the program is a separate process, or without its database: the story says what to wait for
	}
	s.until(ts, "the work that is due", func() bool { return s.busy(ts) == 0 && !s.pace(ts) })
}

func (s *story) busy(ts *testscript.TestScript) (n int) {
	ts.Check(s.app.store.Pool().QueryRow(context.Background(), `
		SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM pings) + (SELECT count(*) FROM river_job
			WHERE (state = 'running' OR state IN ('available', 'scheduled', 'retryable') AND scheduled_at <= $1) AND NOT ($2 AND queue = 'page'))`,
		s.clock.Now(), s.watch.stuck).Scan(&n))
	return n
}

// pace brings forward what waits for room in a channel, since Slack's limits go by real time and the
// story's clock stands still. Not faster than four times a second, or it would never have to wait.
func (s *story) pace(ts *testscript.TestScript) (waiting bool) {
	if s.app == nil || s.away {
		return false
	}
	const put = `kind = 'tell' AND state IN ('available', 'scheduled') AND metadata ? 'snoozes'
		AND scheduled_at > $1 AND scheduled_at <= $1 + interval '1 minute'`
	now, pool := s.clock.Now(), s.app.store.Pool()
	var n int
	ts.Check(pool.QueryRow(context.Background(), `SELECT count(*) FROM river_job WHERE `+put, now).Scan(&n))
	if n > 0 && time.Since(s.paced) > 250*time.Millisecond {
		s.paced = time.Now()
		_, err := pool.Exec(context.Background(), `UPDATE river_job SET scheduled_at = $1, state = 'available' WHERE `+put, now)
		ts.Check(err)
	}
	return n > 0
}

// advance DURATION: time passes, timer by timer.
func (s *story) advance(ts *testscript.TestScript, _ bool, args []string) {
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	end := s.clock.Now().Add(d)
	if s.away {
		s.clock.set(end)
		return
	}
	for s.settle(ts); s.clock.Now().Before(end); s.settle(ts) {
		next := end
		var due *time.Time
		ts.Check(s.app.store.Pool().QueryRow(context.Background(), `
			SELECT min(scheduled_at) FROM river_job
			WHERE state IN ('available', 'scheduled', 'retryable') AND scheduled_at > $1`, s.clock.Now()).Scan(&due))
		if due != nil && due.Before(end) {
			next = *due
		}
		next = s.watched(ts, next)
		s.clock.set(next)
		_, err := s.app.store.PromoteTimers(context.Background(), next)
		ts.Check(err)
		ts.Check(s.app.store.WatchHeartbeats(context.Background(), next))
	}
}

// watched returns the instant to which time may pass in one step: heartbeats must be checked every few seconds, or they
// would be excused.
func (s *story) watched(ts *testscript.TestScript, next time.Time) time.Time {
	var any bool
	ts.Check(s.app.store.Pool().QueryRow(context.Background(), `SELECT EXISTS (SELECT FROM heartbeats)`).Scan(&any))
	if step := s.clock.Now().Add(5 * time.Second); any && step.Before(next) {
		return step
	}
	return next
}

// ping ADDRESS STATUS [TEXT]: something pings at this address behind the key that the integration demo begins with, and is
// answered with this status.
func (s *story) ping(ts *testscript.TestScript, _ bool, args []string) {
	resp, err := http.Post("http://"+s.addr+"/ping/"+storyKey+args[0], "text/plain", strings.NewReader(strings.Join(args[2:], " ")))
	ts.Check(err)
	resp.Body.Close()
	if got := fmt.Sprint(resp.StatusCode); got != args[1] {
		ts.Fatalf("the ping was answered %s, want %s", got, args[1])
	}
	s.settle(ts)
}

// show PLACE: prints a channel or, as @person, the bot's conversation with them.
func (s *story) show(ts *testscript.TestScript, _ bool, args []string) {
	s.settle(ts)
	fmt.Fprint(ts.Stdout(), s.sim.Text(args[0]))
}

// messages PLACE N: checks that there are N messages, not counting replies in threads.
func (s *story) messages(ts *testscript.TestScript, _ bool, args []string) {
	s.settle(ts)
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	got := 0
	for _, m := range s.sim.Messages(args[0]) {
		if m.ThreadTS == "" && m.Ephemeral == "" && m.Subtype != "channel_join" {
			got++
		}
	}
	if got != want {
		ts.Fatalf("%d messages in %s, want %d:\n%s", got, args[0], want, s.sim.Text(args[0]))
	}
}

// see PLACE PATTERN: waits until the place shows it.
func (s *story) see(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	shown := func(sim *slacksim.Sim) bool { return pattern.MatchString(sim.Text(args[0])) }
	for range 240 { // a minute
		ctx, cancel := context.WithTimeout(context.Background(), 250*time.Millisecond)
		err := s.sim.WaitFor(ctx, shown)
		cancel()
		if err == nil {
			return
		}
		s.pace(ts)
	}
	ts.Fatalf("%s never showed %q:\n%s", args[0], args[1], s.sim.Text(args[0]))
}

// ready: waits until the program in the separate process is up.
func (s *story) ready(ts *testscript.TestScript, _ bool, _ []string) {
	s.until(ts, "the program to be ready", func() bool {
		resp, err := http.Get("http://" + s.addr + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK && (s.away || s.sim.Sockets() > 0)
	})
}

// click PERSON BUTTON PLACE: presses the newest button with that name, and prints what only that
// person is told.
func (s *story) click(ts *testscript.TestScript, _ bool, args []string) {
	action := map[string]string{"Acknowledge": "ack", "Resolve": "resolve", "End the snooze": "unsnooze", "Split one off…": "split"}[args[1]]
	user := "U0" + strings.ToUpper(args[0])
	before := s.sim.EphemeralText(user)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	result, err := s.sim.Click(ctx, user, args[2], "", action)
	ts.Check(err)
	if !result.Acked {
		ts.Fatalf("the click was not acknowledged: %s", result.Error)
	}
	s.settle(ts)
	s.tell(ts, user, before)
}

// type PERSON COMMAND [PLACE]: types a slash command into #payments, or there, and prints the answer.
func (s *story) typeCommand(ts *testscript.TestScript, _ bool, args []string) {
	user := "U0" + strings.ToUpper(args[0])
	before := s.sim.EphemeralText(user)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if len(s.sim.Views(user)) > 0 { // nobody can type behind a form
		_, err := s.sim.CloseView(ctx, user, true)
		ts.Check(err)
	}
	place := "#payments"
	if len(args) > 2 {
		place = args[2]
	}
	result, err := s.sim.Slash(ctx, user, place, args[1])
	ts.Check(err)
	if !result.Acked {
		ts.Fatalf("the command was not acknowledged: %s", result.Error)
	}
	s.settle(ts)
	s.tell(ts, user, before)
}

// tell prints the ephemeral messages since before.
func (s *story) tell(ts *testscript.TestScript, user, before string) {
	fmt.Fprint(ts.Stdout(), strings.TrimPrefix(s.sim.EphemeralText(user), before))
}

// fail METHOD: calls of this Slack Web API method fail until heal.
func (s *story) fail(_ *testscript.TestScript, _ bool, args []string) {
	s.sim.Fail(slacksim.Fault{Method: args[0], Kind: slacksim.FaultBefore, Times: -1})
}

// heal: whatever was told to fail works again.
func (s *story) heal(*testscript.TestScript, bool, []string) { s.sim.ClearFaults() }

// scopes SCOPE…: the app has these scopes and no others.
func (s *story) scopes(_ *testscript.TestScript, _ bool, args []string) { s.sim.SetScopes(args) }

// wrong COMMAND…: checks that the program refuses with exit status 2.
func (s *story) wrong(ts *testscript.TestScript, _ bool, args []string) {
	var exit *exec.ExitError
	if err := ts.Exec(args[0], args[1:]...); !errors.As(err, &exit) || exit.ExitCode() != 2 {
		ts.Fatalf("%s: %v, want exit status 2", strings.Join(args, " "), err)
	}
}
