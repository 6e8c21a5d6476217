package view

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// Everything that was sent can be read, page by page, and no page is larger than Slack allows.
func TestDetailsShowEverything(t *testing.T) {
	t.Parallel()
	var alerts []oncall.Alert
	for i := range 30 {
		a := alertWithDetails()
		a.Title = fmt.Sprintf("Disk %d", i)
		a.Body = fmt.Sprintf("begin-%d ", i) + strings.Repeat("<&🔥", 200*i) + fmt.Sprintf(" end-%d.", i)
		a.Labels = map[string]string{"host": fmt.Sprintf("host-%d.", i), "long": strings.Repeat("x", 1000)}
		a.Details = map[string]string{"impact": fmt.Sprintf("impact-%d %s", i, strings.Repeat("y", 3900))}
		alerts = append(alerts, a)
	}
	var all strings.Builder
	pages, from, part := 0, 0, 0
	for {
		d := Details{Incident: triggered().Incident, Alerts: alerts[from:min(len(alerts), from+MoreDetails)], From: from, Part: part, All: len(alerts), Zone: time.UTC}
		v := d.Draw()
		checkView(t, v)
		if !IsDetails(slack.View{CallbackID: v.CallbackID}) {
			t.Fatal("IsDetails doesn't recognise a page of details")
		}
		next := ""
		for _, b := range v.Blocks.BlockSet[1:] {
			switch b := b.(type) {
			case *slack.SectionBlock:
				all.WriteString(b.Text.Text)
			case *slack.ActionBlock:
				next = b.Elements.ElementSet[0].(*slack.ButtonBlockElement).Value
			}
		}
		if pages++; next == "" || pages > 200 {
			break
		}
		id := 0
		if _, err := fmt.Sscanf(next, "%d/%d/%d", &id, &from, &part); err != nil || id != 12 {
			t.Fatalf("the value of the next page's button is %q, want \"12/alert/part\"", next)
		}
	}
	text := all.String()
	for i := range alerts {
		for _, want := range []string{"Disk %d\n", "begin-%d ", " end-%d.", "host: host-%d.", "impact: impact-%d "} {
			if want = fmt.Sprintf(want, i); strings.Count(text, want) != 1 {
				t.Errorf("%q occurs %d times, want once", want, strings.Count(text, want))
			}
		}
	}
	if n, want := strings.Count(text, "🔥"), 200*29*30/2; n != want {
		t.Errorf("%d of %d characters are shown, want all", n, want)
	}
	if strings.Contains(text, "<&") || pages < 10 {
		t.Errorf("want escaped text in at least 10 pages, got %d pages", pages)
	}
}

// The message itself links to the runbook, even if its title links elsewhere.
func TestRunbookInTheMessage(t *testing.T) {
	t.Parallel()
	p := triggered()
	p.Alerts = []oncall.Alert{alertWithDetails()}
	golden(t, "runbook", map[string]any{"blocks": Incident(p).Blocks})
	for _, d := range []Drawing{Incident(p), Page(p, ann, oncall.Say("you are on call"))} {
		checkLimits(t, d)
		if head := d.Blocks[0].(*slack.SectionBlock).Text.Text; !strings.Contains(head, "<https://run.example.com/checkout|Runbook>") {
			t.Errorf("the message is %q, want a link to the runbook", head)
		}
	}
	p.Incident.Body = strings.Repeat("line\n", 30)
	if head := Incident(p).Blocks[0].(*slack.SectionBlock).Text.Text; !strings.Contains(head, "under Details") {
		t.Errorf("the cut message is %q, want it to say where the rest is", head)
	}
}
