package main

import (
	"context"
	"fmt"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// secret compares WATCHBILL_SECRET, as set here, with the values that the instances recorded. It
// records nothing: a value set only here must not become one of theirs.
func (c *doctorCmd) secret(ctx context.Context, r *report, db *store.System) {
	look, err := db.CheckSecrets(ctx)
	if err != nil {
		r.failQuery(ctx, "secret", err, "Check the database's log.")
		return
	}
	switch look.State {
	case store.SecretMissing:
		r.fail("secret", "WATCHBILL_SECRET is not set: nobody can verify a new way to be reached, and whoever reads the database can forge links",
			"Make one by `watchbill secret new`, and set the same value for all instances.")
	case store.SecretGone:
		r.fail("secret", "WATCHBILL_SECRET is not set here, and the instances had one: without it links and codes under way don't work, and nobody can verify a new way to be reached",
			"Set the value that the instances have. If it is lost, `watchbill secret new` makes another; set it for all instances.")
	case store.SecretOther:
		r.fail("secret", "WATCHBILL_SECRET is another than the instances had: with it alone, links and codes under way don't work",
			"Set the value that the instances have; to replace it, run `watchbill secret rotate` with that. Leave this one only if the old one is lost or known to somebody.")
	case store.SecretSet:
		r.secretSet(look.Settled, r.clock())
		if !look.Newer.IsZero() {
			r.note("secret", fmt.Sprintf("an instance has another, which is newer: it is used since %s", stamp(look.Newer)),
				"Set the value that the instances have, here and wherever else it is missing.")
		}
	}
}

// secretSet reports since when the first secret has been in use and, with several, when the others
// are no longer needed.
func (r *report) secretSet(settled []time.Time, now time.Time) {
	first := settled[0]
	parts := fmt.Sprintf("WATCHBILL_SECRET has %d parts, as while it is replaced", len(settled))
	used := "WATCHBILL_SECRET is set, and used since " + stamp(first)
	if len(settled) > 1 {
		used = fmt.Sprintf("%s; the first is used since %s", parts, stamp(first))
	}
	needed := first.Add(oncall.TokenLives)
	switch {
	case first.IsZero() && len(settled) == 1:
		r.ok("secret", "WATCHBILL_SECRET is set; no instance has used it yet")
	case first.IsZero():
		r.note("secret", parts+"; no instance has the first yet",
			"Set it so for all instances, and restart them within 15 minutes.")
	case now.Before(first) && len(settled) == 1:
		r.ok("secret", "WATCHBILL_SECRET is set, and used from "+stamp(first)+" on")
	case now.Before(first):
		r.note("secret", parts+"; the first is used from "+stamp(first)+" on",
			"Until then all instances must have it.")
	case len(settled) == 1:
		r.ok("secret", used)
	case now.Before(needed):
		r.note("secret", used, fmt.Sprintf("After %s set the part before the comma alone: nothing needs the old one any more. If that is known to somebody, do it now.", stamp(needed)))
	default:
		r.note("secret", used, "Set the part before the comma alone, and restart all instances: nothing needs the old one any more.")
	}
}
