package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// Limits of a payload in a list.
const (
	maxPayloadStart = 400
	maxPayloadLines = 8
)

// PayloadBegins is how many bytes of a body are needed for a list.
const PayloadBegins = 4 * maxPayloadStart

// A Payload is a payload in a list.
type Payload struct {
	ID        oncall.PayloadID
	At        time.Time
	Request   string // its method and address
	Monitor   string // name of its format; empty: not understood
	Trouble   string
	Signals   int
	Incidents []oncall.IncidentID
	Body      string // or its beginning
	Size      int64  // of the whole body, in bytes; 0: it isn't known
}

// Payloads lists what a monitor sent last.
func Payloads(name string, all []Payload, zone *time.Location) Drawing {
	if len(all) == 0 {
		return Text(fmt.Sprintf("Nothing that *%s* has sent is kept: it has sent nothing for 7 days, or not since Watchbill keeps it.", Name(name)))
	}
	d := Text(fmt.Sprintf("What *%s* has sent last, as it came but for secrets:", Name(name)))
	for _, p := range all {
		text := p.line(zone)
		d.Text += "\n• " + text
		if body := foreignLines(strings.ReplaceAll(p.Body, "```", "'''"), maxPayloadStart, maxPayloadLines); body != "" {
			text += "\n```" + body + "```"
		}
		d.Blocks = append(d.Blocks, slack.NewSectionBlock(words(text), nil, slack.NewAccessory(button(ActionPayload, valueOf(p.ID), "Try it"))))
	}
	d.Blocks = append(d.Blocks, note(fmt.Sprintf("*Try it* shows what the rules make of one now, whom it would page, and tries a mapping on it; so does `/oncall payloads %[1]s %[2]d try`. `/oncall payloads %[1]s %[2]d` sends all of one as a file. The newest %[3]d are kept, for 7 days at most; `watchbill integration payloads` prints them.",
		Name(name), all[0].ID, oncall.PayloadsKept)))
	return d
}

func (p Payload) line(zone *time.Location) string {
	text := fmt.Sprintf("*%d*, %s: %s, ", p.ID, stamp(p.At, asAgo, zone), Foreign(p.Request, maxTitle))
	if p.Monitor == "" {
		text += ":warning: not understood"
	} else {
		text += "taken for " + Name(p.Monitor) + ", " + Count(p.Signals, "signal")
	}
	if p.Trouble != "" {
		text += ": " + Foreign(p.Trouble, maxTitle)
	}
	for i, id := range p.Incidents {
		if i == 3 {
			return text + fmt.Sprintf(" and %d more", len(p.Incidents)-i)
		}
		text += []string{"; incident ", ", ", ", "}[i] + id.String()
	}
	return text
}

// PayloadFileComes says that the file is on its way.
func PayloadFileComes(name string, id oncall.PayloadID) Drawing {
	return Drawing{Text: fmt.Sprintf("Payload %d of *%s* comes as a file in our direct messages.", id, Name(name))}
}

// NoPayloadFile says in a direct message why the file could not be sent.
func NoPayloadFile(name string, id oncall.PayloadID, why string) Drawing {
	return Text(fmt.Sprintf("Payload %d of *%s* can't come as a file: Slack says no, for %s. `watchbill integration payloads %s %d` prints it.",
		id, Name(name), Foreign(why, maxTitle), Name(name), id))
}
