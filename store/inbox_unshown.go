package store

import (
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// unshownLogEvery is how often the log mentions unshown signals of one incident.
const unshownLogEvery = time.Minute

// unshown logs signals that no Slack message shows. So that a monitor that repeats itself fifty times
// a second doesn't flood the log, the first signal is logged at once, and after that the number of
// signals once a minute.
type unshown struct {
	lines map[unshownKey]*unshownLine
	swept time.Time
}

type unshownKey struct {
	integration oncall.IntegrationID
	result      oncall.FoldResult
	misread     bool
	incident    oncall.IncidentID
	key         string // key of the alert, if there is no incident
}

type unshownLine struct {
	integration string
	last        oncall.FoldedSignal
	at          time.Time // when the line was last written
	count       int       // signals since then
}

// count counts an integration's signals by result, and logs the unshown ones.
func (w *inboxWorker) count(b integrationBatch, now time.Time) {
	if b.Integration.ID == oncall.CanaryIntegration {
		return
	}
	for i, e := range b.entries {
		became := b.folded[i]
		w.store.metrics.signals.WithLabelValues(b.Integration.Name, string(e.signal.Action)).Inc()
		w.store.metrics.results.WithLabelValues(b.Integration.Name, string(became.Result)).Inc()
		if became.Signal.Unread {
			w.store.metrics.unread.WithLabelValues(b.Integration.Name).Inc()
		}
		if len(became.Signal.Hints) > 0 {
			w.store.metrics.misread.WithLabelValues(b.Integration.Name).Inc()
		}
		if !became.Result.Shown() || len(became.Signal.Hints) > 0 {
			w.logThrottled(w.unshown.line(b.Integration, became), now)
		}
	}
	if now.Sub(w.unshown.swept) < unshownLogEvery {
		return
	}
	w.unshown.swept = now
	for key, line := range w.unshown.lines {
		if w.logThrottled(line, now); now.Sub(line.at) >= unshownLogEvery {
			delete(w.unshown.lines, key)
		}
	}
}

// line returns the log line that a signal is counted in.
func (u *unshown) line(in oncall.Integration, became oncall.FoldedSignal) *unshownLine {
	key := unshownKey{integration: in.ID, result: became.Result, incident: became.Incident, misread: len(became.Signal.Hints) > 0}
	if became.Incident == 0 {
		key.key = became.Signal.DedupKey
	}
	line := u.lines[key]
	if line == nil {
		line = &unshownLine{integration: in.Name}
		if u.lines == nil {
			u.lines = map[unshownKey]*unshownLine{}
		}
		u.lines[key] = line
	}
	line.last = became
	line.count++
	return line
}

// logThrottled writes a line, unless it was written less than a minute ago or nothing was counted since.
func (w *inboxWorker) logThrottled(line *unshownLine, now time.Time) {
	if line.count == 0 || now.Sub(line.at) < unshownLogEvery {
		return
	}
	became := line.last
	what, e := "signal not shown", w.store.log.Info()
	if hints := became.Signal.Hints; len(hints) > 0 {
		what, e = "signal not understood", w.store.log.Warn().Str("hint", hints[0].Text)
	}
	e.Str("integration", line.integration).Str("fate", string(became.Result)).
		Int64("incident", int64(became.Incident)).Str("action", string(became.Signal.Action)).
		Str("dedup_key", became.Signal.DedupKey).Str("group_key", became.Signal.GroupKey).
		Str("title", became.Signal.Title).Int("signals", line.count).Msg(what)
	line.at, line.count = now, 0
}
