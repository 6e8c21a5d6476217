package report

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/watchbill/watchbill/oncall"
)

// Anything that people type for a period can be counted, and has one before it, or is refused in a
// sentence.
func FuzzReportPeriod(f *testing.F) {
	for _, seed := range []string{"last month", "november 2025", "90 days", "q3", "2026-10-01 to 2026-10-31", "for the last 2 weeks", "2026", "14d", "0 days", "<@U0ANN>"} {
		f.Add(seed, int64(1_780_000_000), "Europe/Berlin")
	}
	f.Fuzz(func(t *testing.T, text string, at int64, zone string) {
		now := time.Unix(at%(1<<33), 0).UTC()
		p, err := ParsePeriod(strings.Fields(text), zone, now)
		if err != nil {
			if _, refused := errors.AsType[oncall.Refusal](err); !refused || strings.ContainsAny(clip(text), "`<>") || utf8.RuneCountInString(err.Error()) > 400 {
				t.Fatalf("%q: %v, want a short refusal without markup", text, err)
			}
			return
		}
		p = p.Until(now)
		before := p.Before()
		if p.From.After(p.To) || before.From.After(before.To) {
			t.Fatalf("%q at %s: got %+v after %+v, want both to begin before they end", text, now, p, before)
		}
		if before.To.After(p.From) {
			t.Fatalf("%q at %s: got the period before until %s, want it over by %s", text, now, before.To, p.From)
		}
		if got := len(p.days()); got > MostDays+1 {
			t.Fatalf("%q at %s: got %d days, want at most %d", text, now, got, MostDays+1)
		}
		Make(Facts{Period: p})
	})
}
