package view

import (
	"testing"
	"time"

	texts "github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/oncall"
)

func TestAwayCalendarViews(t *testing.T) {
	t.Parallel()
	n := oncall.Notice{To: string(ann), Kind: oncall.NoticeAwayCalendar, Detail: oncall.NoticeDetail{Address: "calendar.example.com", Count: 3}}
	golden(t, "away_calendar_read", Notice(n))
	n.Detail.Count, n.Detail.Note = 0, "the calendar answers 404"
	golden(t, "away_calendar_failed", Notice(n))
	n.Detail.State = oncall.AwayCalendarUnread
	golden(t, "away_calendar_unread", Notice(n))
	golden(t, "away_calendar_form", AwayCalendarForm("", nil))
	for _, h := range texts.Texts {
		n.Detail.Note, n.Detail.Address = h.Text, h.Text
		d := Notice(n)
		checkLimits(t, d)
		harmless(t, "a calendar that fails, "+h.Name, d.Blocks)
		harmless(t, "a calendar's words, "+h.Name, AwayCalendar{Host: h.Text, Words: []string{h.Text}, Zone: time.UTC}.Draw().Blocks)
	}
}
