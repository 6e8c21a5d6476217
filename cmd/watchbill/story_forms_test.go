package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store/storetest"
)

// person returns the Slack id of a person in the stories.
func person(name string) string { return "U0" + strings.ToUpper(name) }

// press PERSON ACTION PLACE [PATTERN]: presses the newest button with that action, and waits until
// the person is told in private what matches the pattern.
func (s *story) press(ts *testscript.TestScript, _ bool, args []string) {
	user := person(args[0])
	before := s.sim.EphemeralText(user)
	ts.Check(s.pressed(user, args[1], args[2]))
	s.settle(ts)
	if len(args) > 3 {
		pattern := regexp.MustCompile(args[3])
		s.until(ts, args[0]+" to be told "+args[3], func() bool {
			return pattern.MatchString(strings.TrimPrefix(s.sim.EphemeralText(user), before))
		})
	}
}

func (s *story) pressed(user, action, place string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	result, err := s.sim.Click(ctx, user, place, "", action)
	if err == nil && !result.Acked {
		err = fmt.Errorf("the click was not acknowledged: %s", result.Error)
	}
	return err
}

// together 'PERSON ACTION PLACE'…: several people press at the same time. It waits until one of them
// is told something, and prints what all of them are told.
func (s *story) together(ts *testscript.TestScript, _ bool, args []string) {
	var all sync.WaitGroup
	errs := make([]error, len(args))
	before := map[string]string{}
	for i, arg := range args {
		words := strings.Fields(arg)
		user := person(words[0])
		before[user] = s.sim.EphemeralText(user)
		all.Go(func() { errs[i] = s.pressed(user, words[1], words[2]) })
	}
	all.Wait()
	for _, err := range errs {
		ts.Check(err)
	}
	s.settle(ts)
	s.until(ts, "somebody to be told something", func() bool {
		for user, text := range before {
			if s.sim.EphemeralText(user) != text {
				return true
			}
		}
		return false
	})
	for user, text := range before {
		s.tell(ts, user, text)
	}
}

// another: starts a second instance of the program beside the first.
func (s *story) another(ts *testscript.TestScript, _ bool, _ []string) {
	log := zerolog.New(zerolog.NewTestWriter(s.t)).Level(zerolog.WarnLevel)
	a, err := startApp(context.Background(), settings{
		databaseURL: s.url, botToken: "xoxb-sim", appToken: "xapp-sim", slackAPI: s.sim.APIURL(), slackFaster: storyFaster, listen: "127.0.0.1:0", secrets: storetest.Secrets(),
	}, s.clock.Now, log)
	ts.Check(err)
	ts.Defer(a.stop)
	s.until(ts, "four sockets", func() bool { return s.sim.Sockets() == 4 })
}

// form PERSON: prints the form that the person has open, or nothing.
func (s *story) form(ts *testscript.TestScript, _ bool, args []string) {
	fmt.Fprint(ts.Stdout(), s.sim.ViewText(person(args[0])))
}

// choose PERSON FIELD VALUE: chooses something in the open form, which changes as a result.
func (s *story) choose(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	updates := func(sim *slacksim.Sim) (n int) {
		for _, c := range sim.Calls() {
			if c.Method == "views.update" {
				n++
			}
		}
		return n
	}
	before := updates(s.sim)
	result, err := s.sim.ChooseView(ctx, person(args[0]), args[1], args[2])
	ts.Check(err)
	if !result.Acked {
		ts.Fatalf("the choice was not acknowledged: %s", result.Error)
	}
	// The new form comes after the acknowledgement.
	ts.Check(s.sim.WaitFor(ctx, func(sim *slacksim.Sim) bool { return updates(sim) > before }))
	s.settle(ts)
	io.WriteString(ts.Stdout(), s.sim.ViewText(person(args[0])))
}

// submit PERSON FIELD=VALUE…: fills in and submits the open form, and prints what is still open.
func (s *story) submit(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	values := map[string]any{}
	for _, arg := range args[1:] {
		field, value, _ := strings.Cut(arg, "=")
		values[field] = value
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			values[field] = int(at.Unix())
		}
		if c, ok := s.sim.FindChannel(value); ok && strings.HasPrefix(value, "#") {
			values[field] = c.ID
		}
		if list, ok := strings.CutPrefix(value, "["); ok { // "[a,b]" are boxes to tick
			values[field] = strings.Split(strings.TrimSuffix(list, "]"), ",")
		}
	}
	result, err := s.sim.Submit(ctx, person(args[0]), values)
	ts.Check(err)
	s.settle(ts)
	printSubmitted(ts, result)
	io.WriteString(ts.Stdout(), s.sim.ViewText(person(args[0])))
}

func printSubmitted(ts *testscript.TestScript, result slacksim.SubmitResult) {
	for field, text := range result.Errors {
		fmt.Fprintf(ts.Stdout(), "%s: %s\n", field, text)
	}
	if result.Error != "" {
		ts.Fatalf("the form was not taken: %s, want %s", result.Error, "")
	}
}
