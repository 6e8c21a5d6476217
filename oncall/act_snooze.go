package oncall

import (
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// Bounds of a snooze. maxSnooze is also how far ahead a hand-off is looked for.
const (
	minSnooze = time.Minute
	onTheWay  = 10 * time.Second // how long a command may take to reach us
	maxSnooze = 30 * 24 * time.Hour
)

// snooze makes the incident quiet until an instant; then it pages from the first step.
func (c *Change) snooze(a Act) error {
	until, err := c.snoozeEnd(a)
	if err != nil {
		return err
	}
	switch d := until.Sub(c.now); {
	case d < minSnooze-onTheWay:
		return Refuse("A snooze lasts a minute at least.")
	case d > maxSnooze:
		return Refuse("A snooze lasts 30 days at most.")
	}
	c.acceptByAck()
	c.stop()
	in := &c.Incident
	in.Status = Snoozed
	in.AckedBy, in.AckedAt, in.Acks = Actor{}, nil, nil
	in.SnoozedBy, in.SnoozedUntil = c.by, &until
	c.setTimer(until)
	c.record(EventSnoozed, c.by, Detail{Until: until})
	return nil
}

// snoozeEnd returns when the requested snooze ends.
func (c *Change) snoozeEnd(a Act) (time.Time, error) {
	switch a.Till {
	case TillTime:
		return a.Until, nil
	case TillWork:
		return nextWork(c.by.User, c.facts.Roster, c.now)
	case TillHandoff:
		return nextHandoff(c.policy(), c.facts.Roster, c.now)
	}
	return time.Time{}, Refuse("Say until when to snooze incident %s.", c.Incident.ID)
}

// nextWork returns when a person's working hours next begin; during working hours that is the next working day.
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

// nextHandoff returns when the people on call in the policy's schedules next change.
func nextHandoff(policy Policy, r Roster, now time.Time) (time.Time, error) {
	var first time.Time
	for _, c := range r.Schedules {
		if c == nil || !policy.Pages(c.ID()) {
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
		return first, Refuse("No shift that the escalation policy %s pages ends within 30 days: say until when.", policy.Name)
	}
	return first, nil
}

// unsnooze ends a snooze: the incident pages from the first step, now.
func (c *Change) unsnooze(Act) error {
	if c.Incident.Status != Snoozed {
		return Refuse("Incident %s is not snoozed.", c.Incident.ID)
	}
	c.wake(c.by, "")
	return nil
}

// wake ends a snooze, at a person's request or when its time is over. Why may be empty.
func (c *Change) wake(by Actor, why string) {
	c.record(EventUnsnoozed, by, Detail{Text: why, Users: users(c.Incident.SnoozedBy)})
	c.Incident.WokenAt = new(c.now)
	c.restart()
}

// snoozing reports whether a snooze is in force at an instant, even if the monitor has closed the incident since.
func (in Incident) snoozing(at time.Time) bool {
	return in.SnoozedUntil != nil && at.Before(*in.SnoozedUntil)
}

// reopenSnoozed reopens an incident that its monitor closed during a snooze. The incident stays snoozed.
func (c *Change) reopenSnoozed(why string) {
	in := &c.Incident
	until, who := *in.SnoozedUntil, in.SnoozedBy
	c.startOver()
	in.Status = Snoozed
	in.SnoozedBy, in.SnoozedUntil = who, &until
	in.Flaps++
	c.setTimer(until)
	c.record(EventReopened, c.by, Detail{Text: why, Quiet: true})
}
