package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// good reports whether a key is taken, on two instances.
func (w *world) good(key string, now time.Time) bool {
	w.t.Helper()
	var took []bool
	for _, s := range []*store.System{w.System, w.another()} {
		in, err := s.IntegrationByKey(w.t.Context(), key, now)
		if err != nil && !errors.Is(err, oncall.ErrNotFound) {
			w.t.Fatal(err)
		}
		took = append(took, err == nil && in.ID == w.integration)
	}
	if took[0] != took[1] {
		w.t.Errorf("two instances don't agree on …%s: %v", key[28:], took)
	}
	return took[0]
}

func TestAKeyIsRotated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	rotate := func(atOnce bool, at time.Time) string {
		t.Helper()
		made, old, err := w.RotateKey(ctx, "grafana", atOnce, at)
		if err != nil || len(made.Key) != 32 || made.Integration != "grafana" || len(old.Hint) != 4 {
			t.Fatalf("%+v, %+v, %v", made, old, err)
		}
		if n := w.count(`SELECT count(*) FROM integrations i LEFT JOIN integration_keys k ON true
			WHERE i::text || k::text LIKE '%' || $1 || '%' OR encode(k.hash, 'escape') LIKE '%' || $1 || '%'`, made.Key); n != 0 {
			t.Error("the key is kept")
		}
		return made.Key
	}
	second := rotate(false, start)
	if !w.good(key, start.Add(23*time.Hour)) || !w.good(second, start) {
		t.Error("within a day both are good")
	}
	if w.good(key, start.Add(24*time.Hour)) || !w.good(second, start.AddDate(1, 0, 0)) {
		t.Error("after a day the old one is")
	}
	third := rotate(false, start.Add(time.Hour))
	if w.good(key, start.Add(time.Hour)) || !w.good(second, start.Add(2*time.Hour)) || !w.good(third, start.Add(2*time.Hour)) {
		t.Error("two are good at most")
	}
	fourth := rotate(true, start.Add(3*time.Hour))
	if w.good(third, start.Add(3*time.Hour)) || w.good(second, start.Add(3*time.Hour)) || !w.good(fourth, start.Add(3*time.Hour)) {
		t.Error("at once only the new one is good")
	}
	if _, _, err := w.RotateKey(ctx, "nothing", false, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("an integration that isn't there: %v", err)
	}

	// A file that still has an old key doesn't bring it back.
	_, err := w.Apply(ctx, setup(), store.ApplyOptions{Write: true}, start.Add(4*time.Hour))
	refused(t, err, `Integration "grafana": the key in the file was replaced by another. Take it out of the file.`)
	if w.good(key, start.Add(4*time.Hour)) || !w.good(fourth, start.Add(4*time.Hour)) {
		t.Error("apply has brought an old key back")
	}
	without := setup()
	without.Integrations[0].Key = ""
	if report, err := w.Apply(ctx, without, store.ApplyOptions{Write: true}, start.Add(4*time.Hour)); err != nil || len(report.Changes)+len(report.Keys) > 0 {
		t.Errorf("without a key in the file: %+v, %v", report, err)
	}
}

// Uses of both keys are counted, also of the old one after its end.
func TestUsesOfKeysAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	list := func(at time.Time) (lines []string) {
		t.Helper()
		if err := w.SaveKeyUses(ctx, at); err != nil {
			t.Fatal(err)
		}
		for _, k := range must[[]store.IntegrationKey](t)(w.IntegrationKeys(ctx)) {
			used := "never"
			if k.UsedAt != nil {
				used = k.UsedAt.Sub(start).String()
			}
			lines = append(lines, fmt.Sprint(k.Integration, " ", k.Team, " ", k.EndsAt == nil, " ", used, " ", k.Uses))
		}
		return lines
	}
	list(start) // newWorld has used it
	w.exec(`UPDATE integration_keys SET uses = 0`)
	use := func(key string, at time.Time) { _, _ = w.IntegrationByKey(ctx, key, at) }
	use(key, start.Add(time.Minute))
	use(key, start.Add(2*time.Minute))
	if got, want := list(start), []string{"grafana payments true 2m0s 2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	made, _, err := w.RotateKey(ctx, "grafana", false, start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	use(key, start.Add(2*time.Hour))
	use(made.Key, start.Add(3*time.Hour))
	use(key, start.Add(48*time.Hour))
	use(strings.Repeat("e", 32), start)
	want := []string{"grafana payments true 3h0m0s 1", "grafana payments false 48h0m0s 4"}
	if got := list(start); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := list(start); !slices.Equal(got, want) {
		t.Errorf("counted twice: %q", got)
	}
}

// What a muted integration sends pages nobody; what ends still ends.
func TestAMutedIntegrationPagesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	before := w.open()
	defer w.run(w.System)()
	mute := func(mute bool) {
		t.Helper()
		if err := w.Mute(ctx, "grafana", mute, start); err != nil {
			t.Fatal(err)
		}
	}
	mute(true)
	pages := w.count(`SELECT count(*) FROM pages`)
	w.accept(trigger("another"), trigger("third"), resolve("nothing"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 1 {
		t.Errorf("%d incidents, want the one from before", n)
	}
	if n := w.count(`SELECT count(*) FROM pages`); n != pages {
		t.Errorf("%d pages more", n-pages)
	}
	if n := w.count(`SELECT count(*) FROM inbox`); n != 0 {
		t.Errorf("%d signals wait, want 0", n)
	}
	w.accept(resolve("disk"))
	w.fold()
	if in := w.incident(before.ID); in.Status != oncall.Resolved {
		t.Errorf("the incident from before is %s", in.Status)
	}
	mute(false)
	w.accept(trigger("another"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 2 {
		t.Errorf("unmuted: %d incidents, want 2", n)
	}
	if err := w.Mute(ctx, "nothing", true, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("an integration that isn't there: %v", err)
	}
}
