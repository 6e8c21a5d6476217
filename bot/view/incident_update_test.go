package view

import (
	"testing"

	texts "github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/oncall"
)

func TestUpdatesShowTheNoteAndTheState(t *testing.T) {
	t.Parallel()
	n := oncall.Notice{To: "#status", Kind: oncall.NoticeUpdate, Detail: oncall.NoticeDetail{
		By: ann, Incidents: []oncall.IncidentID{7}, Count: 2, Note: "Paying by card fails.\nMore at <!here> 15:00.", Title: "disk <full>",
		Status: oncall.Acknowledged, Severity: oncall.Critical, Team: "payments",
	}}
	golden(t, "update", Notice(n))
	s := overviewOf(acknowledged())
	over := s.Picture
	over.Team.Name, over.Team.Updates, over.Incident.Updates = "payments", nil, 2
	golden(t, "update_posted_thread", UpdatePosted(over, "https://example.slack.com/archives/C0PAY/p1", true))
	over.Incident.Channel = &oncall.IncidentChannel{ID: "C0INC"}
	golden(t, "update_posted_own", UpdatePosted(over, "", false))
	over.Team.Updates = []string{"C0STATUS", "#support"}
	golden(t, "update_posted", UpdatePosted(over, "", true))
	golden(t, "update_form_none", s.UpdateForm())
	s.Updates = UpdateOptions([]string{"C0STATUS", "#support"}, func(id string) string { return map[string]string{"C0STATUS": "status"}[id] })
	golden(t, "update_form", s.UpdateForm())
	for _, h := range texts.Texts {
		n.Detail.Note, n.Detail.Title, n.Detail.Team = h.Text, h.Text, h.Text
		d := Notice(n)
		checkLimits(t, d)
		harmless(t, "an update", d.Blocks)
		harmless(t, "its text", map[string]any{"type": "mrkdwn", "text": d.Text})
		line := updateLine(oncall.Event{Actor: oncall.ByUser(ann), Detail: oncall.Detail{Text: h.Text, To: []string{h.Text}}})
		harmless(t, "its line", map[string]any{"type": "mrkdwn", "text": line})
	}
}
