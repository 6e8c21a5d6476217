package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// A HeartbeatLine is a heartbeat in a list.
type HeartbeatLine struct {
	Name, Integration, Team string
	State                   oncall.HeartbeatState
	Every, Grace            time.Duration
	Heard                   *time.Time // the latest ping; nil: none yet
	Due                     *time.Time // when it goes down without a ping
	Running                 *time.Time // start of the current run
	Down                    *time.Time
	Why                     string // why it is down
	Body                    string // body of the latest ping
	Muted                   bool
	MutedUntil              *time.Time
	MutedBy                 oncall.UserID

	Address string               // what pings it, with KEY for the key; "": not shown to the reader
	KeyHint string               // how the key ends
	KeyOf   oncall.IntegrationID // whose key it is
}

// maxPingBody is how much of a ping's body is shown: its end.
const maxPingBody = 1500

// Heartbeats lists heartbeats; those that are down come first.
func Heartbeats(all []HeartbeatLine, zone *time.Location) string {
	var down, rest []string
	for _, h := range all {
		if h.State == oncall.HeartbeatDown {
			down = append(down, "• "+h.line(zone))
		} else {
			rest = append(rest, "• "+h.line(zone))
		}
	}
	return fitLines(append(down, rest...), MaxAnswer)
}

// Heartbeat shows one heartbeat, with the body of its latest ping.
func Heartbeat(h HeartbeatLine, zone *time.Location) Drawing {
	text := h.line(zone)
	if h.Address != "" {
		text += fmt.Sprintf("\nAt the end of the job:\n```curl -fsS -m 10 --retry 5 %s```\nKEY is the key of *%s*, which ends in …%s; it was shown once, and a new one shows it again.",
			Foreign(h.Address, maxTitle), Name(h.Integration), Name(h.KeyHint))
	}
	if h.Body != "" {
		body := []rune(h.Body)
		text += fmt.Sprintf("\nWith its latest ping came:\n```%s```", foreignLines(string(body[max(0, len(body)-maxPingBody):]), maxPingBody, maxSnippetLines))
	}
	d := Text(text)
	if h.Address != "" {
		d.Blocks = append(d.Blocks, slack.NewActionBlock("heartbeat", button(ActionIntegration, IntegrationRotate+" "+valueOf(h.KeyOf), "New key…")))
	}
	return d
}

var heartbeatMarks = map[oncall.HeartbeatState]string{
	oncall.HeartbeatNew: ":white_circle:", oncall.HeartbeatUp: ":large_green_circle:", oncall.HeartbeatLate: ":large_yellow_circle:", oncall.HeartbeatDown: ":red_circle:",
}

func (h HeartbeatLine) line(zone *time.Location) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s *%s* of %s, team %s: ", heartbeatMarks[h.State], Name(h.Name), Name(h.Integration), Name(h.Team))
	switch {
	case h.State == oncall.HeartbeatNew:
		text.WriteString("new, nothing has come yet")
	case h.State == oncall.HeartbeatDown && h.Down != nil:
		fmt.Fprintf(&text, "*down* since %s: %s", Time(*h.Down, zone), Foreign(h.Why, maxTitle))
	case h.State == oncall.HeartbeatLate && h.Due != nil:
		fmt.Fprintf(&text, "late, and down at %s", Time(*h.Due, zone))
	case h.Running != nil:
		fmt.Fprintf(&text, "up, running since %s", Time(*h.Running, zone))
	default:
		text.WriteString("up")
	}
	if h.Heard != nil {
		text.WriteString("; last ping " + stamp(*h.Heard, asAgo, zone))
	}
	fmt.Fprintf(&text, "; every %s, grace %s", durationText(h.Every), durationText(h.Grace))
	return text.String() + Integration{Muted: h.Muted, MutedUntil: h.MutedUntil, MutedBy: h.MutedBy}.mutedText(zone)
}

// HeartbeatMuted confirms that a heartbeat is muted, with the command that undoes it.
func HeartbeatMuted(h HeartbeatLine, until *time.Time, zone *time.Location) string {
	end := "Until somebody unmutes it"
	if until != nil {
		end = "Until " + Time(*until, zone)
	}
	return fmt.Sprintf("Heartbeat *%s* is muted. %s it pages nobody; what is missing then does. `/oncall heartbeats unmute %s` ends that.",
		Name(h.Name), end, Name(h.Integration+"/"+h.Name))
}

// HeartbeatUnmuted confirms that a heartbeat is no longer muted.
func HeartbeatUnmuted(h HeartbeatLine, was bool) string {
	if !was {
		return fmt.Sprintf("Heartbeat *%s* was not muted.", Name(h.Name))
	}
	return fmt.Sprintf("Heartbeat *%s* pages again, at once if it is down.", Name(h.Name))
}
