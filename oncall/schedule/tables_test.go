package schedule

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the tables that the engine gives")

// TestSchedulesGiveTheShiftsOfTheirTables compares the engine with testdata/schedules/*.txt: above the line a schedule in words,
// below it the shifts that must follow, in local time.
func TestSchedulesGiveTheShiftsOfTheirTables(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/schedules/*.txt")
	if len(files) < 20 {
		t.Fatalf("only %d tables found, want at least 20", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			words, want, found := strings.Cut(string(text), "\n----\n")
			if !found {
				t.Fatal("no line ----")
			}
			got := readTable(t, words).answer(t)
			if *update {
				if err := os.WriteFile(file, []byte(words+"\n----\n"+got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("wrong shifts (- wanted, + given):\n%s", diff)
			}
		})
	}
}

// A table is a schedule in words and the requested stretch of time.
type table struct {
	t        *testing.T
	schedule Definition
	zone     *Zone
	from, to time.Time
	role     string
}

func readTable(t *testing.T, words string) *table {
	t.Helper()
	tb := &table{t: t, schedule: Definition{Versions: []Version{{}}, Inactive: map[UserID][]Span{}}}
	for line := range strings.Lines(words) {
		line, _, _ = strings.Cut(line, "#")
		key, value, found := strings.Cut(strings.TrimSpace(line), ":")
		if !found {
			continue
		}
		tb.line(key, strings.TrimSpace(value))
	}
	return tb
}

func (tb *table) line(key, value string) {
	tb.t.Helper()
	words := strings.Fields(value)
	v := &tb.schedule.Versions[len(tb.schedule.Versions)-1]
	switch key {
	case "zone":
		tb.schedule.TimeZone = value
		tb.zone = tb.must(LoadZone(value)).(*Zone)
	case "version":
		at := tb.instant(words[0])
		tb.schedule.Versions = append(tb.schedule.Versions, Version{EffectiveFrom: &at})
	case "rotation":
		v.Rotations = append(v.Rotations, Rotation{Name: value, TimeZone: tb.schedule.TimeZone})
	case "away":
		s := Span{Start: tb.instant(words[1])}
		if len(words) > 2 {
			end := tb.instant(words[2])
			s.End = &end
		}
		tb.schedule.Inactive[UserID(words[0])] = append(tb.schedule.Inactive[UserID(words[0])], s)
	case "shift":
		s := tb.manual(words)
		s.ID = ShiftID(len(tb.schedule.Shifts) + 1)
		tb.schedule.Shifts = append(tb.schedule.Shifts, s)
	case "cover", "swap", "add", "remove", "temporary":
		tb.override(OverrideKind(key), words)
	case "with":
		o := &tb.schedule.Overrides[len(tb.schedule.Overrides)-1]
		o.Shifts = append(o.Shifts, tb.manual(words))
	case "on":
		o := &tb.schedule.Overrides[len(tb.schedule.Overrides)-1]
		o.Windows = append(o.Windows, tb.window(words))
	case "show":
		tb.from, tb.to = tb.instant(words[0]), tb.instant(words[1])
		if len(words) > 2 {
			tb.role = words[2]
		}
	default:
		tb.rotation(&v.Rotations[len(v.Rotations)-1], key, value, words)
	}
}

func (tb *table) rotation(r *Rotation, key, value string, words []string) {
	tb.t.Helper()
	switch key {
	case "in":
		r.TimeZone = value
	case "every":
		r.Period = Period{Every: tb.must(strconv.Atoi(words[0])).(int), Unit: Unit(words[1])}
	case "cron":
		r.Period = Period{Cron: value}
	case "start":
		r.StartDate = tb.must(ParseDate(words[0])).(Date)
		if len(words) > 1 {
			r.HandOff = tb.must(ParseTimeOfDay(words[1])).(TimeOfDay)
		}
	case "turns":
		for turn := range strings.SplitSeq(value, "|") {
			r.Turns = append(r.Turns, turnOf(strings.TrimSpace(turn)))
		}
	case "first":
		r.FirstTurn = tb.must(strconv.Atoi(value)).(int)
	case "until":
		until := tb.instant(value)
		r.Until = &until
	case "window":
		r.Windows = append(r.Windows, tb.window(words))
	case "advance":
		r.Advance = Advance(value)
	case "member":
		m := Member{User: UserID(words[0])}
		for i := 1; i < len(words); i += 2 {
			d := tb.must(ParseDate(words[i+1])).(Date)
			if words[i] == "from" {
				m.From = d
			} else {
				m.Until = d
			}
		}
		r.Members = append(r.Members, m)
	case "holidays":
		r.Holidays = &Holidays{Rule: HolidayRule(words[0])}
		for _, day := range words[1:] {
			r.Holidays.Own = append(r.Holidays.Own, Holiday{Date: tb.must(ParseDate(day)).(Date)})
		}
	case "role":
		r.Role = value
	case "priority":
		r.Priority = tb.must(strconv.Atoi(value)).(int)
	default:
		tb.t.Fatalf("unknown key %q", key)
	}
}

func (tb *table) override(kind OverrideKind, words []string) {
	o := Override{
		ID: OverrideID(len(tb.schedule.Overrides) + 1), Kind: kind,
		Start: tb.instant(words[0]), End: tb.instant(words[1]),
	}
	switch rest := words[2:]; kind {
	case OverrideSwap:
		o.From, o.To, rest = UserID(rest[0]), UserID(rest[1]), rest[2:]
		o.Role = strings.Join(rest, "")
	case OverrideTemporary:
		o.AllowGaps = len(rest) > 0 && rest[0] == "gaps"
	default:
		o.Users = turnOf(rest[0])
		o.Role = strings.Join(rest[1:], "")
	}
	tb.schedule.Overrides = append(tb.schedule.Overrides, o)
}

// manual reads "START END people [role]".
func (tb *table) manual(words []string) ManualShift {
	m := ManualShift{Start: tb.instant(words[0]), End: tb.instant(words[1]), Users: turnOf(words[2])}
	if len(words) > 3 {
		m.Role = words[3]
	}
	return m
}

// window reads "mon tue 09:00-17:00" or "fri 18:00 - mon 08:00".
func (tb *table) window(words []string) Window {
	tb.t.Helper()
	clock := func(s string) TimeOfDay { return tb.must(ParseTimeOfDay(s)).(TimeOfDay) }
	if len(words) == 5 && words[2] == "-" {
		return Window{FromDay: Weekday(words[0]), From: clock(words[1]), ToDay: Weekday(words[3]), To: clock(words[4])}
	}
	var w Window
	for _, day := range words[:len(words)-1] {
		w.Days = append(w.Days, Weekday(day))
	}
	from, to, _ := strings.Cut(words[len(words)-1], "-")
	w.From, w.To = clock(from), clock(to)
	return w
}

// instant reads "2026-03-07T02:30" or "2026-03-07" in the table's zone, or an instant
// with Z.
func (tb *table) instant(s string) time.Time {
	tb.t.Helper()
	if strings.HasSuffix(s, "Z") {
		return tb.must(time.Parse(time.RFC3339, s)).(time.Time)
	}
	date, clock, found := strings.Cut(s, "T")
	if !found {
		clock = "00:00"
	}
	return tb.zone.Instant(tb.must(ParseDate(date)).(Date), tb.must(ParseTimeOfDay(clock)).(TimeOfDay))
}

func (tb *table) must(v any, err error) any {
	tb.t.Helper()
	if err != nil {
		tb.t.Fatal(err)
	}
	return v
}

// turnOf reads "ann+bo"; "nobody" is an empty turn.
func turnOf(s string) []UserID {
	users := []UserID{}
	for id := range strings.SplitSeq(s, "+") {
		if id != "nobody" {
			users = append(users, UserID(id))
		}
	}
	return users
}

// answer writes the shifts, one to a line.
func (tb *table) answer(t *testing.T) string {
	t.Helper()
	c, err := Compile(tb.schedule)
	if err != nil {
		return err.Error() + "\n"
	}
	loc, _ := time.LoadLocation(tb.zone.Name())
	var out strings.Builder
	for _, s := range c.Shifts(tb.from, tb.to, tb.role) {
		names := "-"
		for i, u := range s.Users {
			if i == 0 {
				names = string(u)
			} else {
				names += "+" + string(u)
			}
		}
		why := s.Source.Rotation
		if s.Source.Override > 0 {
			why = strings.TrimSpace(fmt.Sprintf("%s override %d", why, s.Source.Override))
		}
		if s.Source.Shift > 0 {
			why = fmt.Sprintf("shift %d", s.Source.Shift)
		}
		const layout = "Mon 2006-01-02 15:04 -0700"
		length := strings.TrimSuffix(s.End.Sub(s.Start).String(), "0s")
		line := fmt.Sprintf("%s  %s  %9s  %-12s %s", s.Start.In(loc).Format(layout), s.End.In(loc).Format(layout), length, names, why)
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	for _, g := range c.Gaps(tb.from, tb.to, tb.role) {
		if g.Intended {
			fmt.Fprintf(&out, "gap from %s is intended\n", g.Start.In(loc).Format("Mon 2006-01-02 15:04"))
		}
	}
	return out.String()
}
