package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// muteSender is a provider that accepts messages but doesn't answer.
type muteSender struct {
	called  atomic.Int64
	gaveUp  atomic.Int64 // calls that ended at their time limit
	release chan struct{}
}

func (m *muteSender) Send(ctx context.Context, _ notify.Message) notify.Receipt {
	m.called.Add(1)
	select {
	case <-m.release:
	case <-ctx.Done():
		m.gaveUp.Add(1)
	}
	return notify.Receipt{Outcome: notify.Unknown, Err: errors.New("no answer")}
}

// A step's webhook that accepts requests but never answers delays nobody else, however many pages
// go there.
func TestHangingProviderKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	hook := &muteSender{release: make(chan struct{})}
	w.more = map[oncall.Method]notify.Sender{oncall.MethodWebhook: hook}
	doc := setup.Setup{
		Users: []setup.User{{Name: "Bo", Slack: bo, Email: "bo@example.com", TimeZone: "Europe/Berlin"}},
		Teams: []setup.Team{{Name: "Ops", Channel: "C0OPS", Members: []string{"Bo"}}},
		Policies: []setup.Policy{{Name: "Ops", Team: "Ops", Steps: []setup.Step{
			{Page: []string{"webhook https://hook.example.com/page"}, Wait: "1h"},
		}}},
		Integrations: []setup.Integration{{Name: "Noise", Team: "Ops", Format: "generic", Policy: "Ops", Storm: "off"}},
	}
	if _, err := w.store.Apply(t.Context(), doc, store.ApplyOptions{Write: true}, w.clock()); err != nil {
		t.Fatal(err)
	}
	directory, err := w.store.Directory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	quiet := w.id
	for _, i := range directory.Integrations {
		if i.Name == "Noise" {
			w.id = i.ID
		}
	}
	w.start(w.sender)
	t.Cleanup(func() { close(hook.release) })
	var noise []string
	for i := range 50 {
		noise = append(noise, fmt.Sprint("db-", i))
	}
	w.signal(noise...)
	const slots = 6
	w.until("the webhook is called", func() bool { return hook.called.Load() >= slots })
	w.id = quiet
	w.signal("probe")
	w.until("Ann is paged", func() bool { return len(w.sender.sentTo(ann)) == 1 })
	if n := hook.gaveUp.Load(); n > 0 {
		t.Errorf("Ann had to wait until %d calls of the webhook gave up, want her paged meanwhile", n)
	}
	if n := hook.called.Load(); n > slots {
		t.Errorf("%d workers wait for the webhook, want %d at most", n, slots)
	}
}
