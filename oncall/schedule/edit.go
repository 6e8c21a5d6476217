package schedule

import (
	"cmp"
	"reflect"
	"slices"
	"time"
)

// Latest returns the id of the schedule's latest version, 0 if it has none.
func (d Definition) Latest() int64 {
	latest := int64(0)
	for _, v := range d.Versions {
		latest = max(latest, v.ID)
	}
	return latest
}

// Current returns the rotations in force at an instant.
func (d Definition) Current(at time.Time) []Rotation {
	begun, rotations := int64(ever), []Rotation(nil)
	for _, v := range d.Versions { // if two begin together, the one made later wins
		if from := v.Begins(); from >= begun && from <= nanos(at) {
			begun, rotations = from, v.Rotations
		}
	}
	return rotations
}

// Edit adds a version to the schedule, in force from its EffectiveFrom or, without it, from now;
// the past is refused. It replaces planned later changes: they keep their dates, but each gets the
// new rotations. Seen is the latest version that the author saw; if another has been added since,
// the edit is refused, so that it doesn't silently undo somebody else's.
func (d Definition) Edit(v Version, seen int64, now time.Time) (Definition, error) {
	if latest := d.Latest(); latest != seen {
		return d, Refuse("%s has changed %q in the meantime, so nothing was saved. Open it again to see the change.", d.author(latest), d.Name)
	}
	if v.EffectiveFrom == nil {
		v.EffectiveFrom = &now
	}
	if v.EffectiveFrom.Before(now) {
		return d, Refuse("A change can't begin in the past.")
	}
	v.ID, v.CreatedAt = 0, now
	v.Rotations = slices.Clone(v.Rotations)
	for i := range v.Rotations {
		// Made explicit, so that changing the schedule's zone never changes the past.
		v.Rotations[i].TimeZone = cmp.Or(v.Rotations[i].TimeZone, d.TimeZone)
	}
	before := d
	planned := d.later(*v.EffectiveFrom)
	d.Versions = append(slices.Clone(d.Versions), v)
	for _, p := range planned {
		v.EffectiveFrom = p.EffectiveFrom
		d.Versions = append(d.Versions, v)
	}
	if _, err := Compile(d); err != nil {
		return d, err
	}
	return d, before.CheckNewTurns(v.Rotations, now)
}

// History returns the versions without those that an edit repeated to replace planned ones.
func (d Definition) History() []Version {
	var history []Version
	for _, v := range d.Versions {
		if n := len(history); n > 0 && history[n-1].CreatedAt.Equal(v.CreatedAt) && reflect.DeepEqual(history[n-1].Rotations, v.Rotations) {
			continue
		}
		history = append(history, v)
	}
	return history
}

// Planned returns the versions that change something after an instant, earliest first.
func (d Definition) Planned(after time.Time) []Version {
	before := d.Current(after)
	return slices.DeleteFunc(d.later(after), func(p Version) bool {
		same := reflect.DeepEqual(before, p.Rotations)
		before = p.Rotations
		return same
	})
}

// later returns the versions that begin after an instant, in order.
func (d Definition) later(after time.Time) []Version {
	var planned []Version
	for _, v := range d.Versions { // if two begin together, the one made later wins
		if v.EffectiveFrom == nil || !v.EffectiveFrom.After(after) {
			continue
		}
		planned = slices.DeleteFunc(planned, func(p Version) bool { return p.EffectiveFrom.Equal(*v.EffectiveFrom) })
		planned = append(planned, v)
	}
	slices.SortFunc(planned, func(a, b Version) int { return a.EffectiveFrom.Compare(*b.EffectiveFrom) })
	return planned
}

// author names the person who made a version.
func (d Definition) author(version int64) Sentence {
	for _, v := range d.Versions {
		if v.ID == version && v.CreatedBy != "" {
			return Say("%s", v.CreatedBy)
		}
	}
	return Say("Somebody else")
}

// KeepTurns lets the person who has a turn at an instant keep it, in every rotation that existed before
// under the same name. A rotation with a new start date is exempt: its first turn begins there.
func KeepTurns(before, after []Rotation, timeZone string, at time.Time) ([]Rotation, error) {
	out := slices.Clone(after)
	for i, rotation := range out {
		was := slices.IndexFunc(before, func(b Rotation) bool { return b.Name == rotation.Name && roleName(b.Role) == roleName(rotation.Role) })
		if was < 0 || before[was].StartDate != rotation.StartDate {
			continue
		}
		b := before[was]
		if b.sameTurns(rotation, timeZone) {
			out[i].FirstTurn = b.FirstTurn
			continue
		}
		if b.Plain(timeZone).sameTurns(rotation.Plain(timeZone), timeZone) {
			continue // only the order starts elsewhere; the turns are the same
		}
		var err error
		if out[i], err = KeepTurn(b, rotation, timeZone, at); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sameTurns reports whether two rotations hand off between the same people at the
// same times.
func (r Rotation) sameTurns(o Rotation, timeZone string) bool {
	sort := func(t []UserID) []UserID { return slices.Sorted(slices.Values(t)) }
	return r.HandOff == o.HandOff && r.Period.String() == o.Period.String() && r.Advance == o.Advance &&
		cmp.Or(r.TimeZone, timeZone) == cmp.Or(o.TimeZone, timeZone) && slices.Equal(r.Members, o.Members) &&
		slices.EqualFunc(r.Turns, o.Turns, func(a, b []UserID) bool { return slices.Equal(sort(a), sort(b)) })
}

// Plain returns a rotation's canonical form: defaults filled in, and its turns in the order in
// which they come.
func (r Rotation) Plain(timeZone string) Rotation {
	r.Role, r.TimeZone = roleName(r.Role), cmp.Or(r.TimeZone, timeZone)
	r.Period.Every = max(r.Period.Every, 1)
	if r.Period.Cron != "" {
		r.Period = Period{Cron: r.Period.Cron}
	}
	if r.Advance == AdvanceCalendar {
		r.Advance = ""
	}
	turns := make([][]UserID, len(r.Turns))
	for i := range turns {
		from := floorMod(int64(r.FirstTurn+i), int64(len(turns)))
		turns[i] = append([]UserID{}, r.Turns[from]...)
	}
	r.Turns, r.FirstTurn = turns, 0
	if r.Until != nil {
		until := r.Until.UTC()
		r.Until = &until
	}
	r.Holidays = r.Holidays.plain()
	r.Windows, r.Members = append([]Window{}, r.Windows...), append([]Member{}, r.Members...)
	return r
}

// SameRotations reports whether two lists of rotations are equivalent.
func SameRotations(a, b []Rotation, timeZone string) bool {
	return slices.EqualFunc(a, b, func(x, y Rotation) bool {
		return reflect.DeepEqual(x.Plain(timeZone), y.Plain(timeZone))
	})
}

// Become returns the versions to add so that the schedule follows the wanted ones from now on: the
// first in force until the second begins, and so on. The person who has a turn at a change keeps it. A
// schedule without versions takes them as they are, the first without a beginning.
func (d Definition) Become(wanted []Version, now time.Time) ([]Version, error) {
	want := Definition{Versions: wanted}
	if len(d.Versions) == 0 {
		first := Version{Rotations: want.Current(now), CreatedAt: now}
		if len(first.Rotations) == 0 && len(want.later(now)) == 0 {
			return nil, nil
		}
		added := []Version{first}
		for _, v := range want.later(now) {
			v.CreatedAt = now
			added = append(added, v)
		}
		return added, nil
	}
	at := []time.Time{now}
	for _, v := range slices.Concat(d.later(now), want.later(now)) {
		at = append(at, *v.EffectiveFrom)
	}
	slices.SortFunc(at, time.Time.Compare)
	var added []Version
	d.Versions = slices.Clone(d.Versions)
	for _, t := range slices.CompactFunc(at, time.Time.Equal) {
		is := d.Current(t)
		rotations, err := KeepTurns(is, want.Current(t), d.TimeZone, t)
		if err != nil {
			return nil, err
		}
		if SameRotations(is, rotations, d.TimeZone) {
			continue
		}
		v := Version{EffectiveFrom: &t, Rotations: rotations, CreatedAt: now}
		added, d.Versions = append(added, v), append(d.Versions, v)
	}
	return added, nil
}

// Restored returns an earlier version's rotations as a new version.
func (d Definition) Restored(version int64, by UserID) (Version, error) {
	for _, v := range d.Versions {
		if v.ID == version {
			return Version{Rotations: v.Rotations, Note: "restored " + Stamp(v.CreatedAt, time.UTC) + " UTC", CreatedBy: by}, nil
		}
	}
	return Version{}, Refuse("There is no such version of %q any more.", d.Name)
}

// Fits refuses a manual shift that is invalid or, if the schedule keeps them apart, overlaps
// another of its role.
func (d Definition) Fits(shift ManualShift) error {
	if _, err := compileShift(shift, "The shift", people{}); err != nil {
		return err
	}
	if overlap := OverlappingShifts(d.Shifts, shift); d.Apart && len(overlap) > 0 {
		return Refuse("%s already has a shift in %q that overlaps this one, and the schedule doesn't allow that.",
			People(overlap[0].Users, " and "), d.Name)
	}
	if shiftsAreTooMany(append(slices.Clone(d.Shifts), shift)) && !shiftsAreTooMany(d.Shifts) {
		return errShifts
	}
	return nil
}

// RoleName returns the shift's role, with the default filled in.
func (m ManualShift) RoleName() string { return roleName(m.Role) }
