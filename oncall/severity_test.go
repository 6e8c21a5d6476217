package oncall

import (
	"strings"
	"testing"
)

func TestSeverityWordsOfMonitors(t *testing.T) {
	t.Parallel()
	for want, words := range map[Severity]string{
		Critical: "critical,CRIT,Fatal,emergency,page,Disaster,P0,p1,P1 - Critical,P1: outage,sev-1,SEV 1,Sev1,sev_0,S1,severity 1,Priority-1,prio1,P-1,critical (P2),Critical!,[P1],🔴 Critical,1/Critical,pri 1,red,kritisch,crítico,Very critical",
		High:     "high,1 - High,2 - High,error,err,major,P2,P2 - Critical,sev2,SEV-2,severity: high,urgent,important,Urgency: high,High priority,alert,orange,availability,hoch,schwer,majeur,alta,very high",
		Medium:   "warning,Warn,medium,2 - Medium,Average,moderate,P3,sev 3,P3 (moderate),Priority: medium,yellow,performance,RESOURCE_CONTENTION,mittel,Warnung,moyen",
		Low:      "info,Informational,notice,debug,low,3 - Low,minor,none,P4,p5,sev-4,P5 - planning,lowest,Not classified,very low,low-priority,green,niedrig,faible",
	} {
		for word := range strings.SplitSeq(words, ",") {
			if got, known := ParseSeverity(word); got != want || !known {
				t.Errorf("%q: got %s, known %v, want %s", word, got, known, want)
			}
		}
	}
	for _, word := range []string{"", "strange", "4", "0", "P9", "P10", "not low", "non-critical", "no severity", "very", "urgency", "very strange", "notlow", "sev", "severity", "p", "l0w", "-", "low1", "5 - disk"} {
		if got, known := ParseSeverity(word); got != High || known {
			t.Errorf("%q: got %s, known %v; want %s, unknown", word, got, known, High)
		}
	}
}

// A sentence contains many words that a monitor would use for a severity.
func TestSpokenSeverityIgnoresOrdinaryWords(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]Severity{
		"critical": Critical, "CRIT": Critical, "sev-1": Critical, "P0": Critical, "urgent": High, "s2": High, "medium": Medium, "sev3": Medium, "low": Low, "P5": Low,
	} {
		if got, known := SpokenSeverity(word); got != want || !known {
			t.Errorf("SpokenSeverity(%q) = %q, %v, want %q, true", word, got, known, want)
		}
	}
	for _, word := range []string{"", "page", "red", "disk", "error", "failed", "s", "p9", "sev", "sev10", "3", "info"} {
		if got, known := SpokenSeverity(word); known {
			t.Errorf("SpokenSeverity(%q) = %q, true, want an ordinary word", word, got)
		}
	}
}
