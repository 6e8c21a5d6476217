package slacksim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// writeMessage writes one message with its author in front and every line indented.
func (s *Sim) writeMessage(out *strings.Builder, m *Message, indent string) {
	author := m.Author
	if u := s.user(m.User); u != nil && author == "" {
		author = u.Name
	}
	var lines []string
	if blocks := m.allBlocks(); len(blocks) > 0 {
		lines = s.blockLines(blocks, nil)
	}
	if m.Blocks == nil && m.Text != "" {
		lines = append(strings.Split(s.plainText(m.Text), "\n"), lines...)
	}
	for _, id := range m.Files {
		if f := s.file(id); f != nil {
			lines = append(lines, "[file: "+f.Title+"]")
		}
	}
	if len(lines) == 0 {
		lines = []string{""}
	}
	if m.Edited {
		lines[len(lines)-1] += " (edited)"
	}
	for i, line := range lines {
		prefix := indent + "    "
		if i == 0 {
			prefix = indent + author + ": "
		}
		out.WriteString(strings.TrimRight(prefix+line, " ") + "\n")
	}
}

// blockLines renders blocks as lines of text. In a view, inputs show their values.
func (s *Sim) blockLines(blocks []any, v *view) []string {
	var lines []string
	for _, b := range blocks {
		block, _ := b.(obj)
		lines = append(lines, s.lines(block, v)...)
	}
	return lines
}

func (s *Sim) lines(block obj, v *view) []string {
	var lines []string
	add := func(text string) { lines = append(lines, strings.Split(text, "\n")...) }
	switch kind := textOf(block["type"]); kind {
	case "section":
		if block["text"] != nil {
			add(s.textObject(block["text"]))
		}
		fields, _ := block["fields"].([]any)
		for _, f := range fields {
			add(strings.ReplaceAll(s.textObject(f), "\n", " "))
		}
		if e, ok := block["accessory"].(obj); ok {
			add(s.elementText(block, e, v))
		}
	case "divider":
		add("---")
	case "context":
		var parts []string
		elements, _ := block["elements"].([]any)
		for _, e := range elements {
			o, _ := e.(obj)
			if textOf(o["type"]) == "image" {
				parts = append(parts, "[image: "+textOf(o["alt_text"])+"]")
			} else {
				parts = append(parts, s.textObject(e))
			}
		}
		add(strings.Join(parts, " | "))
	case "actions":
		var parts []string
		for _, e := range elementsOf(block) {
			parts = append(parts, s.elementText(block, e, v))
		}
		add(strings.Join(parts, " "))
	case "input":
		e, _ := block["element"].(obj)
		add(plainOf(block["label"]) + ": " + s.elementText(block, e, v))
		if v != nil && v.errors[textOf(block["block_id"])] != "" {
			add("! " + v.errors[textOf(block["block_id"])])
		}
	case "image":
		add("[image: " + textOf(block["alt_text"]) + "]")
	case "markdown":
		add(textOf(block["text"]))
	case "data_visualization":
		add("[chart: " + textOf(block["title"]) + "]")
	case "table":
		lines = append(lines, tableLines(block)...)
	case "rich_text":
		add(richText(block))
	default:
		add(s.textObject(block["text"]))
	}
	return lines
}

func (s *Sim) textObject(v any) string {
	o, _ := v.(obj)
	if textOf(o["type"]) == "mrkdwn" {
		return s.plainText(textOf(o["text"]))
	}
	return textOf(o["text"])
}

// elementText renders an element in brackets: its label, or its value.
func (s *Sim) elementText(block, e obj, v *view) string {
	kind := textOf(e["type"])
	switch kind {
	case "button", "workflow_button":
		return "[" + plainOf(e["text"]) + "]"
	case "image":
		return "[image: " + textOf(e["alt_text"]) + "]"
	case "overflow":
		return "[... " + strings.Join(labels(optionsOf(e)), " | ") + "]"
	}
	value := e[initialField(kind)]
	if v != nil {
		if held := v.State[textOf(block["block_id"])][textOf(e["action_id"])]; held != nil {
			value = held[valueField[kind]]
		}
	}
	shown := s.shownValue(value)
	if kind == "checkboxes" || kind == "radio_buttons" {
		var parts []string
		for _, o := range optionsOf(e) {
			mark := "( ) "
			if slices.Contains(strings.Split(shown, ", "), plainOf(o["text"])) {
				mark = "(x) "
			}
			parts = append(parts, mark+plainOf(o["text"]))
		}
		return strings.Join(parts, " ")
	}
	if shown == "" {
		shown = plainOf(e["placeholder"])
	}
	return "[" + shown + "]"
}

// shownValue renders a value for people: the labels of options, the names of people and channels.
func (s *Sim) shownValue(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case obj:
		return plainOf(v["text"])
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, s.shownValue(item))
		}
		return strings.Join(parts, ", ")
	case string:
		if u := s.user(v); u != nil {
			return "@" + u.Name
		}
		if c := s.channel(v); c != nil {
			return "#" + c.Name
		}
		return v
	case float64:
		return fmt.Sprintf("%.0f", v)
	default:
		return fmt.Sprint(v)
	}
}

func labels(options []obj) []string {
	var out []string
	for _, o := range options {
		out = append(out, plainOf(o["text"]))
	}
	return out
}

func tableLines(block obj) []string {
	var lines []string
	rows, _ := block["rows"].([]any)
	for _, row := range rows {
		var cells []string
		list, _ := row.([]any)
		for _, cell := range list {
			o, _ := cell.(obj)
			if textOf(o["type"]) == "rich_text" {
				cells = append(cells, richText(o))
			} else {
				cells = append(cells, fmt.Sprint(textOf(o["text"])))
			}
		}
		lines = append(lines, strings.Join(cells, " | "))
	}
	return lines
}

// richText collects the words of a rich text block.
func richText(v any) string {
	o, _ := v.(obj)
	var out strings.Builder
	out.WriteString(textOf(o["text"]))
	elements, _ := o["elements"].([]any)
	for i, e := range elements {
		inner, _ := e.(obj)
		if i > 0 && strings.HasPrefix(textOf(inner["type"]), "rich_text_") {
			out.WriteString("\n")
		}
		out.WriteString(richText(inner))
	}
	return out.String()
}

var reference = regexp.MustCompile(`<([^<>]+)>`)

// plainText replaces the references in mrkdwn by what a person reads and leaves the marks for bold, italics
// and code unchanged. Dates show their fallback.
func (s *Sim) plainText(text string) string {
	text = reference.ReplaceAllStringFunc(text, func(hit string) string {
		inside, label, labelled := strings.Cut(hit[1:len(hit)-1], "|")
		switch {
		case strings.HasPrefix(inside, "@"):
			if u := s.user(inside[1:]); u != nil {
				return "@" + u.Name
			}
		case strings.HasPrefix(inside, "#"):
			if c := s.channel(inside[1:]); c != nil {
				return "#" + c.Name
			}
		case strings.HasPrefix(inside, "!subteam^"):
			if g := s.group(strings.TrimPrefix(inside, "!subteam^")); g != nil {
				return "@" + g.Handle
			}
		case strings.HasPrefix(inside, "!date^"), strings.Contains(inside, ":"):
			if !labelled {
				return inside
			}
		case strings.HasPrefix(inside, "!"):
			return "@" + inside[1:]
		}
		if labelled {
			return label
		}
		return inside
	})
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}
