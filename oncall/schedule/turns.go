package schedule

import (
	"fmt"
	"slices"
)

// turns computes the readings at which a rotation hands off. It is pure arithmetic on paper time;
// no zone is involved.
type turns struct {
	start int64 // reading of hand-off 0
	kind  turnKind
	every int64

	step   int64   // fixed: seconds between hand-offs; active: seconds of one unit
	active []int64 // active: the units of a cycle in which a window opens
	passed []int64 // active: how many of those lie at or before each unit of the cycle

	month, day, time int64 // monthly: of hand-off 0

	cron *cronTable
	skip int64 // cron: matches before hand-off 0
}

type turnKind uint8

const (
	fixedTurns turnKind = iota
	activeTurns
	monthlyTurns
	cronTurns
)

func compileTurns(rotation Rotation, week *weekly) (turns, error) {
	if rotation.StartDate.IsZero() {
		return turns{}, fmt.Errorf("start_date is missing")
	}
	// A round trip detects days that no month has.
	if rotation.StartDate.Year < firstYear || rotation.StartDate.Year > lastYear || dateOf(rotation.StartDate.days()) != rotation.StartDate {
		return turns{}, fmt.Errorf("start_date: %s is not a date from %d to %d", rotation.StartDate, firstYear, lastYear)
	}
	if !rotation.HandOff.valid() {
		return turns{}, fmt.Errorf("hand_off is not a time of day")
	}
	if rotation.Advance != "" && rotation.Advance != AdvanceCalendar && rotation.Advance != AdvanceActive {
		return turns{}, fmt.Errorf("advance: %q is neither \"calendar\" nor \"active\"", rotation.Advance)
	}
	if rotation.Period.Cron != "" {
		return compileCronTurns(rotation)
	}
	t := turns{every: int64(max(rotation.Period.Every, 1)), start: rotation.StartDate.days()*paperDay + rotation.HandOff.seconds()}
	if rotation.Period.Every < 0 || rotation.Period.Every > maxEvery {
		return turns{}, fmt.Errorf("period.every: %d is not a number from 1 to %d", rotation.Period.Every, maxEvery)
	}
	switch rotation.Period.Unit {
	case HourUnit:
		t.step = paperHour
	case DayUnit:
		t.step = paperDay
	case WeekUnit:
		t.step = paperWeek
	case MonthUnit:
		t.kind = monthlyTurns
		t.month = int64(rotation.StartDate.Year)*12 + int64(rotation.StartDate.Month) - 1
		t.day, t.time = int64(rotation.StartDate.Day), rotation.HandOff.seconds()
		return t, nil
	default:
		return turns{}, fmt.Errorf("period.unit: %q is none of hours, days, weeks, months", rotation.Period.Unit)
	}
	if rotation.Advance == AdvanceActive && !week.always && rotation.Period.Unit != WeekUnit {
		t.passIdleUnits(rotation.Period.Unit, week)
		return t, nil
	}
	t.step *= t.every
	return t, nil
}

func compileCronTurns(rotation Rotation) (turns, error) {
	if rotation.Advance == AdvanceActive {
		return turns{}, fmt.Errorf("advance can't be \"active\" with period.cron: name the days in the expression")
	}
	table, err := compileCron(rotation.Period.Cron)
	if err != nil {
		return turns{}, fmt.Errorf("period.cron: %w", err)
	}
	t := turns{kind: cronTurns, cron: table, skip: table.count(rotation.StartDate.days()*paperDay - 1)}
	start, ok := table.match(t.skip)
	if !ok {
		return turns{}, fmt.Errorf("period.cron: %q never matches after %s", rotation.Period.Cron, rotation.StartDate)
	}
	t.start = start
	return t, nil
}

// passIdleUnits counts only the units in which a window opens. Days count one by one, so that
// "every 3 days" is three active days; hours count in whole periods. The pattern repeats once units
// and weeks coincide again.
func (t *turns) passIdleUnits(unit Unit, week *weekly) {
	t.kind = activeTurns
	if unit == HourUnit {
		t.step, t.every = t.step*t.every, 1
	}
	cycle := paperWeek / gcd(t.step, paperWeek)
	for u := range cycle {
		opens := slices.ContainsFunc(week.opens, func(at int64) bool {
			return floorMod(mondays+at-t.start-u*t.step, paperWeek) < t.step
		})
		if opens {
			t.active = append(t.active, u)
		}
		t.passed = append(t.passed, int64(len(t.active)))
	}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// number returns the turn in progress at a reading; -1 before hand-off 0.
func (t *turns) number(h int64) int64 {
	if h < t.start {
		return -1
	}
	switch t.kind {
	case fixedTurns:
		return (h - t.start) / t.step
	case activeTurns:
		unit, cycle := (h-t.start)/t.step, int64(len(t.passed))
		count := unit/cycle*int64(len(t.active)) + t.passed[unit%cycle]
		return max(count-1, 0) / t.every
	case monthlyTurns:
		d := dateOf(floorDiv(h, paperDay))
		k := (int64(d.Year)*12 + int64(d.Month) - 1 - t.month) / t.every
		if t.handOff(k) > h {
			k--
		}
		return k
	default:
		return t.cron.count(h) - t.skip - 1
	}
}

// handOff returns the reading at which turn k begins; with a cron expression, k must not exceed the
// last match.
func (t *turns) handOff(k int64) int64 {
	if k == 0 {
		return t.start
	}
	switch t.kind {
	case fixedTurns:
		return t.start + k*t.step
	case activeTurns:
		n, cycle := int64(len(t.active)), int64(len(t.passed))
		unit := k * t.every
		return t.start + (unit/n*cycle+t.active[unit%n])*t.step
	case monthlyTurns:
		month := t.month + k*t.every
		day := min(t.day, int64(daysIn(month)))
		d := Date{Year: int(month / 12), Month: monthOf(month), Day: int(day)}
		return d.days()*paperDay + t.time
	default:
		h, _ := t.cron.match(t.skip + k)
		return h
	}
}
