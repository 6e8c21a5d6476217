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

func (g *grafanaOnCall) schedule(s gocSchedule) {
	name := g.schedules.of(s.ID, "")
	where := Location{"schedule", name, ""}
	if s.TimeZone == "" {
		s.TimeZone = "UTC"
	}
	location, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		g.addLoss(where, "its time zone is %q, which is none; it is left out", s.TimeZone)
		return
	}
	out := setup.Schedule{Name: name, Team: g.team(s.TeamID), TimeZone: s.TimeZone}
	g.channel(out.Team, s.Slack.Channel)
	called := newNames()
	if s.Type == "ical" {
		g.calendarShifts(&out, s, location, where)
	} else {
		g.shifts(&out, s, called, where)
	}
	if s.Overrides != "" {
		g.addLoss(where, "its overrides come from a calendar (%s), which isn't read", host(s.Overrides))
	}
	g.Setup.Schedules = append(g.Setup.Schedules, out)
	g.final(s, name)
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
func (g *grafanaOnCall) calendarShifts(out *setup.Schedule, s gocSchedule, location *time.Location, where Location) {
	for _, f := range g.in.Finals[s.ID] {
		user := g.users.byID[f.User]
		if user == "" || !f.End.After(g.now) {
			continue
		}
		addTo(g.members, out.Team, user)
		out.Shifts = append(out.Shifts, setup.Shift{Start: local(f.Start, location), End: local(f.End, location), Users: []string{user}})
	}
	if len(out.Shifts) == 0 {
		g.addLoss(where, "it follows a calendar (%s), and no final shifts of it are there, so nobody is on call", host(s.Primary))
		return
	}
	g.addLoss(where, "it follows a calendar (%s); here its shifts until %s are written down, and what comes after is yours to set up", host(s.Primary), g.in.Asked.Until.Format("2006-01-02"))
}

// shifts converts a schedule's shifts to rotations.
func (g *grafanaOnCall) shifts(out *setup.Schedule, s gocSchedule, called *names, where Location) {
	ids := slices.Clone(s.Shifts)
	for _, id := range g.in.ShiftsOf[s.ID] {
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
			out.Rotations = append(out.Rotations, g.shift(x, s, out.Team, called, where)...)
		}
	}
	g.swaps(out, s, called, where)
	priority := maxPriority(*out) + 1 // overlapping shifts apply together
	for _, x := range overrides {
		x.Level = priority
		out.Rotations = append(out.Rotations, g.shift(x, s, out.Team, called, where)...)
	}
	if len(out.Rotations) == 0 {
		g.addLoss(where, "no shift of it is in force any more, so nobody is on call")
	}
}

// shift converts one shift to a rotation, or to one for each of its dates.
func (g *grafanaOnCall) shift(x gocShift, s gocSchedule, team string, called *names, where Location) []setup.Rotation {
	here := where.at("shift " + x.Name)
	r, err := g.recurrence(x, s)
	if err != nil {
		g.addLoss(here, "%v; it is left out", err)
		return nil
	}
	if !r.until.IsZero() && !r.until.After(g.now) {
		return nil // it is past
	}
	rolling := x.Type == "rolling_users"
	single := x.Type == "single_event" || x.Type == "override"
	if end := instant(r.start.Add(r.lasts), r.zone); single && !end.After(g.now) {
		return nil // it is past
	}
	groups := x.Rolling
	if !rolling && (!single || len(x.Users) > 0 || len(groups) == 0) {
		groups = [][]string{x.Users}
	}
	missing := 0
	if rolling && len(groups) > 0 {
		first := min(max(x.FirstIndex, 0), len(groups)) % len(groups)
		groups = slices.Concat(groups[first:], groups[:first])
	}
	for _, ids := range groups {
		if turn := g.people(ids, team, here); len(turn) > 0 {
			r.groups = append(r.groups, turn)
		} else {
			missing++
		}
	}
	if len(r.groups) == 0 {
		g.addLoss(here, "nobody who is left has it; it is left out")
		return nil
	}
	for range missing { // as in Grafana OnCall, where others move up and the gap comes last
		r.groups = append(r.groups, setup.Turn{})
	}
	if single {
		name := called.of(x.ID, x.Name)
		return []setup.Rotation{zoned(singleRotation(name, r.priority, instant(r.start, r.zone), instant(r.start.Add(r.lasts), r.zone), r.zone, r.groups[0]), r.zone, s.TimeZone)}
	}
	if rolling && len(r.groups) == 1 && len(r.weekday) > 0 && r.freq == "daily" {
		r.interval = 1
	}
	return g.addRecurrence(r, x.ID, s.TimeZone, called, g.now, here)
}

// recurrence converts a shift's rule.
func (g *grafanaOnCall) recurrence(x gocShift, s gocSchedule) (r recurrence, err error) {
	name := s.TimeZone
	if x.TimeZone != "" {
		name = x.TimeZone
	}
	r = recurrence{name: x.Name, priority: x.Level, freq: x.Frequency, interval: x.Interval, lasts: time.Duration(x.Duration) * time.Second, dates: x.ByMonthday}
	if r.zone, err = time.LoadLocation(name); err != nil {
		return r, fmt.Errorf("its time zone is %q, which is none", name)
	}
	if r.start, err = time.Parse("2006-01-02T15:04:05", x.Start); err != nil {
		return r, fmt.Errorf("it begins at %q, which is no time", x.Start)
	}
	if x.Until != "" {
		if r.until, err = time.Parse("2006-01-02T15:04:05", x.Until); err != nil {
			return r, fmt.Errorf("it goes on until %q, which is no time", x.Until)
		}
	}
	if r.weekday, err = icalDays(x.ByDay); err != nil {
		return r, err
	}
	r.weekFrom = time.Sunday
	if days, err := icalDays([]string{x.WeekStart}); err == nil {
		r.weekFrom = days[0]
	}
	for _, m := range x.ByMonth {
		r.months = append(r.months, time.Month(m))
	}
	if len(r.weekday) > 0 && x.Type == "rolling_users" && !slices.Contains(r.weekday, r.start.Weekday()) {
		r.start = r.start.AddDate(0, 0, firstDay(r))
	}
	r.from = instant(r.start, r.zone)
	begun, _ := time.Parse("2006-01-02T15:04:05", x.RotationStart) // without one, at the start
	byDays := len(r.weekday) > 0 && r.freq == "daily"              // these rotate from the start on
	if x.Type == "rolling_users" && !byDays && begun.After(r.start) {
		r.from = instant(r.occurrence(begun, s.Type == "web"), r.zone)
	}
	return r, nil
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
