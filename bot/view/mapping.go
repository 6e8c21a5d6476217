package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// A MappingTry is a mapping to try on a payload.
type MappingTry struct {
	ID      oncall.PayloadID
	Of      string // name of the integration
	Mapping oncall.Mapping
	Body    string // beginning of the payload
	Problem string // why it can't be used; empty: it can
	Made    *Tried // the result; nil: not tried yet
	Manages bool   // the reader may save it
	Saved   bool   // there is an active mapping
}

// Draw draws the form for trying a mapping. Only its button saves the mapping, after it was tried.
func (t MappingTry) Draw(zone *time.Location) slack.ModalViewRequest {
	var blocks []slack.Block
	switch {
	case t.Problem != "":
		blocks = append(blocks, section(":warning: "+Foreign(t.Problem, maxRuleText)))
	case t.Made != nil:
		blocks = append(t.Made.blocks(zone), section("To have it so, paste this to the integration in the set-up file, and try it there with `watchbill apply`:\n```"+
			foreignLines(strings.ReplaceAll(MappingYAML(t.Mapping), "```", "'''"), maxSnippet, maxSnippetLines)+"```"))
	default:
		blocks = append(blocks, section(fmt.Sprintf("What a mapping would make of payload %d of *%s*. Nothing is saved. It begins:\n```%s```", t.ID, Name(t.Of),
			foreignLines(strings.ReplaceAll(t.Body, "```", "'''"), maxPayloadStart, maxPayloadLines))))
	}
	m := t.Mapping
	var buttons []slack.BlockElement
	if t.Manages && t.Made != nil && t.Problem == "" {
		buttons = append(buttons, button(ActionMappingSave, "", "Save it").WithStyle(slack.StylePrimary))
	}
	if t.Manages && t.Saved {
		buttons = append(buttons, button(ActionMappingRemove, "", "Read it without a mapping").WithConfirm(slack.NewConfirmationBlockObject(
			plain("Remove the mapping?"), plain("What comes is recognised again, as of any monitor."), plain("Remove"), plain("Cancel"))))
	}
	if len(buttons) > 0 {
		blocks = append(blocks, slack.NewActionBlock("mapping_actions", buttons...))
	}
	blocks = append(blocks,
		textField(BlockMapTitle, "Title", "Text with CEL in ${}: ${payload.title}, or ${get(payload, \"a.b[0].c\", \"otherwise\")} for what may be missing.", m.Title),
		optional(textField(BlockMapEach, "Each", "CEL: the list of which each part is a signal, such as payload.alarms; item is that part.", m.Each)),
		optional(textField(BlockMapSeverity, "Severity", "", m.Severity)),
		optional(textField(BlockMapStatus, "Status", "Whether it fires or is over.", m.Status)),
		optional(textField(BlockMapKey, "Dedup key", "What is the same in the signal of its end.", m.DedupKey)),
		optional(areaField(BlockMapBody, "Body", "", m.Body)),
		optional(areaField(BlockMapLabels, "Labels", "One a line: site: ${payload.site}", labelLines(m.Labels))))
	return dialog(ModalMapping, "Try a mapping", "Try", valueOf(t.ID), blocks...)
}

func labelLines(labels map[string]string) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		lines = append(lines, name+": "+labels[name])
	}
	return strings.Join(lines, "\n")
}

// MappingYAML formats a mapping for the set-up file.
func MappingYAML(m oncall.Mapping) string {
	var b strings.Builder
	b.WriteString("mapping:\n")
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %s: %s\n", name, quoted(text))
		}
	}
	many := func(name string, all map[string]string) {
		if len(all) > 0 {
			fmt.Fprintf(&b, "  %s:\n", name)
		}
		for _, key := range slices.Sorted(maps.Keys(all)) {
			fmt.Fprintf(&b, "    %s: %s\n", quoted(key), quoted(all[key]))
		}
	}
	line("each", m.Each)
	line("title", m.Title)
	line("body", m.Body)
	line("severity", m.Severity)
	line("status", m.Status)
	line("dedup_key", m.DedupKey)
	line("link", m.Link)
	many("labels", m.Labels)
	many("details", m.Details)
	many("links", m.Links)
	return b.String()
}

// quoted returns a text in double quotes: a JSON string is also valid in YAML.
func quoted(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		return `""`
	}
	return strings.TrimSpace(b.String())
}
