package main

import (
	"fmt"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
)

type restoredCmd struct {
	databaseFlags `embed:""`
	For           time.Duration `default:"30m" help:"How long what was open when the dump was made stays quiet, so that somebody can look what is over."`
	Skip          int           `default:"1000" help:"How many numbers of incidents are left out at least, because they may have been given after the dump was made."`
}

// maxHeld is how many incidents can be held back; more couldn't be reviewed.
const maxHeld = 100_000

// Run quiets the incidents that were open in a restored dump. Their timers are long overdue, and
// would otherwise page at once, whether or not the problem still exists.
func (c *restoredCmd) Run(p process) error {
	if c.Skip < 0 {
		return wrongUse([]string{"--skip is a number of incidents, or 0"})
	}
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	now := p.clock()
	until := now.Add(c.For)
	by := p.operator()
	open, err := db.OpenIncidents(p.ctx, by, maxHeld)
	if err != nil {
		return err
	}
	last, err := db.SkipNumbers(p.ctx, c.Skip)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "New incidents are numbered from #%d: those of after the dump, whose messages are still in Slack, keep their numbers to themselves.\n", last+1)
	held := 0
	for _, in := range open {
		snoozedLonger := in.Status == oncall.Snoozed && in.SnoozedUntil != nil && in.SnoozedUntil.After(until)
		if in.Status == oncall.Acknowledged || snoozedLonger {
			continue // it is held back already
		}
		if _, err := db.Act(p.ctx, in.ID, by, oncall.Act{Do: oncall.ActSnooze, Until: until}, now); err != nil {
			return fmt.Errorf("incident %s: %w", in.ID, err)
		}
		held++
		fmt.Fprintf(p.out, "%s  %s\n", in.ID, notify.OneLine(in.Title))
	}
	if held == 0 {
		fmt.Fprintln(p.out, "Nothing that was open would page. Start Watchbill.")
		return nil
	}
	fmt.Fprintf(p.out, "%d are quiet until %s. Start Watchbill, and resolve what is over; the rest pages then.\n", held, until.UTC().Format("15:04 MST"))
	return nil
}
