package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/store"
)

const (
	examineFirst = 10 * time.Second // after the start, which is busy enough
	examineEvery = 15 * time.Minute
)

// asDoctor returns the doctor with the settings of serve.
func (c *serveCmd) asDoctor() doctorCmd {
	return doctorCmd{
		databaseFlags: c.databaseFlags, slackFlags: c.slackFlags, channelFlags: c.channelFlags, spoolFlags: c.spoolFlags,
		retentionFlags: c.retentionFlags, secretFlags: c.secretFlags, watchingFlags: c.watchingFlags, webFlags: c.webFlags, jwtFlags: c.jwtFlags,
		PublicURL: c.PublicURL, Admins: c.Admins,
	}
}

// examine returns the doctor of a running instance, which uses the instance's database connections. It doesn't look up
// the channels and people of the set-up in Slack: the instance follows them anyway, and the calls count against limits.
func (c *serveCmd) examine(p process) func(context.Context, *store.System) []view.DoctorFinding {
	d := c.asDoctor()
	return func(ctx context.Context, db *store.System) []view.DoctorFinding {
		p.ctx, p.out = ctx, io.Discard
		r := &report{process: p}
		sayChannels := lookAtChannels(ctx, d.channels(r.clock, ""), doctorCheckLimit)
		saySlack := d.lookAtSlack(r, doctorCheckLimit, func(ctx context.Context) int {
			n, err := db.Instances(ctx)
			if err != nil {
				return -1
			}
			return n
		})
		limited, cancel := context.WithTimeout(ctx, doctorCheckLimit)
		defer cancel()
		d.lookInto(limited, r, db)
		d.spool(r)
		d.watching(r)
		sayChannels(r)
		saySlack()
		slices.SortStableFunc(r.found, func(a, b view.DoctorFinding) int { return cmp.Compare(rank(a), rank(b)) })
		return r.found
	}
}

// rank sorts failures first.
func rank(f view.DoctorFinding) int {
	if f.Bad {
		return 0
	}
	return 1
}

// A checkup holds the doctor's findings in this instance.
type checkup struct {
	at    time.Time
	found []view.DoctorFinding
}

// examineSelf runs the doctor every quarter of an hour.
func (a *app) examineSelf(ctx context.Context, s settings, clock func() time.Time) error {
	tick := time.NewTimer(examineFirst)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		found := s.examine(ctx, a.store)
		if ctx.Err() != nil {
			return nil
		}
		a.checkup.Store(&checkup{clock(), found})
		for _, f := range found {
			if f.Bad {
				a.log.Warn().Str("area", f.Area).Str("remedy", f.Remedy).Msg(f.Text)
			}
		}
		tick.Reset(examineEvery)
	}
}

// findings returns those of the latest checkup, for admins; none before the first.
func (a *app) findings() (found []view.DoctorFinding, at time.Time) {
	if c := a.checkup.Load(); c != nil {
		return c.found, c.at
	}
	return nil, time.Time{}
}

// doctorLines summarizes the findings for anybody, without texts that name people or machines.
func (a *app) doctorLines(now time.Time) []string {
	c := a.checkup.Load()
	if c == nil {
		return nil
	}
	bad := 0
	var lines []string
	for _, f := range c.found {
		word := "note"
		if f.Bad {
			word = "FAIL"
			bad++
		}
		if line := "doctor: " + word + " " + f.Area; !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	first := fmt.Sprintf("doctor: %d to fix, %d notes, %s ago", bad, len(c.found)-bad, now.Sub(c.at).Round(time.Second))
	if len(c.found) > 0 {
		first += "; the Home tab of admins says what"
	}
	return append([]string{first}, lines...)
}
