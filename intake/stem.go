package intake

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/watchbill/watchbill/oncall"
)

// States that stand before or behind what they are about, in titles that are made anew for the end.
var (
	leading = regexp.MustCompile(`(?i)^[^\pL\pN\[(]*(?:\[(firing|resolved|recovered|recovery|ok|alerting|triggered|problem|closed|no ?data|down|up)(?::\s*\d+)?[^\]]*\]|` +
		`(firing|resolved|recovered|recovery|alerting|triggered|problem|closed|down|up)(?: in [\w ]+)?(?::| -| –| —))\s*`)
	trailing = regexp.MustCompile(`(?i)[\s:,–—-]+(?:(?:is|are|has|was|been|went|went back|came back|now|back|again)\s+)*` +
		`(down|up|ok|online|offline|recovered|resolved|triggered|firing|alerting|healthy|unhealthy|reachable|unreachable)[\s.!]*[^\pL\pN\])"']*$`)
	isUp = regexp.MustCompile(`(?i)\b(?:is|are)(?: now)?(?: back)? (?:up|online)[\s.!]*[^\pL\pN]*$`)

	// kumaSays is how Uptime Kuma writes a state where all that it sends is one text.
	kumaSays = regexp.MustCompile(`(?s)^\[(.+)\]\s*\[(?:[^\pL\]]*\s*)(Up|Down|Pending|Maintenance)\]\s*(.*)$`)
	// gatusSays is how Gatus writes it.
	gatusSays = regexp.MustCompile(`(?s)^An alert for \*{0,2}(.+?)\*{0,2} has been (triggered|resolved)\b`)
)

// stem is what a title is about, without the words that say whether it is over: it makes one key for both.
func stem(title string) string {
	if m := kumaSays.FindStringSubmatch(title); m != nil {
		return m[1]
	}
	if m := gatusSays.FindStringSubmatch(title); m != nil {
		return m[1]
	}
	about := strings.TrimLeftFunc(title, func(r rune) bool { return unicode.Is(unicode.So, r) || unicode.IsSpace(r) || r == '\ufe0f' })
	if at := leading.FindStringIndex(about); at != nil {
		about = about[at[1]:]
	}
	if at := trailing.FindStringIndex(about); at != nil && at[0] > 0 {
		about = about[:at[0]]
	}
	if trim(about) == "" {
		return title
	}
	return trim(about)
}

// saysItself is what a title says of itself, if that is beyond doubt: "[RESOLVED] Disk full", "shop is up again".
func saysItself(title string) (oncall.Action, bool) {
	if m := kumaSays.FindStringSubmatch(title); m != nil {
		return kumaStates[bare(m[2])], true
	}
	if m := gatusSays.FindStringSubmatch(title); m != nil {
		return actions[m[2]], true
	}
	if m := leading.FindStringSubmatch(title); m != nil {
		a, known := actions[bare(first(m[1], m[2]))]
		return a, known
	}
	if isUp.MatchString(title) {
		return oncall.Clear, true
	}
	return "", false
}
