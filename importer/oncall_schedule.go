package importer

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

type gocSchedule struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Type      string   `json:"type"` // web, calendar, ical
	TeamID    string   `json:"team_id"`
	TimeZone  string   `json:"time_zone"`
	Shifts    []string `json:"shifts"`
	Primary   string   `json:"ical_url_primary"`
	Overrides string   `json:"ical_url_overrides"`
	Slack     gocSlack `json:"slack"`
}

type gocShift struct {
	ID            string     `json:"id"`
	Name          string     `json:"name"`
	Type          string     `json:"type"` // single_event, recurrent_event, rolling_users, override
	TimeZone      string     `json:"time_zone"`
	Level         int        `json:"level"`
	Start         string     `json:"start"` // by the clock of the zone
	Duration      float64    `json:"duration"`
	RotationStart string     `json:"rotation_start"`
	Frequency     string     `json:"frequency"`
	Interval      int        `json:"interval"`
	Until         string     `json:"until"` // UTC
	WeekStart     string     `json:"week_start"`
	ByDay         []string   `json:"by_day"`
	ByMonth       []int      `json:"by_month"`
	ByMonthday    []int      `json:"by_monthday"`
	Users         []string   `json:"users"`
	Rolling       [][]string `json:"rolling_users"`
	FirstIndex    int        `json:"start_rotation_from_user_index"`
}

type gocFinal struct {
	User  string    `json:"user_pk"`
	Mail  string    `json:"user_email"`
	Start time.Time `json:"shift_start"`
	End   time.Time `json:"shift_end"`
}

type gocSwap struct {
	Schedule    string    `json:"schedule"`
	Status      string    `json:"status"`
	Beneficiary string    `json:"beneficiary"`
	Benefactor  string    `json:"benefactor"`
	Start       time.Time `json:"swap_start"`
	End         time.Time `json:"swap_end"`
}

var slackUserForm = regexp.MustCompile(`^[UW][A-Z0-9]{2,}$`)

func userID(id string) oncall.UserID { return oncall.UserID(id) }

func (g *grafanaOnCall) schedule(from gocSchedule) {
	name := g.schedules.of(from.ID, "")
	where := Location{"schedule", name, ""}
	if from.TimeZone == "" {
		from.TimeZone = "UTC"
	}
	location, err := time.LoadLocation(from.TimeZone)
	if err != nil {
		g.addLoss(where, "its time zone is %q, which is none; it is left out", from.TimeZone)
		return
	}
	out := setup.Schedule{Name: name, Team: g.team(from.TeamID), TimeZone: from.TimeZone}
	g.channel(out.Team, from.Slack.Channel)
	called := newNames()
	if from.Type == "ical" {
		g.calendarShifts(&out, from, location, where)
	} else {
		g.shifts(&out, from, called, where)
	}
	if from.Overrides != "" {
		g.addLoss(where, "its overrides come from a calendar (%s), which isn't read", host(from.Overrides))
	}
	g.Setup.Schedules = append(g.Setup.Schedules, out)
	g.final(from, name)
}

// host returns a calendar's host, because its full address may be a secret.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "an address"
	}
	return u.Host
}

// calendarShifts turns a schedule that follows a calendar into its known shifts.
func (g *grafanaOnCall) calendarShifts(out *setup.Schedule, from gocSchedule, location *time.Location, where Location) {
	for _, f := range g.in.Finals[from.ID] {
		user := g.users.byID[f.User]
		if user == "" || !f.End.After(g.now) {
			continue
		}
		addTo(g.members, out.Team, user)
		out.Shifts = append(out.Shifts, setup.Shift{Start: local(f.Start, location), End: local(f.End, location), Users: []string{user}})
	}
	if len(out.Shifts) == 0 {
		g.addLoss(where, "it follows a calendar (%s), and no final shifts of it are there, so nobody is on call", host(from.Primary))
		return
	}
	g.addLoss(where, "it follows a calendar (%s); here its shifts until %s are written down, and what comes after is yours to set up", host(from.Primary), g.in.Asked.Until.Format("2006-01-02"))
}

// shifts converts a schedule's shifts to rotations.
func (g *grafanaOnCall) shifts(out *setup.Schedule, from gocSchedule, called *names, where Location) {
	ids := slices.Clone(from.Shifts)
	for _, id := range g.in.ShiftsOf[from.ID] {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	var overrides []gocShift
	for _, id := range ids {
		i := slices.IndexFunc(g.in.Shifts, func(x gocShift) bool { return x.ID == id })
		if i < 0 {
			g.addLoss(where, "its shift %s is not among the answers", id)
			continue
		}
		if x := g.in.Shifts[i]; x.Type == "override" {
			overrides = append(overrides, x)
		} else {
			out.Rotations = append(out.Rotations, g.shift(x, from, out.Team, called, where)...)
		}
	}
	g.swaps(out, from, called, where)
	priority := maxPriority(*out) + 1 // overlapping shifts apply together
	for _, x := range overrides {
		x.Level = priority
		out.Rotations = append(out.Rotations, g.shift(x, from, out.Team, called, where)...)
	}
	if len(out.Rotations) == 0 {
		g.addLoss(where, "no shift of it is in force any more, so nobody is on call")
	}
}

// shift converts one shift to a rotation, or to one for each of its dates.
func (g *grafanaOnCall) shift(shift gocShift, from gocSchedule, team string, called *names, where Location) []setup.Rotation {
	here := where.at("shift " + shift.Name)
	rule, err := g.recurrence(shift, from)
	if err != nil {
		g.addLoss(here, "%v; it is left out", err)
		return nil
	}
	if !rule.until.IsZero() && !rule.until.After(g.now) {
		return nil // it is past
	}
	rolling := shift.Type == "rolling_users"
	single := shift.Type == "single_event" || shift.Type == "override"
	if end := instant(rule.start.Add(rule.lasts), rule.zone); single && !end.After(g.now) {
		return nil // it is past
	}
	groups := shift.Rolling
	if !rolling && (!single || len(shift.Users) > 0 || len(groups) == 0) {
		groups = [][]string{shift.Users}
	}
	missing := 0
	if rolling && len(groups) > 0 {
		first := min(max(shift.FirstIndex, 0), len(groups)) % len(groups)
		groups = slices.Concat(groups[first:], groups[:first])
	}
	for _, ids := range groups {
		if turn := g.people(ids, team, here); len(turn) > 0 {
			rule.groups = append(rule.groups, turn)
		} else {
			missing++
		}
	}
	if len(rule.groups) == 0 {
		g.addLoss(here, "nobody who is left has it; it is left out")
		return nil
	}
	for range missing { // as in Grafana OnCall, where others move up and the gap comes last
		rule.groups = append(rule.groups, setup.Turn{})
	}
	if single {
		name := called.of(shift.ID, shift.Name)
		return []setup.Rotation{zoned(singleRotation(name, rule.priority, instant(rule.start, rule.zone), instant(rule.start.Add(rule.lasts), rule.zone), rule.zone, rule.groups[0]), rule.zone, from.TimeZone)}
	}
	if rolling && len(rule.groups) == 1 && len(rule.weekday) > 0 && rule.freq == "daily" {
		rule.interval = 1
	}
	return g.addRecurrence(rule, shift.ID, from.TimeZone, called, g.now, here)
}

// recurrence converts a shift's rule.
func (g *grafanaOnCall) recurrence(shift gocShift, from gocSchedule) (rule recurrence, err error) {
	name := from.TimeZone
	if shift.TimeZone != "" {
		name = shift.TimeZone
	}
	rule = recurrence{name: shift.Name, priority: shift.Level, freq: shift.Frequency, interval: shift.Interval, lasts: time.Duration(shift.Duration) * time.Second, dates: shift.ByMonthday}
	if rule.zone, err = time.LoadLocation(name); err != nil {
		return rule, fmt.Errorf("its time zone is %q, which is none", name)
	}
	if rule.start, err = time.Parse("2006-01-02T15:04:05", shift.Start); err != nil {
		return rule, fmt.Errorf("it begins at %q, which is no time", shift.Start)
	}
	if shift.Until != "" {
		if rule.until, err = time.Parse("2006-01-02T15:04:05", shift.Until); err != nil {
			return rule, fmt.Errorf("it goes on until %q, which is no time", shift.Until)
		}
	}
	if rule.weekday, err = icalDays(shift.ByDay); err != nil {
		return rule, err
	}
	rule.weekFrom = time.Sunday
	if days, err := icalDays([]string{shift.WeekStart}); err == nil {
		rule.weekFrom = days[0]
	}
	for _, m := range shift.ByMonth {
		rule.months = append(rule.months, time.Month(m))
	}
	if len(rule.weekday) > 0 && shift.Type == "rolling_users" && !slices.Contains(rule.weekday, rule.start.Weekday()) {
		rule.start = rule.start.AddDate(0, 0, firstDay(rule))
	}
	rule.from = instant(rule.start, rule.zone)
	begun, _ := time.Parse("2006-01-02T15:04:05", shift.RotationStart) // without one, at the start
	byDays := len(rule.weekday) > 0 && rule.freq == "daily"            // these rotate from the start on
	if shift.Type == "rolling_users" && !byDays && begun.After(rule.start) {
		rule.from = instant(rule.occurrence(begun, from.Type == "web"), rule.zone)
	}
	return rule, nil
}

// firstDay returns in how many days a rotation begins if its start is not on one of its days: on
// the first of them in a week.
func firstDay(r recurrence) int {
	for i := range 7 {
		d := time.Weekday((int(r.weekFrom) + i) % 7)
		if slices.Contains(r.weekday, d) {
			return (int(d) - int(r.start.Weekday()) + 7) % 7
		}
	}
	return 0
}

// swaps imports the swaps that somebody has taken.
func (g *grafanaOnCall) swaps(out *setup.Schedule, s gocSchedule, called *names, where Location) {
	var used []schedule.Override
	for _, w := range g.in.Swaps {
		if w.Schedule != s.ID || w.Status != "taken" || !w.End.After(g.now) {
			continue
		}
		here := where.at("swap of " + w.Start.Format(time.RFC3339))
		from, ok := g.person(w.Beneficiary, here)
		to, known := g.person(w.Benefactor, here)
		if ok && known && from != to {
			addTo(g.members, out.Team, to)
			used = append(used, schedule.Override{Kind: schedule.OverrideSwap, From: userID(from), To: userID(to), Start: w.Start, End: w.End})
		}
	}
	g.addOverrides(out, used, called, g.now, where)
}

// final records Grafana OnCall's own final schedule.
func (g *grafanaOnCall) final(s gocSchedule, name string) {
	finals, there := g.in.Finals[s.ID]
	if !there {
		return
	}
	var shifts []FinalShift
	for _, x := range finals {
		shifts = append(shifts, FinalShift{User: g.users.byID[x.User], From: x.Start, To: x.End})
	}
	g.addFinal(name, g.in.Asked, g.now, shifts)
}
