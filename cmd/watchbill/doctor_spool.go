package main

import (
	"fmt"
	"strings"

	"github.com/watchbill/watchbill/spool"
)

// spool checks the directory that holds signals while the database is away.
func (c *doctorCmd) spool(r *report) {
	if c.Spool == "" {
		r.note("spool", "WATCHBILL_SPOOL is not set: signals are refused while the database is away, and monitors that don't send again lose them",
			"Set it to a directory on a disk for each instance: docs/outages.md.")
		return
	}
	found := spool.Inspect(c.Spool)
	switch {
	case found.Unusable != nil:
		r.fail("spool", c.Spool+": "+found.Unusable.Error(), "Make it a directory on a disk with room, which the user of watchbill serve may write.")
	case found.Used:
		r.ok("spool", c.Spool+", which a running watchbill uses")
	case found.Held.Signals == 0:
		r.ok("spool", c.Spool+", which no running watchbill uses")
	}
	if n := found.Held.Signals; n > 0 {
		r.fail("spool", fmt.Sprintf("%s: %d signals wait, the oldest since %s, and no running watchbill uses it", c.Spool, n, stamp(found.Held.Oldest)),
			"Start watchbill serve with this directory; it stores them.")
	}
	if n := found.Refused; n > 0 {
		r.note("spool", fmt.Sprintf("%s: %d requests with signals were put aside, as the database refuses them or they are damaged", c.Spool, n), "The log of then says why.")
	}
	if len(found.Damaged) > 0 {
		r.note("spool", c.Spool+" has files that were damaged: "+strings.Join(found.Damaged, ", "), "Look at the disk; what can still be read of them is alerts that were accepted.")
	}
}
