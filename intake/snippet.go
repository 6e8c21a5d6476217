package intake

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// A Snippet is the setting that makes a monitor send to an integration.
type Snippet struct {
	Where string // where it goes, in words
	Text  string // to copy, with the key in it
}

// snippets are for formats that need more than an address. %s is the address.
var snippets = map[oncall.Format]Snippet{
	"generic": {
		Where: "Any script or monitor that can send JSON:",
		Text: `curl %s \
  -H 'Content-Type: application/json' \
  -d '{"title": "disk full on db-1", "dedup_key": "db-1/disk", "severity": "high"}'`,
	},
	oncall.AutoFormat: {
		Where: "In any monitor that sends webhooks this address is all that it needs. To try it by hand:",
		Text: `curl %s \
  -H 'Content-Type: application/json' \
  -d '{"title": "disk full on db-1", "dedup_key": "db-1/disk", "severity": "high"}'`,
	},
	"alertmanager": {
		Where: "In alertmanager.yml; in Grafana the url alone, in a contact point of type Webhook:",
		Text: `receivers:
  - name: watchbill
    webhook_configs:
      - url: %s`,
	},
}

// fileLinks match references to other documents, which the person who reads a snippet doesn't have.
var fileLinks = regexp.MustCompile(`\s*\(\[[^\]]+\]\([a-z-]+\.md[^)]*\)\)`)

// SignalAddress returns the URL to which a monitor with this key sends.
func SignalAddress(base, key string) string {
	return strings.TrimSuffix(base, "/") + "/v1/signals/" + key
}

// SnippetFor returns the snippet for a format; one without a snippet of its own gets the address.
func SnippetFor(name oncall.Format, base, key string) Snippet {
	address := SignalAddress(base, key)
	s, known := snippets[name]
	if guide := Guide(name, base, key); !known && guide != "" {
		return Snippet{Where: "In " + FormatNamed(name).Title + ":", Text: plainGuide(guide)}
	}
	if !known {
		return Snippet{Where: "Address of the webhook in the monitor:", Text: address}
	}
	s.Text = fmt.Sprintf(s.Text, address)
	return s
}

// plainGuide removes from a guide what only a document shows: references to others and marks around words. The indented
// lines, which people copy, stay as they are.
func plainGuide(guide string) string {
	lines := strings.Split(strings.TrimSpace(fileLinks.ReplaceAllString(guide, "")), "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "    ") {
			lines[i] = guideMarks.Replace(line)
		}
	}
	return strings.Join(lines, "\n")
}

var guideMarks = strings.NewReplacer("**", "", "`", "")
