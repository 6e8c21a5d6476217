package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/watchbill/watchbill/store"
)

// maxClockSkew is the difference between the machine's clock and the database's that counts as an error:
// timers are set by one instance's clock and fire by another's.
const maxClockSkew = time.Second

// clockSkew measures how far the database's clock is ahead of ours, to within half a round trip.
func clockSkew(ctx context.Context, db *store.System, clock func() time.Time) (time.Duration, error) {
	before := clock()
	theirs, err := db.Clock(ctx)
	if err != nil {
		return 0, err
	}
	return theirs.Sub(before.Add(clock().Sub(before) / 2)).Round(time.Millisecond), nil
}

// watchClock compares the clocks every minute. It logs when they drift apart and when they agree
// again.
func (a *app) watchClock(ctx context.Context, clock func() time.Time, metrics prometheus.Registerer) error {
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "watchbill_clock_skew_seconds",
		Help: "How far the database's clock is ahead of this instance's.",
	})
	if err := metrics.Register(gauge); err != nil {
		return err
	}
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for apart := false; ; {
		if skew, err := clockSkew(ctx, a.store, clock); err == nil {
			gauge.Set(skew.Seconds())
			if now := skew.Abs() > maxClockSkew; now != apart {
				apart = now
				if apart {
					a.log.Error().Stringer("by", skew).Msg("this machine's clock differs from the database's; timers are off by as much: run NTP on both")
				} else {
					a.log.Info().Msg("this machine's clock is right again")
				}
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
