package spool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/spool"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

const integrationKey = "0123456789abcdef0123456789abcdef"

// A world is a database behind a proxy, and a receiver in front of it.
type world struct {
	*testing.T
	pool     *pgxpool.Pool // bypassing the proxy
	proxy    *storetest.Proxy
	url      string // of the proxy
	dir      string
	admin    string // of the installation
	messages *messageLog
	*instance

	mu  sync.Mutex
	now time.Time
}

// An instance is one process.
type instance struct {
	world       *world
	system      *store.System
	receiver    *spool.Receiver
	integration oncall.IntegrationID
	stop        func()
}

func newWorld(t *testing.T, change ...func(*setup.Setup)) *world {
	t.Helper()
	direct := storetest.NewURL(t)
	w := &world{T: t, dir: t.TempDir(), now: noon, messages: &messageLog{}}
	var err error
	w.pool, err = pgxpool.New(t.Context(), direct)
	w.must(err)
	t.Cleanup(w.pool.Close)
	w.proxy, w.url = storetest.NewProxy(t, direct)
	system, err := store.Open(t.Context(), direct, store.Options{Log: zerolog.Nop()})
	w.must(err)
	defer system.Close()
	doc := setup.Setup{
		Users: []setup.User{{Name: "ann", Slack: "U0ANN", TimeZone: "UTC"}, {Name: "bo", Slack: "U0BO", TimeZone: "UTC"}},
		Teams: []setup.Team{{Name: "orders", Channel: "#orders", Members: []string{"ann", "bo"}}},
		Policies: []setup.Policy{{Name: "orders", Team: "orders", Steps: []setup.Step{
			{Page: []string{"user ann"}, Wait: "5m"}, {Page: []string{"user bo"}},
		}}},
		Integrations: []setup.Integration{{Name: "scripts", Team: "orders", Policy: "orders", Format: "generic", Key: integrationKey}},
	}
	for _, do := range change {
		do(&doc)
	}
	_, err = system.Apply(t.Context(), doc, store.ApplyOptions{Write: true}, w.now)
	w.must(err)
	_, err = w.pool.Exec(t.Context(), `
		INSERT INTO contacts (user_id, method, address, disabled_why, verified_at, created_at)
		VALUES ('U0ANN', 'sms', '+12025550123', '', $1, $1)`, w.now)
	w.must(err)
	w.instance = w.start()
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// start runs an instance, with a spool of its own directory.
func (w *world) start(o ...spool.Options) *instance {
	w.Helper()
	options := spool.Options{Dir: w.dir}
	if len(o) > 0 {
		options = o[0]
	}
	log := zerolog.New(zerolog.NewTestWriter(w))
	options.Log = log
	i := &instance{world: w, integration: 1}
	var err error
	i.system, err = store.Open(context.Background(), w.url, store.Options{
		MaxConns: 4, IntakeConns: 2, Log: zerolog.Nop(), Secrets: storetest.Secrets(), Admins: []string{w.admin},
	})
	w.must(err)
	i.receiver, err = spool.New(spool.Config{
		System: i.system, Spool: options, Secrets: storetest.Secrets(), Clock: w.clock, Log: log, Metrics: prometheus.NewRegistry(),
		Senders: map[oncall.Method]notify.Sender{oncall.MethodSlack: w.messages.sender("slack"), oncall.MethodSMS: w.messages.sender("sms")},
	})
	w.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = i.receiver.Run(ctx) })
	i.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		i.receiver.Close()
		i.system.Close()
	})
	w.Cleanup(i.stop)
	return i
}

// messageLog records the messages sent to people.
type messageLog struct {
	mu   sync.Mutex
	sent []string
	fail int // how many more attempts fail
}

type recordingSender struct {
	*messageLog
	method string
}

func (l *messageLog) sender(method string) notify.Sender { return recordingSender{l, method} }

func (s recordingSender) Send(_ context.Context, m notify.Message) notify.Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail > 0 {
		s.fail--
		return notify.Receipt{Outcome: notify.Throttled, Err: errors.New("not now")}
	}
	s.sent = append(s.sent, fmt.Sprintf("%s to %s: %s", s.method, m.To, m.Title))
	return notify.Receipt{Outcome: notify.Accepted, Reference: "r"}
}

func (l *messageLog) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.sent...)
}

func (i *instance) accept(action oncall.Action, dedup string, severity ...oncall.Severity) {
	i.world.Helper()
	if err := i.try(action, dedup, severity...); err != nil {
		i.world.Fatalf("%s %s: %v", action, dedup, err)
	}
}

func (i *instance) try(action oncall.Action, dedup string, severity ...oncall.Severity) error {
	s := oncall.Signal{Action: action, DedupKey: dedup, Title: dedup, Severity: oncall.High}
	if len(severity) > 0 {
		s.Severity = severity[0]
	}
	in, err := i.receiver.IntegrationByKey(context.Background(), integrationKey, i.world.clock())
	if err != nil {
		return err
	}
	return i.receiver.Accept(context.Background(), in.ID, []oncall.Signal{s}, i.world.clock())
}

func (w *world) until(what string, ok func() bool) {
	w.Helper()
	storetest.Until(w, storetest.Timeout, what, ok)
}

// inbox lists what is stored, in order.
func (w *world) inbox() string {
	w.Helper()
	var all *string
	w.must(w.pool.QueryRow(context.Background(), `
		SELECT string_agg(signal ->> 'action' || ' ' || (signal ->> 'dedup_key'), ', ' ORDER BY id) FROM inbox`).Scan(&all))
	if all == nil {
		return ""
	}
	return *all
}

// awaitSnapshot waits until the instance has saved the known set-up.
func (w *world) awaitSnapshot() {
	w.Helper()
	w.until("the set-up is on the disk", func() bool {
		_, err := os.Stat(filepath.Join(w.dir, "known.json"))
		return err == nil
	})
}

func (i *instance) status() string {
	return strings.Join(i.receiver.Status(context.Background()), "\n")
}

func TestSignalsSurviveOutageAndRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accept(oncall.Trigger, "before")
	w.awaitSnapshot()
	w.proxy.Set(storetest.ProxyDown)
	w.accept(oncall.Trigger, "a")
	w.accept(oncall.Clear, "a")
	if err := w.receiver.Ready(t.Context()); err != nil {
		t.Errorf("not ready although it accepts: %v", err)
	}
	if about := w.status(); !strings.Contains(about, "spool: 2 signals wait, the oldest for 0s") {
		t.Errorf("about: got %q, want it with \"spool: 2 signals wait, the oldest for 0s\"", about)
	}
	if _, err := w.receiver.IntegrationByKey(t.Context(), "f"+integrationKey[1:], w.clock()); err == nil || errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("a key that nobody knows: got %v, want an error other than that it is unknown", err)
	}
	w.stop()
	w.instance = w.start() // without the database
	w.accept(oncall.Trigger, "b")
	w.proxy.Set(storetest.ProxyUp)
	w.accept(oncall.Trigger, "c") // the database is back, but nobody has noticed
	w.until("everything is stored", func() bool { return w.status() == "spool: empty" })
	w.until("signals are stored directly again", func() bool { return !w.system.Suspended() })
	w.accept(oncall.Clear, "c")
	if got, want := w.inbox(), "trigger before, trigger a, resolve a, trigger b, trigger c, resolve c"; got != want {
		t.Errorf("stored: %s\nwant:   %s", got, want)
	}
}

// The payloads of signals are spooled with them while the spool is less than half full.
func TestPayloadsSurviveOutageAndRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stop()
	w.instance = w.start(spool.Options{Dir: w.dir, MaxSignals: 6})
	w.accept(oncall.Trigger, "before")
	w.awaitSnapshot()
	w.proxy.Set(storetest.ProxyDown)
	for i := range 5 {
		s := oncall.Signal{Action: oncall.Trigger, DedupKey: fmt.Sprint(i), Title: "disk"}
		w.must(w.receiver.Accept(context.Background(), w.integration, []oncall.Signal{s}, w.clock(), oncall.Payload{Method: "POST", Body: fmt.Append(nil, "body ", i), Signals: 1}))
	}
	w.stop()
	w.instance = w.start()
	w.proxy.Set(storetest.ProxyUp)
	w.until("everything is stored", func() bool { return w.status() == "spool: empty" })
	var kept string
	w.until("what it came in is kept", func() bool {
		w.must(w.pool.QueryRow(context.Background(), `SELECT coalesce(string_agg(convert_from(body, 'UTF8'), ', ' ORDER BY id), '') FROM payloads`).Scan(&kept))
		return strings.Count(kept, "body") >= 3
	})
	if want := "body 0, body 1, body 2"; kept != want {
		t.Errorf("%q is kept, want %q", kept, want)
	}
	w.stop()
}

// A hanging database delays the first sender by two seconds and the others not at all, and a write
// that succeeded after all is detected.
func TestSignalsAreSpooledWhileTheDatabaseHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accept(oncall.Trigger, "before")
	w.awaitSnapshot()
	w.proxy.Set(storetest.ProxySilent)
	w.accept(oncall.Trigger, "a")
	began := time.Now()
	for n := range 20 {
		w.accept(oncall.Trigger, fmt.Sprint(n))
	}
	if took := time.Since(began); took > 20*time.Second { // they would take 40 s if each waited, and take milliseconds on an idle machine
		t.Errorf("20 others waited for %s, want them not to wait", took)
	}
	w.proxy.Set(storetest.ProxyUp)
	w.until("everything is stored", func() bool { return !w.system.Suspended() && w.status() == "spool: empty" })
	if got := strings.Count(w.inbox(), "trigger"); got != 22 {
		t.Errorf("%d signals are stored, want 22: %s", got, w.inbox())
	}
}

// Under load the receiver returns to the database, and each sender's signals stay in order.
func TestReceiverReturnsToTheDatabaseUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accept(oncall.Trigger, "before")
	w.awaitSnapshot()
	const senders = 24
	var group sync.WaitGroup
	done := make(chan struct{})
	end := sync.OnceFunc(func() { close(done) })
	defer end()
	sent := make([]int, senders)
	var taken atomic.Int64
	for s := range senders {
		group.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					sent[s] = n
					return
				default:
				}
				if err := w.try(oncall.Trigger, fmt.Sprintf("%02d/%06d", s, n)); err != nil {
					t.Error(err)
					return
				}
				taken.Add(1)
			}
		})
	}
	for range 3 {
		w.proxy.Set(storetest.ProxyDown)
		w.until("it keeps them", w.system.Suspended)
		before := taken.Load()
		w.until("it has kept a hundred", func() bool { return taken.Load() >= before+100 })
		w.proxy.Set(storetest.ProxyUp)
		w.until("it goes back", func() bool { return !w.system.Suspended() })
	}
	end()
	group.Wait()
	w.until("everything is stored", func() bool { return !w.system.Suspended() })
	total := 1
	for _, n := range sent {
		total += n
	}
	var stored, distinct, disordered int
	w.must(w.pool.QueryRow(t.Context(), `
		SELECT count(*), count(DISTINCT key), count(*) FILTER (WHERE key <= before)
		FROM (SELECT signal ->> 'dedup_key' AS key, lag(signal ->> 'dedup_key') OVER (
			PARTITION BY left(signal ->> 'dedup_key', 2) ORDER BY id) AS before FROM inbox) i`).Scan(&stored, &distinct, &disordered))
	if stored != total || distinct != total || disordered != 0 {
		t.Errorf("%d are stored, of which %d are different and %d out of order, want %d, all different and none out of order", stored, distinct, disordered, total)
	}
}

// A full spool refuses signals, and reports it to monitors, in /readyz, and to the admins.
func TestFullSpoolRefusesSignals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admin = "U0BO"
	w.stop()
	w.instance = w.start(spool.Options{Dir: w.dir, MaxSignals: 2})
	w.accept(oncall.Trigger, "before")
	w.awaitSnapshot()
	w.proxy.Set(storetest.ProxyDown)
	w.accept(oncall.Trigger, "a")
	w.accept(oncall.Trigger, "b")
	if err := w.try(oncall.Trigger, "c"); !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, spool.ErrFull) {
		t.Errorf("full: got %v, want %v and %v", err, store.ErrUnavailable, spool.ErrFull)
	}
	if err := w.receiver.Ready(t.Context()); err == nil {
		t.Error("ready although it refuses")
	}
	const refuses = "slack to U0BO: Watchbill refuses alerts: its database is down and its spool takes no more (keep signals: the spool is full)"
	w.wantMessages(refuses)
	w.advance(10 * time.Second) // within the grace period of an outage
	if err := w.try(oncall.Trigger, "c"); err == nil {
		t.Error("accepted although it is full")
	}
	w.wantOnlyMessages(refuses)
	w.proxy.Set(storetest.ProxyUp)
	w.until("signals are accepted again", func() bool { return w.try(oncall.Trigger, "d") == nil })
	w.until("everything is stored", func() bool { return !w.system.Suspended() })
	if got, want := w.inbox(), "trigger before, trigger a, trigger b, trigger d"; got != want {
		t.Errorf("stored: got %s, want %v", got, want)
	}
}

// Two instances store what each has spooled, in order and without duplicates.
func TestTwoInstancesReplayTheirSpools(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.start(spool.Options{Dir: t.TempDir()})
	both := map[string]*instance{"a": w.instance, "b": other}
	for name, i := range both {
		i.accept(oncall.Trigger, name+"/before")
		w.until(name+" knows the keys", func() bool {
			_, err := os.Stat(filepath.Join(i.receiver.Spool.Dir, "known.json"))
			return err == nil
		})
	}
	w.proxy.Set(storetest.ProxyDown)
	const each = 300
	for n := range each {
		for name, i := range both {
			i.accept(oncall.Trigger, fmt.Sprintf("%s/%03d", name, n))
		}
	}
	w.proxy.Set(storetest.ProxyUp)
	for name, i := range both {
		w.until(name+" has stored everything", func() bool { return !i.system.Suspended() && i.status() == "spool: empty" })
	}
	var stored, distinct, disordered int
	w.must(w.pool.QueryRow(t.Context(), `
		SELECT count(*), count(DISTINCT key), count(*) FILTER (WHERE key <= before)
		FROM (SELECT signal ->> 'dedup_key' AS key, lag(signal ->> 'dedup_key') OVER (
			PARTITION BY left(signal ->> 'dedup_key', 1) ORDER BY id) AS before FROM inbox WHERE signal ->> 'dedup_key' NOT LIKE '%before') i`).
		Scan(&stored, &distinct, &disordered))
	if stored != 2*each || distinct != 2*each || disordered != 0 {
		t.Errorf("%d are stored, of which %d are different and %d out of order; want %d", stored, distinct, disordered, 2*each)
	}
}

// Each instance has a spool of its own.
func TestSpoolInUseIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := spool.New(spool.Config{
		System: w.system, Spool: spool.Options{Dir: w.dir}, Clock: w.clock, Log: zerolog.Nop(), Metrics: prometheus.NewRegistry(),
	})
	if want := "WATCHBILL_SPOOL is " + w.dir + ", and another running watchbill uses it: each needs a directory of its own"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// An unusable spool makes no difference while the database is available, and is used as soon as it
// works.
func TestUnusableSpoolIsRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stop()
	dir := filepath.Join(t.TempDir(), "later")
	w.instance = w.start(spool.Options{Dir: dir})
	w.accept(oncall.Trigger, "a")
	if about, want := w.status(), "spool: can't be used: the directory is missing"; about != want {
		t.Errorf("about: %q, want %q", about, want)
	}
	w.proxy.Set(storetest.ProxyDown)
	if err := w.try(oncall.Trigger, "b"); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("without database and spool: got %v, want %v", err, store.ErrUnavailable)
	}
	if err := w.receiver.Ready(t.Context()); err == nil {
		t.Error("ready although it refuses")
	}
	w.proxy.Set(storetest.ProxyUp)
	w.until("the database is back", func() bool { return w.try(oncall.Trigger, "c") == nil })
	w.must(os.Mkdir(dir, 0o700))
	w.advance(10 * time.Second)
	w.until("the spool is open", func() bool { return w.status() == "spool: empty" })
	w.until("it knows the keys", func() bool {
		_, err := os.Stat(filepath.Join(dir, "known.json"))
		return err == nil
	})
	w.proxy.Set(storetest.ProxyDown)
	w.accept(oncall.Trigger, "d")
}

// Nothing on the disk is useful to somebody who reads it.
func TestKeysAndNumbersAreNotOnDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accept(oncall.Trigger, "a")
	w.awaitSnapshot()
	w.proxy.Set(storetest.ProxyDown)
	w.accept(oncall.Trigger, "b")
	w.awaitOutage()
	w.advance(time.Hour)
	w.until("somebody is told", func() bool { return len(w.messages.all()) > 0 })
	files, err := os.ReadDir(w.dir)
	w.must(err)
	for _, f := range files {
		info, err := f.Info()
		w.must(err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s, want 0600", f.Name(), info.Mode())
		}
		b, err := os.ReadFile(filepath.Join(w.dir, f.Name()))
		w.must(err)
		for _, secret := range []string{integrationKey, "2025550123"} {
			if strings.Contains(string(b), secret) {
				t.Errorf("%s is in %s", secret, f.Name())
			}
		}
	}
	if len(files) < 2 {
		t.Errorf("%d files, want at least 2", len(files))
	}
}
