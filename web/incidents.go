package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// A row is an incident in a list.
type row struct {
	oncall.Incident
	Team    string
	Holders []oncall.UserID
	Acts    []button
}

// A button acts on an incident.
type button struct{ Do, Label, Class string }

// rows builds a list, with the buttons that the reader may use.
func (v *visit) rows(all []oncall.Incident) ([]row, error) {
	may, err := v.Store.MayRespond(v.ctx, v.by, all)
	if err != nil {
		return nil, err
	}
	out := make([]row, len(all))
	for i, in := range all {
		out[i] = row{Incident: in, Team: v.TeamName(in.TeamID), Holders: in.Holders()}
		if may[in.ID] {
			out[i].Acts = buttons(in)
		}
	}
	return out, nil
}

// buttons returns the most frequent acts on an incident.
func buttons(in oncall.Incident) []button {
	var out []button
	if in.Status == oncall.Triggered || in.Status == oncall.Snoozed || in.AckAgain {
		out = append(out, button{"acknowledge", "Acknowledge", "primary"})
	}
	if in.Open() {
		out = append(out, button{"resolve", "Resolve", ""})
	} else if in.MergedInto == 0 {
		out = append(out, button{"reopen", "Reopen", ""})
	}
	return out
}

// A search is the filter of a list of incidents.
type search struct {
	State, Severity, Team, Text, Since, Until string
	Teams                                     []oncall.Team
	Severities                                []oncall.Severity
	Rows                                      []row
	Older                                     string // the query of the next part; "": there is none
	Newest                                    string // the query of the first part; "": this is it
	Problem                                   string
}

const incidentsShown = 50

// states are those to choose from.
var states = []choice{
	{"open", "open"}, {"triggered", "triggered"}, {"acknowledged", "acknowledged"}, {"snoozed", "snoozed"}, {"resolved", "resolved"}, {"all", "all"},
}

// incidents lists current and past incidents.
func (v *visit) incidents() (page, error) {
	q := v.r.URL.Query()
	mine, others := v.myTeams()
	f := search{
		State: q.Get("state"), Severity: q.Get("severity"), Team: q.Get("team"), Text: strings.TrimSpace(q.Get("q")), Since: q.Get("since"), Until: q.Get("until"),
		Teams: slices.Concat(mine, others), Severities: oncall.Severities(),
	}
	if !q.Has("state") {
		f.State = "open"
	}
	filter, problem := v.filter(f)
	f.Problem = problem
	if before, err := strconv.ParseInt(q.Get("before"), 10, 64); err == nil && before > 0 {
		filter.Before = oncall.IncidentID(before)
		f.Newest = f.query(0)
	}
	found, more, err := v.Store.Incidents(v.ctx, v.by, filter)
	if err != nil {
		return page{}, err
	}
	if more {
		f.Older = f.query(found[len(found)-1].ID)
	}
	f.Rows, err = v.rows(found)
	return page{name: "incidents", title: "Incidents", tab: "incidents", data: f, live: true}, err
}

// filter converts a search, and describes any part that is invalid.
func (v *visit) filter(f search) (out store.IncidentFilter, problem string) {
	out = store.IncidentFilter{Text: f.Text, Limit: incidentsShown}
	switch f.State {
	case "open":
		out.Statuses = []oncall.Status{oncall.Triggered, oncall.Acknowledged, oncall.Snoozed}
	case "triggered", "acknowledged", "snoozed", "resolved":
		out.Statuses = []oncall.Status{oncall.Status(f.State)}
	}
	if slices.Contains(f.Severities, oncall.Severity(f.Severity)) {
		out.Severities = []oncall.Severity{oncall.Severity(f.Severity)}
	}
	if f.Team != "" {
		t, known := v.teamNamed(f.Team)
		if !known {
			return out, "There is no such team, or it is not yours to see."
		}
		out.Team = t.ID
	}
	day := func(text string, days int) time.Time {
		d, err := schedule.ParseDate(text)
		if text != "" && err != nil {
			problem = "A day is written like 2026-11-30."
		}
		if text == "" || err != nil {
			return time.Time{}
		}
		return v.wall.Instant(d.AddDays(days), 0)
	}
	out.Since, out.Until = day(f.Since, 0), day(f.Until, 1) // the last day is included
	return out, problem
}

// query returns the URL query of a part of the list.
func (s search) query(before oncall.IncidentID) string {
	q := url.Values{"state": {s.State}}
	for name, value := range map[string]string{"severity": s.Severity, "team": s.Team, "q": s.Text, "since": s.Since, "until": s.Until} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if before != 0 {
		q.Set("before", strconv.FormatInt(int64(before), 10))
	}
	return "?" + q.Encode()
}
