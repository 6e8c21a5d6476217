package main

import (
	"strings"
	"testing"
	"time"
)

func TestParseTermReadsDaysWeeksAndYears(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{"730d": 730 * day, "104W": 728 * day, "2y": 730 * day, "30d": 30 * day, "forever": 0, "100y": 36_500 * day} {
		if got, ok := parseTerm(text); !ok || got != want {
			t.Errorf("%q is %s, %v; want it known, and got %s", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "2", "29d", "4w", "-730d", "2m", "9999999999y", "101y", "1e3d", "y", "9223372036854775807d"} {
		if got, ok := parseTerm(text); ok {
			t.Errorf("%q is read as %s, want it refused", text, got)
		}
	}
	said := retentionFlags{KeepIncidents: "1d", KeepAudit: "2y"}.problems()
	if len(said) != 1 || !strings.HasPrefix(said[0], `WATCHBILL_KEEP_INCIDENTS is "1d"; it may be`) {
		t.Errorf(`the problems: %q; want one that begins with "WATCHBILL_KEEP_INCIDENTS is \"1d\"; it may be"`, said)
	}
}
