package intake

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// Preview replays an integration's payloads, the newest first, through another set-up and compares
// the outcomes. Both sides parse and route as they would for a new request.
func Preview(ctx context.Context, before, after oncall.OutcomeFacts, payloads []oncall.Payload) (p oncall.Preview) {
	before.Integration.Muted, after.Integration.Muted = false, false // as if it were active
	for _, payload := range payloads {
		if p.Tried >= oncall.PayloadsKept {
			break
		}
		signals, ok := SignalsOf(ctx, before.Integration, payload)
		others, okAfter := signals, ok
		if !readsAlike(before.Integration, after.Integration) {
			others, okAfter = SignalsOf(ctx, after.Integration, payload)
		}
		if !ok || !okAfter {
			p.Untried++
			continue
		}
		was, is := outcomes(before, signals, payload.At), outcomes(after, others, payload.At)
		for i := range max(len(was), len(is)) {
			d := oncall.OutcomeDiff{At: payload.At, Integration: before.Integration.ID}
			if i < len(was) {
				d.Before = was[i]
			}
			if i < len(is) {
				d.After = is[i]
			}
			p.Add(d)
		}
	}
	return p
}

func readsAlike(a, b oncall.Integration) bool {
	return a.Format == b.Format && reflect.DeepEqual(a.Mapping, b.Mapping)
}

func outcomes(by oncall.OutcomeFacts, signals []oncall.Signal, at time.Time) (all []oncall.Outcome) {
	for _, s := range signals {
		if s.Action != oncall.Reconcile {
			all = append(all, by.Outcome(s, at))
		}
	}
	return all
}

// SignalsOf parses a payload again, as Again does; an unreadable one is a signal that explains so,
// as on arrival. It reports false if there is no signal at all.
func SignalsOf(ctx context.Context, in oncall.Integration, p oncall.Payload) (signals []oncall.Signal, ok bool) {
	signals, format, err := Reparse(ctx, in, p)
	refused := strings.HasPrefix(p.Reader, ReadOpsgenie) || p.Reader == ReadPagerDuty && in.Mapping == nil
	switch {
	case p.Cut, err != nil && refused:
		return nil, false
	case err != nil:
		return []oncall.Signal{UnreadableSignal(p.Body, err.Error())}, true
	}
	signals = slices.Clone(signals)
	for i := range signals {
		signals[i].Format = format
	}
	return signals, true
}
