package intake

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/watchbill/watchbill/oncall"
)

// actions maps the words of monitors, normalized, to actions.
var actions = wordsOf(map[oncall.Action]string{
	oncall.Trigger: `trigger triggered retrigger retriggered renotify renotified fire fired firing refire refired
		alert alerted alerting alarm alarmed alarming realert active activate activated reactivated open opened reopen reopened
		create created start started begin began new raised raise problem incident issue down offline dead gone
		critical crit fatal emergency warning warn rewarn error err fail failed failing failure high severe major
		unhealthy unwell degraded impaired outage disruption trouble unreachable unavailable unresponsive timeout timedout
		nodata renodata missing missed absent insufficientdata unknown stale overdue breach breached violated violation exceeded
		notok nok ko bad red yellow unresolved unacknowledged unacked update updated escalated pending flapping abnormal anomaly
		crash crashed broken stopped notresponding disconnected lost unusual anomalous unconfirmeddown worse matched met
		flappingstart flappingstarted policyopenwarning policyopencritical policycontinueswarning policycontinuescritical policyupgraded
		policydowngraded doesnotexist investigating identified monitoring partialoutage majoroutage degradedperformance checkinmissing
		newitem reopeneditem reactivateditem occurred unstable stillfailing
		störung fehler warnung kritisch ausfall offen gestört alarme alerte ouvert ouverte erreur critique alerta abierto abierta crítico
		aberto allarme aperto storing`,
	oncall.AckSignal: `acknowledge acknowledged acknowledgement acknowledgment ack acked acking acknowledging accept accepted`,
	oncall.Clear: `resolve resolved resolving autoresolve autoresolved ok okay clear cleared close closed autoclosed recovery recover recovered
		recovering up online normal healthy success successful succeeded pass passed passing good green fixed solved
		expire expired end ended finish finished done complete completed restore restored inactive deactivate deactivated
		reset cancel canceled cancelled available reachable backup backtonormal backonline returntonormal reconnected
		operational exists untracked deleted delete resolveditem reporting checkinreporting postmortem over
		policyclosewarning policyclosecritical policycanceledwarning policycanceledcritical
		behoben gelöst erledigt beendet geschlossen wiederhergestellt entwarnung résolu résolue rétabli rétablie fermé fermée terminé terminée
		resuelto resuelta cerrado cerrada recuperado resolvido resolvida fechado risolto risolta chiuso chiusa ripristinato
		opgelost hersteld gesloten`,
})

func wordsOf(lists map[oncall.Action]string) map[string]oncall.Action {
	words := map[string]oncall.Action{}
	for action, list := range lists {
		for word := range strings.FieldsSeq(list) {
			words[word] = action
		}
	}
	return words
}

// normalize keeps only the letters and digits of a word, in lower case, so that "Re-Triggered",
// "NO_DATA" and "up!" are found in any spelling.
func normalize(word string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, word)
}

// subjectWords may precede the action: "incident.resolved", "Alert closed".
var subjectWords = []string{"incident", "alert", "alarm", "problem", "issue", "monitor", "check", "event", "state", "status", "is"}

// fillerWords are filler words that may precede it too: "service is back up", "Connection succeeded".
var fillerWords = setOf(strings.Join(subjectWords, " ") + ` are has have been now back again still all everything manually automatically auto service host
	server device node sensor link connection size ping pid timestamp checksum permission uid gid content resource limit threshold data
	icmp uptime execution heartbeat timeout query`)

// ends are clear enough to follow what has ended: "Down ended", "Warning cleared". begins may not
// precede them, since they mean that the end is yet to come.
var (
	ends   = setOf("ended over cleared resolved recovered recovery closed fixed")
	begins = setOf("pending unresolved unacknowledged unacked missing missed waiting update updated")
	// ways may follow an end: "Resolved by Ann".
	ways = setOf("by automatically manually at after")
)

func setOf(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}

// phrase reads several words, such as "Down ended", "incident has been resolved" and "Resolved by
// Ann". All of them must be known, because an unknown one can change the meaning, as in "failed to
// complete".
func phrase(text string) (oncall.Action, bool) {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’' })
	if len(words) < 2 {
		return "", false
	}
	if first := words[0]; ends[first] && actions[first] == oncall.Clear && (ways[words[1]] || first == "recovered" && words[1] == "from") {
		return oncall.Clear, true
	}
	last := words[len(words)-1]
	action, known := actions[last]
	if !known {
		return "", false
	}
	for _, word := range words[:len(words)-1] {
		over := action == oncall.Clear && ends[last] && actions[word] == oncall.Trigger && !begins[word]
		if !fillerWords[word] && !over {
			return "", false
		}
	}
	return action, true
}

// arrows stand between the status that was and the one that is.
var arrows = strings.NewReplacer("=>", "→", "->", "→", "➜", "→", "⇒", "→")

// latest returns the part after a text's last arrow, or all of it.
func latest(text string) string {
	text = arrows.Replace(text)
	if i := strings.LastIndex(text, "→"); i >= 0 {
		return text[i+len("→"):]
	}
	return text
}

// before returns the part before a sign: "OK" of "OK - 0 % lost".
func before(text, sign string) string {
	text, _, _ = strings.Cut(text, sign)
	return text
}

// readStatus maps a status to an action. An unknown one is a trigger: in doubt somebody is paged.
func readStatus(field, word string) (oncall.Action, []oncall.Hint) {
	now := latest(word)
	for _, text := range []string{now, before(now, " - "), before(now, ":"), before(now, "(")} {
		plain := normalize(text)
		if a, known := actions[plain]; known {
			return a, nil
		}
		for _, subject := range subjectWords {
			if a, known := actions[strings.TrimPrefix(plain, subject)]; known {
				return a, nil
			}
		}
		if a, known := phrase(text); known {
			return a, nil
		}
	}
	return oncall.Trigger, []oncall.Hint{{Field: field, Text: fmt.Sprintf(
		"%s is %q, which is not a word for an end that is known here: it counts as a trigger. "+
			"Send \"trigger\", \"acknowledge\" or \"resolve\".", field, clean(word, 100))}}
}

// readSeverity maps a severity. Blank stays blank, as nothing is known; an unknown word is high.
func readSeverity(field, word string) (oncall.Severity, []oncall.Hint) {
	if word = trim(word); word == "" {
		return "", nil
	}
	s, known := oncall.ParseSeverity(word)
	if known {
		return s, nil
	}
	return s, []oncall.Hint{{Field: field, Text: fmt.Sprintf(
		"%s is %q, which is not known here: it counts as %s. Send critical, high, medium, low, or P0 to P5.", field, clean(word, 100), s)}}
}
