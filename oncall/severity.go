package oncall

import (
	"strings"
	"unicode"
)

// Severity is the severity of an incident or alert.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// Severities lists all severities, the worst first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low} }

// severityNames are the words that monitors use.
var severityNames = severityWords(map[Severity]string{
	Critical: `critical crit fatal emergency emerg page disaster panic blocker catastrophic highest outage red kritisch critique crítico crítica critico`,
	High:     `high error err major severe important urgent serious failure alert orange amber availability hoch schwer majeur grave élevé alta alto`,
	Medium:   `medium med warning warn average moderate normal degraded yellow performance resource mittel warnung moyen media`,
	Low:      `low lowest info information informational notice debug minor trivial none planning green niedrig gering faible baja bajo baixa`,
})

// levels are the words before a number of which the lowest is the worst, and byLevel the meanings of the numbers.
var (
	levels  = map[string]bool{"p": true, "s": true, "sev": true, "severity": true, "pri": true, "prio": true, "priority": true, "level": true, "l": true, "urgency": true}
	byLevel = map[string]Severity{"0": Critical, "1": Critical, "2": High, "3": Medium, "4": Low, "5": Low}
)

func severityWords(lists map[Severity]string) map[string]Severity {
	words := map[string]Severity{}
	for s, list := range lists {
		for word := range strings.FieldsSeq(list) {
			words[word] = s
		}
	}
	return words
}

// ParseSeverity parses the words of monitors: "critical", "P1", "sev-1", "P1 - Critical", "1 - High". The first known
// word counts. A bare number means nothing, since in some monitors 1 is the best and in others the worst. Unknown and
// empty texts are High, so that a missing label never makes an incident wait for working hours.
func ParseSeverity(text string) (s Severity, known bool) {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 2 && words[0] == "not" && words[1] == "classified" { // Zabbix
		return Low, true
	}
	for i, word := range words {
		if s, known = severityNames[word]; known {
			return s, true
		}
		name := strings.TrimRightFunc(word, unicode.IsDigit)
		level := word[len(name):]
		if levels[name] && level == "" && i+1 < len(words) {
			level = words[i+1]
		}
		if s, known = byLevel[level]; known && levels[name] {
			return s, true
		}
		if name != "" && !levels[name] && name != "very" { // "not critical" must not count as critical
			break
		}
	}
	return High, false
}

// spokenSeverities are the words of severityNames that people use for nothing else in a sentence.
var spokenSeverities = map[string]bool{"critical": true, "crit": true, "high": true, "urgent": true, "medium": true, "low": true}

// SpokenSeverity parses a word in which people state a severity within a sentence: "critical", "sev1", "P2".
func SpokenSeverity(word string) (s Severity, known bool) {
	word = strings.ReplaceAll(strings.ToLower(word), "-", "")
	if spokenSeverities[word] {
		return severityNames[word], true
	}
	name := strings.TrimRightFunc(word, unicode.IsDigit)
	if name != "p" && name != "s" && name != "sev" {
		return "", false
	}
	s, known = byLevel[word[len(name):]]
	return s, known
}

func (s Severity) rank() int {
	switch s {
	case Critical:
		return 3
	case Medium:
		return 1
	case Low:
		return 0
	default:
		return 2
	}
}

// Worse reports whether s is more severe than t.
func (s Severity) Worse(t Severity) bool { return s.rank() > t.rank() }
