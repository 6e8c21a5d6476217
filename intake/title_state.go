package intake

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/watchbill/watchbill/oncall"
)

// States before or after the subject of a title, for senders that build a new title when an alert
// resolves.
var (
	leading = regexp.MustCompile(`(?i)^[^\pL\pN\[(]*(?:\[(firing|resolved|recovered|recovery|ok|alerting|triggered|problem|closed|no ?data|down|up)(?::\s*\d+)?[^\]]*\]|` +
		`(?:alerts? )?(firing|resolved|recovered|recovery|alerting|triggered|problem|closed|cleared|down|up|ok|warning|critical|error|failed|failure|success|fixed)(?: in [\w ]+)?(?::| -| –| —))\s*`)
	// The words after "is" and "has" are too common to count on their own at the end of a title.
	trailing = regexp.MustCompile(`(?i)[\s:,–—-]+(?:(?:is|are|has|was|been|went|went back|came back|now|back|again)\s+)*` +
		`(down|up|ok|online|offline|recovered|resolved|triggered|firing|alerting|healthy|unhealthy|reachable|unreachable)[\s.!]*[^\pL\pN\])"']*$|` +
		`(?i)[\s:,–—-]+(?:is|are|has|have)(?: (?:now|been|back|again))* (?:in )?(critical|crit|warning|warn|failed|failing|degraded|passing|operational|normal|clear|cleared|fixed|restored)(?: again)?[\s.!]*$`)
	isUp = regexp.MustCompile(`(?i)\b(?:(?:is|are)(?: now)?(?: back)? (?:up|online|ok|healthy|operational|passing|reachable|resolved|back to normal)|` +
		`(?:has|have)(?: now)?(?: been)? (?:recovered|resolved|cleared|fixed|restored))(?: again)?[\s.!]*[^\pL\pN]*$`)
	// denies matches words that negate a recovery: "nobody is online".
	denies = regexp.MustCompile(`(?i)\b(?:no|not|never|nobody|nothing|none|neither|nor|cannot|can't|unless|until|if|whether|when|fail\w*|only|before|unknown)\b|n['’]t\b|\?`)

	// kumaSays matches how Uptime Kuma writes a state in services that take a single text.
	kumaSays = regexp.MustCompile(`(?s)^\[(.+)\]\s*\[(?:[^\pL\]]*\s*)(Up|Down|Pending|Maintenance)\]\s*(.*)$`)
	// kumaTitle matches its titles for ntfy.
	kumaTitle = regexp.MustCompile(`^(.+) (Up|Down) \[Uptime-Kuma\]$`)
	// gatusSays matches how Gatus writes it.
	gatusSays = regexp.MustCompile(`(?s)^An alert for \*{0,2}(.+?)\*{0,2} has been (triggered|resolved)\b`)
)

// alertsEnd matches Alertmanager's heading above the resolved alerts in chat texts.
var alertsEnd = regexp.MustCompile(`(?m)^(#* *)Alerts Resolved:`)

// kumaState splits a text of Uptime Kuma's: all of it, the name, the state, and the rest; nil if it
// is not one.
func kumaState(text string) []string {
	if m := kumaSays.FindStringSubmatch(text); m != nil {
		return m
	}
	if m := kumaTitle.FindStringSubmatch(text); m != nil {
		return append(m, "")
	}
	return nil
}

// stem returns a title without the words for its state, so that the alert and its end share a key.
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

// actionInTitle returns the action that a title states beyond doubt: "[RESOLVED] Disk full", "shop is
// up again".
func actionInTitle(title string) (oncall.Action, bool) {
	if m := kumaState(title); m != nil {
		return kumaStates[normalize(m[2])], true
	}
	if m := gatusSays.FindStringSubmatch(title); m != nil {
		return actions[m[2]], true
	}
	if alertsEnd.MatchString(title) {
		return oncall.Clear, !strings.Contains(title, "Alerts Firing:")
	}
	if m := leading.FindStringSubmatch(title); m != nil {
		a, known := actions[normalize(first(m[1], m[2]))]
		return a, known
	}
	if isUp.MatchString(title) && !denies.MatchString(title) {
		return oncall.Clear, true
	}
	return "", false
}
