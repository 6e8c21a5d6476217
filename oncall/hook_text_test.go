package oncall

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/watchbill/watchbill/hostile"
)

// A monitor's text stays text in a ticket: it can't end its block, and none of its lines is a command.
func TestTicketsOfHostileTexts(t *testing.T) {
	t.Parallel()
	texts := append([]hostile.Text{}, hostile.Texts...)
	for name, text := range map[string]string{
		"orders of GitLab":     "/close\n/assign @eve\n/label ~x",
		"orders behind a cite": "```\n/close\n```\n~~~\n/close",
		"the end of the block": "x\n```\n/close\n````\n/close\n`````text\n/close",
		"mentions":             "@eve @org/team @here #1 !2",
		"the end in Jira":      "{noformat}[~eve] !https://evil.example/x.png! {NoFormat:nopanel=true} {code}",
		"ServiceNow's code":    "[code]<script>alert(1)</script>[/CODE]",
		"a megabyte":           strings.Repeat("<b>`&\u202e\n", 100_000),
	} {
		texts = append(texts, hostile.Text{Name: name, Text: text})
	}
	fenced := regexp.MustCompile("(?s)^Watchbill incident #12[^\n]*\n\n(```+)text\n(.*)\n(```+)(\n\nhttps?://[^\n ]*)?$")
	for _, text := range texts {
		e := HookEvent{
			Event:    Event{ID: 7, Kind: EventOpened},
			Incident: Incident{ID: 12, Title: text.Text, Body: text.Text, Link: text.Text, Severity: High, OpenedAt: time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)},
			Team:     "payments",
		}
		for _, template := range HookTemplates() {
			body, err := Hook{Template: template, Options: map[string]string{"project": "OPS"}}.Body(e)
			if err != nil || !json.Valid(body) || !utf8.Valid(body) {
				t.Errorf("%s of %s: %v; want valid JSON in valid UTF-8", template, text.Name, err)
				continue
			}
			if template == HookEvents {
				continue // for programs, as it came
			}
			var said struct {
				Title, Body, Description string
				Short                    string `json:"short_description"`
				Fields                   struct{ Summary, Description string }
			}
			if err := json.Unmarshal(body, &said); err != nil {
				t.Fatal(err)
			}
			title, shown := said.Title+said.Short+said.Fields.Summary, said.Body+said.Description+said.Fields.Description
			if bad := hostile.Plain(title, false); bad != "" || len([]rune(title)) > 255 || !strings.HasPrefix(title, "#12") {
				t.Errorf(`%s of %s: the title: %s %q; want it plain, at most 255 characters and to begin with "#12"`, template, text.Name, bad, title)
			}
			if bad := hostile.Plain(shown, true); bad != "" || len([]rune(shown)) > 2*maxTicketText[template]+1000 {
				t.Errorf(`%s of %s: %s, %d characters; want it plain and at most %d`, template, text.Name, bad, len([]rune(shown)), 2*maxTicketText[template]+1000)
			}
			switch m := fenced.FindStringSubmatch(shown); {
			case template == HookServiceNow:
				if regexp.MustCompile(`(?i)\[/?code\]`).MatchString(shown) {
					t.Errorf("ServiceNow gets a code tag in %s, want none: %.200q", text.Name, shown)
				}
			case strings.TrimSpace(shownLines(text.Text)) == "":
			case template == HookJira:
				if n := len(regexp.MustCompile(`(?i)\{noformat`).FindAllString(shown, -1)); n != 2 {
					t.Errorf("Jira gets %s with %d marks of a block, want 2: %.200q", text.Name, n, shown)
				}
			case m == nil || m[1] != m[3] || strings.Contains(m[2], m[1]):
				t.Errorf("%s of %s is not in one block: %.200q", template, text.Name, shown)
			default:
				for line := range strings.SplitSeq(m[2], "\n") {
					if !strings.HasPrefix(line, " ") {
						t.Errorf(`%s of %s has the line %.100q, want it to begin with " "`, template, text.Name, line)
					}
				}
			}
		}
	}
	e := HookEvent{Incident: Incident{ID: 12, Body: "x", Link: "https://grafana.example.com/d/1?a=1&b=2#c"}}
	if body, _ := (Hook{Template: HookGitHub}).Body(e); !strings.Contains(string(body), `\n\nhttps://grafana.example.com/d/1?a=1\u0026b=2#c"`) {
		t.Errorf(`a good link is left out: %s; want it on a line of its own at the end`, body)
	}
}
