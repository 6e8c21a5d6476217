package intake

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

const (
	maxLinks    = 20
	maxLinkText = 75 // runes
	maxDetail   = 4_000
)

// runbook is the text of a runbook's link, whatever the monitor calls it.
const runbook = "Runbook"

// linkText derives a link's text from the name of its field.
func linkText(name string) string {
	plain := strings.NewReplacer("_", "", "-", "", " ", "", ".", "").Replace(strings.ToLower(name))
	switch plain {
	case "runbook", "runbookurl", "runbooklink", "playbook", "playbookurl", "runbookhref":
		return runbook
	case "dashboard", "dashboardurl":
		return "Dashboard"
	case "panel", "panelurl":
		return "Panel"
	case "silence", "silenceurl":
		return "Silence"
	case "image", "imageurl":
		return "Image"
	case "source", "sourceurl", "generatorurl":
		return "Source"
	case "":
		return "Link"
	}
	return clean(strings.Join(strings.Fields(name), " "), maxLinkText)
}

// links collects the links of an alert.
type links []oncall.Link

// add adds a link, if a browser can open its address. A runbook goes first.
func (l *links) add(name, address string) bool {
	address = cleanLink(address)
	if address == "" {
		return false
	}
	link := oncall.Link{Text: linkText(name), URL: address}
	if slices.Contains(*l, link) {
		return true
	}
	if len(*l) >= maxLinks {
		return false
	}
	if link.Text == runbook {
		*l = slices.Insert(*l, 0, link)
		return true
	}
	*l = append(*l, link)
	return true
}

// take adds the texts that are links, by name or value, and returns the others.
func (l *links) take(texts map[string]string) map[string]string {
	rest := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if !l.add(name, texts[name]) {
			rest[name] = texts[name]
		}
	}
	return rest
}

// runbooks adds the runbook named in labels.
func (l *links) runbooks(labels map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if linkText(name) == runbook {
			l.add(name, labels[name])
		}
	}
}

// read adds the links of a field: addresses, objects with an address and a text, or one object that
// maps texts to addresses. It reports whether it understood all of it.
func (l *links) read(raw json.RawMessage) bool {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		whole := true
		for _, one := range list {
			whole = l.readOne(one) && whole
		}
		return whole
	}
	var one object
	if json.Unmarshal(raw, &one) != nil {
		return l.readOne(raw)
	}
	if _, _, ok := one.address(); ok {
		return l.readOne(raw)
	}
	whole := true
	for _, name := range slices.Sorted(maps.Keys(one)) {
		address, _ := asText(one[name])
		whole = l.add(name, address) && whole
	}
	return whole
}

func (l *links) readOne(raw json.RawMessage) bool {
	var one object
	if json.Unmarshal(raw, &one) != nil {
		address, err := asText(raw)
		return err == nil && l.add("", address)
	}
	text, address, ok := one.address()
	return ok && l.add(text, address)
}

// address returns the text and address of a link that is an object.
func (o object) address() (text, address string, ok bool) {
	address = o.text("href", "url", "link", "uri")
	text = o.text("text", "title", "name", "label", "rel", "alt")
	return text, address, cleanLink(address) != ""
}

// cleanDetails bounds the texts that have no field of their own.
func cleanDetails(texts map[string]string) map[string]string {
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if len(out) == maxLabels {
			break
		}
		if value := cutMarked(texts[name], maxDetail); value != "" && clean(name, maxLabelName) != "" {
			out[clean(name, maxLabelName)] = value
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
