package web

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/report"
)

// A reportPage is the report of a period.
type reportPage struct {
	Team     string // "me": the reader's own
	Period   string
	Periods  []choice
	Teams    []oncall.Team
	Name     string
	Told     report.Comparison
	Problem  string
	Figures  []figure
	Chart    chart
	Services []report.Count
	People   []personFigures
	Share    string // describes how the load is shared
	CSV      string // the URL query of the CSV
	Kept     time.Time
}

type choice struct{ Value, Label string }

// A figure is a number and that of the previous period.
type figure struct{ Label, Now, Before, Note string }

type personFigures struct {
	Name string
	report.PersonReport
}

// periods are those offered; others can be typed into the address.
var periods = []choice{
	{"this week", "This week"},
	{"last week", "Last week"},
	{"30 days", "30 days"},
	{"this month", "This month"},
	{"last month", "Last month"},
	{"90 days", "90 days"},
	{"last quarter", "Last quarter"},
}

// reports returns the report of a team or of the reader.
func (v *visit) reports() (page, error) {
	p, err := v.report()
	if err != nil {
		return page{}, err
	}
	return page{name: "reports", title: "Reports", tab: "reports", data: p}, nil
}

// report parses the request and computes the report.
func (v *visit) report() (p reportPage, err error) {
	q := v.r.URL.Query()
	mine, others := v.myTeams()
	p = reportPage{Team: q.Get("team"), Period: cmp.Or(strings.TrimSpace(q.Get("period")), "30 days"), Periods: periods, Teams: slices.Concat(mine, others)}
	if p.Team == "" && len(mine) > 0 {
		p.Team = mine[0].Name
	}
	p.Team = cmp.Or(p.Team, "me")
	team, zone := oncall.Team{}, v.Zone()
	if p.Team != "me" {
		known := false
		if team, known = v.teamNamed(p.Team); !known {
			return p, oncall.ErrNotFound
		}
		p.Name, p.Team = team.Name, team.Name
		zone = cmp.Or(v.dir.TeamZone(team.ID), zone)
	}
	period, err := report.ParsePeriod(strings.Fields(p.Period), zone, v.now)
	if refused(err) {
		p.Problem = "That is not a period: write one like 30 days, last month or 2026-10-01 to 2026-10-31."
		period, err = report.ParsePeriod([]string{"30", "days"}, zone, v.now)
	}
	if err != nil {
		return p, err
	}
	if team.ID == 0 {
		p.Told, err = v.Store.MyReport(v.ctx, v.by, v.user.ID, period.Until(v.now))
	} else {
		p.Told, err = v.Store.TeamReport(v.ctx, v.by, team.ID, period.Until(v.now))
	}
	if err != nil {
		return p, err
	}
	p.Told = p.Told.KeptFor(v.Retention, v.now)
	p.Kept = p.Told.Kept
	p.CSV = "?" + url.Values{"team": {p.Team}, "period": {p.Period}}.Encode()
	v.fill(&p, team)
	return p, nil
}

// fill adds the report's figures to the page.
func (v *visit) fill(p *reportPage, team oncall.Team) {
	now, before := p.Told.Now, p.Told.Before
	took := func(t report.Times) string {
		if t.Of == 0 {
			return "–"
		}
		return report.Span(t.Median)
	}
	ninety := func(t report.Times) string {
		if t.Of == 0 {
			return ""
		}
		return "90 % within " + report.Span(t.P90)
	}
	p.Figures = []figure{
		{"Incidents", fmt.Sprint(now.Incidents), fmt.Sprint(before.Incidents), formatCounts(now.Cleared, "cleared by themselves", now.Open, "still open")},
		{"Time to acknowledge", took(now.Ack), took(before.Ack), ninety(now.Ack)},
		{"Time to resolve", took(now.Resolve), took(before.Resolve), ninety(now.Resolve)},
		{"Interruptions", fmt.Sprint(now.Interruptions.All()), fmt.Sprint(before.Interruptions.All()), formatCounts(now.Interruptions.Off, "off", now.Interruptions.Sleep, "asleep")},
		{"Nights woken", fmt.Sprint(now.Woken), fmt.Sprint(before.Woken), formatCounts(now.Bad, "more than once")},
		{"Hours on call", hours(now.Hours), hours(before.Hours), ""},
	}
	if p.Told.First() {
		for i := range p.Figures {
			p.Figures[i].Before = ""
		}
	}
	p.Chart = interruptionChart(now)
	p.Services = now.ByService[:min(len(now.ByService), maxServices)]
	if team.ID != 0 && v.dir.Access().May(v.by, access.ReportPeople, access.Object{Team: team.ID}) == nil {
		for _, one := range now.People {
			p.People = append(p.People, personFigures{v.Name(one.User), one})
		}
		slices.SortStableFunc(p.People, func(a, b personFigures) int {
			return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		})
	}
}

const maxServices = 15

func hours(d time.Duration) string { return fmt.Sprintf("%d h", int(d.Round(time.Hour).Hours())) }

// formatCounts formats "3 off, 2 asleep", without zeros.
func formatCounts(pairs ...any) string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if n, _ := pairs[i].(int); n > 0 {
			out = append(out, fmt.Sprintf("%d %v", n, pairs[i+1]))
		}
	}
	return strings.Join(out, ", ")
}

// reportsCSV returns the report as CSV.
func (v *visit) reportsCSV() (page, error) {
	p, err := v.report()
	if err != nil {
		return page{}, err
	}
	var out bytes.Buffer
	if err := p.Told.Now.WriteCSV(&out, v.Name); err != nil {
		return page{}, err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="watchbill-report.csv"`)
	_, _ = out.WriteTo(v.w) // an error means that the browser is gone
	return page{done: true}, nil
}

// maxBytes limits the size of a form.
func maxBytes(w http.ResponseWriter, r *http.Request, most int64) io.ReadCloser {
	return http.MaxBytesReader(w, r.Body, most)
}
