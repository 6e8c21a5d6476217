package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// describe formats entries for comparison.
func describe(entries []audit.Entry) (lines []string) {
	for _, e := range entries {
		line := fmt.Sprintf("%s (%s) %s %s %s%s", e.By, e.By.Via, e.Act, e.Kind, e.Name, e.About)
		for _, c := range e.Changes {
			line += fmt.Sprintf(" | %s: %s → %s", c.What, c.Before, c.After)
		}
		lines = append(lines, line)
	}
	return lines
}

// history reads the audit log as the command line does.
func (w *world) history(f store.AuditFilter) []string {
	w.t.Helper()
	f.Limit = 100
	entries, _, err := w.History(w.t.Context(), oncall.ByCommandLine("root@example"), f)
	if err != nil {
		w.t.Fatal(err)
	}
	return describe(entries)
}

// The database lets nobody change or delete an entry.
func TestAuditLogIsAppendOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must[oncall.TimeOff](t)(w.AddTimeOff(t.Context(), oncall.ByUser(ann), oncall.TimeOff{UserID: ann, Start: start, End: start.Add(time.Hour)}, start))
	for _, change := range []string{`UPDATE audit_log SET name = 'other'`, `DELETE FROM audit_log`, `TRUNCATE audit_log`} {
		if _, err := w.Pool().Exec(t.Context(), change); err == nil {
			t.Errorf("%s was not refused, want an error", change)
		}
	}
	if w.count(`SELECT count(*) FROM audit_log WHERE act = 'time_off_added'`) != 1 {
		t.Error("an entry of the audit log was removed before its term")
	}
}

// A page of the log ends where the next begins.
func TestAuditLogIsReadInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 5 {
		from := start.Add(time.Duration(i) * 24 * time.Hour)
		must[oncall.TimeOff](t)(w.AddTimeOff(t.Context(), oncall.ByUser(ann), oncall.TimeOff{UserID: ann, Start: from, End: from.Add(time.Hour)}, from))
	}
	f := store.AuditFilter{Kind: audit.Person, Person: ann, Since: start, Limit: 2}
	var seen []int64
	for {
		entries, more, err := w.History(t.Context(), oncall.ByCommandLine("root@example"), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Act == audit.TimeOffAdded {
				seen = append(seen, e.ID)
			}
			f.Before = e.ID
		}
		if !more {
			break
		}
	}
	if len(seen) != 5 || !slices.IsSortedFunc(seen, func(a, b int64) int { return int(b - a) }) {
		t.Errorf("read the entries %d; want 5, the newest first", seen)
	}
}

// Somebody who tries something a thousand times fills neither the log nor the memory.
func TestRefusalsAreFolded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const eve oncall.UserID = "U0EVE"
	w.person(oncall.User{ID: eve, Standing: oncall.FullMember})
	id := w.stored("primary").ID
	try := func(times int, at time.Time) {
		t.Helper()
		for range times {
			if err := w.RemoveSchedule(t.Context(), oncall.ByUser(eve), id, at); err == nil {
				t.Fatal("Eve, who may not, was not refused")
			}
		}
		if err := w.SaveRefusals(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	minute := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
	try(1, minute(0))
	for n := 1; n < 60; n++ {
		try(20, minute(n))
	}
	refused := func() (lines []string) {
		for _, line := range w.history(store.AuditFilter{Kind: audit.Team}) {
			if strings.Contains(line, "refused") {
				lines = append(lines, line)
			}
		}
		return lines
	}
	const once = "U0EVE (slack) refused team payments | edit a schedule:  → once, 2026-03-02 11:00 UTC"
	if diff := cmp.Diff([]string{once}, refused()); diff != "" {
		t.Errorf("within the hour (-want +got):\n%s", diff)
	}
	try(20, minute(60))
	const many = "U0EVE (slack) refused team payments | edit a schedule:  → 1200 times, 2026-03-02 11:01 to 2026-03-02 12:00 UTC"
	if diff := cmp.Diff([]string{many, once}, refused()); diff != "" {
		t.Errorf("after an hour (-want +got):\n%s", diff)
	}
	for n := range 200 { // of many kinds
		_, _, _ = w.History(t.Context(), oncall.ByUser(eve), store.AuditFilter{Team: oncall.TeamID(n + 1000)})
	}
	if err := w.SaveRefusals(t.Context(), minute(61)); err != nil {
		t.Fatal(err)
	}
	if n := w.count(`SELECT count(*) FROM audit_log WHERE act = 'refused'`); n > 25 {
		t.Errorf("%d entries of refusals, want at most 25", n)
	}
}

// Managers read the entries about their teams and people; only members read those about a private team.
func TestAuditLogPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := payments()
	s.Users = append(s.Users, setup.User{Name: "eve", Slack: "U0EVE"})
	s.Teams[0].Managers = []string{"ann"}
	s.Teams = append(s.Teams, setup.Team{Name: "secret", Channel: "#secret", Members: []string{"eve"}, Private: true})
	s.Schedules = append(s.Schedules, setup.Schedule{Name: "hidden", Team: "secret", TimeZone: "UTC", Rotations: s.Schedules[0].Rotations})
	must[store.ApplyReport](t)(w.Apply(t.Context(), s, store.ApplyOptions{Write: true, By: oncall.Actor{Name: "ann@example", Via: oncall.ViaApply}}, start))
	w.exec(`UPDATE users SET standing = 'member'`)
	s.Schedules[1].Team = "payments"
	must[store.ApplyReport](t)(w.Apply(t.Context(), s, store.ApplyOptions{Write: true}, start.Add(time.Minute)))
	read := func(who oncall.UserID, f store.AuditFilter) (names []string, err error) {
		f.Limit = 100
		entries, _, err := w.History(t.Context(), oncall.ByUser(who), f)
		for _, e := range entries {
			names = append(names, e.Name+string(e.About))
		}
		return names, err
	}
	for who, c := range map[oncall.UserID]struct{ reads, not []string }{
		ann:     {reads: []string{"payments"}, not: []string{"secret", "hidden"}},
		"U0EVE": {reads: []string{"secret", "hidden"}, not: []string{"payments"}},
	} {
		got, err := read(who, store.AuditFilter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range c.reads {
			if !slices.Contains(got, name) {
				t.Errorf("%s must read of %s; got %q", who, name, got)
			}
		}
		for _, name := range c.not {
			if slices.Contains(got, name) {
				t.Errorf("%s must not read of %s; got %q", who, name, got)
			}
		}
	}
	if got, err := read("U0EVE", store.AuditFilter{}); err != nil || !slices.Contains(got, "U0EVE") || slices.Contains(got, string(bo)) {
		t.Errorf(`of people eve reads %q, %v; want got to contain "U0EVE" and got not to contain %v`, got, err, string(bo))
	}
	_, err := read(bo, store.AuditFilter{})
	isRefused(t, err, `Only managers of the team "payments" can do this, and nothing was changed: U0ANN.`)
	for _, team := range must[*store.Directory](t)(w.Directory(t.Context())).Teams {
		if team.Private {
			_, err := read(ann, store.AuditFilter{Team: team.ID})
			isRefused(t, err, "This is of a private team. Only its members can see it, and nothing was changed.")
		}
	}
	if _, _, err := w.History(t.Context(), oncall.InChannel(ann), store.AuditFilter{}); err == nil {
		t.Error("the audit log is shown in a channel, where others read it, want it refused")
	}
	if got := w.history(store.AuditFilter{Name: "hidden"}); len(got) != 2 || !strings.HasPrefix(got[1], "ann@example (apply) added schedule hidden") {
		t.Errorf(`the command line reads %q; want two lines, the second beginning with "ann@example (apply) added schedule hidden"`, got)
	}
}

// People are told when a user group of Slack makes them managers of a team, and when it no longer does.
func TestManagersByGroupAreInTheAuditLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE teams SET managed_by = 'leads'`)
	for _, users := range [][]oncall.UserID{{ann}, {ann}, {bo, cy}, nil} {
		if err := w.SaveGroupMembers(t.Context(), []oncall.SlackGroup{{ID: "S0LEADS", Handle: "leads", Users: users}}, start); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.SaveGroupMembers(t.Context(), []oncall.SlackGroup{{ID: "S0LEADS", Handle: "leads", Users: []oncall.UserID{di}}}, start); err != nil {
		t.Fatal(err)
	}
	w.check(w.GroupsUnread(t.Context(), start.Add(25*time.Hour))) // Slack tells nothing for a day
	var got []string
	for _, line := range w.history(store.AuditFilter{Kind: audit.Team}) {
		if strings.Contains(line, "in group") {
			_, what, _ := strings.Cut(line, "changed")
			got = append(got, "changed"+what)
		}
	}
	if diff := cmp.Diff([]string{
		"changed team payments | managers in group @leads: U0DI → ", "changed team payments | managers in group @leads:  → U0DI",
		"changed team payments | managers in group @leads: U0BO, U0CY → ", "changed team payments | managers in group @leads: U0ANN → U0BO, U0CY",
		"changed team payments | managers in group @leads:  → U0ANN",
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
