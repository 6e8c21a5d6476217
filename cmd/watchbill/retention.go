package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/store"
)

// retentionFlags set how long data is kept.
type retentionFlags struct {
	KeepIncidents string `name:"keep-incidents" env:"WATCHBILL_KEEP_INCIDENTS" default:"730d" placeholder:"DAYS" help:"How long incidents are kept after their end, with all that belongs to them, such as 730d, 104w or 2y; or forever."`
	KeepAudit     string `name:"keep-audit" env:"WATCHBILL_KEEP_AUDIT" default:"1095d" placeholder:"DAYS" help:"How long the audit log is kept; or forever."`
}

// The range of terms, in days. The shortest leaves time for late references to incidents, such as
// answers.
const (
	minTerm = 30
	maxTerm = 36_500
)

// parseTerm parses a term; 0 means for ever.
func parseTerm(text string) (time.Duration, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "forever" {
		return 0, true
	}
	for unit, days := range map[string]int{"d": 1, "w": 7, "y": 365} {
		n, err := strconv.Atoi(strings.TrimSuffix(text, unit))
		if err == nil && strings.HasSuffix(text, unit) && n > 0 && n <= maxTerm && n*days >= minTerm && n*days <= maxTerm {
			return time.Duration(n*days) * 24 * time.Hour, true
		}
	}
	return 0, false
}

func (f retentionFlags) problems() (out []string) {
	for _, setting := range [][2]string{{"WATCHBILL_KEEP_INCIDENTS", f.KeepIncidents}, {"WATCHBILL_KEEP_AUDIT", f.KeepAudit}} {
		if _, ok := parseTerm(setting[1]); !ok {
			out = append(out, fmt.Sprintf("%s is %q; it may be a number of days, weeks or years such as 730d, 104w or 2y, 30 days at least, or forever", setting[0], setting[1]))
		}
	}
	return out
}

func (f retentionFlags) terms() (t store.RetentionTerms) {
	t.Incidents, _ = parseTerm(f.KeepIncidents)
	t.Audit, _ = parseTerm(f.KeepAudit)
	return t
}

// overdueReportedAfter is how long overdue data may remain before the doctor reports it.
const overdueReportedAfter = 7 * 24 * time.Hour

// history reports how long data is kept, and whether older data is being removed.
func (c *doctorCmd) history(ctx context.Context, r *report, db *store.System) {
	oldest, err := db.Oldest(ctx)
	if err != nil {
		r.failQuery(ctx, "history", err, "Check the database's log.")
		return
	}
	terms, now := c.terms(), r.clock()
	late := func(at time.Time, term time.Duration) bool {
		return term > 0 && !at.IsZero() && now.Sub(at) > term+overdueReportedAfter
	}
	found := fmt.Sprintf("incidents are kept %s%s; the audit log %s%s",
		inDays(terms.Incidents), since(", the oldest ended on ", oldest.Incident), inDays(terms.Audit), since(", since ", oldest.Audit))
	if late(oldest.Incident, terms.Incidents) || late(oldest.Audit, terms.Audit) {
		r.note("history", found+": what is older has not left yet",
			"Run the doctor with the settings of `serve`. If they are the same, its log says why nothing leaves, or it takes some days still.")
		return
	}
	r.ok("history", found)
}

func inDays(term time.Duration) string {
	if term == 0 {
		return "for ever"
	}
	return fmt.Sprintf("for %d days", int(term.Hours()/24))
}

func since(words string, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return words + at.UTC().Format(time.DateOnly)
}
