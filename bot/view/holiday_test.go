package view

import (
	"testing"
	"time"

	texts "github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

func TestHolidayViews(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 12, 24, 23, 0, 0, 0, time.UTC)
	n := oncall.Notice{To: string(ann), Kind: oncall.NoticeHoliday, Detail: oncall.NoticeDetail{
		Schedule: 1, ScheduleName: "payments", Start: start, End: start.AddDate(0, 0, 1), TimeZone: "Europe/Berlin", Lines: []string{"1. Weihnachtstag"},
		Stints: []schedule.Stint{{Schedule: 1, Name: "payments", TimeZone: "Europe/Berlin", Role: schedule.RolePrimary, User: ann, Start: start, End: start.AddDate(0, 0, 1)}},
	}}
	golden(t, "holiday", Notice(n))
	for _, h := range texts.Texts {
		n.Detail.Lines, n.Detail.Stints[0].Name = []string{h.Text}, h.Text
		d := Notice(n)
		checkLimits(t, d)
		harmless(t, "a holiday, "+h.Name, d.Blocks)
	}
}
