package intake

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// isCard reports whether an object is a formatted message: for Teams, Google Chat or Slack, or with
// a text that names its type.
func isCard(o object) bool {
	if len(o.first("attachments").list("content.body")) > 0 || o.str("@type") == "MessageCard" {
		return true
	}
	if o.any("title", "summary", "message", "status", "state", "severity", "dedup_key") { // it has fields of its own
		return false
	}
	return o.first("cardsV2").has("card") || len(o.first("cards").list("sections")) > 0 || o.first("cards").has("header") ||
		o.first("blocks").any("type") && o.first("blocks").any("text", "elements", "fields") && !o.any("text") ||
		o.any("msgtype") && o.any("text.content", "markdown.text", "markdown.content", "body") ||
		o.any("content") && o.any("username", "avatar_url") && len(o.list("embeds")) == 0
}

// maxTexts is how many texts of a card are read.
const maxTexts = 50

// readCard puts the first text of a card in the title, the others in the text, and its first address in the link.
func readCard(d *draft, o object) {
	var texts []string
	for _, field := range []string{"title", "summary", "cardsV2", "cards", "blocks", "attachments", "markdown", "text", "body", "content", "sections", "potentialAction"} {
		for _, found := range cardTexts(field, o.at(field)) {
			if address := cleanLink(found); address != "" {
				d.link = first(d.link, address)
			} else if !slices.Contains(texts, found) && len(texts) < maxTexts {
				texts = append(texts, found)
			}
		}
	}
	if len(texts) == 0 {
		return
	}
	title, more, _ := strings.Cut(texts[0], "\n")
	d.title, d.body = strings.Trim(trim(title), "*_#` "), strings.Join(nonBlank(append([]string{more}, texts[1:]...)...), "\n")
}

// cardTexts returns the texts and addresses under a field that people would see, in order.
func cardTexts(field string, raw json.RawMessage) []string {
	var out []string
	in := json.NewDecoder(bytes.NewReader(raw))
	type level struct {
		list bool
		name string // of the current or latest field
		next bool   // a name is expected next
	}
	levels := []level{{name: field}}
	for len(out) < maxTexts {
		token, err := in.Token()
		if err != nil {
			break
		}
		at := &levels[len(levels)-1]
		switch token := token.(type) {
		case json.Delim:
			if token == '{' || token == '[' {
				at.next = !at.list && len(levels) > 1
				levels = append(levels, level{list: token == '[', name: at.name, next: token == '{'})
			} else if levels = levels[:len(levels)-1]; len(levels) == 0 {
				return out
			}
			continue
		case string:
			if at.next {
				at.name, at.next = token, false
				continue
			}
			if slices.Contains(cardNames, at.name) && trim(token) != "" {
				out = append(out, trim(token))
			}
		}
		at.next = !at.list && len(levels) > 1
	}
	return out
}

// cardNames are the fields of cards that are displayed.
var cardNames = []string{
	"text", "title", "subtitle", "activityTitle", "activitySubtitle", "summary", "content", "topLabel", "bottomLabel", "value", "body", "url", "uri",
}
