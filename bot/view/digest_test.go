package view

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/report"
	"github.com/watchbill/watchbill/oncall/schedule"
)

func TestDigestViews(t *testing.T) {
	t.Parallel()
	week := report.Week("Europe/Berlin", schedule.Date{Year: 2026, Month: 11, Day: 23})
	due := report.DueDigest{Team: 1, Week: week, Key: "digest/1/2026-11-30"}
	figures := novemberReport().Public()
	figures.Now.Period = week
	golden(t, "digest", Notice(due.Notice("C1", figures)))
	quiet := report.Comparison{Name: "payments", Now: report.Report{Period: week}, Before: report.Report{Incidents: 12}}
	golden(t, "digest_quiet", Notice(due.Notice("C1", quiet)))
}

func TestBadNightViews(t *testing.T) {
	t.Parallel()
	m, ok := report.Person{TimeZone: "Europe/Berlin"}.Clock().Morning(time.Date(2026, 11, 30, 7, 0, 0, 0, time.UTC))
	if !ok {
		t.Fatal("07:00 UTC is not a morning in Berlin, want one")
	}
	all := report.Tired{User: ann, Morning: m, Wakes: 3, Before: 2, Managers: []oncall.UserID{bo, ann}}.Notices()
	if len(all) != 2 {
		t.Fatalf("%d people get a notice, want Ann and Bo", len(all))
	}
	for i, name := range []string{"bad_night", "bad_nights"} {
		all[i].Detail.TimeZone = "Europe/Berlin"
		golden(t, name, Notice(all[i]))
	}
}

func TestFairnessView(t *testing.T) {
	t.Parallel()
	hour := time.Hour
	golden(t, "fairness", FairnessPreview([]report.ShareChange{
		{User: ann, Was: report.Share{On: 1080 * hour, Nights: 45, WeekendDays: 13}, Is: report.Share{On: 1440 * hour, Nights: 60, WeekendDays: 17}},
		{User: bo, Was: report.Share{On: 720 * hour, Nights: 30, WeekendDays: 9}, Is: report.Share{On: 720 * hour, Nights: 30, WeekendDays: 9}},
		{User: cy, Was: report.Share{On: 360 * hour, Nights: 15, WeekendDays: 4}, NoLongerIn: true},
	}))
	if same := FairnessPreview([]report.ShareChange{{User: ann}}); same != nil {
		t.Errorf("the preview without a change is %v, want none", same)
	}
}
