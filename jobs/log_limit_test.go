package jobs

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// Messages that the queue logs for every job appear a few times per period; rare ones always
// appear.
func TestQueueLogIsLimited(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h := newLogLimiter(slog.NewTextHandler(&out, nil))
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	say := func(text string) {
		r := slog.NewRecord(at, slog.LevelWarn, text, 0)
		if err := h.WithAttrs([]slog.Attr{slog.String("queue", "draw")}).WithGroup("g").Handle(t.Context(), r); err != nil {
			t.Error(err)
		}
	}
	for range 500 {
		say("can't fetch")
	}
	say("something else")
	if often, rare := strings.Count(out.String(), "can't fetch"), strings.Count(out.String(), "something else"); often != quietBurst || rare != 1 {
		t.Errorf("%d and %d lines:\n%s; want often %d and rare 1", often, rare, &out, quietBurst)
	}
	if strings.Count(out.String(), "is left out") != 1 {
		t.Errorf("want one line that says what is left out, got\n%s", &out)
	}
	at = at.Add(quietPeriod + time.Second)
	say("can't fetch")
	if n := strings.Count(out.String(), "can't fetch"); n != quietBurst+1 {
		t.Errorf("got %d lines in the next period, want %v", n, quietBurst+1)
	}
}
