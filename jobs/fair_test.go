package jobs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store/storetest"
)

// A team with more messages than one conversation accepts delays nobody else.
func TestNoisyTeamKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	d, sim := newSlackWorld(t, "1h")
	sim.AddChannel(slacksim.Channel{ID: "C0OPS", Name: "ops", Members: []string{string(bo), slacksim.BotUserID}})
	quiet := d.addTeam()
	var noise []string
	for i := range 300 {
		noise = append(noise, fmt.Sprint("db-", i))
	}
	d.signal(noise...)
	d.until("Ann has heard of it", func() bool { return len(sim.Messages("@ann")) > 0 })
	began := time.Now()
	d.accept(quiet, oncall.Signal{
		Action: oncall.Trigger, DedupKey: "probe", Title: "the probe is silent", Severity: oncall.Critical,
	})
	storetest.Until(t, waitLimit, "Bo has his message and the channel has it", func() bool {
		return len(sim.Messages("@bo")) == 1 && len(sim.Messages("C0OPS")) > 0
	})
	took := time.Since(began)
	// The queue continues at its own pace of one message a second.
	roots := len(sim.Messages("C0PAY"))
	if roots > len(noise)/2 {
		t.Errorf("Bo had to wait for %d of %d messages of another team, want at most %d", roots, len(noise), len(noise)/2)
	}
	d.until("the channel has more messages", func() bool { return len(sim.Messages("C0PAY")) >= roots+4 })
	if n := len(sim.Messages("@ann")); n > 3 {
		t.Errorf("Ann has %d messages, want them in a bundle or two", n)
	}
	if strings.Contains(fmt.Sprint(sim.Messages("@ann")), "probe") {
		t.Error("Ann was paged for another team")
	}
	// A message that only had to wait has no earlier copy to look for.
	for _, c := range sim.Calls() {
		if c.Method == "conversations.history" {
			t.Fatalf(`a page or a message that was never sent was looked for: got %v, want other than "conversations.history"`, c.Method)
		}
	}
	t.Logf("Bo's page and message took %s", took)
}
