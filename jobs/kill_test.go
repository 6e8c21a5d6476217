package jobs_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/watchbill/watchbill/jobs"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// victimVariable turns this test binary into an instance on the database it names.
const victimVariable = "WATCHBILL_JOBS_VICTIM"

func TestMain(m *testing.M) {
	if address := os.Getenv(victimVariable); address != "" {
		fmt.Println(runVictim(address))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// hangingSender is a sender whose provider never answers.
type hangingSender struct{}

// Send reports that it has started, and hangs.
func (hangingSender) Send(context.Context, notify.Message) notify.Receipt {
	fmt.Println("sending")
	select {}
}

// runVictim works until it is killed.
func runVictim(address string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, address, store.Options{MaxConns: 8, Secrets: storetest.Secrets()})
	if err != nil {
		return err
	}
	j, err := jobs.New(jobs.Config{
		System: s, Messenger: newFakeMessenger(), Senders: map[oncall.Method]notify.Sender{oncall.MethodSlack: hangingSender{}},
		Clock: time.Now, Log: zerolog.Nop(), Slog: slog.New(slog.DiscardHandler), Name: "victim",
	})
	if err != nil {
		return err
	}
	if err := j.Start(ctx); err != nil {
		return err
	}
	select {}
}

// After kill -9 in the middle of a page another instance sends it at once.
func TestKilledInstancesPageIsSentByAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	victim, _ := killedWhileSending(t, w, "db-1")
	storetest.Until(t, waitLimit, "another instance pages", func() bool { return len(w.sender.sentTo(ann)) == 1 })
	_ = victim.Wait()
	w.until("it is recorded", func() bool { return len(w.events(1, oncall.EventPageDelivered)) == 1 })
}

// The same for everything that waits behind that page's job.
func TestKilledInstancesBatchIsSentByAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	var keys []string
	for i := range 40 {
		keys = append(keys, fmt.Sprint("db-", i))
	}
	victim, ids := killedWhileSending(t, w, keys...)
	_ = victim.Wait()
	storetest.Until(t, 2*time.Minute, "another instance pages for all", func() bool {
		total := 0
		for _, m := range w.sender.sentTo(ann) {
			total += max(m.Count, 1)
		}
		return total >= len(keys)
	})
	w.until("it is recorded", func() bool {
		for _, id := range ids {
			if len(w.events(id, oncall.EventPageDelivered)) != 1 {
				return false
			}
		}
		return true
	})
}

// killedWhileSending kills an instance while it pages for signals, and starts another.
func killedWhileSending(t *testing.T, w *world, keys ...string) (*exec.Cmd, []oncall.IncidentID) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimVariable+"="+w.url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	ids := w.signal(keys...)
	lines := bufio.NewScanner(out)
	silent := time.AfterFunc(waitLimit, func() { _ = cmd.Process.Kill() }) // which ends the scan
	defer silent.Stop()
	if !lines.Scan() || lines.Text() != "sending" {
		t.Fatalf(`the victim says %q, %v; want the line "sending"`, lines.Text(), lines.Err())
	}
	w.start(w.sender)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	return cmd, ids
}
