package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/notify/notifytest"
)

// alertmanager FILE: starts an Alertmanager, which tells the integration alertmanager; ALERTMANAGER in the file becomes
// its address. It must come before start.
func (s *story) startAlertmanager(ts *testscript.TestScript, _ bool, args []string) {
	s.alertmanager = notifytest.NewAlertmanager(s.clock.Now)
	ts.Defer(s.alertmanager.Close)
	text := strings.ReplaceAll(ts.ReadFile(args[0]), "ALERTMANAGER", s.alertmanager.URL)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
	f := channelFlags{WebhookPrivate: true, WebhookLoopback: "localhost", AlertmanagerAuth: strings.Replace(s.alertmanager.URL, "//", "//watchbill:hidden@", 1)}
	if wrong := f.problems(); len(wrong) > 0 {
		ts.Fatalf("%s", strings.Join(wrong, "\n"))
	}
	s.silencer = notify.NewAlertmanager(f.alertmanager())
}

// alert fires|ends NAME INSTANCE: an alert begins or ends in Alertmanager, which tells of it what its silences allow.
func (s *story) alert(ts *testscript.TestScript, _ bool, args []string) {
	s.alertmanager.Hook = "http://" + s.addr + "/v1/signals/" + demoKind(storyKey)
	labels := map[string]string{"alertname": args[1], "instance": args[2], "severity": "critical"}
	ts.Check(s.alertmanager.Alert(labels, args[0] == "fires"))
	s.settle(ts)
}

var storyToken = regexp.MustCompile(`[A-Z2-7]{26}`)

// silences: prints the silences that Alertmanager has or has had.
func (s *story) silences(ts *testscript.TestScript, _ bool, _ []string) {
	s.settle(ts)
	all := s.alertmanager.Silences()
	if len(all) == 0 {
		fmt.Fprintln(ts.Stdout(), "none")
	}
	for _, one := range all {
		var labels []string
		for _, m := range one.Matchers {
			labels = append(labels, m.Name+"="+m.Value)
		}
		fmt.Fprintf(ts.Stdout(), "%s until %s, by %s: %s; %s\n", one.Status["state"], one.EndsAt.UTC().Format("Mon 15:04"), one.CreatedBy,
			strings.Join(labels, " "), storyToken.ReplaceAllString(one.Comment, "TOKEN"))
	}
}

// failalertmanager HOW: from now on Alertmanager does nothing ("away"), or hangs up after it has silenced something
// ("cut"); "" ends that.
func (s *story) failAlertmanager(_ *testscript.TestScript, _ bool, args []string) {
	s.alertmanager.Fail(args[0])
}
