package view

import (
	"encoding/json"
	"testing"
	"time"

	texts "github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/report"
)

// harmless fails the test for everything in a drawing or view that Slack would act on, or that can't be shown.
func harmless(t *testing.T, what string, shown any) {
	t.Helper()
	data, err := json.Marshal(shown)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		case map[string]any:
			if text, ok := v["text"].(string); ok {
				if fault := texts.Plain(text, true); fault != "" {
					t.Errorf("%s has %s, want it escaped: %.300q", what, fault, text)
				}
				if fault := texts.Active(text); fault != "" && v["type"] != "plain_text" {
					t.Errorf("%s has %s, want it escaped: %.300q", what, fault, text)
				}
			}
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(v)
}

// Incidents with hostile text wherever others can write are drawn within Slack's limits, and notify nobody.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	for _, h := range texts.Texts {
		t.Run(h.Name, func(t *testing.T) {
			t.Parallel()
			p := hostile()
			link := h.Text
			if h.Name == "addresses" { // a monitor may link to where it wants
				link = ""
			}
			p.Incident.Title, p.Incident.Body, p.Incident.Link = h.Text, h.Text, link
			p.Team.Name, p.Integration, p.Policy = h.Text, h.Text, h.Text
			for i := range p.Alerts {
				p.Alerts[i].Title, p.Alerts[i].Link, p.Alerts[i].Labels = h.Text, link, map[string]string{h.Text: h.Text}
			}
			for i, kind := range []oncall.EventKind{oncall.EventOpened, oncall.EventNote, oncall.EventAlertJoined, oncall.EventAlertResolved, oncall.EventPageReceipt} {
				p.Events = append(p.Events, oncall.Event{
					At: noon.Add(time.Duration(i) * time.Second), Kind: kind, Actor: oncall.ByIntegration(h.Text),
					Detail: oncall.Detail{Text: h.Text, Users: []oncall.UserID{ann}},
				})
			}
			for name, d := range map[string]Drawing{"the message": Incident(p), "a page": Page(p, ann, oncall.Say("%s asks you to help: %s", cy, h.Text)), "what was raised": Raised(raisedByHand(p), false), "a text": Text(Foreign(h.Text, 300))} {
				if d.Text != "" {
					checkLimits(t, d)
				}
				harmless(t, name, d.Blocks)
				harmless(t, name, map[string]any{"type": "mrkdwn", "text": d.Text})
			}
			overview := overviewOf(p)
			checkView(t, overview.Draw())
			harmless(t, "the sheet", overview.Draw())
			checkView(t, overview.Timeline())
			harmless(t, "the timeline", overview.Timeline())
			form := RaiseForm{Text: h.Text, Message: Name(h.Text), Teams: []oncall.Team{{ID: 1, Name: "Payments"}}, Now: PageNow(h.Text, h.Text, nil, nil)}
			checkView(t, form.Draw())
			harmless(t, "the form to page somebody", form.Draw())
			home := HomeTab{Open: []oncall.Incident{p.Incident}, Reached: Foreign(h.Text, 100), Zone: time.UTC, Now: noon}
			harmless(t, "the home tab", home.Draw())
			bundle := oncall.Notice{Kind: oncall.NoticeBundle, Detail: oncall.NoticeDetail{Lines: []string{h.Text, h.Text}, Note: h.Text, Incidents: []oncall.IncidentID{1, 2}}}
			harmless(t, "a bundle", Bundle(bundle, nil).Blocks)
			harmless(t, "a bundle", map[string]any{"type": "mrkdwn", "text": Bundle(bundle, nil).Text})
			figures := novemberReport()
			figures.Name, figures.Now.ByService = h.Text, []report.Count{{Name: h.Text, Incidents: 1}}
			digest := Notice(report.DueDigest{Week: figures.Now.Period}.Notice("C1", figures))
			for name, d := range map[string]Drawing{"a report": Report(figures), "a digest": digest} {
				checkLimits(t, d)
				harmless(t, name, d.Blocks)
				harmless(t, name, map[string]any{"type": "mrkdwn", "text": d.Text})
			}
		})
	}
}
