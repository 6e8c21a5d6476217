package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
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
		w.t.Errorf("two instances don't agree on …%s: %v, want both to take it or both to refuse it", key[28:], took)
	}
	return took[0]
}

func TestKeyIsRotated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	rotate := func(atOnce bool, at time.Time) string {
		t.Helper()
		made, old, err := w.RotateKey(ctx, oncall.ByTimer(), "grafana", store.Rotation{AtOnce: atOnce}, at)
		if err != nil {
			t.Fatal(err)
		}
		if len(made.Key) != 32 || made.Integration != "grafana" {
			t.Fatalf("made %+v, want a key of 32 characters for grafana", made)
		}
		if len(old.Hint) != 4 {
			t.Errorf("the old key is shown as %q, want its last 4 characters", old.Hint)
		}
		if n := w.count(`SELECT count(*) FROM integrations i LEFT JOIN integration_keys k ON true
			WHERE i::text || k::text LIKE '%' || $1 || '%' OR encode(k.hash, 'escape') LIKE '%' || $1 || '%'`, made.Key); n != 0 {
			t.Errorf("the key is kept: got %v, want 0", n)
		}
		return made.Key
	}
	second := rotate(false, start)
	if !w.good(key, start.Add(23*time.Hour)) || !w.good(second, start) {
		t.Error("within a day of the rotation one of both keys is refused")
	}
	if w.good(key, start.Add(24*time.Hour)) || !w.good(second, start.AddDate(1, 0, 0)) {
		t.Error("a day after the rotation the old key is good, or the new one isn't")
	}
	third := rotate(false, start.Add(time.Hour))
	if w.good(key, start.Add(time.Hour)) || !w.good(second, start.Add(2*time.Hour)) || !w.good(third, start.Add(2*time.Hour)) {
		t.Error("after a second rotation other keys than the last two are good, want only those")
	}
	fourth := rotate(true, start.Add(3*time.Hour))
	if w.good(third, start.Add(3*time.Hour)) || w.good(second, start.Add(3*time.Hour)) || !w.good(fourth, start.Add(3*time.Hour)) {
		t.Error("after a rotation at once other keys than the new one are good, want only that")
	}
	if _, _, err := w.RotateKey(ctx, oncall.ByTimer(), "nothing", store.Rotation{}, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("an integration that isn't there: %v, want the error %v", err, oncall.ErrNotFound)
	}

	// A file that still has an old key doesn't bring it back.
	_, err := w.Apply(ctx, payments(), store.ApplyOptions{Write: true}, start.Add(4*time.Hour))
	refused(t, err, `Integration "grafana": the key in the file was replaced by another. Take it out of the file.`)
	if w.good(key, start.Add(4*time.Hour)) || !w.good(fourth, start.Add(4*time.Hour)) {
		t.Error("apply has brought an old key back")
	}
	without := payments()
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
		t.Errorf("got %q, want %q", got, want)
	}
	made, _, err := w.RotateKey(ctx, oncall.ByTimer(), "grafana", store.Rotation{}, start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	use(key, start.Add(2*time.Hour))
	use(made.Key, start.Add(3*time.Hour))
	use(key, start.Add(48*time.Hour))
	use(strings.Repeat("e", 32), start)
	want := []string{"grafana payments true 3h0m0s 1", "grafana payments false 48h0m0s 4"}
	if got := list(start); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := list(start); !slices.Equal(got, want) {
		t.Errorf("counted twice: %q, want %q", got, want)
	}
}

// Alerts of a muted integration page nobody, but resolving still works.
func TestMutedIntegrationPagesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	before := w.open()
	defer w.run(w.System)()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(w.MuteIntegration(ctx, oncall.ByTimer(), "grafana", nil, start))
	pages := w.count(`SELECT count(*) FROM pages`)
	w.accept(trigger("another"), trigger("third"), resolve("nothing"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 1 {
		t.Errorf("%d incidents, want the one from before", n)
	}
	if n := w.count(`SELECT count(*) FROM pages`); n != pages {
		t.Errorf("%d pages more, want 0", n-pages)
	}
	if n := w.count(`SELECT count(*) FROM inbox`); n != 0 {
		t.Errorf("%d signals wait, want 0", n)
	}
	w.accept(resolve("disk"))
	w.fold()
	if in := w.incident(before.ID); in.Status != oncall.Resolved {
		t.Errorf("the incident from before is %s, want %s", in.Status, oncall.Resolved)
	}
	was, err := w.UnmuteIntegration(ctx, oncall.ByTimer(), "grafana", start)
	check(err)
	if !was {
		t.Error("the integration counts as not muted when it is unmuted")
	}
	w.accept(trigger("another"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 2 {
		t.Errorf("unmuted: %d incidents, want 2", n)
	}
	if err := w.MuteIntegration(ctx, oncall.ByTimer(), "nothing", nil, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("an integration that isn't there: %v, want the error %v", err, oncall.ErrNotFound)
	}
}

// A mute with an end pages again from that instant on, without anybody doing anything.
func TestIntegrationMuteEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	defer w.run(w.System)()
	until := start.Add(2 * time.Hour)
	if err := w.MuteIntegration(ctx, oncall.ByUser(ann), "grafana", &until, start); err != nil {
		t.Fatal(err)
	}
	w.advance(2*time.Hour - time.Second)
	w.accept(trigger("early"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 0 {
		t.Errorf("%d incidents while it is muted, want 0", n)
	}
	w.advance(time.Second)
	w.accept(trigger("late"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 1 {
		t.Errorf("%d incidents after its end, want 1", n)
	}
	if n := w.count(`SELECT count(*) FROM integrations WHERE muted_at IS NOT NULL AND muted_by = 'U0ANN'`); n != 1 {
		t.Errorf("who muted it is not kept: got %v, want 1", n)
	}
	if err := w.EndMutes(ctx, until.Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if n := w.count(`SELECT count(*) FROM integrations WHERE muted_at IS NOT NULL AND id > 0`); n != 1 {
		t.Errorf("it was unmuted early: got %v, want 1", n)
	}
	if err := w.EndMutes(ctx, until); err != nil {
		t.Fatal(err)
	}
	if n := w.count(`SELECT count(*) FROM integrations WHERE muted_at IS NOT NULL AND id > 0`); n != 0 {
		t.Errorf("the release before still takes it for muted: got %v, want 0", n)
	}
	for _, bad := range []time.Time{start, start.Add(-time.Hour), start.AddDate(2, 0, 0)} {
		if err := w.MuteIntegration(ctx, oncall.ByUser(ann), "grafana", &bad, start); err == nil {
			t.Errorf("muted until %s, want an error", bad)
		}
	}
}

// Only managers of its team and admins rotate an integration's key and mute it; those who may not see it learn
// nothing of it.
func TestIntegrationPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	const boss, stranger oncall.UserID = "U0BOSS", "U0ELSE"
	w.person(oncall.User{ID: "U0BOSS", Name: "Boss", TimeZone: "UTC", Standing: oncall.FullMember, Owner: true})
	w.person(oncall.User{ID: "U0ELSE", Name: "Else", TimeZone: "UTC", Standing: oncall.FullMember})
	w.grow(func(s *setup.Setup) { s.Teams[0].Managers, s.Integrations[0].Key = []string{"ann"}, "" })
	acts := map[string]func(by oncall.Actor) error{
		"rotate": func(by oncall.Actor) error {
			_, _, err := w.RotateKey(ctx, by, "grafana", store.Rotation{}, start)
			return err
		},
		"mute": func(by oncall.Actor) error { return w.MuteIntegration(ctx, by, "grafana", nil, start) },
		"unmute": func(by oncall.Actor) error {
			_, err := w.UnmuteIntegration(ctx, by, "grafana", start)
			return err
		},
	}
	manages := func(user oncall.UserID) (seen, may bool) {
		for _, in := range must[[]store.IntegrationState](t)(w.Integrations(ctx, oncall.ByUser(user))) {
			if in.Name == "grafana" {
				return true, in.Manages
			}
		}
		return false, false
	}
	for name, act := range acts {
		for _, who := range []oncall.UserID{ann, boss} {
			if err := act(oncall.ByUser(who)); err != nil {
				t.Errorf("%s by %s: %v", name, who, err)
			}
		}
		for _, who := range []oncall.UserID{bo, stranger} {
			isRefused(t, act(oncall.ByUser(who)), `Only managers of the team "payments" can do this, and nothing was changed: U0ANN.`)
		}
	}
	for who, want := range map[oncall.UserID]bool{ann: true, boss: true, bo: false, stranger: false} {
		if seen, may := manages(who); !seen || may != want {
			t.Errorf("%s sees it: %v, and may change it: %v; want true and %v", who, seen, may, want)
		}
	}
	w.exec(`UPDATE teams SET private = true`)
	w.grow(func(s *setup.Setup) {
		s.Teams[0].Private, s.Teams[0].Managers, s.Integrations[0].Key = true, []string{"ann"}, ""
	})
	for name, act := range acts {
		if err := act(oncall.ByUser(stranger)); !errors.Is(err, oncall.ErrNotFound) {
			t.Errorf("%s by somebody who may not see it: %v, want the error %v", name, err, oncall.ErrNotFound)
		}
	}
	log := w.strings(`SELECT DISTINCT concat_ws(' ', actor ->> 'user', kind, name, act) FROM audit_log WHERE kind = 'integration' ORDER BY 1`)
	want := []string{"U0ANN integration grafana key_rotated", "U0ANN integration grafana muted", "U0BOSS integration grafana key_rotated", "U0BOSS integration grafana muted"}
	for _, line := range want {
		if !slices.Contains(log, line) {
			t.Errorf("the audit log has no %q: %q", line, log)
		}
	}
	if seen, _ := manages(stranger); seen {
		t.Error("somebody outside a private team sees its integration")
	}
}

// An outdated form doesn't rotate a key that was rotated meanwhile.
func TestKeyIsNotRotatedTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := w.strings(`SELECT key_hint FROM integrations WHERE name = 'grafana'`)[0]
	rotate := func() error {
		_, _, err := w.RotateKey(t.Context(), oncall.ByUser(ann), "grafana", store.Rotation{Seen: seen}, start)
		return err
	}
	if err := rotate(); err != nil {
		t.Fatal(err)
	}
	if err := rotate(); err == nil || !strings.Contains(err.Error(), "was rotated a moment ago") {
		t.Errorf(`again: %v; want an error containing "was rotated a moment ago"`, err)
	}
	if !w.good(key, start) {
		t.Error("the key that monitors have is refused")
	}
}
