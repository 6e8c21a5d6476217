package view

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// bundleLines lists a bundle's incidents, with links if all of them fit.
func bundleLines(facts oncall.NoticeDetail, links map[oncall.IncidentID]string) []string {
	lines := make([]string, len(facts.Lines))
	size := 0
	for i, l := range facts.Lines {
		lines[i] = "• " + Foreign(l, maxAlertTitle)
		if i < len(facts.Incidents) {
			name := facts.Incidents[i].String()
			if rest, named := strings.CutPrefix(lines[i], "• "+name+" "); named {
				lines[i] = "• " + link(links[facts.Incidents[i]], name) + " " + rest
			}
		}
		size += utf8.RuneCountInString(lines[i]) + 1
	}
	if size > maxSection-maxAlertTitle && len(links) > 0 {
		return bundleLines(facts, nil)
	}
	return lines
}

// Bundle draws a page about several incidents, with links to those that have a message.
func Bundle(notice oncall.Notice, links map[oncall.IncidentID]string) Drawing {
	facts := notice.Detail
	head := fmt.Sprintf(":rotating_light: *%s* for you", Count(len(facts.Incidents), "incident"))
	lines := append([]string{head}, bundleLines(facts, links)...)
	if more := len(facts.Incidents) - len(facts.Lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	d := Drawing{Text: cutSection(strings.Join(append([]string{head + ":"}, bundleLines(facts, nil)...), "\n")), Blocks: []slack.Block{section(cutSection(strings.Join(lines, "\n")))}}
	if facts.State != "" {
		over := ":white_check_mark: It is acknowledged or over."
		if len(facts.Incidents) > 1 {
			over = fmt.Sprintf(":white_check_mark: All %d are acknowledged or over.", len(facts.Incidents))
		}
		d.Blocks = append(d.Blocks, section(over))
		if facts.Over >= len(facts.Incidents) {
			return d
		}
	}
	id := valueOf(notice.About)
	resolve := allLabel("Resolve", len(facts.Incidents), facts.Over)
	sure := fmt.Sprintf("This resolves %s.", Count(len(facts.Incidents)-facts.Over, "incident"))
	if facts.Answered > facts.Over {
		sure += " Some of them have been acknowledged, and somebody may be at work on them."
	}
	var buttons []slack.BlockElement
	if facts.State == "" {
		buttons = append(buttons, button(ActionBundleAck, id, allLabel("Acknowledge", len(facts.Incidents), facts.Answered)).WithStyle(slack.StylePrimary))
	}
	buttons = append(buttons, button(ActionBundleResolve, id, resolve).
		WithConfirm(slack.NewConfirmationBlockObject(plain(resolve+"?"), plain(sure), plain("Resolve"), plain("Cancel"))))
	d.Blocks = append(d.Blocks, slack.NewActionBlock("bundle", buttons...))
	return d
}

// allLabel labels a button that acts on all incidents, or on the remaining ones.
func allLabel(verb string, all, done int) string {
	switch left := all - done; {
	case done == 0:
		return verb + " all"
	case left == 1:
		return verb + " the other one"
	default:
		return fmt.Sprintf("%s the other %d", verb, left)
	}
}
