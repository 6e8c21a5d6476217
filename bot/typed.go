package bot

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// reference matches a reference, into which Slack turns a name, a link or an address in a command. Elsewhere in
// the text, < and > are entities.
var reference = regexp.MustCompile(`<([^<>]*)>`)

// typedWords splits a command into words, with links, addresses and channels as they were typed. People and
// user groups stay references, because a command may be about them.
func typedWords(text string, dir *store.Directory) []string {
	text = oncall.Storable(text)
	words := strings.Fields(reference.ReplaceAllStringFunc(text, func(hit string) string {
		if inside := hit[1:]; strings.HasPrefix(inside, "@") || strings.HasPrefix(inside, "!") {
			return hit
		}
		return referenceText(hit)
	}))
	for i, w := range words {
		// Slack may leave the name out.
		if id, ok := view.ReadMention(w); ok && !strings.Contains(w, "|") && dir.Users[id].Name != "" {
			words[i] = view.TypedMention(id, dir.Users[id].Name)
		}
	}
	return words
}

// unescape returns typed text without Slack's escapes. Call it once, on text from a command.
func unescape(s string) string {
	s = reference.ReplaceAllStringFunc(s, referenceText)
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

var channelID = regexp.MustCompile(`^#?([CGD][A-Z0-9]+)$`)

// referenceText returns the text of a reference as people read it.
func referenceText(hit string) string {
	to, label, _ := strings.Cut(hit[1:len(hit)-1], "|")
	address, isMail := strings.CutPrefix(to, "mailto:")
	phone, isPhone := strings.CutPrefix(to, "tel:")
	switch channel := channelID.FindStringSubmatch(to); {
	case strings.HasPrefix(to, "@"):
		return "@" + cmp.Or(label, to[1:])
	case channel != nil:
		return "#" + cmp.Or(label, channel[1])
	case strings.HasPrefix(to, "!date^"):
		return label
	case strings.HasPrefix(to, "!"): // a user group, or @here
		return "@" + strings.TrimPrefix(cmp.Or(label, strings.TrimPrefix(strings.TrimPrefix(to, "!"), "subteam^")), "@")
	case isMail:
		return cmp.Or(label, address)
	case isPhone:
		return cmp.Or(label, phone)
	case label == "" || strings.Contains(to, label): // the typed address, without its scheme
		return cmp.Or(label, to)
	}
	return to + " (" + label + ")"
}
