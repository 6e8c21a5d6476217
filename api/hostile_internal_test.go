package api

import (
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/watchbill/watchbill/hostile"
)

// The page behind a mail's link shows the texts, without any tags and links besides ours.
func TestHostileTextsStayTextOnTheActPage(t *testing.T) {
	t.Parallel()
	tag := regexp.MustCompile(`<[/!]?([A-Za-z]+)([^>]*)>`)
	attribute := regexp.MustCompile(`\b(on\w+|href|src)=`)
	known := map[string]bool{}
	for i, h := range slices.Insert(slices.Clone(hostile.Texts), 0, hostile.Text{Name: "ours", Text: "disk full"}) {
		text := strings.ReplaceAll(strings.ToValidUTF8(h.Text, ""), "\x00", "") // the database holds nothing else
		p := actPage{
			Title: text, Said: text, Name: text, code: 200, Buttons: []actButton{{"a", "Acknowledge"}},
			Incidents: []actIncident{{ID: "#1", Title: text, Severity: "critical", Status: "triggered"}},
		}
		w := httptest.NewRecorder()
		p.write(w)
		page := w.Body.String()
		for _, found := range tag.FindAllStringSubmatch(page, -1) {
			if i == 0 {
				known[found[1]] = true
			}
			if !known[found[1]] || attribute.MatchString(found[2]) {
				t.Errorf("%s: the page has %q, want only elements and attributes of ours", h.Name, found[0])
			}
		}
		if !utf8.ValidString(page) || strings.ContainsRune(page, 0) || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: got page %.500q, want UTF-8 with a strict policy", h.Name, page)
		}
	}
}
