package store_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// emptyWorld returns a world without any set-up.
func emptyWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, url: storetest.NewURL(t), now: start}
	w.System = w.another()
	return w
}

// everything makes the installation equal to the document.
var everything = store.ApplyOptions{Write: true, Prune: true}

// exceptAfter leaves the resulting directory of a change out of a comparison.
var exceptAfter = cmpopts.IgnoreFields(store.ApplyReport{}, "After")

func TestApplyWritesOnlyChanges(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	doc := payments()
	doc.Integrations[0].Key = ""
	added := []string{
		`add user "ann"`, `add user "bo"`, `add user "cy"`, `add user "di"`, `add team "payments"`,
		`add schedule "primary"`, `add policy "default"`, `add integration "grafana"`,
	}
	dry := must[store.ApplyReport](t)(w.Apply(t.Context(), doc, store.ApplyOptions{Prune: true}, start))
	if d := cmp.Diff(store.ApplyReport{Changes: added}, dry, exceptAfter); d != "" {
		t.Errorf("dry run (-want +got):\n%s", d)
	}
	if n := w.count(`SELECT count(*) FROM users`); n != 0 {
		t.Errorf("the dry run wrote %d users, want 0", n)
	}
	report := must[store.ApplyReport](t)(w.Apply(t.Context(), doc, everything, start))
	if d := cmp.Diff(added, report.Changes); d != "" {
		t.Errorf("the changes (-want +got):\n%s", d)
	}
	if len(report.Keys) != 1 || report.Keys[0].Integration != "grafana" || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(report.Keys[0].Key) {
		t.Fatalf("keys %+v, want one of grafana, with 32 hexadecimal digits", report.Keys)
	}
	made := report.Keys[0].Key
	in := must[oncall.Integration](t)(w.IntegrationByKey(t.Context(), made, start))
	if in.Name != "grafana" || in.Format != "generic" {
		t.Errorf(`integration: %+v; want Name "grafana" and Format "generic"`, in)
	}
	if n := w.count(`SELECT count(*) FROM integrations WHERE key_hint = $1 AND encode(key_hash, 'hex') NOT LIKE '%' || $2 || '%'`, made[28:], made); n != 1 {
		t.Errorf("the key is kept otherwise than as a hash and a hint: got %v, want 1", n)
	}
	again := must[store.ApplyReport](t)(w.Apply(t.Context(), doc, everything, start.Add(time.Hour)))
	if d := cmp.Diff(store.ApplyReport{}, again); d != "" {
		t.Errorf("the second time (-want +got):\n%s", d)
	}
	if n := w.count(`SELECT count(*) FROM schedule_versions`); n != 1 {
		t.Errorf("%d versions, want 1", n)
	}
}

func TestApplyChangesAndRemoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	doc := payments()
	doc.Teams[0].Channel = "#pay"
	doc.Teams[0].Members = []string{"bo", "di"}
	doc.Schedules[0].Rotations[0].Turns = []setup.Turn{{"bo"}}
	doc.Schedules = append(doc.Schedules, setup.Schedule{Name: "nights", Team: "payments", TimeZone: "UTC"})
	doc.Policies = []setup.Policy{{
		Name: "new", Team: "payments", Repeat: 2, Steps: []setup.Step{{Page: []string{"team payments"}}},
	}}
	doc.Integrations[0].Policy = "new"
	doc.Integrations = append(doc.Integrations, setup.Integration{
		Name: "prometheus", Team: "payments", Format: "alertmanager", Policy: "new",
	})
	at := start.Add(time.Hour)
	report := must[store.ApplyReport](t)(w.Apply(t.Context(), doc, everything, at))
	want := []string{
		`change team "payments": channel, members`, `change schedule "primary": rotations`, `add schedule "nights"`,
		`remove policy "default"`, `add policy "new"`, `change integration "grafana": policy`, `add integration "prometheus"`,
	}
	if d := cmp.Diff(want, report.Changes); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	dir := must[*store.Directory](t)(w.Directory(t.Context()))
	if d := cmp.Diff([]oncall.Team{{ID: 1, Name: "payments", Channel: "#pay", Owner: oncall.OwnerFile, Hours: []schedule.Window{}, Fallback: []oncall.UserID{}, Updates: []string{}, Remind: 600}}, dir.Teams); d != "" {
		t.Errorf("teams (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]oncall.UserID{bo, di}, dir.Members[1]); d != "" {
		t.Errorf("members (-want +got):\n%s", d)
	}
	if len(dir.Schedules) != 2 || dir.Schedules[0].Name() != "nights" || dir.Schedules[1].Name() != "primary" {
		t.Errorf(`schedules: %+v; want nights and primary`, dir.Schedules)
	}
	// An edit never changes the past.
	primary := dir.Schedules[1]
	if before, after := primary.At(at.Add(-time.Second), ""), primary.At(at, ""); !cmp.Equal(before, []oncall.UserID{ann}) || !cmp.Equal(after, []oncall.UserID{bo}) {
		t.Errorf("on call before the edit: %v, after: %v; want before %v and after %v", before, after, []oncall.UserID{ann}, []oncall.UserID{bo})
	}
	// An open incident still follows the policy with which it began.
	in := w.incident(1)
	if due := must[bool](t)(w.RunIncidentTimer(t.Context(), 1, in.Seq, at)); !due {
		t.Error("the timer that the incident waits for is stale")
	}
	if got := w.strings(`SELECT user_id FROM pages ORDER BY id`); !cmp.Equal(got, []string{"U0ANN", "U0BO", "U0DI"}) {
		t.Errorf("paged: %q, want %q", got, []string{"U0ANN", "U0BO", "U0DI"})
	}

	// Everything is removed, including the key, but the history stays.
	report = must[store.ApplyReport](t)(w.Apply(t.Context(), setup.Setup{}, everything, at))
	if len(report.Changes) != 6 {
		t.Errorf("changes: %q, want 6 entries", report.Changes)
	}
	if _, err := w.IntegrationByKey(t.Context(), key, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("the key of a removed integration: %v, want the error %v", err, oncall.ErrNotFound)
	}
	if p := must[oncall.Picture](t)(w.Picture(t.Context(), oncall.ByTimer(), 1, at)); p.Team.Name != "payments" || p.Policy != "default" || p.Integration != "grafana" {
		t.Errorf(`picture: %+v; want the team payments, the policy default and the integration grafana`, p)
	}
	dir = must[*store.Directory](t)(w.Directory(t.Context()))
	if team, ok := dir.Team(1); !ok || team.Name != "payments" || len(dir.Teams) != 0 {
		t.Errorf(`a removed team: %+v, %v; teams: %v; want it known still as payments, and no teams listed`, team, ok, dir.Teams)
	}
	// When applied again, it comes back with the same names and the same key.
	must[store.ApplyReport](t)(w.Apply(t.Context(), payments(), everything, at))
	must[oncall.Integration](t)(w.IntegrationByKey(t.Context(), key, start))
}

func TestIntegrationKeyMovesToRenamedIntegration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := payments()
	doc.Integrations[0].Name = "renamed"
	report := must[store.ApplyReport](t)(w.Apply(t.Context(), doc, everything, start))
	if d := cmp.Diff([]string{`remove integration "grafana"`, `add integration "renamed"`}, report.Changes); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	if in := must[oncall.Integration](t)(w.IntegrationByKey(t.Context(), key, start)); in.Name != "renamed" {
		t.Errorf(`integration: %+v, want Name "renamed"`, in)
	}
	other := strings.Repeat("a", 32)
	doc.Integrations[0].Key = other
	report = must[store.ApplyReport](t)(w.Apply(t.Context(), doc, everything, start))
	if d := cmp.Diff(store.ApplyReport{Changes: []string{`change integration "renamed": key`}}, report, exceptAfter); d != "" {
		t.Errorf("report (-want +got):\n%s", d)
	}
	must[oncall.Integration](t)(w.IntegrationByKey(t.Context(), other, start))
	if _, err := w.IntegrationByKey(t.Context(), key, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("the old key: %v, want the error %v", err, oncall.ErrNotFound)
	}
}

func TestApplyRefusesInOneSentence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := map[string]struct {
		edit func(*setup.Setup)
		want string
	}{
		"nobody has the address": {
			func(s *setup.Setup) { s.Users[0].Slack, s.Users[0].Email = "", "eve@example.com" },
			`User "ann": nobody with the address eve@example.com is known; give slack, the Slack user id.`,
		},
		"one person twice": {
			func(s *setup.Setup) { s.Users[1].Slack = ann },
			`Users "ann" and "bo" have the same Slack user id, U0ANN.`,
		},
		"one key twice": {
			func(s *setup.Setup) {
				two := s.Integrations[0]
				two.Name = "other"
				s.Integrations = append(s.Integrations, two)
			},
			`Integration "other": its key belongs to another integration.`,
		},
		"a bad schedule": {
			func(s *setup.Setup) { s.Schedules[0].Rotations[0].Turns = nil },
			`Schedule "primary": Rotation "weekly", turns is empty; for nobody on purpose, give one empty turn.`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := payments()
			tt.edit(&doc)
			_, err := w.Apply(t.Context(), doc, everything, start)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if refusal, ok := errors.AsType[oncall.Refusal](err); !ok {
				t.Errorf("no refusal: %v, want a refusal", refusal)
			}
		})
	}
}

func TestApplyPrefersSlackProfiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	u := oncall.User{ID: ann, Name: "Ann Lee", Email: "ann.lee@example.com", TimeZone: "America/New_York"}
	w.check(w.SaveUser(ctx, u, start))
	u.InTeam = true
	if d := cmp.Diff(u, must[*store.Directory](t)(w.Directory(ctx)).Users[ann]); d != "" {
		t.Errorf("the stored user (-want +got):\n%s", d)
	}
	if r := must[store.ApplyReport](t)(w.Apply(ctx, payments(), everything, start)); len(r.Changes) != 0 {
		t.Errorf("changes: %q, want none", r.Changes)
	}
	// A document may name a person by the e-mail address stored in Slack.
	doc := payments()
	doc.Users[0].Slack, doc.Users[0].Email = "", "ANN.lee@example.com"
	if r := must[store.ApplyReport](t)(w.Apply(ctx, doc, everything, start)); len(r.Changes) != 0 {
		t.Errorf("changes: %q, want none", r.Changes)
	}
	// The others follow the document.
	doc.Users[1].TimeZone = "Asia/Tokyo"
	if r := must[store.ApplyReport](t)(w.Apply(ctx, doc, everything, start)); !cmp.Equal(r.Changes, []string{`change user "bo": time zone`}) {
		t.Errorf("changes: %q, want %q", r.Changes, []string{`change user "bo": time zone`})
	}

	// Somebody who has left is off call from then on, but was on call before.
	gone := start.Add(time.Hour)
	u.DeactivatedAt = &gone
	w.check(w.SaveUser(ctx, u, gone))
	later := gone.Add(time.Hour)
	u.DeactivatedAt = &later // reported again
	w.check(w.SaveUser(ctx, u, later))
	primary := must[*store.Directory](t)(w.Directory(ctx)).Schedules[0]
	if before, after := primary.At(gone.Add(-1), ""), primary.At(gone, ""); len(before) != 1 || len(after) != 0 {
		t.Errorf("on call before: %v, after: %v; want 1 entry and none", before, after)
	}
	u.DeactivatedAt = nil
	w.check(w.SaveUser(ctx, u, later))
	if back := must[*store.Directory](t)(w.Directory(ctx)).Users[ann]; back.DeactivatedAt != nil {
		t.Errorf("user: %+v, want DeactivatedAt nil", back)
	}
}

func TestOverridesAreStoredWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	o := schedule.Override{
		Kind: schedule.OverrideCover, Role: schedule.RolePrimary, Start: start, End: start.Add(48 * time.Hour), Users: []oncall.UserID{cy},
		TimeZone: "Europe/Berlin", Reason: "Ann is ill", CreatedBy: bo,
		Windows: []schedule.Window{{Days: []schedule.Weekday{schedule.Tuesday}, From: 18 * 60, To: 20 * 60}},
	}
	saved := must[schedule.Override](t)(w.AddOverride(ctx, oncall.ByTimer(), 1, o, start))
	o.ID, o.ScheduleID, o.CreatedAt = 1, 1, start
	if d := cmp.Diff(o, saved); d != "" {
		t.Errorf("the override that the directory has (-made +got):\n%s", d)
	}
	swap := schedule.Override{Kind: schedule.OverrideSwap, From: ann, To: di, Start: start, End: start.Add(time.Hour)}
	must[schedule.Override](t)(w.AddOverride(ctx, oncall.ByTimer(), 1, swap, start))

	primary, ok := must[*store.Directory](t)(w.Directory(ctx)).Schedule(1)
	if !ok {
		t.Fatal("there is no schedule 1")
	}
	for at, want := range map[time.Time]oncall.UserID{
		start:                            di,
		start.Add(time.Hour):             ann,
		start.Add(29*time.Hour - 1):      ann, // Tuesday 18:00 in Berlin is 17:00 UTC
		start.Add(30 * time.Hour):        cy,
		start.Add(32 * time.Hour):        ann,
		start.Add(32*time.Hour - 1):      cy,
		start.Add(7 * 24 * time.Hour):    bo,
		start.Add(-7 * 24 * time.Hour):   bo,
		start.Add(14*24*time.Hour + 1e9): ann,
	} {
		if got := primary.At(at, ""); !cmp.Equal(got, []oncall.UserID{want}) {
			t.Errorf("on call at %v: %v, want %s", at, got, want)
		}
	}
	_, err := w.AddOverride(ctx, oncall.ByTimer(), 1, schedule.Override{Kind: schedule.OverrideCover, Start: start, End: start}, start)
	if _, refused := errors.AsType[oncall.Refusal](err); !refused {
		t.Errorf("a bad override: %v, want a refusal", err)
	}
	if _, err := w.AddOverride(ctx, oncall.ByTimer(), 99, o, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("a schedule that is not there: %v, want the error %v", err, oncall.ErrNotFound)
	}
}

// Every instance drops its directory when any instance changes something, and when it may have missed
// a change.
func TestEveryInstanceHearsOfChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.another()
	w.run(other)
	channel := func() string {
		t.Helper()
		return must[*store.Directory](t)(other.Directory(t.Context())).Teams[0].Channel
	}
	w.until("the directory is kept", func() bool {
		a := must[*store.Directory](t)(other.Directory(t.Context()))
		return a == must[*store.Directory](t)(other.Directory(t.Context()))
	})
	doc := payments()
	doc.Teams[0].Channel = "#new"
	must[store.ApplyReport](t)(w.Apply(t.Context(), doc, everything, start))
	w.until("the other instance has heard", func() bool { return channel() == "#new" })

	// The listening connection breaks, and something changes before it is back.
	w.until("its connection has ended", func() bool {
		return w.count(`
			SELECT count(pg_terminate_backend(pid))
			FROM pg_locks JOIN pg_database d ON d.oid = database AND d.datname = current_database()
			WHERE locktype = 'advisory' AND objid = $1`, foldLock) == 1
	})
	w.exec(`UPDATE teams SET channel = '#unannounced'`)
	w.until("the other instance looks again", func() bool { return channel() == "#unannounced" })
}

func TestApplyKeepsUnlistedThings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	report := must[store.ApplyReport](t)(w.Apply(t.Context(), setup.Setup{}, store.ApplyOptions{Write: true}, start))
	if len(report.Changes) != 0 || len(report.Kept) == 0 {
		t.Errorf("changes %q, kept %q; want none and some", report.Changes, report.Kept)
	}
	again := must[store.ApplyReport](t)(w.Apply(t.Context(), payments(), everything, start))
	if len(again.Changes) != 0 {
		t.Errorf("something was changed: %q, want none", again.Changes)
	}
}
