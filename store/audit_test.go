package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/store"
)

// told writes entries as a test reads them.
func told(entries []audit.Entry) (lines []string) {
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
	return told(entries)
}

// The database keeps what was written from everybody.
func TestTheAuditLogIsAppendOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must[oncall.TimeOff](t)(w.AddTimeOff(t.Context(), oncall.ByUser(ann), oncall.TimeOff{UserID: ann, Start: start, End: start.Add(time.Hour)}, start))
	for _, change := range []string{`UPDATE audit_log SET name = 'other'`, `DELETE FROM audit_log`, `TRUNCATE audit_log`} {
		if _, err := w.Pool().Exec(t.Context(), change); err == nil {
			t.Errorf("%s was not refused", change)
		}
	}
	if w.count(`SELECT count(*) FROM audit_log WHERE act = 'time_off_added'`) != 1 {
		t.Error("the entry is gone")
	}
}

// A page of the log ends where the next begins.
func TestTheAuditLogIsReadInPages(t *testing.T) {
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
		t.Errorf("read the entries %d", seen)
	}
}
