package store_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

func (w *world) guard(s *store.System, now time.Time) {
	w.t.Helper()
	if err := s.CheckCoverage(w.t.Context(), now); err != nil {
		w.t.Error(err)
	}
}

func (w *world) findings() string {
	w.t.Helper()
	return strings.Join(w.strings(`SELECT key FROM findings ORDER BY key`), " ")
}

// Even if two instances check coverage at the same time, each finding is reported once, to those concerned, and again only
// if it was fixed in between.
func TestCoverageIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := payments()
	s.Teams[0].Admins = []string{"cy"}
	if _, err := w.Apply(t.Context(), s, store.ApplyOptions{Write: true}, start); err != nil {
		t.Fatal(err)
	}
	w.guard(w.System, start)
	wantNotices(t, w)

	gone := start
	if err := w.SaveUser(t.Context(), oncall.User{ID: bo, Name: "Bo", DeactivatedAt: &gone}, start); err != nil {
		t.Fatal(err)
	}
	if n := w.jobs("guard"); n < 2 { // Apply and SaveUser
		t.Errorf("%d guards are queued, want at least 2", n)
	}
	off := oncall.TimeOff{UserID: ann, Start: start.AddDate(0, 0, 14), End: start.AddDate(0, 0, 16)}
	off = must[oncall.TimeOff](t)(w.AddTimeOff(t.Context(), oncall.ByTimer(), off, start))
	stores := []*store.System{w.System, w.another()}
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() { w.guard(stores[i%2], start) })
	}
	all.Wait()
	w.wantNoticesSorted("coverage U0ANN", "leaver U0CY") // one notice reports both the leaver and the resulting gap
	if got, want := w.findings(), "deactivated/1/U0BO gap/1/primary/Mon 09:00 time_off/1/primary/1"; got != want {
		t.Errorf("findings: %s, want %s", got, want)
	}

	w.forget()
	must[oncall.TimeOff](t)(w.CancelTimeOff(t.Context(), oncall.ByTimer(), off.ID, start))
	w.guard(w.System, start.Add(time.Hour))
	wantNotices(t, w, "leaver U0CY") // which was forgotten
	must[oncall.TimeOff](t)(w.AddTimeOff(t.Context(), oncall.ByTimer(), off, start))
	w.guard(w.System, start.Add(2*time.Hour))
	wantNotices(t, w, "leaver U0CY", "coverage U0ANN")
}

// If a team has no admins, the notice goes to its channel.
func TestCoverageWithoutAdmins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE policies SET steps = '[{"targets": [{"user": "U0ANN"}], "delay": 300}]'`)
	w.guard(w.System, start)
	wantNotices(t, w, "coverage #payments")
	if got := w.findings(); got != "unpaged/1" {
		t.Errorf("findings: %s, want %s", got, "unpaged/1")
	}
}

func (w *world) wantNoticesSorted(want ...string) {
	w.t.Helper()
	got := strings.Join(w.strings(`SELECT kind || ' ' || recipient AS told FROM notices ORDER BY told`), ", ")
	if got != strings.Join(want, ", ") {
		w.t.Errorf("told %s, want %s", got, strings.Join(want, ", "))
	}
}
