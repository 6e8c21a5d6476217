package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// peopleAhead is how far ahead the doctor looks for people on call.
const peopleAhead = 7 * 24 * time.Hour

// people reports those who will be on call but would not notice a page.
func (c *doctorCmd) people(ctx context.Context, r *report, db *store.System) {
	directory, err := db.Directory(ctx)
	if err != nil {
		r.failQuery(ctx, "people", err, "Check the database's log.")
		return
	}
	var silent []string
	on := onCallSoon(directory, r.clock())
	for _, u := range on {
		reach, err := db.ContactSettings(ctx, oncall.ByTimer(), u.ID)
		if err != nil {
			r.failQuery(ctx, "people", err, "Check the database's log.")
			return
		}
		if !slices.ContainsFunc(reach.Contacts, oncall.Contact.Usable) {
			silent = append(silent, cmp.Or(u.Name, string(u.ID)))
		}
	}
	switch {
	case len(silent) > 0:
		r.note("people", "on call within a week and reached in Slack only, which wakes nobody: "+strings.Join(silent, ", "),
			"Ask them to type `/oncall contact` and to add a phone.")
	case len(on) > 0:
		r.ok("people", fmt.Sprintf("all %d who are on call within a week can be reached beside Slack", len(on)))
	}
	if config := c.config(r.clock, ""); config.Configured() {
		sms, calls := phonesOf(directory)
		r.channel("twilio", notify.NewTwilio(config).CheckCountries(ctx, sms, calls))
	}
}

// onCallSoon lists the people who are on call within peopleAhead, by name. Shadows are left out
// because they are not paged.
func onCallSoon(d *store.Directory, now time.Time) []oncall.User {
	var on []oncall.User
	for _, s := range d.Schedules {
		for _, role := range s.Roles() {
			if role == schedule.RoleShadow {
				continue
			}
			for _, shift := range s.Shifts(now, now.Add(peopleAhead), role) {
				for _, id := range shift.Users {
					if u := d.Users[id]; !slices.Contains(on, u) {
						on = append(on, u)
					}
				}
			}
		}
	}
	slices.SortFunc(on, func(a, b oncall.User) int { return strings.Compare(a.Name, b.Name) })
	return on
}

// integrations reports those that page nobody because they are muted, and those whose monitors
// still send with a replaced key.
func (c *doctorCmd) integrations(ctx context.Context, r *report, db *store.System) {
	keys, err := db.IntegrationKeys(ctx)
	if err != nil {
		r.failQuery(ctx, "integrations", err, "Check the database's log.")
		return
	}
	now := r.clock()
	for _, k := range keys {
		name := fmt.Sprintf("%q: ", k.Integration)
		switch {
		case k.EndsAt == nil && k.Muted(now):
			r.note("signals", name+"it is "+mutedSince(k.Mute)+": its signals page nobody", "watchbill unmute lets them page again.")
		case k.EndsAt != nil && k.UsedAt != nil && now.Sub(*k.UsedAt) < 24*time.Hour && now.Before(*k.EndsAt):
			r.note("signals", name+fmt.Sprintf("a monitor sends with the old key …%s, which is good until %s", k.Hint, stamp(*k.EndsAt)), "Give it the new key.")
		case k.EndsAt != nil && k.UsedAt != nil && !k.UsedAt.Before(*k.EndsAt) && now.Sub(*k.UsedAt) < 24*time.Hour:
			r.fail("signals", name+fmt.Sprintf("a monitor sends with the old key …%s, which is refused since %s: its signals are lost", k.Hint, stamp(*k.EndsAt)), "Give it the new key; watchbill key rotate makes one if it was lost.")
		}
	}
}
