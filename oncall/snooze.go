package oncall

import (
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// How long a snooze may be, and how far ahead a hand-off is looked for.
const (
	minSnooze = time.Minute
	onTheWay  = 10 * time.Second // that a command may take from when it says how long
	maxSnooze = 30 * 24 * time.Hour
)

// snooze makes the incident quiet until an instant; then it pages from the first step.
func (in Incident) snooze(a Act, by Actor, f Facts, now time.Time) (Change, error) {
	if err := in.refuseClosed(); err != nil {
		return Change{}, err
	}
	until, err := in.snoozeEnd(a, by, f, now)
	if err != nil {
		return Change{}, err
	}
	switch d := until.Sub(now); {
	case d < minSnooze-onTheWay:
		return Change{}, Refuse("A snooze lasts a minute at least.")
	case d > maxSnooze:
		return Change{}, Refuse("A snooze lasts 30 days at most.")
	}
	c := in.begin()
	o := &c.Incident
	o.help(by, now)
	o.stop()
	o.Status = Snoozed
	o.AckedBy, o.AckedAt, o.Acks = Actor{}, nil, nil
	o.SnoozedBy, o.SnoozedUntil = by, &until
	o.wait(until)
	c.record(EventSnoozed, now, by, Detail{Until: until})
	return c.finish(in), nil
}

// snoozeEnd is when the snooze that somebody wants ends.
func (in Incident) snoozeEnd(a Act, by Actor, f Facts, now time.Time) (time.Time, error) {
	switch a.Till {
	case TillTime:
		return a.Until, nil
	case TillWork:
		return nextWork(by.User, f.Roster, now)
	case TillHandoff:
		return nextHandoff(f.Policies[in.PolicyID], f.Roster, now)
	}
	return time.Time{}, Refuse("Say until when to snooze incident %s.", in.ID)
}

// nextWork is when a person's hours begin next. Who is at work now means tomorrow.
func nextWork(u UserID, r Roster, now time.Time) (time.Time, error) {
	if u == "" {
		return time.Time{}, Refuse("Only a person has working hours: say until when.")
	}
	hours, err := r.HoursOf(u)
	if err != nil {
		return time.Time{}, err
	}
	at, found := hours.NextOpening(now.Add(minSnooze))
	if !found {
		return time.Time{}, Refuse("Your working hours never begin, as they never end: say until when.")
	}
	return at, nil
}

// nextHandoff is when the people change whom the policy's schedules page.
func nextHandoff(p Policy, r Roster, now time.Time) (time.Time, error) {
	var first time.Time
	for _, c := range r.Schedules {
		if c == nil || !p.Pages(c.ID()) {
			continue
		}
		for _, role := range c.Roles() {
			if role == schedule.RoleShadow {
				continue
			}
			at, found := c.NextChange(now.Add(minSnooze), now.Add(maxSnooze), role)
			if found && (first.IsZero() || at.Before(first)) {
				first = at
			}
		}
	}
	if first.IsZero() {
		return first, Refuse("No shift that the escalation policy %s pages ends within 30 days: say until when.", p.Name)
	}
	return first, nil
}

// unsnooze ends a snooze: the incident pages from the first step, now.
func (in Incident) unsnooze(by Actor, f Facts, now time.Time) (Change, error) {
	if err := in.refuseClosed(); err != nil {
		return Change{}, err
	}
	if in.Status != Snoozed {
		return Change{}, Refuse("Incident %s is not snoozed.", in.ID)
	}
	return in.wake(by, "", f, now), nil
}

// wake ends a snooze, whoever or whatever does so.
func (in Incident) wake(by Actor, why string, f Facts, now time.Time) Change {
	c := in.begin()
	c.record(EventUnsnoozed, now, by, Detail{Text: why, Users: users(in.SnoozedBy)})
	c.restart(f, now)
	return c.finish(in)
}

// snoozing reports whether the incident is quiet at an instant although its monitor may
// have closed it since.
func (in Incident) snoozing(at time.Time) bool {
	return in.SnoozedUntil != nil && at.Before(*in.SnoozedUntil)
}

// dozeOff takes back an incident that its monitor has closed while it was snoozed: it
// stays quiet until the snooze ends.
func (in Incident) dozeOff(by Actor, why string, now time.Time) Change {
	c := in.begin()
	o := &c.Incident
	until, who := *in.SnoozedUntil, in.SnoozedBy
	o.startOver()
	o.Status = Snoozed
	o.SnoozedBy, o.SnoozedUntil = who, &until
	o.Flaps++
	o.wait(until)
	c.record(EventReopened, now, by, Detail{Text: why, Quiet: true})
	return c.finish(in)
}
