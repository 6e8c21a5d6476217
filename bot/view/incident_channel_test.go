package view

import (
	"testing"
	"time"

	texts "github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/oncall"
)

func TestChannelMessages(t *testing.T) {
	t.Parallel()
	p := acknowledged()
	p.Incident.Channel = &oncall.IncidentChannel{ID: "C0INC"}
	golden(t, "channel_greeting", ChannelGreeting(p, "https://example.slack.com/archives/C0PAY/p1"))
	golden(t, "channel_greeting_no_message", ChannelGreeting(triggered(), ""))
	golden(t, "incident_with_channel", Incident(p))
	p.Incident.Status, p.Incident.ResolvedBy, p.Incident.ResolvedAt = oncall.Resolved, oncall.ByUser(bo), new(noon.Add(time.Hour))
	golden(t, "channel_end", ChannelEnd(p))
	golden(t, "channel_lines", ChannelLines([]oncall.Event{
		{Kind: oncall.EventAcknowledged, Actor: oncall.ByUser(bo)}, {Kind: oncall.EventNote, Actor: oncall.ByUser(bo), Detail: oncall.Detail{Text: "is it <the> backup?"}},
	}))
	if d := ChannelLines(nil); d.Text != "" {
		t.Errorf("nothing has happened, and the channel says %q, want nothing", d.Text)
	}
	if text := HasChannel(p.Incident) + ChannelComes(p.Incident.ID); text == "" {
		t.Error("nothing is said of the channel")
	}
	for _, h := range texts.Texts {
		p := hostile()
		p.Incident.Title, p.Incident.Link = h.Text, ""
		harmless(t, "the greeting", ChannelGreeting(p, "").Blocks)
		harmless(t, "the failure", map[string]any{"type": "mrkdwn", "text": channelLine(oncall.Event{Kind: oncall.EventChannelFailed, Detail: oncall.Detail{Text: h.Text}})})
	}
}
