package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/jobs"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

const (
	ann = oncall.UserID("U0ANN")
	bo  = oncall.UserID("U0BO")
)

// waitLimit is how long a test waits for what must happen soon.
const waitLimit = storetest.Timeout

// A world is a database with a team, whose policy pages Ann and then Bo.
type world struct {
	budget    *store.Budget        // nil: each instance has its connections for itself
	terms     store.RetentionTerms // how long data is kept
	t         *testing.T
	url       string
	store     *store.System
	clock     func() time.Time
	messenger *fakeMessenger
	sender    *fakeSender
	slack     jobs.Messenger // what the instances use: the fake one, unless a test changes it
	id        oncall.IntegrationID
	names     map[*jobs.Jobs]string

	workspace jobs.Workspace                  // none of the tests' groups or topics, unless a test changes it
	more      map[oncall.Method]notify.Sender // in addition to Slack
	canary    time.Duration
	hooks     *notify.Hooks
	pulse     func(context.Context) error
}

// emptyWorkspace is a workspace in which no channel is found.
type emptyWorkspace struct{ jobs.Workspace }

func (emptyWorkspace) ResolveChannels(context.Context) error { return nil }

func (emptyWorkspace) RefreshUsers(context.Context) error { return nil }

// newWorld makes a world whose policy pages Bo after wait.
func newWorld(t *testing.T, wait string, clock func() time.Time) *world {
	t.Helper()
	return newWorldWith(t, wait, clock, nil)
}

// newWorldWith makes a world whose instances share a budget of connections, so that they look for work rarely by themselves.
func newWorldWith(t *testing.T, wait string, clock func() time.Time, budget *store.Budget) *world {
	t.Helper()
	w := &world{
		budget: budget, t: t, url: storetest.NewURL(t), clock: clock, messenger: newFakeMessenger(), sender: newFakeSender(),
		names: map[*jobs.Jobs]string{}, workspace: emptyWorkspace{},
	}
	w.slack = w.messenger
	w.store = w.open()
	t.Cleanup(func() {
		if t.Failed() {
			w.dump()
		}
	})
	ctx := t.Context()
	doc := setup.Setup{
		Users: []setup.User{
			{Name: "Ann", Slack: ann, Email: "ann@example.com", TimeZone: "Europe/Berlin"},
			{Name: "Bo", Slack: bo, Email: "bo@example.com", TimeZone: "Europe/Berlin"},
		},
		Teams: []setup.Team{{Name: "Payments", Channel: "C0PAY", Members: []string{"Ann", "Bo"}}},
		Policies: []setup.Policy{{Name: "Payments", Team: "Payments", Steps: []setup.Step{
			{Page: []string{"user Ann"}, Wait: wait},
			{Page: []string{"user Bo"}, Wait: "1h"},
		}}},
		Integrations: []setup.Integration{
			{Name: "Monitor", Team: "Payments", Format: "generic", Policy: "Payments", Storm: "off"},
		},
	}
	if _, err := w.store.Apply(ctx, doc, store.ApplyOptions{Write: true}, clock()); err != nil {
		t.Fatalf("apply the setup: %v", err)
	}
	directory, err := w.store.Directory(ctx)
	if err != nil {
		t.Fatal(err)
	}
	w.id = directory.Integrations[0].ID
	w.foldSignals(w.store)
	return w
}

// addTeam adds a team of Bo alone with its own integration, which it returns.
func (w *world) addTeam() oncall.IntegrationID {
	w.t.Helper()
	doc := setup.Setup{
		Users: []setup.User{{Name: "Bo", Slack: bo, Email: "bo@example.com", TimeZone: "Europe/Berlin"}},
		Teams: []setup.Team{{Name: "Ops", Channel: "C0OPS", Members: []string{"Bo"}}},
		Policies: []setup.Policy{{Name: "Ops", Team: "Ops", Steps: []setup.Step{
			{Page: []string{"user Bo"}, Wait: "1h"},
		}}},
		Integrations: []setup.Integration{{Name: "Probe", Team: "Ops", Format: "generic", Policy: "Ops", Storm: "off"}},
	}
	if _, err := w.store.Apply(w.t.Context(), doc, store.ApplyOptions{Write: true}, w.clock()); err != nil {
		w.t.Fatal(err)
	}
	directory, err := w.store.Directory(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(directory.Integrations, func(i oncall.Integration) bool { return i.Name == "Probe" })
	return directory.Integrations[i].ID
}

// open opens the store again, as another instance would.
func (w *world) open() *store.System {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), w.url, store.Options{MaxConns: 16, Secrets: storetest.Secrets(), Log: testLog(w.t), Budget: w.budget})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Close)
	return s
}

// foldSignals folds signals until the test ends.
func (w *world) foldSignals(s *store.System) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, w.clock) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			w.t.Errorf("the store stopped with %v, want it to run until the test ends", err)
		}
	})
}

// start starts an instance with its own store.
func (w *world) start(phone notify.Sender) *jobs.Jobs {
	w.t.Helper()
	j := w.instance(w.open(), phone, prometheus.NewRegistry())
	w.t.Cleanup(func() { stop(w.t, j) })
	return j
}

// instance starts an instance that the caller stops.
func (w *world) instance(s *store.System, phone notify.Sender, metrics prometheus.Registerer) *jobs.Jobs {
	w.t.Helper()
	name := fmt.Sprintf("instance-%d", len(w.names)+1)
	senders := map[oncall.Method]notify.Sender{oncall.MethodSlack: phone}
	maps.Copy(senders, w.more)
	j, err := jobs.New(jobs.Config{
		System: s, Messenger: w.slack, Workspace: w.workspace, Senders: senders,
		Clock: w.clock, Log: testLog(w.t), Slog: slog.New(slog.DiscardHandler), Metrics: metrics,
		Name: name, Terms: w.terms, Canary: w.canary, Pulse: w.pulse, Hooks: w.hooks,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.names[j] = name
	if err := j.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return j
}

func stop(t *testing.T, j *jobs.Jobs) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	defer cancel()
	if err := j.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func testLog(t *testing.T) zerolog.Logger {
	return zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel)
}

// accept accepts signals and, like a monitor, retries if that took too long.
func (w *world) accept(id oncall.IntegrationID, signals ...oncall.Signal) {
	w.t.Helper()
	w.until("the signals are accepted", func() bool {
		err := w.store.Accept(w.t.Context(), id, signals, w.clock())
		if err != nil && !errors.Is(err, store.ErrUnavailable) {
			w.t.Fatalf("the signals were not accepted: %v", err)
		}
		return err == nil
	})
}

// signal triggers an alert for each key and returns their incidents.
func (w *world) signal(keys ...string) []oncall.IncidentID {
	w.t.Helper()
	var signals []oncall.Signal
	for _, key := range keys {
		signals = append(signals, oncall.Signal{
			Action: oncall.Trigger, DedupKey: key, Title: "disk full on " + key, Severity: oncall.Critical,
		})
	}
	w.accept(w.id, signals...)
	var ids []oncall.IncidentID
	w.until("the incidents are opened", func() bool {
		ids = ids[:0]
		open, err := w.store.OpenIncidents(w.t.Context(), oncall.ByTimer(), 1000)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, key := range keys {
			for _, in := range open {
				if in.GroupKey == key {
					ids = append(ids, in.ID)
				}
			}
		}
		return len(ids) == len(keys)
	})
	return ids
}

// ack acknowledges an incident as a person.
func (w *world) ack(id oncall.IncidentID, by oncall.UserID) {
	w.t.Helper()
	_, err := w.store.Act(w.t.Context(), id, oncall.ByUser(by), oncall.Act{Do: oncall.ActAck}, w.clock())
	if err != nil {
		w.t.Fatalf("acknowledge: %v", err)
	}
}

// events returns the incident's events of a kind.
func (w *world) events(id oncall.IncidentID, kind oncall.EventKind) []oncall.Event {
	w.t.Helper()
	all, err := w.store.Events(w.t.Context(), oncall.ByTimer(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	var found []oncall.Event
	for _, e := range all {
		if e.Kind == kind {
			found = append(found, e)
		}
	}
	return found
}

func (w *world) version(id oncall.IncidentID) int64 {
	w.t.Helper()
	in, err := w.store.Incident(w.t.Context(), oncall.ByTimer(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return in.Version
}

// until waits for something to become true.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	storetest.Until(w.t, waitLimit, what, ok)
}

// await returns what comes from a channel.
func await[T any](t *testing.T, what string, from <-chan T) (v T) {
	t.Helper()
	limit := time.NewTimer(waitLimit)
	defer limit.Stop()
	select {
	case v = <-from:
	case <-limit.C:
		t.Fatalf("not within %s: %s", waitLimit, what)
	}
	return v
}

// queueEmpty reports whether no job of a kind is left.
func (w *world) queueEmpty(kind string) bool {
	w.t.Helper()
	var n int
	err := w.store.Pool().QueryRow(w.t.Context(), `SELECT count(*) FROM river_job
		WHERE kind = $1 AND state IN ('available', 'running', 'retryable', 'scheduled')`, kind).Scan(&n)
	if err != nil {
		w.t.Fatal(err)
	}
	return n == 0
}

// A fakeSender records its messages and returns what answer says.
type fakeSender struct {
	mu     sync.Mutex
	sent   []notify.Message
	answer func(ctx context.Context, m notify.Message, n int) notify.Receipt
}

func newFakeSender() *fakeSender { return &fakeSender{answer: acceptMessage} }

// acceptMessage accepts the n-th message as Slack would.
func acceptMessage(_ context.Context, m notify.Message, n int) notify.Receipt {
	place := notify.SlackMessage{Channel: "D" + m.To, TS: fmt.Sprintf("1700000000.%06d", n)}
	return notify.Receipt{Outcome: notify.Accepted, Reference: place.String(), Place: place, Drawn: 1}
}

// Send implements notify.Sender.
func (s *fakeSender) Send(ctx context.Context, m notify.Message) notify.Receipt {
	s.mu.Lock()
	s.sent = append(s.sent, m)
	n := len(s.sent)
	answer := s.answer
	s.mu.Unlock()
	return answer(ctx, m, n)
}

// sentTo returns the messages sent to a person.
func (s *fakeSender) sentTo(user oncall.UserID) []notify.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []notify.Message
	for _, m := range s.sent {
		if m.To == string(user) {
			found = append(found, m)
		}
	}
	return found
}

// A fakeMessenger keeps the messages in memory. It can be made to fail.
type fakeMessenger struct {
	mu              sync.Mutex
	roots           map[store.MessageRef]string // delivery ids
	shown           map[store.MessageRef]oncall.Picture
	replies         [][]oncall.Event
	replyDeliveries []string // the delivery ids of the replies
	lines           []flapReply
	edits           int
	notices         []oncall.Notice
	// hook is called before and after each act with its name. posted says whether the act has taken
	// effect. The caller gets its error.
	hook func(ctx context.Context, act string, posted bool) error
}

func newFakeMessenger() *fakeMessenger {
	return &fakeMessenger{
		roots: map[store.MessageRef]string{}, shown: map[store.MessageRef]oncall.Picture{},
		hook: func(context.Context, string, bool) error { return nil },
	}
}

// fail sets the hook.
func (m *fakeMessenger) fail(hook func(ctx context.Context, act string, posted bool) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hook = hook
}

func (m *fakeMessenger) call(ctx context.Context, act string, do func()) error {
	m.mu.Lock()
	hook := m.hook
	m.mu.Unlock()
	if err := hook(ctx, act, false); err != nil {
		return err
	}
	m.mu.Lock()
	do()
	m.mu.Unlock()
	return hook(ctx, act, true)
}

// Choose implements jobs.Messenger: what waits goes as it comes.
func (m *fakeMessenger) Choose(_ context.Context, waiting []store.WaitingDraw, n int) []store.WaitingDraw {
	return waiting[:min(n, len(waiting))]
}

// SetInstances implements jobs.Messenger.
func (m *fakeMessenger) SetInstances(int) {}

// StopWaiting implements jobs.Messenger.
func (m *fakeMessenger) StopWaiting() {}

// PostRoot implements jobs.Messenger.
func (m *fakeMessenger) PostRoot(ctx context.Context, _ store.WaitingDraw, p oncall.Picture, delivery string) (store.MessageRef, error) {
	var at store.MessageRef
	err := m.call(ctx, "post", func() {
		at = store.MessageRef{Channel: "C0PAY", TS: fmt.Sprintf("1700000001.%06d", len(m.roots)+1)}
		m.roots[at], m.shown[at] = delivery, p
	})
	if err != nil {
		return store.MessageRef{}, err
	}
	return at, nil
}

// FindRoot implements jobs.Messenger.
func (m *fakeMessenger) FindRoot(ctx context.Context, _ oncall.Picture, delivery string, _ time.Time) (at store.MessageRef, found bool, err error) {
	err = m.call(ctx, "find", func() {
		for place, d := range m.roots {
			if d == delivery {
				at, found = place, true
			}
		}
	})
	return at, found, err
}

// Redraw implements jobs.Messenger.
func (m *fakeMessenger) Redraw(ctx context.Context, _ store.WaitingDraw, at store.MessageRef, p oncall.Picture, _ oncall.UserID, why oncall.Sentence) error {
	there := len(why) > 0
	err := m.call(ctx, "edit", func() {
		if _, ok := m.roots[at]; ok {
			there = true
		}
		if there {
			m.shown[at] = p
			m.edits++
		}
	})
	if err == nil && !there {
		return fmt.Errorf("edit: %w", store.ErrGone)
	}
	return err
}

// PostThread implements jobs.Messenger.
func (m *fakeMessenger) PostThread(ctx context.Context, _ store.MessageRef, _ oncall.Picture, events []oncall.Event, delivery string) error {
	return m.call(ctx, "reply", func() { m.replies, m.replyDeliveries = append(m.replies, events), append(m.replyDeliveries, delivery) })
}

// FindThread implements jobs.Messenger.
func (m *fakeMessenger) FindThread(ctx context.Context, _ store.MessageRef, delivery string, _ time.Time) (found bool, err error) {
	err = m.call(ctx, "find reply", func() { found = slices.Contains(m.replyDeliveries, delivery) })
	return found, err
}

// PostRaiser implements jobs.Messenger.
func (m *fakeMessenger) PostRaiser(ctx context.Context, _ store.WaitingDraw, p oncall.Picture, c store.RaiserCopy, delivery string) (at store.MessageRef, err error) {
	err = m.call(ctx, "post raiser", func() {
		at = store.MessageRef{Channel: c.Channel, TS: fmt.Sprintf("1700000003.%06d", len(m.shown)+1)}
		m.roots[at], m.shown[at] = delivery, p
	})
	if err != nil {
		return store.MessageRef{}, err
	}
	return at, nil
}

// RedrawRaiser implements jobs.Messenger.
func (m *fakeMessenger) RedrawRaiser(ctx context.Context, w store.WaitingDraw, p oncall.Picture, c store.RaiserCopy) error {
	return m.Redraw(ctx, w, c.MessageRef, p, "", nil)
}

// FindRaiser implements jobs.Messenger.
func (m *fakeMessenger) FindRaiser(ctx context.Context, _ store.RaiserCopy, delivery string, since time.Time) (store.MessageRef, bool, error) {
	return m.FindRoot(ctx, oncall.Picture{}, delivery, since)
}

// PostFlapLine implements jobs.Messenger.
func (m *fakeMessenger) PostFlapLine(ctx context.Context, _ store.MessageRef, p oncall.Picture, delivery string) (at store.MessageRef, err error) {
	err = m.call(ctx, "post line", func() {
		at = store.MessageRef{Channel: "C0PAY", TS: fmt.Sprintf("1700000002.%06d", len(m.lines)+1)}
		m.lines = append(m.lines, flapReply{at, delivery, *p.Incident.Flap})
	})
	if err != nil {
		return store.MessageRef{}, err
	}
	return at, nil
}

// RedrawFlapLine implements jobs.Messenger.
func (m *fakeMessenger) RedrawFlapLine(ctx context.Context, _ store.WaitingDraw, at store.MessageRef, p oncall.Picture) error {
	there := false
	err := m.call(ctx, "edit line", func() {
		for i := range m.lines {
			if m.lines[i].at == at {
				m.lines[i].shows, there = *p.Incident.Flap, true
			}
		}
	})
	if err == nil && !there {
		return fmt.Errorf("edit: %w", store.ErrGone)
	}
	return err
}

// FindFlapLine implements jobs.Messenger.
func (m *fakeMessenger) FindFlapLine(ctx context.Context, _ store.MessageRef, delivery string, _ time.Time) (at store.MessageRef, found bool, err error) {
	err = m.call(ctx, "find line", func() {
		for _, l := range m.lines {
			if l.delivery == delivery {
				at, found = l.at, true
			}
		}
	})
	return at, found, err
}

// A flapReply is a reply about flapping.
type flapReply struct {
	at       store.MessageRef
	delivery string
	shows    oncall.Flap
}

// rootsOf returns what the roots of an incident show.
func (m *fakeMessenger) rootsOf(id oncall.IncidentID) []oncall.Picture {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []oncall.Picture
	for at := range m.roots {
		if p := m.shown[at]; p.Incident.ID == id {
			found = append(found, p)
		}
	}
	return found
}

// showsOnly reports whether the incident has exactly one root, at this version.
func (m *fakeMessenger) showsOnly(id oncall.IncidentID, version int64) bool {
	roots := m.rootsOf(id)
	return len(roots) == 1 && roots[0].Incident.Version == version
}

// timesReported counts how often an event was reported in the thread.
func (m *fakeMessenger) timesReported(id int64) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, r := range m.replies {
		for _, e := range r {
			if e.ID == id {
				n++
			}
		}
	}
	return n
}

// dump logs the queue after a test has failed.
func (w *world) dump() {
	rows, err := w.store.Pool().Query(context.Background(), `SELECT row_to_json(j)::text FROM river_job j
		WHERE state <> 'completed' ORDER BY id LIMIT 20`)
	if err != nil {
		return
	}
	jobs, err := pgx.CollectRows(rows, pgx.RowTo[string])
	w.t.Logf("the queue: %s, %v", strings.Join(jobs, "\n"), err)
}
