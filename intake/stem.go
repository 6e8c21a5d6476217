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
		`(?:alerts? )?(firing|resolved|recovered|recovery|alerting|triggered|problem|closed|cleared|down|up|ok|warning|critical|error|failed|failure|success|fixed)(?: in [\w ]+)?(?::| -| –| —))\s*`)
	// The words after "is" and "has" are too common to stand alone behind what they are about.
	trailing = regexp.MustCompile(`(?i)[\s:,–—-]+(?:(?:is|are|has|was|been|went|went back|came back|now|back|again)\s+)*` +
		`(down|up|ok|online|offline|recovered|resolved|triggered|firing|alerting|healthy|unhealthy|reachable|unreachable)[\s.!]*[^\pL\pN\])"']*$|` +
		`(?i)[\s:,–—-]+(?:is|are|has|have)(?: (?:now|been|back|again))* (?:in )?(critical|crit|warning|warn|failed|failing|degraded|passing|operational|normal|clear|cleared|fixed|restored)(?: again)?[\s.!]*$`)
	isUp = regexp.MustCompile(`(?i)\b(?:(?:is|are)(?: now)?(?: back)? (?:up|online|ok|healthy|operational|passing|reachable|resolved|back to normal)|` +
		`(?:has|have)(?: now)?(?: been)? (?:recovered|resolved|cleared|fixed|restored))(?: again)?[\s.!]*[^\pL\pN]*$`)
	// denies are words that make of an end something else: "nobody is online".
	denies = regexp.MustCompile(`(?i)\b(?:no|not|never|nobody|nothing|none|neither|nor|cannot|can't|unless|until|if|whether|when|fail\w*|only|before|unknown)\b|n['’]t\b|\?`)

	// kumaSays is how Uptime Kuma writes a state where all that it sends is one text.
	kumaSays = regexp.MustCompile(`(?s)^\[(.+)\]\s*\[(?:[^\pL\]]*\s*)(Up|Down|Pending|Maintenance)\]\s*(.*)$`)
	// kumaTitle is how it writes one in titles for ntfy.
	kumaTitle = regexp.MustCompile(`^(.+) (Up|Down) \[Uptime-Kuma\]$`)
	// gatusSays is how Gatus writes it.
	gatusSays = regexp.MustCompile(`(?s)^An alert for \*{0,2}(.+?)\*{0,2} has been (triggered|resolved)\b`)
)

// alertsEnd is what Alertmanager puts above the alerts that are over, in texts for a chat.
var alertsEnd = regexp.MustCompile(`(?m)^(#* *)Alerts Resolved:`)

// kumaState returns what Uptime Kuma says in one text: all of it, the name, the state and what follows; nil if it is none of its.
func kumaState(text string) []string {
	if m := kumaSays.FindStringSubmatch(text); m != nil {
		return m
	}
	if m := kumaTitle.FindStringSubmatch(text); m != nil {
		return append(m, "")
	}
	return nil
}

// stem is what a title is about, without the words that say whether it is over: it makes one key for both.
func stem(title string) string {
	if m := kumaState(title); m != nil {
		return m[1]
	}
	if m := gatusSays.FindStringSubmatch(title); m != nil {
		return m[1]
	}
	title = alertsEnd.ReplaceAllString(title, "${1}Alerts Firing:")
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
	if m := kumaState(title); m != nil {
		return kumaStates[bare(m[2])], true
	}
	if m := gatusSays.FindStringSubmatch(title); m != nil {
		return actions[m[2]], true
	}
	if alertsEnd.MatchString(title) {
		return oncall.Clear, !strings.Contains(title, "Alerts Firing:")
	}
	if m := leading.FindStringSubmatch(title); m != nil {
		a, known := actions[bare(first(m[1], m[2]))]
		return a, known
	}
	if isUp.MatchString(title) && !denies.MatchString(title) {
		return oncall.Clear, true
	}
	return "", false
}
