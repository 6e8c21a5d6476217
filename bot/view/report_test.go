package view

import (
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall/report"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// novemberReport returns a team's month, with foreign text in it.
func novemberReport() report.Comparison {
	november := report.Days("Europe/Berlin", schedule.Date{Year: 2026, Month: 11, Day: 1}, 30)
	before := november.Before()
	return report.Comparison{
		Name: "payments <ops>", Kept: noon,
		Now: report.Report{
			Period: november, Incidents: 31, Open: 2, Cleared: 9, Unacked: 1,
			Ack:           report.Times{Of: 21, Mean: 190 * time.Second, Median: 150 * time.Second, P90: 7 * time.Minute},
			Resolve:       report.Times{Of: 29, Mean: 95 * time.Minute, Median: 31 * time.Minute, P90: 5 * time.Hour},
			Interruptions: report.Bands{Working: 12, Off: 9, Sleep: 6}, Woken: 4, Bad: 1, Hours: 1440 * time.Hour,
			BySeverity: []report.Count{{Name: "critical", Incidents: 4, Interruptions: 11}, {Name: "high", Incidents: 27, Interruptions: 16}},
			ByService: []report.Count{
				{Name: "checkout <@U0ANN>", Incidents: 14, Interruptions: 20, Real: 3, Noise: 9, Unsure: 1}, {Name: "db", Incidents: 17, Interruptions: 7},
			},
			People: []report.PersonReport{
				{User: ann, Interruptions: report.Bands{Working: 8, Off: 3, Sleep: 6}, Woken: 4, Bad: 1, Hours: report.Hours{Planned: 300 * time.Hour, Cover: 24 * time.Hour, Nights: 14, WeekendDay: 4}},
				{User: bo, Interruptions: report.Bands{Working: 4, Off: 6}, Hours: report.Hours{Planned: 396 * time.Hour, GivenAway: 24 * time.Hour, Nights: 16, WeekendDay: 5}},
			},
		},
		Before: report.Report{Period: before, Incidents: 40, Interruptions: report.Bands{Working: 20, Off: 10, Sleep: 9}, Woken: 6, Hours: 1440 * time.Hour},
	}
}

func TestReportViews(t *testing.T) {
	t.Parallel()
	golden(t, "report_team", Report(novemberReport()))
	golden(t, "report_public", Report(novemberReport().Public()))
	own := novemberReport()
	own.Name, own.Now.People, own.Kept = "", own.Now.People[:1], time.Time{}
	golden(t, "report_own", Report(own))
	golden(t, "report_empty", Report(report.Comparison{Name: "payments", Now: report.Report{Period: own.Now.Period}, Before: report.Report{Period: own.Before.Period}}))
}

// With many people some are left out, and a report of any size fits.
func TestLargeReportFits(t *testing.T) {
	t.Parallel()
	many := novemberReport()
	for len(many.Now.People) < 200 {
		many.Now.People = append(many.Now.People, many.Now.People[0])
	}
	for len(many.Now.ByService) < 200 {
		many.Now.ByService = append(many.Now.ByService, report.Count{Name: strings.Repeat("<&>", 200), Incidents: 1})
	}
	many.Name = strings.Repeat("*", 500)
	golden(t, "report_many", Report(many))
}
