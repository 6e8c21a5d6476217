package oncall

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// minutely is expected each minute, with half a minute of grace.
func minutely(name string) Heartbeat {
	return Heartbeat{Name: name, IntegrationID: 1, HeartbeatSpec: HeartbeatSpec{Every: 60, Grace: 30, Severity: High}}
}

// A heartbeat changes its state with the pings that arrive and those that don't. Each line is a scenario: which ping
// arrives after how many seconds, and the state by then.
func TestHeartbeatStatesFollowThePings(t *testing.T) {
	t.Parallel()
	for _, tale := range []struct {
		what, tale string
		runtime    Seconds
	}{
		{"nothing was ever heard", "0 new, 100000 new", 0},
		{"pings come", "0 success, 59 up, 60 grace, 89 grace, 90 down, 100 success, 100 up, 160 grace, 190 down", 0},
		{"only something is written", "0 log, 0 new, 10 success, 80 log, 100 down", 0},
		{"it says that it failed", "0 success, 10 fail, 10 down, 500 down, 501 success, 501 up", 0},
		{"it says so first", "0 fail, 0 down, 5 fail, 5 down, 6 success, 6 up", 0},
		{"a run that ends", "0 start, 29 up, 29 success, 80 up, 119 down", 0},
		{"a first run that doesn't", "0 start, 29 up, 30 down", 0},
		{"a long run that ends", "0 success, 60 start, 200 up, 300 success, 359 up, 390 down", 300},
		{"a long run that doesn't", "0 success, 60 start, 359 up, 360 down", 300},
		{"what dies and begins again", "0 success, 60 start, 70 start, 85 start, 89 up, 90 down", 0},
		{"so does what names its runs", "0 start/a, 10 start/b, 20 start/c, 30 down", 0},
		{"two runs at a time", "0 start/a, 100 start/b, 110 success/a, 199 up, 200 down", 300},
		{"which both end", "0 start/a, 20 start/b, 25 success/a, 30 success/b, 89 up, 120 down", 300},
		{"one that is down begins", "0 success, 90 down, 95 start, 95 down, 99 success, 99 up", 0},
		{"it was kept on a disk", "0 success, 100 down, 100 success@80, 100 up, 169 grace, 170 down", 0},
		{"it was kept, and was late even so", "0 success, 400 down, 400 success@20, 400 down", 0},
		{"a failure is older than a success", "50 success, 60 fail@40, 60 up", 0},
		{"a success is older than a failure", "50 fail, 60 success@40, 60 down", 0},
	} {
		h := minutely("backup")
		h.MaxRuntime = tale.runtime
		for step := range strings.SplitSeq(tale.tale, ", ") {
			var after int
			var what string
			if _, err := fmt.Sscanf(step, "%d %s", &after, &what); err != nil {
				t.Fatalf("%s: %v", step, err)
			}
			now := noon.Add(time.Duration(after) * time.Second)
			all := []Heartbeat{h}
			JudgeHeartbeats(all, now)
			h = all[0]
			came := now
			if ping, at, kept := strings.Cut(what, "@"); kept {
				var before int
				fmt.Sscanf(at, "%d", &before)
				what, came = ping, noon.Add(time.Duration(before)*time.Second)
			}
			kind, run, _ := strings.Cut(what, "/")
			switch PingKind(kind) {
			case PingSuccess, PingStart, PingFail, PingLog:
				h.Receive(Ping{Kind: PingKind(kind), Run: run}, came)
			default:
				if got := h.State(now); got != HeartbeatState(what) {
					t.Errorf("%s: after %d s it is %s, want %s in: %s", tale.what, after, got, what, tale.tale)
				}
			}
		}
	}
}

// A sender is a simulated program that pings.
type sender struct {
	every, grace time.Duration
	base, next   time.Time // the next ping by the schedule, and with the sender's delay
	dies         time.Time // zero: never
	was          time.Time // the last time its ping could arrive
	excused      time.Duration
}

// A sender that pings in time is never down, however often and long we were away; one that has died is noticed as soon
// as possible; and its integration gets a matching trigger and resolve.
func TestOurOwnDowntimeIsNeverTheirs(t *testing.T) {
	t.Parallel()
	for seed := range seeds(300) {
		rng := rand.New(rand.NewPCG(21, seed))
		all := make([]Heartbeat, 1+rng.IntN(8))
		senders := make([]sender, len(all))
		for i := range all {
			s := &senders[i]
			s.every = time.Duration(30+rng.IntN(270)) * time.Second
			s.grace = time.Duration(10+rng.IntN(120)) * time.Second
			s.base = noon.Add(time.Duration(rng.IntN(60)) * time.Second)
			s.next = s.base
			if rng.IntN(3) == 0 {
				s.dies = noon.Add(time.Duration(rng.IntN(7200)) * time.Second)
			}
			all[i] = Heartbeat{Name: fmt.Sprint(i), IntegrationID: IntegrationID(i % 2), HeartbeatSpec: HeartbeatSpec{
				Every: Seconds(s.every / time.Second), Grace: Seconds(s.grace / time.Second),
			}}
		}
		told := map[int]bool{}
		ticked, away := noon, time.Time{}
		for now := noon; now.Before(noon.Add(3 * time.Hour)); now = now.Add(time.Second) {
			if now.After(away) && rng.IntN(1500) == 0 {
				away = now.Add(time.Duration(12+rng.IntN(900)) * time.Second)
			}
			for i := range senders {
				s := &senders[i]
				if now.Before(s.next) || !s.dies.IsZero() && !now.Before(s.dies) {
					continue
				}
				late := time.Duration(rng.Int64N(int64(s.grace - 4*time.Second)))
				s.base = s.base.Add(s.every)
				s.next = s.base.Add(late)
				if now.After(away) {
					all[i].Receive(Ping{Kind: PingSuccess}, now)
					s.was, s.excused = now, 0
				}
			}
			if !now.After(away) || now.Sub(ticked) < HeartbeatTick {
				continue
			}
			if away, were := Unwatched(ticked, now); were {
				for i := range all {
					all[i].ExtendDeadline(away)
					senders[i].excused += now.Sub(ticked) + awayMostMargin
				}
			}
			ticked = now
			JudgeHeartbeats(all, now)
			for i := range all {
				checkJudged(t, all[i], senders[i], now)
				s, any := all[i].NextSignal("", now)
				if any && (s.Action == Clear) != (told[i] && all[i].DownAt == nil) {
					t.Fatalf("seed %d: told %q while it was told: %v", seed, s.Action, told[i])
				}
				if any {
					told[i] = s.Action == Trigger
				}
				if told[i] != (all[i].DownAt != nil) {
					t.Fatalf("seed %d: it is told to be down: %v, and is %s", seed, told[i], all[i].State(now))
				}
			}
		}
	}
}

// checkJudged compares a heartbeat's state with what its sender did.
func checkJudged(t *testing.T, h Heartbeat, s sender, now time.Time) {
	t.Helper()
	dead := !s.dies.IsZero() && !now.Before(s.dies)
	if h.DownAt != nil && !dead {
		t.Fatalf("it is down at %s, and its sender lives: %+v", now.Sub(noon), h)
	}
	if !s.was.IsZero() && h.DownAt == nil && now.Sub(s.was) > s.every+s.grace+s.excused+10*time.Second {
		t.Fatalf("it is %s at %s, and was heard %s ago last", h.State(now), now.Sub(noon), now.Sub(s.was))
	}
}

// Many heartbeats that go missing at once count as one outage; a few do not, nor do many that go missing at different
// times.
func TestManyAtOnceAreOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what      string
		all, gone int
		apart     time.Duration // time between the last pings of two heartbeats
		together  bool
	}{
		{"one of one", 1, 1, 0, false},
		{"two of two", 2, 2, 0, false},
		{"three of three", 3, 3, 0, true},
		{"three of ten", 10, 3, 0, false},
		{"four of ten", 10, 4, 0, true},
		{"all of twenty, some seconds apart", 20, 20, 2 * time.Second, true},
		{"four of ten, minutes apart", 10, 4, 10 * time.Minute, false},
	} {
		all := make([]Heartbeat, c.all)
		for i := range all {
			all[i] = minutely(fmt.Sprint(i))
		}
		groups := map[string]int{}
		for now := noon; now.Before(noon.Add(time.Hour)); now = now.Add(time.Second) {
			for i := range all {
				if i >= c.gone || now.Before(noon.Add(time.Duration(i)*c.apart)) || now.Equal(noon) {
					all[i].Receive(Ping{Kind: PingSuccess}, now)
				}
			}
			JudgeHeartbeats(all, now)
			for i := range all {
				if s, any := all[i].NextSignal("", now); any {
					groups[s.GroupKey+s.DedupKey[:len(s.DedupKey)*btoi(s.GroupKey == "")]]++
				}
			}
		}
		want := c.gone
		if c.together {
			want = 1
		}
		if len(groups) != want {
			t.Errorf("%s: %d incidents, want %d: %v", c.what, len(groups), want, groups)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A muted heartbeat goes down silently; if it is still down when the mute ends, it is reported.
func TestMutedHeartbeatIsReportedAfterMute(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	h := minutely("backup")
	h.Receive(Ping{Kind: PingSuccess}, noon)
	h.MutedAt, h.MutedUntil = new(noon), new(at(200))
	all := []Heartbeat{h}
	for _, step := range []struct {
		after int
		want  Action
		state HeartbeatState
		next  int // when it is next checked
	}{
		{80, "", HeartbeatLate, 90},
		{100, "", HeartbeatDown, 200},
		{199, "", HeartbeatDown, 200},
		{200, Trigger, HeartbeatDown, 500},
		{400, "", HeartbeatDown, 500},
		{500, Trigger, HeartbeatDown, 800},
	} {
		JudgeHeartbeats(all, at(step.after))
		s, _ := all[0].NextSignal("", at(step.after))
		if state := all[0].State(at(step.after)); s.Action != step.want || state != step.state {
			t.Errorf("after %d s it is %s and tells %q, want %s and %q", step.after, state, s.Action, step.state, step.want)
		}
		if next := all[0].NextCheck(at(step.after)); next == nil || !next.Equal(at(step.next)) {
			t.Errorf("after %d s the next check is at %v, want %v", step.after, next, at(step.next))
		}
	}
	all[0].Removed = true
	if s, any := all[0].NextSignal("", at(501)); !any || s.Action != Clear {
		t.Errorf("removed, it tells %q; want a signal and %q", s.Action, Clear)
	}
}

// A heartbeat's name is the end of an address, so words that end other addresses are refused.
func TestNamesOfHeartbeats(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{
		"backup": true, "db-1.nightly_dump": true, "a1": true, "1a": true, "": false, "start": false, "fail": false, "log": false, "17": false,
		"Backup": false, "a/b": false, "a b": false, "-a": false, strings.Repeat("a", 101): false, "é": false,
	} {
		if err := CheckHeartbeatName(name); (err == nil) != good {
			t.Errorf("%q: got %v, want it allowed: %t", name, err, good)
		}
	}
}
