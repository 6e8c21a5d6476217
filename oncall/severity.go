package oncall

import "strings"

// Severity says how much it hurts, from "critical" down to "low".
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// ParseSeverity reads the words that monitors use. Unknown and empty words are
// High, so that a missing label never turns a page into a whisper.
func ParseSeverity(s string) Severity {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "critical", "crit", "fatal", "emergency", "emerg", "page", "disaster", "p1", "sev0", "sev1":
		return Critical
	case "warning", "warn", "medium", "average", "moderate", "p3", "sev3":
		return Medium
	case "info", "information", "informational", "notice", "debug", "low", "minor", "none", "p4", "p5", "sev4":
		return Low
	default:
		return High
	}
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

// Worse reports whether s hurts more than t.
func (s Severity) Worse(t Severity) bool { return s.rank() > t.rank() }
