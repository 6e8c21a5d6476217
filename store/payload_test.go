package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// brought accepts a signal with what it came in.
func (w *world) brought(in oncall.IntegrationID, body string, signals ...oncall.Signal) {
	w.t.Helper()
	p := oncall.Payload{
		Integration: in, At: w.clock(), Method: "POST", Path: "/v1/signals/KEY", Body: []byte(body), Size: int64(len(body)), RecognisedAs: "generic",
		Headers: map[string]string{"User-Agent": "a\x00monitor"},
	}
	p.NoteSignals(signals)
	if err := w.Accept(w.t.Context(), in, signals, w.clock(), p); err != nil {
		w.t.Fatal(err)
	}
}

// payloads returns what somebody sees, once so many are kept.
func (w *world) payloads(n int, by oncall.Actor, f store.PayloadFilter) []store.KeptPayload {
	w.t.Helper()
	w.until(fmt.Sprintf("%d payloads are kept", n), func() bool { return w.count(`SELECT count(*) FROM payloads`) == n })
	return must[[]store.KeptPayload](w.t)(w.Payloads(w.t.Context(), by, f))
}

func TestPayloadsAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	disk := trigger("disk")
	w.brought(w.integration, `{"title":"disk \u0000"}`, disk, trigger("cpu"))
	w.fold()
	w.advance(time.Minute)
	w.brought(w.integration, "\xff\x00 no text", resolve("disk"))
	w.fold()
	w.advance(time.Hour)
	w.brought(w.integration, "again", disk)
	w.fold()
	got := w.payloads(3, oncall.ByUser(ann), store.PayloadFilter{Integration: w.integration})
	var said []string
	for _, p := range got {
		said = append(said, fmt.Sprintf("%s %q, %d signals, %v", p.Name, p.Body, p.Signals, p.Incidents))
	}
	want := []string{`grafana "again", 1 signals, [#3]`, `grafana "\xff\x00 no text", 1 signals, [#1]`, `grafana "{\"title\":\"disk \\u0000\"}", 2 signals, [#1 #2]`}
	if !slices.Equal(said, want) {
		t.Errorf("got %q\nwant %q", said, want)
	}
	if p := got[0]; p.Headers["User-Agent"] != "amonitor" || !p.At.Equal(w.clock()) {
		t.Errorf("the payload is %+v; want it with the header User-Agent: amonitor, received at %s", p, w.clock())
	}
	if p := got[0]; p.Format != "generic" || p.RecognisedAs != "generic" {
		t.Errorf("the payload's format is %s, recognised as %s; want generic both times", p.Format, p.RecognisedAs)
	}
	one := must[[]store.KeptPayload](t)(w.Payloads(t.Context(), oncall.ByUser(ann), store.PayloadFilter{ID: got[1].ID, Begin: 2}))
	if len(one) != 1 || string(one[0].Body) != "\xff\x00" || one[0].Size != 10 {
		t.Errorf(`one of them: %+v; want one, with the body "\xff\x00" cut from 10 bytes`, one)
	}
}

// Of each integration the newest 200 are kept, however many come at once and in whatever order they are
// written; and none for longer than a week.
func TestNewestPayloadsAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.more(1)[0]
	w.brought(other, "of another", trigger("a"))
	for i := range 3 * oncall.PayloadsKept {
		w.advance(time.Second)
		w.brought(w.integration, fmt.Sprint(i), trigger("disk"))
	}
	late := w.clock()
	w.mu.Lock()
	w.now = start.Add(time.Millisecond) // what a spool brings late
	w.mu.Unlock()
	w.brought(w.integration, "late", trigger("disk"))
	w.mu.Lock()
	w.now = late.Add(time.Second)
	w.mu.Unlock()
	w.brought(w.integration, "last", trigger("disk"))
	w.until("the last is kept", func() bool { return w.count(`SELECT count(*) FROM payloads WHERE body = 'last'`) == 1 })
	got := w.payloads(oncall.PayloadsKept+1, oncall.ByUser(ann), store.PayloadFilter{Integration: w.integration, Most: 1000})
	if first, last := string(got[0].Body), string(got[len(got)-1].Body); len(got) != oncall.PayloadsKept || first != "last" || last != fmt.Sprint(2*oncall.PayloadsKept+1) {
		t.Errorf(`%d are kept, from %q to %q; want %d, first "last" and last %q`, len(got), first, last, oncall.PayloadsKept, fmt.Sprint(2*oncall.PayloadsKept+1))
	}
	w.advance(oncall.PayloadLives - time.Minute)
	w.check(w.Housekeeping(t.Context(), w.clock()))
	if n := w.count(`SELECT count(*) FROM payloads WHERE integration_id = $1`, other); n != 0 {
		t.Errorf("one is kept for longer than a week: got %v, want 0", n)
	}
	if n := w.count(`SELECT count(*) FROM payloads`); n != 61 { // of the last minute, and one more
		t.Errorf("%d of the last week are left, want 61", n)
	}
	w.advance(time.Minute + time.Second)
	w.check(w.Housekeeping(t.Context(), w.clock()))
	if n := w.count(`SELECT count(*) FROM payloads`); n != 0 {
		t.Errorf("%d are kept for longer than a week, want 0", n)
	}
}

// Waiting payloads take bounded memory, and are written before the store closes.
func TestPayloadsThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second := w.another()
	large := []byte(strings.Repeat("x", oncall.PayloadLimit))
	for i := range 5_000 {
		second.KeepPayload(t.Context(), oncall.Payload{Integration: oncall.IntegrationID(1000 + i%50), At: w.clock(), Body: large})
	}
	second.KeepPayload(t.Context(), oncall.Payload{Integration: w.integration, At: w.clock(), Body: []byte("last")})
	second.Close()
	if n := w.count(`SELECT count(*) FROM payloads WHERE body = 'last'`); n != 1 {
		t.Errorf("what waited is not written: got %v, want 1", n)
	}
	if n := w.count(`SELECT count(*) FROM payloads`); n != 1 {
		t.Errorf("%d payloads are kept, want 1: none of no integration", n)
	}
}

// People who may not see a team don't see its payloads, even if the integration has left the team since.
func TestPayloadsOfPrivateTeamsAreTheirs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	add := func(team, policy string) func(*setup.Setup) {
		return func(s *setup.Setup) {
			s.Integrations = append(s.Integrations, setup.Integration{Name: "deals", Team: team, Format: "generic", Policy: policy, Key: strings.Repeat("5", 32)})
		}
	}
	w.withPrivateTeam(add("secret", "merger"))
	deals := oncall.IntegrationID(w.idOf("integrations", "deals"))
	w.brought(deals, "of theirs", trigger("a"))
	w.brought(w.integration, "of all", trigger("a"))
	sees := func(n int, by oncall.Actor) (out []string) {
		for _, p := range w.payloads(n, by, store.PayloadFilter{}) {
			out = append(out, string(p.Body))
		}
		slices.Sort(out)
		return out
	}
	inChannel := oncall.ByUser(eve)
	inChannel.Via = oncall.ViaChannel
	for _, c := range []struct {
		by   oncall.Actor
		want string
	}{
		{oncall.ByUser(ann), "of all"}, {oncall.ByUser(eve), "of all, of theirs"}, {inChannel, "of all"}, {oncall.ByCommandLine("root@host"), "of all, of theirs"},
	} {
		if got := strings.Join(sees(2, c.by), ", "); got != c.want {
			t.Errorf("%v sees %q, want %q", c.by, got, c.want)
		}
	}
	w.withPrivateTeam(add("payments", "default"))
	w.brought(deals, "of all since", trigger("a"))
	if got := strings.Join(sees(3, oncall.ByUser(ann)), ", "); got != "of all, of all since" {
		t.Errorf(`Ann sees %q of an integration that has come to her team, want "of all, of all since"`, got)
	}
	w.exec(`UPDATE users SET standing = 'guest' WHERE id = $1`, di)
	w.another()
	second := w.another()
	if got := must[[]store.KeptPayload](t)(second.Payloads(context.Background(), oncall.ByUser(di), store.PayloadFilter{})); len(got) != 0 {
		t.Errorf("a guest sees %d, want %d", len(got), 0)
	}
}

// The payload of a request that was kept in a spool comes with its signals, once.
func TestPayloadsComeWithASpool(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	request := must[store.SpooledRequest](t)(store.Spool(w.integration, []oncall.Signal{trigger("disk")}, start, store.Doubt{}))
	request.Seq, request.Came = 1, []oncall.Payload{{Method: "POST", Body: []byte("spooled"), RecognisedAs: "generic", Signals: 1, Keys: []string{"disk"}}}
	for range 2 {
		w.check(w.Replay(t.Context(), "a", []store.SpooledRequest{request}, start.Add(time.Minute)))
	}
	got := w.payloads(1, oncall.ByUser(ann), store.PayloadFilter{})
	if string(got[0].Body) != "spooled" || !got[0].At.Equal(start) || got[0].Integration != w.integration {
		t.Errorf(`it is %+v; want the body "spooled", received at %v by integration %v`, got[0], start, w.integration)
	}
}
