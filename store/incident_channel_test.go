package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// Only one job at a time works on a channel. What happens meanwhile is handled afterwards, and a job
// that died is replaced.
func TestOneJobAtATimeKeepsTheIncidentChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE teams SET incident_channel = 'low'`)
	id := w.open().ID
	if n := w.jobs("keep_channel"); n != 1 {
		t.Fatalf("%d jobs for the channel, want 1", n)
	}
	at := w.clock()
	order, due, err := w.BeginChannel(t.Context(), id, at)
	if err != nil || !due || order.Channel.Name == "" {
		t.Fatalf("got due %t, name %q, %v, want true, some name and no error", due, order.Channel.Name, err)
	}
	if !slices.Equal(order.Invite, []oncall.UserID{ann}) {
		t.Fatalf("got invited %v, want %s", order.Invite, ann)
	}
	if _, due, err := w.BeginChannel(t.Context(), id, at.Add(time.Second)); err != nil || due {
		t.Errorf("a second job may make the channel: %t, %v, want false", due, err)
	}
	if _, due, err := w.BeginChannel(t.Context(), id, at.Add(time.Hour)); err != nil || !due {
		t.Errorf("an hour later another job may make the channel: %t, %v, want true", due, err)
	}
	if _, err := w.Act(t.Context(), id, oncall.ByUser(bo), oncall.Act{Do: oncall.ActAck}, at); err != nil {
		t.Fatal(err)
	}
	w.forgetJobs()
	became := order.Channel
	became.ID, became.Greeted, became.Topic, became.Invited = "C0INC", true, order.Topic, order.Invite
	if err := w.EndChannel(t.Context(), order, became, "", false, at); err != nil {
		t.Fatal(err)
	}
	if in := w.incident(id); in.Channel == nil || in.Channel.ID != "C0INC" || in.Channel.Busy {
		t.Errorf(`the channel is %+v; want C0INC, and no job that makes it`, in.Channel)
	}
	if n := w.jobs("keep_channel"); n != 1 {
		t.Errorf("%d jobs for what has happened meanwhile, want 1", n)
	}
	order, due, err = w.BeginChannel(t.Context(), id, at)
	if err != nil || !due || order.Channel.ID != "C0INC" {
		t.Fatalf("got due %t, channel %q, %v, want true, C0INC and no error", due, order.Channel.ID, err)
	}
	if !slices.Equal(order.Invite, []oncall.UserID{bo}) {
		t.Fatalf("got invited %v, want %s", order.Invite, bo)
	}
	if err := w.EndChannel(t.Context(), order, order.Channel, "Slack gave no answer", false, at); err != nil {
		t.Fatal(err)
	}
	w.forgetJobs()
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{30 * time.Second, 0}, {2 * time.Minute, 1}} {
		if err := w.QueueChannels(t.Context(), at.Add(c.after)); err != nil {
			t.Fatal(err)
		}
		if n := w.jobs("keep_channel"); n != c.want {
			t.Errorf("%s later there are %d jobs, want %d", c.after, n, c.want)
		}
	}
}

// A channel is created and closed even if its job was lost.
func TestLostJobOfAChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE teams SET incident_channel = 'low'`)
	id, at := w.open().ID, w.clock()
	again := func(at time.Time) int {
		t.Helper()
		w.forgetJobs()
		w.check(w.QueueChannels(t.Context(), at))
		return w.jobs("keep_channel")
	}
	if n := again(at.Add(2 * time.Minute)); n != 1 {
		t.Fatalf("%d jobs after the one that makes it was lost, want 1", n)
	}
	order, _, err := w.BeginChannel(t.Context(), id, at)
	if err != nil {
		t.Fatal(err)
	}
	became := order.Channel
	became.ID, became.Greeted, became.Topic, became.Invited = "C0INC", true, order.Topic, order.Invite
	w.check(w.EndChannel(t.Context(), order, became, "", false, at))
	if _, err := w.Act(t.Context(), id, oncall.ByUser(ann), oncall.Act{Do: oncall.ActResolve}, at); err != nil {
		t.Fatal(err)
	}
	if n := again(at.Add(2 * time.Minute)); n != 1 {
		t.Errorf("%d jobs after the one that ends it was lost, want 1", n)
	}
}

// An incident that was resolved before its channel could be created is not checked for ever.
func TestChannelThatIsNotNeededAnyMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE teams SET incident_channel = 'low'`)
	id, at := w.open().ID, w.clock()
	order, _, err := w.BeginChannel(t.Context(), id, at)
	if err != nil {
		t.Fatal(err)
	}
	w.check(w.EndChannel(t.Context(), order, order.Channel, "The Slack app lacks a scope.", true, at))
	if _, err := w.Act(t.Context(), id, oncall.ByUser(ann), oncall.Act{Do: oncall.ActResolve}, at); err != nil {
		t.Fatal(err)
	}
	if _, due, err := w.BeginChannel(t.Context(), id, at.Add(2*time.Hour)); err != nil || due {
		t.Fatalf("due %t, %v; want nothing to do", due, err)
	}
	w.forgetJobs()
	w.check(w.QueueChannels(t.Context(), at.Add(3*time.Hour)))
	if n := w.jobs("keep_channel"); n != 0 {
		t.Errorf("%d jobs for a channel that nobody needs, want 0", n)
	}
}
